"""How Salesforce words a refusal of a query: an excerpt, a caret under the place, row, column, sentence (facts C.6)."""

from orgsim.errors import ApiError

_BEFORE = 40
_AFTER = 40


def refuse(code: str, message: str, query: str, at: int) -> ApiError:
    """`at` is the offset of the place in the query."""
    row = query.count("\n", 0, at) + 1
    line_start = query.rfind("\n", 0, at) + 1
    begin = max(line_start, at - _BEFORE)
    excerpt = query[begin : at + _AFTER].split("\n", maxsplit=1)[0]
    caret = " " * (at - begin) + "^"
    where = f"ERROR at Row:{row}:Column:{at - line_start + 1}"
    return ApiError(code, f"\n{excerpt}\n{caret}\n{where}\n{message}")


def no_such_column(name: str, entity: str, query: str, at: int) -> ApiError:
    return refuse(
        "INVALID_FIELD",
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append "
        f"the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate "
        f"names.",
        query,
        at,
    )


def no_such_relationship(name: str, query: str, at: int) -> ApiError:
    return refuse(
        "INVALID_FIELD",
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, "
        f"be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe "
        f"call for the appropriate names.",
        query,
        at,
    )


def no_such_sobject(name: str, query: str, at: int) -> ApiError:
    return refuse(
        "INVALID_TYPE",
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the "
        f"'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.",
        query,
        at,
    )


def malformed(message: str) -> ApiError:
    return ApiError("MALFORMED_QUERY", message)
