"""Why a formula cannot be saved, in the words of Salesforce's own formula engine (facts C.20)."""

from collections.abc import Iterable


class FormulaError(Exception):
    """A formula that Salesforce would not save."""


def described(name: str) -> str:
    """`function 'LEFT()'`, `operator '+'`."""
    return f"function '{name}()'" if name[0].isalpha() else f"operator '{name}'"


def wrong_type(name: str, expected: Iterable[str], received: str) -> FormulaError:
    return FormulaError(
        f"Incorrect parameter type for {described(name)}. Expected {', '.join(expected)}, received {received}"
    )


def wrong_argument(name: str) -> FormulaError:
    return FormulaError(f"Incorrect argument type for {described(name)}.")


def wrong_count(name: str, expected: int, received: int) -> FormulaError:
    return FormulaError(
        f"Incorrect number of parameters for {described(name)}. Expected {expected}, received {received}"
    )


def no_such_field(name: str) -> FormulaError:
    return FormulaError(f"Field {name} does not exist. Check spelling.")


def not_here(function: str) -> FormulaError:
    return FormulaError(f"Function {function} may not be used in this type of formula")


def unsupported_field(kind: str, name: str) -> FormulaError:
    return FormulaError(f'You referenced an unsupported field type called "{kind}" using the following field: {name}')


def picklist_field(name: str, *, multi: bool) -> FormulaError:
    kind = "multi-select picklist" if multi else "picklist"
    return FormulaError(
        f"Field {name} is a {kind} field. {kind.capitalize()} fields are only supported in certain functions."
    )
