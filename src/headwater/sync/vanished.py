"""Records that vanished without a trace among the rows (hard delete, emptied bin, purge): asked for once a day.

getDeleted tells them, 25 objects a credit, once the rows of a cycle are in; its lists stay on disk until all are worked
through, so that a killed cycle does not pay for them twice. Only what was deleted before the cycle began to read
counts: whatever was undeleted or edited by then stands in the rows, and wins.
Not here: what getDeleted cannot tell, which goes with the next full read of the object.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
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
from headwater.sync.read import SCRATCH_PREFIX, Reading
from headwater.sync.schemas import schema_of
from headwater.sync.soql import live_among_soql, parse_stamp

KEPT = timedelta(days=15) - timedelta(hours=1)  # the list of deletions goes back 15 days (facts C.2)
SHORTEST_WINDOW = timedelta(minutes=2)  # start must precede end by more than a minute (facts C.2)
NOT_FOUND = 404
IDS_OF_A_QUERY = 150  # 21 characters each, in a WHERE of 4,000 (facts C.3)


@dataclass(frozen=True, slots=True)
class _Told:
    """Of one object, as a step keeps it: the file of the org's list ("": it is empty), and the end that was asked for.

    covered_utc   Until when the list is complete; None where the org cannot tell.
    """

    sobject: str
    file: str = ""
    end_utc: str = ""
    covered_utc: str | None = None


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
    """Steps of the cycle, when all its rows are in: the calls, then each object of which the org told any, then all.

    Returns the rows that vanished, and what could not be told.
    """
    folder = reading.directory / f"{SCRATCH_PREFIX}vanished-{reading.cycle.number}"
    kept = reading.job.step(
        "ask what vanished",
        lambda: _ask(reading, plan, folder),
        lambda told: [asdict(each) for each in told],
    )
    told = [_Told(**each) for each in kept]
    rows = {each.sobject: _bury(reading, each, folder) for each in told if each.file}

    def record(_: None) -> dict[str, Any]:
        for each in told:
            if rows.get(each.sobject) is None and each.file:
                continue  # its list was lost: the next cycle asks again
            _keep(reading, each)
        found = {name: count for name, count in rows.items() if count}
        return {"rows": found, "untold": [each.sobject for each in told if each.covered_utc is None]}

    result: dict[str, Any] = reading.job.step("look for vanished rows", lambda: None, record)
    if folder.exists():
        shutil.rmtree(folder)
    return result


def _ask(reading: Reading, plan: SyncPlan, folder: Path) -> list[_Told]:
    until_utc = reading.tally.read_from_utc
    if until_utc is None:
        return []
    changes = {read.sobject for read in plan.reads if read.mode is Mode.CHANGES}
    due = {name: table for name, table in due_tables(reading.account).items() if name in changes}
    asks, too_old = _asks(due, until_utc)
    answers = Org(reading.transport).deleted_together(asks)
    told = [_told(ask, answer, folder) for ask, answer in zip(asks, answers, strict=True)]
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


def _told(ask: DeletedAsk, answer: Deletions | Refusal, folder: Path) -> _Told:
    if isinstance(answer, Refusal):  # what is out of sight for now is asked again; the rest cannot be told
        is_unseen = answer.error_code in UNSEEN_CODES or answer.status_code == NOT_FOUND
        return _Told(ask.sobject, covered_utc=ask.start_utc.isoformat() if is_unseen else None)
    covered_utc = max(ask.start_utc, min(answer.covered_utc, ask.end_utc))
    file = _save(answer, folder) if answer.records else ""
    return _Told(ask.sobject, file, ask.end_utc.isoformat(), covered_utc.isoformat())


def _save(answer: Deletions, folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{answer.sobject}.json"
    path.write_bytes(orjson.dumps(answer.records))
    return path.name


def _bury(reading: Reading, told: _Told, folder: Path) -> int | None:
    """Tombstones of one object, once. Returns how many rows vanished; None where the org's list is no longer there."""

    def record(part: Part | None) -> int | None:
        if part is None:
            return None
        reading.record_part(told.sobject, part)
        return part.row_count

    rows: int | None = reading.job.step(
        f"rows of {told.sobject} that vanished", lambda: _tombstones(reading, told, folder / told.file), record
    )
    return rows


def _tombstones(reading: Reading, told: _Told, path: Path) -> Part | None:
    if not path.exists():
        return None
    parts = live_parts(reading.account, reading.tables[told.sobject], reading.cycle)
    return write_deleted(
        TableParts(reading.schemas[told.sobject], parts),
        Deleted(path, parse_stamp(told.end_utc)),
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
    """Called in a step's transaction. An object of which the org cannot tell is not known from any moment on.

    The look counts from the moment up to which it asked: a cycle may take a day to get here.
    """
    ReplicaTable.of(reading.account).filter(sobject=told.sobject).update(
        vanished_until_utc=told.covered_utc and parse_stamp(told.covered_utc),
        vanished_checked_utc=reading.tally.read_from_utc,
    )
