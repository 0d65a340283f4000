"""What pages, commands and the rooms above ask of the sync: plan, run, and read the replica."""

import shutil
from dataclasses import dataclass
from datetime import datetime

import duckdb
from django.db import transaction

from headwater.accounts.models import Account
from headwater.accounts.services import open_account_of_job
from headwater.connections.services import session
from headwater.jobs.models import JsonValue
from headwater.jobs.running import RunningJob
from headwater.jobs.tasks import task
from headwater.lake import checksum, open_snapshot
from headwater.sync.cycle import run_cycle
from headwater.sync.discover import describe_all, make_plan, needs_describe, store_columns, tables_of
from headwater.sync.models import Cycle, ManifestPart, ReplicaTable
from headwater.sync.plan import SyncPlan
from headwater.sync.publish import lake_directory, manifest

PLANNING = "plan"


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """The replica as readers see it: `published_utc` is when the shown cycle was published."""

    cycle: int
    published_utc: datetime
    rows_read: dict[str, int]
    planned_calls: int


@task("sync.cycle")
def sync_cycle(job: RunningJob, *, account_id: int) -> JsonValue:
    """One cycle of one account."""
    return run_cycle(job, open_account_of_job(job.tenant, account_id))


def plan_sync(account: Account) -> SyncPlan:
    """What the next cycle would read, by which call, for how many credits. Looking costs up to three credits itself."""
    with session(account, job_kind=PLANNING) as transport:
        looking = 0
        if needs_describe(account):
            store_columns(account, describe_all(transport))
            looking = 1
        return make_plan(account, transport, spent_looking=looking)


def replica_state(account: Account) -> ReplicaState | None:
    """None before the first published cycle."""
    cycle = Cycle.of(account).filter(published_utc__isnull=False).order_by("-number").first()
    if cycle is None or cycle.published_utc is None:
        return None
    return ReplicaState(cycle.number, cycle.published_utc, dict(cycle.rows_read), SyncPlan.from_json(cycle.plan).calls)


def open_replica(account: Account) -> duckdb.DuckDBPyConnection:
    """A connection with one view per object, all of the same published cycle."""
    return open_snapshot(manifest(account), lake_directory(account))


def forget_replica(account: Account) -> dict[str, int]:
    """Delete everything that was read from the org, files and all. Safe to repeat. Returns the tables and cycles."""
    tables, cycles = ReplicaTable.of(account).count(), Cycle.of(account).count()
    with transaction.atomic():
        ManifestPart.of(account).delete()
        ReplicaTable.of(account).delete()
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
