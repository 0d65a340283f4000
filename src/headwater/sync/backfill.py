"""History that has to wait for room: read at its share of the quota, over as many windows as it takes.

It is a cycle of its own with a number from when it began, so that what fresh cycles read meanwhile wins over its rows;
readers see it at once when all of it is in. Between its steps it gives way to every other job of the account.
Not here: what waits (fitting.py).
"""

from typing import Any

from headwater.accounts.models import Account
from headwater.common.errors import Fix
from headwater.connections.services import job_session
from headwater.credits.priorities import Priority
from headwater.jobs.running import RunningJob
from headwater.salesforce.transport import Transport
from headwater.sync.cycle import begin_anew, described_anew, keep_plan, open_cycle, publish_cycle, read_plan
from headwater.sync.discover import count_rows, price, tables_to_read, wishes_of
from headwater.sync.models import Cycle
from headwater.sync.plan import Mode, SyncPlan

JOB_KIND = "backfill"


def run_backfill(job: RunningJob, account: Account) -> dict[str, Any]:
    """Read in full what is due. Raises Wait at the end of its share, and then goes on in the next window.

    Where the org turns out not to be as it was described, it ends: the next cycle describes it and plans history anew.
    """
    job.gives_way = True
    cycle = open_cycle(job, account, is_backfill=True)
    if not job.has_done(described_anew(0)):
        try:
            return _run(job, account, cycle)
        except Fix as error:
            begin_anew(job, account, cycle, error)
    return {"cycle": cycle.number, "rows": {}, "left_to_next_sync": job.step(described_anew(0), str)}


def _run(job: RunningJob, account: Account, cycle: Cycle) -> dict[str, Any]:
    with job_session(account, job, job_kind=JOB_KIND, priority=Priority.BACKFILL) as transport:
        plan = _plan(job, account, cycle, transport)
        if not plan.reads:
            return {"cycle": cycle.number, "rows": {}, "planned_calls": plan.calls}
        reading, final = read_plan(job, account, cycle, transport, plan)
    tally = reading.tally
    result = publish_cycle(job, account, cycle, final, tally, job_kind=JOB_KIND)
    return {"cycle": cycle.number, "rows": dict(tally.rows), "planned_calls": plan.calls, **result}


def _plan(job: RunningJob, account: Account, cycle: Cycle, transport: Transport) -> SyncPlan:
    def make_plan() -> SyncPlan:
        tables = tables_to_read(account)
        counted = count_rows(transport, tables, {})
        history = [wish for wish in wishes_of(tables, counted.counts) if wish.mode is Mode.FULL]
        return price(account, history, looking_calls=counted.calls)

    def record(plan: SyncPlan) -> dict[str, Any]:
        keep_plan(account, cycle, plan)
        return plan.to_json()

    return SyncPlan.from_json(job.step("plan", make_plan, record))
