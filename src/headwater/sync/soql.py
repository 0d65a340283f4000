"""The SOQL of a read: all rows or the changed ones, in the order of Id.

A page goes on behind the last row of the one before it, so equal stamps lose nothing (facts C.1).
All values come from describes and earlier answers of the org; they are still checked before they are put into text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headwater.common.errors import Bug
from headwater.lake import Fineness, TableSchema
from headwater.sync.objects import GOES_WITH

OVERLAP = timedelta(minutes=10)  # rows become visible up to this long after their stamp (facts C.1)
_STAMP_FIELDS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ID = re.compile(r"[A-Za-z0-9]{15,18}")


@dataclass(frozen=True, slots=True)
class Span:
    """What is still unread lies between these two Ids, neither of them included; empty: open at that end."""

    after: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of a span: `rows` rows in the order of Id from its beginning, or backwards from its end.

    skip   Rows to pass over first (OFFSET); the caller checks that the page joins on to the one before.
    rows   None for as many as an answer holds; then the org also tells how many there are in all.
    """

    rows: int | None
    skip: int = 0
    is_from_end: bool = False


def stamp_field(schema: TableSchema) -> str:
    """The field that says when a row last changed; history objects have only the later ones (facts C.1)."""
    names = {column.name for column in schema.columns}
    found = next((name for name in _STAMP_FIELDS if name in names), None)
    if found is None:
        raise Bug("sync.no_stamp", f"{schema.sobject} has no field that says when a row changed.")
    return found


def bulk_soql(schema: TableSchema, since_utc: datetime | None, span: Span, only: str = "") -> str:
    """For a Bulk job: no order and no limit, which would switch its chunking off (facts C.4)."""
    return _select(schema, _conditions(schema, since_utc, span, only))


def page_soql(schema: TableSchema, since_utc: datetime | None, span: Span, piece: Slice, only: str = "") -> str:
    """All rows or changed ones, in the order of Id, which never moves while a read is under way.

    only   One more condition (created_in_soql); empty: none.
    """
    order = "Id DESC" if piece.is_from_end else "Id"
    limit = f" LIMIT {piece.rows}" if piece.rows else ""
    skip = f" OFFSET {piece.skip}" if piece.skip else ""
    return f"{_select(schema, _conditions(schema, since_utc, span, only))} ORDER BY {order}{limit}{skip}"


def _conditions(schema: TableSchema, since_utc: datetime | None, span: Span, only: str = "") -> list[str]:
    conditions = [_since(schema, since_utc)] if since_utc else _not_deleted(schema)
    if only:
        conditions.append(only)
    if span.after:
        conditions.append(f"Id > '{_checked_id(span.after)}'")
    if span.before:
        conditions.append(f"Id < '{_checked_id(span.before)}'")
    return conditions


def count_all_soql(sobject: str) -> str:
    """How many rows a full read would bring, of an object that was not described yet."""
    where = "" if sobject in GOES_WITH else " WHERE IsDeleted = false"
    return f"SELECT COUNT() FROM {_checked_name(sobject)}{where}"  # noqa: S608 - SOQL, checked


def count_soql(schema: TableSchema, since_utc: datetime | None) -> str:
    """How many rows a read would bring."""
    conditions = _conditions(schema, since_utc, Span())
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT COUNT() FROM {_checked_name(schema.sobject)}{where}"  # noqa: S608 - SOQL, every part checked


def live_among_soql(sobject: str, ids: Sequence[str]) -> str:
    """Which of these records are there and not deleted."""
    listed = ", ".join(f"'{_checked_id(each)}'" for each in ids)
    return f"SELECT Id FROM {_checked_name(sobject)} WHERE IsDeleted = false AND Id IN ({listed})"  # noqa: S608 - SOQL, every part checked


def months_soql(schema: TableSchema, until_utc: datetime, fineness: Fineness) -> str:
    """Per month of creation how many rows are live and what their stamps are, of rows unchanged since `until_utc`.

    All in UTC: only convertTimezone() would have dates in the asker's own time (facts C.3). At most 2,000 groups are
    answered: 166 years of months, if they are told apart by nothing else.
    """
    stamp = stamp_field(schema)
    conditions = [f"{stamp} <= {to_literal(until_utc)}", *(["IsDeleted = false"] if schema.has("IsDeleted") else [])]
    names = {"y": "CALENDAR_YEAR(CreatedDate)", "m": "CALENDAR_MONTH(CreatedDate)"}
    if fineness is Fineness.DAY:
        names |= {"changed_day": f"DAY_ONLY({stamp})"}
    elif fineness is Fineness.MONTH:
        names |= {"changed_y": f"CALENDAR_YEAR({stamp})", "changed_m": f"CALENDAR_MONTH({stamp})"}
    grouped = ", ".join(f"{part} {name}" for name, part in names.items())
    return (
        f"SELECT {grouped}, COUNT(Id) n, "  # noqa: S608 - SOQL, every part checked
        f"MIN({stamp}) oldest, MAX({stamp}) newest, COUNT_DISTINCT({stamp}) stamps "
        f"FROM {_checked_name(schema.sobject)} WHERE {' AND '.join(conditions)} "
        f"GROUP BY {', '.join(names.values())}"
    )


def changed_ids_soql(schema: TableSchema, after_utc: datetime) -> str:
    """Which rows changed after that moment, deleted ones too."""
    return f"SELECT Id FROM {_checked_name(schema.sobject)} WHERE {stamp_field(schema)} > {to_literal(after_utc)}"  # noqa: S608 - SOQL, every part checked


def created_in_soql(ranges: Sequence[tuple[datetime, datetime]]) -> str:
    """A condition: created in one of these, each from its beginning to just before its end."""
    spans = [f"(CreatedDate >= {to_literal(start)} AND CreatedDate < {to_literal(end)})" for start, end in ranges]
    return spans[0] if len(spans) == 1 else f"({' OR '.join(spans)})"


def parse_stamp(text: str) -> datetime:
    """REST writes `+0000`, Bulk writes `Z` (facts C.1)."""
    return datetime.fromisoformat(text)


def to_literal(moment: datetime) -> str:
    """A SOQL datetime: whole seconds, rounded down, unquoted."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _since(schema: TableSchema, since_utc: datetime) -> str:
    return f"{stamp_field(schema)} >= {to_literal(since_utc - OVERLAP)}"


def _not_deleted(schema: TableSchema) -> list[str]:
    """A full read through queryAll wants archived rows, but not the recycle bin.

    What comes back with another object's record is read deleted or not: no stamp will tell when it comes back.
    """
    has_bin = any(column.name == "IsDeleted" for column in schema.columns)
    return ["IsDeleted = false"] if has_bin and schema.owner is None else []


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
