"""A cycle as a list of named steps: open -> describe -> plan -> read -> publish -> compact -> sweep.

Every step is recorded together with what it wrote, so a cycle that was killed goes on behind its last step.
"""

from typing import Any

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.connections.services import session
from headwater.jobs.running import RunningJob
from headwater.salesforce.transport import Transport
from headwater.sync.discover import describe_all, make_plan, needs_describe, schema_of, store_columns, tables_of
from headwater.sync.models import Cycle
from headwater.sync.plan import Method, SyncPlan
from headwater.sync.publish import compact_all, lake_directory, publish, sweep_all
from headwater.sync.read import Reading, Tally, read_in_bulk, read_in_composites

JOB_KIND = "sync"


def run_cycle(job: RunningJob, account: Account) -> dict[str, Any]:
    """Read everything once, in full or what changed, and publish it."""
    cycle = _open(job, account)
    with session(account, job_kind=JOB_KIND, job_id=str(job.id), fence=job.fence) as transport:
        plan = _plan(job, account, cycle, transport)
        tally = _read(job, account, cycle, transport, plan)
    _publish(job, account, cycle, plan, tally)
    compact_all(job, account, cycle)
    job.step("sweep", lambda: sweep_all(account))
    return {"cycle": cycle.number, "rows": dict(tally.rows), "planned_calls": plan.calls}


def _open(job: RunningJob, account: Account) -> Cycle:
    def record(_: None) -> int:
        latest = Cycle.of(account).order_by("-number").first()
        number = latest.number + 1 if latest else 1
        Cycle.of(account).create(account=account, number=number, job_id=str(job.id), started_utc=now_utc())
        return number

    return Cycle.of(account).get(number=job.step("open", lambda: None, record))


def _plan(job: RunningJob, account: Account, cycle: Cycle, transport: Transport) -> SyncPlan:
    def describe() -> dict[str, list[list[str]]] | None:
        return describe_all(transport) if needs_describe(account) else None

    def record_describe(columns: dict[str, list[list[str]]] | None) -> int:
        if columns is not None:
            store_columns(account, columns)
        return 0 if columns is None else 1

    describe_calls: int = job.step("describe", describe, record_describe)

    def record_plan(plan: SyncPlan) -> dict[str, Any]:
        cycle.plan = plan.to_json()
        cycle.save(update_fields=["plan"])
        return plan.to_json()

    return SyncPlan.from_json(
        job.step("plan", lambda: make_plan(account, transport, spent_looking=describe_calls), record_plan)
    )


def _read(job: RunningJob, account: Account, cycle: Cycle, transport: Transport, plan: SyncPlan) -> Tally:
    tables, tally = tables_of(account), Tally(job, plan.rows)
    reading = Reading(
        job=job,
        account=account,
        cycle=cycle,
        transport=transport,
        directory=lake_directory(account),
        tables=tables,
        schemas={name: schema_of(table) for name, table in tables.items()},
        tally=tally,
    )
    read_in_bulk(reading, [read for read in plan.reads if read.method is Method.BULK])
    read_in_composites(reading, [read for read in plan.reads if read.method is Method.COMPOSITE])
    return tally


def _publish(job: RunningJob, account: Account, cycle: Cycle, plan: SyncPlan, tally: Tally) -> None:
    read_from_utc = tally.read_from_utc
    if read_from_utc is not None:
        job.step(
            "publish",
            lambda: None,
            lambda _: publish(account, cycle, plan, read_from_utc, dict(tally.rows)),
        )
