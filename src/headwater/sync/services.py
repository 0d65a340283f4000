"""What pages, commands and the rooms above ask of the sync: plan, run, and read the replica."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
from django.db import transaction

from headwater.accounts.models import Account
from headwater.accounts.services import open_account_of_job
from headwater.connections.services import session
from headwater.jobs.models import JsonValue
from headwater.jobs.running import RunningJob
from headwater.jobs.tasks import task
from headwater.lake import checksum, open_snapshot
from headwater.sync.audit import run_audit
from headwater.sync.audit_asks import comparing_calls
from headwater.sync.audit_findings import AuditView, ObjectFinding
from headwater.sync.backfill import run_backfill
from headwater.sync.cycle import run_cycle
from headwater.sync.describe import look_now
from headwater.sync.discover import count_changes as count_all_changes
from headwater.sync.discover import count_rows, tables_of, tables_to_read, wishes_of
from headwater.sync.fitting import BACKFILL_TASK, fitted_plan
from headwater.sync.models import Audit, Cycle, DescribedObject, ManifestPart, ReadingPace, ReplicaTable
from headwater.sync.notices import notices_of
from headwater.sync.plan import Mode, ObjectRead, SyncPlan, Waiting
from headwater.sync.publish import lake_directory, manifest
from headwater.sync.schedule import AUDIT_TASK, CYCLE_TASK
from headwater.sync.vanished import asking_calls

PLANNING = "plan"
CALLS_OF_A_PLAN = ("looking_calls", "query_calls", "composite_calls", "bulk_calls", "calls")


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """The replica as readers see it: `published_utc` is when the shown cycle was published.

    Credits are None of a cycle of an older version, which did not keep them.
    """

    cycle: int
    published_utc: datetime
    rows_read: dict[str, int]
    planned_calls: int | None
    spent_calls: int | None


@dataclass(frozen=True, slots=True)
class CallsLine:
    """Credits of one kind of call: as planned, as planned again once the first pages had come, and as spent."""

    kind: str
    planned_calls: int
    planned_again_calls: int | None
    spent_calls: int | None


@dataclass(frozen=True, slots=True)
class ObjectLine:
    """One object: how it is read and why, rows expected and rows that came (None: not yet)."""

    sobject: str
    mode: str
    method: str
    why: str
    planned_rows: int
    rows: int | None
    pages: int | None
    bulk_calls: int | None


@dataclass(frozen=True, slots=True)
class PlanAgainstActual:
    """What a cycle was to be and what became of it. `seconds` as planned and as they were.

    left_calls, resets_utc   As in SyncPlan; None and empty where the plan did not ask.
    """

    calls: tuple[CallsLine, ...]
    objects: tuple[ObjectLine, ...]
    waiting: tuple[Waiting, ...]
    left_calls: int | None
    resets_utc: datetime | None
    planned_seconds: int
    seconds: int | None


@task(CYCLE_TASK)
def sync_cycle(job: RunningJob, *, account_id: int) -> JsonValue:
    """One cycle of one account."""
    return run_sync(job, open_account_of_job(job.tenant, account_id))


def run_sync(job: RunningJob, account: Account) -> dict[str, Any]:
    """A cycle; history that it had no room for is put in the queue, to be read at its share of the quota.

    Where the org could not tell which records are gone, an audit looks.
    """
    result = run_cycle(job, account)
    if "waiting" in result:
        job.step("let history follow", lambda: backfill.enqueue(tenant=job.tenant, account_id=account.pk).pk)
    if "untold" in result:
        job.step("have it compared", lambda: audit.enqueue(tenant=job.tenant, account_id=account.pk).pk)
    notices = [notice.sentence for notice in notices_of(account)]
    return {**result, **({"notices": notices} if notices else {})}


@task(BACKFILL_TASK)
def backfill(job: RunningJob, *, account_id: int) -> JsonValue:
    """History that had to wait."""
    return run_backfill(job, open_account_of_job(job.tenant, account_id))


@task(AUDIT_TASK)
def audit(job: RunningJob, *, account_id: int) -> JsonValue:
    """The replica compared with the org by month of creation, and repaired."""
    return run_audit(job, open_account_of_job(job.tenant, account_id))


def planned_audit_calls(account: Account) -> int:
    """Credits of an audit that finds nothing. A repair is priced once it is known what differs."""
    return comparing_calls(account)


def latest_audit(account: Account) -> AuditView | None:
    """The newest that came to its end; None before the first. Asks the org nothing."""
    row = Audit.latest(account)
    if row is None or row.finished_utc is None:
        return None
    return AuditView(
        started_utc=row.started_utc,
        finished_utc=row.finished_utc,
        after_cycle=row.after_cycle,
        planned_calls=row.planned_calls,
        spent_calls=row.spent_calls,
        repaired_rows=row.repaired_rows,
        objects=tuple(ObjectFinding.from_json(each) for each in row.findings),
    )


def plan_sync(account: Account, *, count_changes: bool = False) -> SyncPlan:
    """What the next cycle would read, by which call, for how many credits.

    Looking costs nothing where nothing is to be read in full; with `count_changes` one credit for five objects, and
    then the plan knows how much has changed instead of expecting it.
    """
    with session(account, job_kind=PLANNING) as transport:
        look = look_now(account, transport)
        tables = tables_to_read(account)
        looks = [look, count_rows(transport, tables, look.counts)]
        if count_changes:
            looks.append(count_all_changes(transport, tables))
        counts = {name: rows for each in looks for name, rows in each.counts.items()}
        looking_calls = sum(each.calls for each in looks) + asking_calls(account)
        return fitted_plan(account, tables, wishes_of(tables, counts), looking_calls=looking_calls)


def replica_state(account: Account) -> ReplicaState | None:
    """None before the first published cycle."""
    cycle = Cycle.of(account).filter(published_utc__isnull=False).order_by("-number").first()
    if cycle is None or cycle.published_utc is None:
        return None
    planned = SyncPlan.from_json(cycle.plan).calls if cycle.plan else None
    return ReplicaState(cycle.number, cycle.published_utc, dict(cycle.rows_read), planned, cycle.actual.get("calls"))


def plan_against_actual(account: Account, job_id: str) -> PlanAgainstActual | None:
    """Of the cycle that a job carries out; None where it has no plan, or not yet."""
    cycle = Cycle.of(account).filter(job_id=job_id).first()
    if cycle is None or not cycle.plan:
        return None
    plan = SyncPlan.from_json(cycle.plan)
    final = SyncPlan.from_json(cycle.final_plan) if cycle.final_plan else None
    return PlanAgainstActual(
        calls=tuple(_calls_line(kind, plan, final, cycle.actual) for kind in CALLS_OF_A_PLAN),
        objects=tuple(_object_line(read, final, cycle.actual) for read in plan.all_reads),
        waiting=plan.all_waiting,
        left_calls=plan.left_calls,
        resets_utc=plan.resets,
        planned_seconds=plan.seconds,
        seconds=cycle.actual.get("seconds"),
    )


def _calls_line(kind: str, plan: SyncPlan, final: SyncPlan | None, actual: Mapping[str, int]) -> CallsLine:
    return CallsLine(kind, getattr(plan, kind), getattr(final, kind) if final else None, actual.get(kind))


def _object_line(read: ObjectRead, final: SyncPlan | None, actual: Mapping[str, Any]) -> ObjectLine:
    """With the way that was taken in the end."""
    is_refresh = read.mode is Mode.FORMULAS
    same = (each for each in final.reads if each.sobject == read.sobject) if final and not is_refresh else iter(())
    way = next(same, read)
    came: Mapping[str, int] = actual.get("refresh" if is_refresh else "objects", {}).get(read.sobject, {})
    return ObjectLine(
        sobject=read.sobject,
        mode=read.mode.value,
        method=way.method.value,
        why=way.why,
        planned_rows=read.rows,
        rows=came.get("rows"),
        pages=came["pages"] + came["bulk_pages"] if came else None,
        bulk_calls=came.get("bulk_calls"),
    )


def open_replica(account: Account) -> duckdb.DuckDBPyConnection:
    """A connection with one view per object, all of the same published cycle."""
    return open_snapshot(manifest(account), lake_directory(account))


def forget_replica(account: Account) -> dict[str, int]:
    """Delete everything that was read from the org, files and all. Safe to repeat. Returns the tables and cycles."""
    tables, cycles = ReplicaTable.of(account).count(), Cycle.of(account).count()
    with transaction.atomic():
        Audit.of(account).delete()
        ManifestPart.of(account).delete()
        ReplicaTable.of(account).delete()
        DescribedObject.of(account).delete()
        ReadingPace.of(account).delete()
        Cycle.of(account).delete()
    if lake_directory(account).exists():
        shutil.rmtree(lake_directory(account))
    return {"tables": tables, "cycles": cycles}


def replica_counts(account: Account) -> dict[str, int]:
    """Live records of each object in the replica."""
    with open_replica(account) as connection:
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0]  # noqa: S608 - our own names
            for name in tables_of(account)
        }


def object_checksums(account: Account) -> dict[str, tuple[int, str]]:
    """(rows, checksum) of each object over all its read fields, to be compared with the org's own."""
    with open_replica(account) as connection:
        return {
            name: checksum(connection, name, [column for column, _ in table.columns])
            for name, table in tables_of(account).items()
        }
