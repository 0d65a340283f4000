"""/tooling/sobjects/ApexTrigger: triggers as metadata. Their bodies are kept and never run.

What they cost is a lever's matter (store/triggers.py).
"""

import re
from collections.abc import Mapping

from lark import Lark
from lark.exceptions import LarkError
from starlette.responses import Response

from orgsim import ids
from orgsim.errors import ApiError, missing_on_sobject, not_found
from orgsim.exchange import empty_response, json_response
from orgsim.rest.call import Call
from orgsim.schema.admin import APEX_TRIGGER
from orgsim.store.recyclebin import log_deletion
from orgsim.store.rows import Row, erase_row, insert_row, read_row
from orgsim.store.values import Stored, to_stored
from orgsim.store.write import Writer

_COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_HEADER = Lark(
    r"""
    start: "trigger"i NAME "on"i NAME "(" event ("," event)* ")" BLOCK
    event: WHEN DEED
    WHEN.2: "before"i | "after"i
    DEED.2: "insert"i | "update"i | "delete"i | "undelete"i
    NAME: /[A-Za-z]\w*/
    BLOCK: /\{.*\}/s
    %ignore /\s+/
    """,
    parser="lalr",
)
_SETTABLE = frozenset({"Name", "TableEnumOrId", "Body", "Status", "ApiVersion", "NamespacePrefix"})
_USAGES = tuple(each.name for each in APEX_TRIGGER.fields if each.name.startswith("Usage"))


def create(call: Call) -> Response:
    record_id = add_trigger(call.writer, call.exchange.json_object(), call.api_version)
    location = f"{call.base_path}/tooling/sobjects/ApexTrigger/{record_id}"
    body = {"id": record_id, "success": True, "errors": [], "warnings": [], "infos": []}
    return json_response(body, 201, {"Location": location})


def update(call: Call) -> Response:
    with call.org.database.write():
        change_trigger(call.writer, _row(call), call.exchange.json_object())
    return empty_response()


def delete(call: Call) -> Response:
    with call.org.database.write():
        drop_trigger(call.writer, str(_row(call)["Id"]))
    return empty_response()


def add_trigger(writer: Writer, values: Mapping[str, object], api_version: str = "60.0") -> str:
    """`Body` and `TableEnumOrId` are needed; name and usages are read off the body's header. Returns the Id."""
    given = _read(values)
    missing = tuple(name for name in ("Body", "TableEnumOrId") if given.get(name) is None)
    if missing:
        raise ApiError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", fields=missing)
    org, now = writer.org, writer.org.now_text()
    row: Row = {"Status": "Active", "ApiVersion": int(float(api_version)), "IsValid": 1, "ManageableState": "unmanaged"}
    row |= given
    row |= _told_by_body(writer, row)
    row |= dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), now)
    row |= dict.fromkeys(("CreatedById", "LastModifiedById"), writer.user_id)
    with org.database.write() as connection:
        row["Id"] = org.new_id(APEX_TRIGGER.key_prefix)
        insert_row(connection, APEX_TRIGGER, row)
    return str(row["Id"])


def change_trigger(writer: Writer, row: Row, values: Mapping[str, object]) -> None:
    given = _read(values)
    writer.set_fields("ApexTrigger", str(row["Id"]), {**given, **_told_by_body(writer, {**row, **given})})


def drop_trigger(writer: Writer, record_id: str) -> None:
    with writer.org.database.write() as connection:
        log_deletion(writer.org, APEX_TRIGGER, record_id)
        erase_row(connection, APEX_TRIGGER, record_id)


def _read(values: Mapping[str, object]) -> Row:
    row: Row = {}
    for name, value in values.items():
        field = APEX_TRIGGER.find(name)
        if field is None:
            raise missing_on_sobject(name, "ApexTrigger")
        if field.name not in _SETTABLE:
            message = f"Unable to create/update fields: {field.name}."
            raise ApiError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=(field.name,))
        row[field.name] = to_stored(field, value)
    return row


def _told_by_body(writer: Writer, row: Mapping[str, Stored]) -> Row:
    """Name, object, usages and length, as the trigger's own text says them. Raises ApiError when it disagrees."""
    text = _COMMENTS.sub("", str(row["Body"]))
    try:
        header = _HEADER.parse(text)
    except LarkError as error:
        raise _wrong("Body", f"Unexpected token in the trigger: {error}") from error
    name, target, *_ = header.children
    sobject = writer.org.catalog().find(str(row["TableEnumOrId"]))
    if sobject is None or sobject.name.lower() != str(target).lower():
        raise _wrong("TableEnumOrId", f"The trigger is on {target}, not on {row['TableEnumOrId']}")
    usages = {
        f"Usage{''.join(str(word).capitalize() for word in event.children)}" for event in header.find_data("event")
    }
    if not usages <= set(_USAGES):
        raise _wrong("Body", "A trigger cannot run before undelete")
    told: Row = {each: int(each in usages or each == "UsageIsBulk") for each in _USAGES}
    return {**told, "Name": str(name), "TableEnumOrId": sobject.name, "LengthWithoutComments": len(text)}


def _wrong(field: str, message: str) -> ApiError:
    return ApiError("FIELD_INTEGRITY_EXCEPTION", message, fields=(field,))


def _row(call: Call) -> Row:
    given = call.param("record_id")
    row = read_row(call.org.database.connect(), APEX_TRIGGER, ids.to_18(given)) if ids.is_id(given) else None
    if row is None:
        raise not_found()
    return row
