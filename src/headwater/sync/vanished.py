"""Records that vanished without a trace among the rows (hard delete, emptied bin, purge): asked for once a day.

getDeleted tells them, 25 objects a credit, as a step of a cycle once its rows are in. Only what was deleted before the
cycle began to read counts: whatever was undeleted or edited by then stands in the rows, and wins.
Not here: what getDeleted cannot tell, which goes with the next full read of the object.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import orjson
from django.conf import settings

from headwater.accounts.models import Account
from headwater.common.batches import batches
from headwater.common.clock import now_utc
from headwater.lake import Deleted, Part, TableParts, can_hold_tombstones, write_deleted
from headwater.salesforce.errors import Refusal
from headwater.salesforce.rest import (
    COMPOSITE_SUBREQUESTS_MAX,
    UNSEEN_CODES,
    DeletedAsk,
    Deletions,
    Org,
    SubQuery,
)
from headwater.sync.discover import tables_of
from headwater.sync.models import ReplicaTable
from headwater.sync.plan import Mode, SyncPlan
from headwater.sync.publish import live_parts
from headwater.sync.read import Reading
from headwater.sync.schemas import schema_of
from headwater.sync.soql import live_among_soql

KEPT = timedelta(days=15) - timedelta(hours=1)  # the list of deletions goes back 15 days (facts C.2)
SHORTEST_WINDOW = timedelta(minutes=2)  # start must precede end by more than a minute (facts C.2)
NOT_FOUND = 404
IDS_OF_A_QUERY = 150  # 21 characters each, in a WHERE of 4,000 (facts C.3)


@dataclass(frozen=True, slots=True)
class _Told:
    """Of one object: the tombstones (None: no Id was told), and until when the org's list is complete.

    covered_utc   None where the org cannot tell.
    """

    sobject: str
    part: Part | None = None
    covered_utc: datetime | None = None


def due_tables(account: Account) -> dict[str, ReplicaTable]:
    """What is to be asked for: at most once in 24 hours, of objects whose rows can be marked as deleted."""
    before_utc = now_utc() - timedelta(hours=settings.VANISHED_EVERY_HOURS)
    return {name: table for name, table in sorted(tables_of(account).items()) if _is_due(table, before_utc)}


def asking_calls(account: Account) -> int:
    """Credits that the next cycle spends on asking."""
    return ceil(len(due_tables(account)) / COMPOSITE_SUBREQUESTS_MAX)


def _is_due(table: ReplicaTable, before_utc: datetime) -> bool:
    if table.vanished_until_utc is None or not can_hold_tombstones(schema_of(table)):
        return False
    return table.vanished_checked_utc is None or table.vanished_checked_utc <= before_utc


def look_for_vanished(reading: Reading, plan: SyncPlan) -> dict[str, Any]:
    """A step of the cycle, when all its rows are in. Returns the rows that vanished, and what could not be told."""

    def record(told: Sequence[_Told]) -> dict[str, Any]:
        for each in told:
            _keep(reading, each)
        rows = {each.sobject: each.part.row_count for each in told if each.part and each.part.row_count}
        return {"rows": rows, "untold": [each.sobject for each in told if each.covered_utc is None]}

    result: dict[str, Any] = reading.job.step("look for vanished rows", lambda: _look(reading, plan), record)
    return result


def _look(reading: Reading, plan: SyncPlan) -> list[_Told]:
    until_utc = reading.tally.read_from_utc
    if until_utc is None:
        return []
    changes = {read.sobject for read in plan.reads if read.mode is Mode.CHANGES}
    due = {name: table for name, table in due_tables(reading.account).items() if name in changes}
    asks, too_old = _asks(due, until_utc)
    answers = Org(reading.transport).deleted_together(asks)
    told = [_told(reading, ask, answer) for ask, answer in zip(asks, answers, strict=True)]
    return [*(_Told(name) for name in too_old), *told]


def _asks(due: Mapping[str, ReplicaTable], until_utc: datetime) -> tuple[list[DeletedAsk], list[str]]:
    """What to ask, and the objects for which it is too late to ask."""
    asks, too_old = [], []
    for name, table in due.items():
        since_utc = table.vanished_until_utc
        if since_utc is None or since_utc < until_utc - KEPT:
            too_old.append(name)
        elif until_utc - since_utc >= SHORTEST_WINDOW:
            asks.append(DeletedAsk(name, since_utc, until_utc))
    return asks, too_old


def _told(reading: Reading, ask: DeletedAsk, answer: Deletions | Refusal) -> _Told:
    if isinstance(answer, Refusal):  # what is out of sight for now is asked again; the rest cannot be told
        is_unseen = answer.error_code in UNSEEN_CODES or answer.status_code == NOT_FOUND
        return _Told(ask.sobject, covered_utc=ask.start_utc if is_unseen else None)
    covered_utc = max(ask.start_utc, min(answer.covered_utc, ask.end_utc))
    part = _tombstones(reading, answer, ask.end_utc) if answer.records else None
    return _Told(ask.sobject, part, covered_utc)


def _tombstones(reading: Reading, told: Deletions, until_utc: datetime) -> Part:
    parts = live_parts(reading.account, reading.tables[told.sobject], reading.cycle)
    table = TableParts(reading.schemas[told.sobject], parts)
    with reading.scratch(".json") as path:
        path.write_bytes(orjson.dumps(told.records))
        return write_deleted(
            table,
            Deleted(path, until_utc),
            reading.directory,
            reading.cycle.number,
            lambda ids: _live_among(reading, told.sobject, ids),
        )


def _live_among(reading: Reading, sobject: str, ids: Sequence[str]) -> set[str]:
    """Which of these records are there, five times 150 of them a credit."""
    queries = [SubQuery(sobject, live_among_soql(sobject, some)) for some in batches(ids, IDS_OF_A_QUERY)]
    pages, _ = Org(reading.transport).query_together(queries)
    return {record["Id"] for page in pages for record in page.records}


def _keep(reading: Reading, told: _Told) -> None:
    """Called in the step's transaction. An object of which the org cannot tell is not known from any moment on.

    The look counts from the moment up to which it asked: a cycle may take a day to get here.
    """
    if told.part is not None:
        reading.record_part(told.sobject, told.part)
    ReplicaTable.of(reading.account).filter(sobject=told.sobject).update(
        vanished_until_utc=told.covered_utc, vanished_checked_utc=reading.tally.read_from_utc
    )
