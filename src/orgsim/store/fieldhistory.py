"""Writes the history of tracked fields: a row for each change, and for events of a record's life (facts C.27).

Values are kept as JSON, as they may be text, numbers or booleans. Not here: OpportunityHistory (store/history.py).
"""

from collections.abc import Iterator

import orjson

from orgsim.schema.history import DATA_TYPES, shown_name
from orgsim.schema.model import Field, SObject
from orgsim.store.changes import add_record
from orgsim.store.org import Org
from orgsim.store.rows import Row, read_row
from orgsim.store.values import Stored, to_number

MAX_VALUE_CHARACTERS = 255
_Entry = tuple[str, str, object, object]  # field, data type, old value, new value


def write_event(org: Org, user_id: str, sobject: SObject, record_id: str, event: str, new_value: Stored = None) -> None:
    """Something that happened to a record as a whole, such as `created` or `leadConverted`."""
    _write(org, user_id, sobject, record_id, [(event, "Text", None, new_value)])


def write_field_history(org: Org, user_id: str, sobject: SObject, row: Row, old: Row) -> None:
    changed = (each for each in sobject.fields if each.track_history and row.get(each.name) != old.get(each.name))
    entries = [entry for each in changed for entry in _entries(org, each, old.get(each.name), row.get(each.name))]
    if _is_accepted(org, user_id, row, old):
        entries.append(("ownerAccepted", "Text", None, None))
    _write(org, user_id, sobject, str(row["Id"]), entries)


def _entries(org: Org, field: Field, old: Stored, new: Stored) -> Iterator[_Entry]:
    """A lookup leaves two: the names of the records, and their ids. What is long leaves no values."""
    name, data_type = shown_name(field), DATA_TYPES[field.type]
    if field.type == "reference":
        yield name, "Text", _name_of(org, old), _name_of(org, new)
    if field.type == "multipicklist" or field.length > MAX_VALUE_CHARACTERS:
        yield name, data_type, None, None
    else:
        yield name, data_type, _plain(field, old), _plain(field, new)


def _plain(field: Field, stored: Stored) -> object:
    if stored is None:
        return None
    if field.type == "boolean":
        return bool(stored)
    if field.type in ("currency", "double", "percent"):
        return float(to_number(field, int(stored)))
    return stored


def _name_of(org: Org, record_id: Stored) -> Stored:
    sobject = org.catalog().of_id(str(record_id)) if record_id else None
    if sobject is None:
        return None
    row = read_row(org.database.connect(), sobject, str(record_id)) or {}
    return next((row.get(each.name) for each in sobject.fields if each.name_field), None)


def _is_accepted(org: Org, user_id: str, row: Row, old: Row) -> bool:
    """The user took the record from a queue for himself."""
    before, after = old.get("OwnerId"), row.get("OwnerId")
    if before == after or after != user_id:
        return False
    owner = org.catalog().of_id(str(before))
    return owner is not None and owner.name == "Group"


def _write(org: Org, user_id: str, sobject: SObject, record_id: str, entries: list[_Entry]) -> None:
    history = org.catalog().find(sobject.history_name) if sobject.history_name else None
    if history is None:
        return
    link = next(each.name for each in history.fields if each.cascade_delete)
    for name, data_type, old, new in entries:
        row: Row = {
            "Id": org.new_id(history.key_prefix),
            "IsDeleted": 0,
            link: record_id,
            "CreatedById": user_id,
            "CreatedDate": org.now_text(),
            "Field": name,
            "DataType": data_type,
            "OldValue": _json(old),
            "NewValue": _json(new),
        }
        add_record(org, history, row)


def _json(value: object) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
