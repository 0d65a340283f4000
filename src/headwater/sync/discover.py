"""How many rows to expect of each object, what is to be read of it, and the plan.

Not here: what the objects look like (describe.py), choosing and pricing (plan.py), and what does not fit (fitting.py).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import ceil

from django.conf import settings
from django.db.models import Sum

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.salesforce.rest import COMPOSITE_QUERIES_MAX, Org, SubQuery
from headwater.salesforce.transport import Transport
from headwater.sync.describe import Look, descriptions_of, wanted_of
from headwater.sync.learning import pace_of
from headwater.sync.models import ManifestPart, ReplicaTable
from headwater.sync.objects import COUNTED_BY_QUERY, DAILY, SMALL
from headwater.sync.plan import UNKNOWN_ROW_BYTES, Mode, SyncPlan, Wish, choose
from headwater.sync.schemas import schema_of
from headwater.sync.soql import OVERLAP, count_all_soql, count_soql, to_literal

DAILY_EVERY = timedelta(hours=24)


def tables_of(account: Account) -> dict[str, ReplicaTable]:
    """Every table that readers see, also of an object that the org no longer shows."""
    return {table.sobject: table for table in ReplicaTable.of(account) if table.columns}


def tables_to_read(account: Account) -> dict[str, ReplicaTable]:
    """Those of objects that are there; what is read once a day only when it is due."""
    known, wanted = descriptions_of(account), wanted_of(account)
    return {
        name: table
        for name, table in tables_of(account).items()
        if name in wanted and name in known and known[name].is_there and _is_due(table)
    }


def _is_due(table: ReplicaTable) -> bool:
    if table.sobject not in DAILY or table.read_from_utc is None or table.full_read_due:
        return True
    return table.read_from_utc <= now_utc() - DAILY_EVERY


def _is_history(table: ReplicaTable) -> bool:
    """All of it is to be read, and that may be much."""
    return table.sobject not in SMALL and (table.read_from_utc is None or table.full_read_due)


def count_rows(transport: Transport, tables: Mapping[str, ReplicaTable], known: Mapping[str, int]) -> Look:
    """Count what must be read in full and was not counted with the describe; at most a few credits."""
    in_full = [name for name, table in tables.items() if _is_history(table)]
    missing = [name for name in in_full if name not in known]
    by_query = [name for name in missing if name in COUNTED_BY_QUERY]
    by_record_count = [name for name in missing if name not in COUNTED_BY_QUERY]
    counts, calls = dict(known), 0
    if by_record_count:
        counts |= dict.fromkeys(by_record_count, 0) | Org(transport).record_counts(by_record_count)
        calls += 1
    if by_query:
        counts |= _counts(transport, {name: count_all_soql(name) for name in by_query})
        calls += ceil(len(by_query) / COMPOSITE_QUERIES_MAX)
    return Look(None, counts, calls)


def count_changes(transport: Transport, tables: Mapping[str, ReplicaTable]) -> Look:
    """Count what changed, five objects a credit: for a person who wants the price to the point.

    No cycle needs it: the first page that it reads of each object tells the same for nothing.
    """
    changed = {name: table for name, table in tables.items() if not _is_history(table) and name not in SMALL}
    soqls = {name: count_soql(schema_of(table), table.read_from_utc) for name, table in sorted(changed.items())}
    counts = _counts(transport, soqls) if soqls else {}
    return Look(None, counts, ceil(len(changed) / COMPOSITE_QUERIES_MAX))


def _counts(transport: Transport, soqls: Mapping[str, str]) -> dict[str, int]:
    """What a COUNT() query of each object finds, five for a credit."""
    pages, _ = Org(transport).query_together([SubQuery(name, soql) for name, soql in soqls.items()])
    return {page.sobject: page.total_rows for page in pages}


def wishes_of(tables: Mapping[str, ReplicaTable], counts: Mapping[str, int]) -> list[Wish]:
    """What is to be read of each table: in full where `counts` knows it, else what changed."""
    return [_wish(table, counts.get(name)) for name, table in sorted(tables.items())]


def _wish(table: ReplicaTable, count: int | None) -> Wish:
    mode = mode_of(table)
    since_utc = table.read_from_utc if mode is Mode.CHANGES else None
    return Wish(
        sobject=table.sobject,
        mode=mode,
        rows=_expected_rows(table, mode) if count is None else count,
        since_utc=to_literal(since_utc) if since_utc else "",
        is_counted=mode is Mode.FULL,
        row_bytes=table.row_bytes or UNKNOWN_ROW_BYTES,
        page_rows=page_rows_of(table),
    )


def page_rows_of(table: ReplicaTable) -> int:
    """How many rows of it a page is expected to hold."""
    return min(table.page_rows or settings.QUERY_PAGE_ROWS, settings.QUERY_PAGE_ROWS)


def mode_of(table: ReplicaTable) -> Mode:
    """How the next cycle that reads it does so."""
    if table.sobject in SMALL:
        return Mode.ANEW
    return Mode.FULL if _is_history(table) else Mode.CHANGES


def _expected_rows(table: ReplicaTable, mode: Mode) -> int:
    """Of a small table as many as there were; of changes as many an hour as in the cycles before."""
    if mode is not Mode.ANEW:
        return _expected_changes(table)
    return live_rows(table)


def live_rows(table: ReplicaTable) -> int:
    """Rows in its live parts: never fewer than it has, and little more, as parts are merged past a fifth."""
    live = ManifestPart.of(table.account_id).filter(table=table, is_retired=False)
    return live.aggregate(rows=Sum("row_count"))["rows"] or 0


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
