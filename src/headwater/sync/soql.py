"""The SOQL of a read: all rows in the order of Id, or changed rows in the order of (SystemModstamp, Id).

A page goes on behind its last row, never by OFFSET or locator, so equal stamps lose nothing (facts C.1).
All values come from describes and earlier answers of the org; they are still checked before they are put into text.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headwater.common.errors import Bug
from headwater.lake import TableSchema

OVERLAP = timedelta(minutes=10)  # rows become visible up to this long after their stamp (facts C.1)
_STAMP_FIELDS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ID = re.compile(r"[A-Za-z0-9]{15,18}")


@dataclass(frozen=True, slots=True)
class Place:
    """The last row read so far: its stamp (only when reading changes) and its Id."""

    stamp: str
    record_id: str


def stamp_field(schema: TableSchema) -> str:
    """The field that says when a row last changed; history objects have only the later ones (facts C.1)."""
    names = {column.name for column in schema.columns}
    found = next((name for name in _STAMP_FIELDS if name in names), None)
    if found is None:
        raise Bug("sync.no_stamp", f"{schema.sobject} has no field that says when a row changed.")
    return found


def bulk_soql(schema: TableSchema, since_utc: datetime | None) -> str:
    """For a Bulk job: no order and no limit, which would switch its chunking off (facts C.4)."""
    conditions = [_since(schema, since_utc)] if since_utc else _not_deleted(schema)
    return _select(schema, conditions)


def page_soql(schema: TableSchema, since_utc: datetime | None, after: Place | None, rows: int) -> str:
    """The next page behind `after`."""
    if since_utc is None:
        conditions = [*_not_deleted(schema), *([f"Id > '{_checked_id(after.record_id)}'"] if after else [])]
        return f"{_select(schema, conditions)} ORDER BY Id LIMIT {rows}"
    stamp = stamp_field(schema)
    if after is None:
        condition = _since(schema, since_utc)
    else:
        at = to_literal(parse_stamp(after.stamp))
        condition = f"(({stamp} = {at} AND Id > '{_checked_id(after.record_id)}') OR {stamp} > {at})"
    return f"{_select(schema, [condition])} ORDER BY {stamp}, Id LIMIT {rows}"


def count_soql(sobject: str) -> str:
    return f"SELECT COUNT() FROM {_checked_name(sobject)} WHERE IsDeleted = false"  # noqa: S608 - SOQL, checked


def parse_stamp(text: str) -> datetime:
    """REST writes `+0000`, Bulk writes `Z` (facts C.1)."""
    return datetime.fromisoformat(text.replace("+0000", "+00:00"))


def to_literal(moment: datetime) -> str:
    """A SOQL datetime: whole seconds, rounded down, unquoted."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _since(schema: TableSchema, since_utc: datetime | None) -> str:
    if since_utc is None:
        raise Bug("sync.no_since", f"Changes of {schema.sobject} were asked for without a beginning.")
    return f"{stamp_field(schema)} >= {to_literal(since_utc - OVERLAP)}"


def _not_deleted(schema: TableSchema) -> list[str]:
    """A full read through queryAll wants archived rows, but not the recycle bin."""
    has_bin = any(column.name == "IsDeleted" for column in schema.columns)
    return ["IsDeleted = false"] if has_bin else []


def _select(schema: TableSchema, conditions: list[str]) -> str:
    fields = ", ".join(_checked_name(column.name) for column in schema.columns)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {fields} FROM {_checked_name(schema.sobject)}{where}"  # noqa: S608 - SOQL, every part checked


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Bug("sync.bad_name", f"{name!r} is not a Salesforce API name.")
    return name


def _checked_id(record_id: str) -> str:
    if not _ID.fullmatch(record_id):
        raise Bug("sync.bad_id", f"{record_id!r} is not a Salesforce id.")
    return record_id
