"""A cycle as a list of named steps: open, describe, plan, read, plan again, read on, publish, compact, sweep.

Every step is recorded together with what it wrote, so a cycle that was killed goes on behind its last step.
Not here: history that waits for room (backfill.py).
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from django.db.models import Max

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.common.errors import Fix
from headwater.connections.services import job_session
from headwater.credits.priorities import Priority
from headwater.jobs.running import RunningJob
from headwater.salesforce.transport import Transport
from headwater.sync.actual import actual_of
from headwater.sync.bulk_jobs import BulkJobs
from headwater.sync.currencies import count_without_currency
from headwater.sync.describe import Look, describe_again, is_out_of_date, look_at_fields, store_look
from headwater.sync.discover import count_rows, tables_of, tables_to_read, wishes_of
from headwater.sync.fitting import fitted_plan, is_first_import
from headwater.sync.learning import pace_of
from headwater.sync.models import Cycle, ManifestPart
from headwater.sync.plan import ObjectRead, SyncPlan
from headwater.sync.publish import compact_all, lake_directory, publish, retire, sweep_all, unique_objects
from headwater.sync.read import Reading, Seen, Tally
from headwater.sync.refresh import refresh_formulas
from headwater.sync.replan import plan_again
from headwater.sync.rounds import Rounds
from headwater.sync.schemas import frozen, thawed
from headwater.sync.vanished import asking_calls, look_for_vanished

JOB_KIND = "sync"
TURNS_AT_ONCE = 3  # beyond that something else is wrong than that an administrator is at work


def run_cycle(job: RunningJob, account: Account) -> dict[str, Any]:
    """Read everything once, in full or what changed, and publish it.

    Where the org turns out not to be as it was described, it is described again and the reading begins anew.
    """
    cycle = open_cycle(job, account)
    turn = first = next(number for number in count() if not job.has_done(described_anew(number)))
    while True:
        try:
            with job.chapter(f"turn {turn}" if turn else ""):
                return _run(job, account, cycle)
        except Fix as error:
            if turn - first >= TURNS_AT_ONCE:
                raise
            begin_anew(job, account, cycle, error, turn)
        turn += 1


def described_anew(turn: int) -> str:
    return f"the org changed under the read, {turn}"


def begin_anew(job: RunningJob, account: Account, cycle: Cycle, error: Fix, turn: int = 0) -> None:
    """Have the org described again, where the error says so; else it is raised. What was read so far is swept."""
    if not is_out_of_date(error):
        raise error
    why = error.facts.why or error.sentence

    def record(why: str) -> str:
        describe_again(account)
        retire(ManifestPart.of(account).filter(cycle=cycle))
        return why

    job.step(described_anew(turn), lambda: why, record)


def _run(job: RunningJob, account: Account, cycle: Cycle) -> dict[str, Any]:
    priority = Priority.BACKFILL if is_first_import(account) else Priority.FRESH
    with job_session(account, job, job_kind=JOB_KIND, priority=priority) as transport:
        plan = _plan(job, account, cycle, transport)
        reading, final = read_plan(job, account, cycle, transport, plan)
        vanished = look_for_vanished(reading, final)
        refreshed = refresh_formulas(reading, final)
    tally = reading.tally
    result = publish_cycle(job, account, cycle, final, tally, refreshed=refreshed)
    count_without_currency(job, account, tally.rows)
    compact_all(job, account, cycle)
    job.step("sweep", lambda: sweep_all(account))
    waiting = {each.sobject: each.until_utc for each in plan.waiting}
    stale = {each.sobject: each.until_utc for each in plan.refresh.waiting} if plan.refresh else {}
    return {
        "cycle": cycle.number,
        "rows": dict(tally.rows),
        "planned_calls": plan.calls,
        **result,
        **({"waiting": waiting} if waiting else {}),
        **({"stale_formulas": stale} if stale else {}),
        **({"vanished": vanished["rows"]} if vanished["rows"] else {}),
        **({"untold": vanished["untold"]} if vanished["untold"] else {}),
    }


def open_cycle(job: RunningJob, account: Account, *, is_backfill: bool = False) -> Cycle:
    def record(_: None) -> int:
        return create_cycle(job, account, is_backfill=is_backfill).number

    job.step("open", lambda: None, record)
    return Cycle.of(account).get(job_id=str(job.id))


def create_cycle(job: RunningJob, account: Account, *, is_backfill: bool = False) -> Cycle:
    """The next one, whose rows win over those of all before it. Called in a step's transaction."""
    return Cycle.of(account).create(
        account=account,
        number=_latest_number(account) + 1,
        job_id=str(job.id),
        started_utc=now_utc(),
        is_backfill=is_backfill,
    )


def _plan(job: RunningJob, account: Account, cycle: Cycle, transport: Transport) -> SyncPlan:
    def record_look(look: Look) -> dict[str, Any]:
        store_look(account, look)
        return {"calls": look.calls, "counts": dict(look.counts)}

    looked: dict[str, Any] = job.step("describe", lambda: look_at_fields(account, transport), record_look)

    def make_plan() -> SyncPlan:
        tables = tables_to_read(account)
        counted = count_rows(transport, tables, looked["counts"])
        looking_calls = looked["calls"] + counted.calls + asking_calls(account)
        return fitted_plan(account, tables, wishes_of(tables, counted.counts), looking_calls=looking_calls)

    def record_plan(plan: SyncPlan) -> dict[str, Any]:
        keep_plan(account, cycle, plan)
        return plan.to_json()

    return SyncPlan.from_json(job.step("plan", make_plan, record_plan))


def _latest_number(account: Account) -> int:
    return Cycle.of(account).aggregate(latest=Max("number"))["latest"] or 0


def keep_plan(account: Account, cycle: Cycle, plan: SyncPlan) -> None:
    """With the columns as they are now: the cycle goes on with them whatever is described meanwhile.

    Called in a step's transaction, before anything is read. A cycle that waited since it was opened is numbered anew:
    what it reads is newer than what others have read and merged since.
    """
    tables = tables_of(account)
    latest = _latest_number(account)
    if cycle.number < latest:
        cycle.number = latest + 1
    cycle.plan = plan.to_json()
    cycle.schemas = frozen({read.sobject: tables[read.sobject] for read in plan.all_reads})
    cycle.save(update_fields=["number", "plan", "schemas"])


def read_plan(
    job: RunningJob, account: Account, cycle: Cycle, transport: Transport, plan: SyncPlan
) -> tuple[Reading, SyncPlan]:
    """Carry the plan out, with its change of mind once the true counts are known; returns the plan as it then was."""
    tables = tables_of(account)
    reading = Reading(
        job=job,
        account=account,
        cycle=cycle,
        transport=transport,
        directory=lake_directory(account),
        tables=tables,
        schemas=thawed(cycle.schemas),
        tally=Tally(job, plan.rows),
        pace=pace_of(account),
    )
    jobs = BulkJobs(reading)
    jobs.begin(plan.by_bulk_at_once)
    rounds = Rounds(reading, plan.to_look_at)
    rounds.look()
    final = plan_again(reading, plan, rounds)
    jobs.begin([_rest_of(read, rounds) for read in final.by_bulk if read.sobject in rounds.left])
    rounds.finish()
    jobs.finish()
    return reading, final


def _rest_of(read: ObjectRead, rounds: Rounds) -> ObjectRead:
    """What a job still has to read of an object whose first page came already."""
    span = rounds.take_out(read.sobject).span
    return replace(read, after=span.after, before=span.before)


def publish_cycle(
    job: RunningJob,
    account: Account,
    cycle: Cycle,
    plan: SyncPlan,
    tally: Tally,
    *,
    job_kind: str = JOB_KIND,
    refreshed: Seen | None = None,
) -> Mapping[str, Any]:
    """`refreshed`: what came of the formulas, where some were due."""
    read_from_utc = tally.read_from_utc
    if read_from_utc is None:
        return {}

    unique: list[str] = job.step("look for doubles", lambda: unique_objects(account, cycle, plan))

    def record(_: None) -> dict[str, Any]:
        actual = actual_of(account, cycle, plan, tally.seen, refreshed or Seen(), job_kind=job_kind)
        publish(account, cycle, plan, read_from_utc, tally.seen, actual, unique)
        return {"spent_calls": actual["calls"], "planned_again_calls": plan.calls, "seconds": actual["seconds"]}

    published: dict[str, Any] = job.step("publish", lambda: None, record)
    return published
