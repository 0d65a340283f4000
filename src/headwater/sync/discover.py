"""The first steps of a cycle: what the objects look like (describe, once a day), how many rows to expect, and the plan.

Not here: choosing and pricing (plan.py), and what does not fit (fitting.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.conf import settings

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix
from headwater.lake import CanonicalType, Column, Owner, TableSchema, schema_from_describe
from headwater.salesforce.rest import COMPOSITE_QUERIES_MAX, Org, SubQuery
from headwater.salesforce.transport import Transport
from headwater.sync.learning import described_row_bytes, pace_of
from headwater.sync.models import ReplicaTable
from headwater.sync.objects import COUNTED_BY_QUERY, GOES_WITH, OBJECTS
from headwater.sync.plan import UNKNOWN_ROW_BYTES, Mode, SyncPlan, Wish, choose
from headwater.sync.soql import OVERLAP, count_all_soql, count_soql, to_literal

DESCRIBE_EVERY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Look:
    """What was asked of the org to make a plan: columns (None: they are fresh), counts, and what that cost."""

    columns: Mapping[str, list[list[str]]] | None
    row_bytes: Mapping[str, int]
    counts: Mapping[str, int]
    calls: int


def schema_of(table: ReplicaTable) -> TableSchema:
    columns = tuple(Column(name, CanonicalType(kind)) for name, kind in table.columns)
    owner = GOES_WITH.get(table.sobject)
    return TableSchema(table.sobject, columns, Owner(*owner) if owner else None)


def tables_of(account: Account) -> dict[str, ReplicaTable]:
    return {table.sobject: table for table in ReplicaTable.of(account).filter(sobject__in=OBJECTS)}


def needs_describe(account: Account) -> bool:
    """True where a table was never described, not in the last 24 hours, or lacks a field that we now want."""
    tables = tables_of(account)
    fresh = now_utc() - DESCRIBE_EVERY
    return not all(_is_described(tables.get(name), fields, fresh) for name, fields in OBJECTS.items())


def _is_described(table: ReplicaTable | None, fields: Sequence[str], since_utc: datetime) -> bool:
    if table is None or table.described_utc is None or table.described_utc < since_utc:
        return False
    return set(fields) <= {name for name, _ in table.columns}


def look_at_fields(account: Account, transport: Transport) -> Look:
    """The columns of every object we read, for one credit, and with it counts of what is surely read in full.

    Raises Fix naming all objects that the user may not see.
    """
    if not needs_describe(account):
        return Look(None, {}, {}, 0)
    tables = tables_of(account)
    new = [name for name in COUNTED_BY_QUERY if name in OBJECTS and _is_never_read(tables.get(name))]
    counting = [SubQuery(name, _count_all(name)) for name in new[:COMPOSITE_QUERIES_MAX]]
    described, counts = Org(transport).describe_and_count(list(OBJECTS), counting)
    unseen = [name for name in OBJECTS if name not in described]
    if unseen:
        raise _not_readable(unseen)
    columns = {name: _columns(described[name], fields) for name, fields in OBJECTS.items()}
    widths = {name: described_row_bytes(described[name], fields) for name, fields in OBJECTS.items()}
    return Look(columns, widths, counts, 1)


def _is_never_read(table: ReplicaTable | None) -> bool:
    return table is None or table.read_from_utc is None


def _not_readable(unseen: Sequence[str]) -> Fix:
    return Fix(
        "sync.objects_not_readable",
        f"The connected user may not read {', '.join(unseen)}.",
        Facts(
            why="Salesforce answers as if they did not exist.",
            left="Nothing was read.",
            you_can="grant read on these objects in a permission set and assign it to the connected user",
        ),
    )


def _columns(describe: Mapping[str, Any], fields: Sequence[str]) -> list[list[str]]:
    schema = schema_from_describe(describe, fields)
    return [[column.name, column.type.value] for column in schema.columns]


def store_look(account: Account, look: Look) -> None:
    """Keep the described columns; a table whose columns changed is read in full again, when there is room for it."""
    for name, columns in (look.columns or {}).items():
        table, _ = ReplicaTable.of(account).get_or_create(sobject=name, account=account)
        if table.columns != columns:
            table.columns, table.full_read_due = columns, table.read_from_utc is not None
        table.row_bytes = table.row_bytes or look.row_bytes[name]
        table.described_utc = now_utc()
        table.save()


def count_rows(transport: Transport, tables: Mapping[str, ReplicaTable], known: Mapping[str, int]) -> Look:
    """Count what must be read in full and was not counted with the describe; at most a few credits."""
    in_full = [name for name, table in tables.items() if _is_never_read(table) or table.full_read_due]
    missing = [name for name in in_full if name not in known]
    by_query = [name for name in missing if name in COUNTED_BY_QUERY]
    by_record_count = [name for name in missing if name not in COUNTED_BY_QUERY]
    counts, calls = dict(known), 0
    if by_record_count:
        counts |= dict.fromkeys(by_record_count, 0) | Org(transport).record_counts(by_record_count)
        calls += 1
    for names in _fives(by_query):
        counts |= _counts(transport, [SubQuery(name, _count_all(name)) for name in names])
        calls += 1
    return Look(None, {}, counts, calls)


def count_changes(transport: Transport, tables: Mapping[str, ReplicaTable]) -> Look:
    """Count what changed, five objects a credit: for a person who wants the price to the point.

    No cycle needs it: the first page that it reads of each object tells the same for nothing.
    """
    changed = {name: table for name, table in tables.items() if table.read_from_utc and not table.full_read_due}
    counts: dict[str, int] = {}
    for names in _fives(sorted(changed)):
        soqls = [count_soql(schema_of(changed[name]), changed[name].read_from_utc) for name in names]
        counts |= _counts(transport, [SubQuery(name, soql) for name, soql in zip(names, soqls, strict=True)])
    return Look(None, {}, counts, ceil(len(changed) / COMPOSITE_QUERIES_MAX))


def _fives(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + COMPOSITE_QUERIES_MAX] for start in range(0, len(names), COMPOSITE_QUERIES_MAX))


def _count_all(sobject: str) -> str:
    return count_all_soql(sobject, with_deleted=sobject in GOES_WITH)


def _counts(transport: Transport, queries: Sequence[SubQuery]) -> dict[str, int]:
    pages, _ = Org(transport).query_together(queries)
    return {page.sobject: page.total_rows for page in pages}


def wishes_of(tables: Mapping[str, ReplicaTable], counts: Mapping[str, int]) -> list[Wish]:
    """What is to be read of each table: in full where `counts` knows it, else what changed."""
    return [_wish(table, counts.get(name)) for name, table in sorted(tables.items())]


def _wish(table: ReplicaTable, count: int | None) -> Wish:
    is_full = _is_never_read(table) or table.full_read_due
    return Wish(
        sobject=table.sobject,
        mode=Mode.FULL if is_full else Mode.CHANGES,
        rows=_expected_changes(table) if count is None else count,
        since_utc="" if is_full or table.read_from_utc is None else to_literal(table.read_from_utc),
        is_counted=is_full,
        row_bytes=table.row_bytes or UNKNOWN_ROW_BYTES,
        page_rows=min(table.page_rows or settings.QUERY_PAGE_ROWS, settings.QUERY_PAGE_ROWS),
    )


def _expected_changes(table: ReplicaTable) -> int:
    """As many an hour as in the cycles before, for the time since the last read and the overlap with it."""
    if table.changed_rows_per_hour is None or table.read_from_utc is None:
        return 0
    since = now_utc() - table.read_from_utc + OVERLAP
    return ceil(table.changed_rows_per_hour * max(since, OVERLAP) / timedelta(hours=1))


def price(account: Account, wishes: Sequence[Wish], *, looking_calls: int) -> SyncPlan:
    return choose(
        wishes,
        looking_calls=looking_calls,
        pace=pace_of(account),
        bulk_file_bytes=settings.BULK_FILE_BYTES,
    )
