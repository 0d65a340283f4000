"""The rounds of an export: a plan, deletes, upserts; what Bulk jobs left undone is planned anew, and why is told.

Not here: how records are sent (collections_lane.py, bulk_lane.py), and where the queue comes from (wanted.py).
"""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from headwater.accounts.models import Account
from headwater.common.errors import Facts, Fix
from headwater.credits.services import calls_of_job
from headwater.credits.write_prices import Action, Way, WritePlan
from headwater.export.bulk_lane import NOTHING_TO_DO, BulkJob, Told, Trouble, results_of, send_in_bulk
from headwater.export.bulk_refusals import remember_refusal
from headwater.export.collections_lane import send_collections
from headwater.export.package_guard import PackageGuard
from headwater.export.plan import Choices, make_plan
from headwater.export.queue_file import write_remainder
from headwater.export.record import Exporting
from headwater.export.sending import Sending
from headwater.jobs.running import RunningJob
from headwater.salesforce.transport import Transport

BULK_TRIES = 2  # rounds with Bulk jobs; what two of them left undone goes by collections


@dataclass(frozen=True, slots=True)
class Export:
    """What all rounds of one export share. `tally` counts what went through and what was refused."""

    job: RunningJob
    account: Account
    transport: Transport
    guard: PackageGuard
    choices: Choices
    tally: Counter[str]

    @property
    def spent_calls(self) -> int:
        """Of the whole job, which may have done other things before."""
        return calls_of_job(self.account, str(self.job.id))


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a round ended; `told` is None where nothing is left to do."""

    told: Told | None
    jobs: tuple[BulkJob, ...]
    collections_done: bool


def write_all(export: Export, queue: Path) -> dict[str, Any]:
    """Returns the plans of all rounds, and what was planned and spent in calls."""
    without_bulk = ""
    plans: list[WritePlan] = []
    spent_before: list[int] = []
    for number in count():
        planned = export.job.step(f"export {number}: plan", partial(_plan, export, queue, without_bulk))
        plans.append(WritePlan.from_json(planned["plan"]))
        spent_before.append(planned["spent_calls"])
        if number == 0 and plans[0].looking_calls:
            export.job.step("export: package", export.guard.require)
        sending = _sending(export, number, queue, plans)
        ended = _run_round(sending)
        if ended.told is None:
            break
        queue = _leave(sending, ended, ended.told)
        is_over = ended.told.trouble is Trouble.REFUSED or number + 1 >= BULK_TRIES
        without_bulk = ended.told.words if is_over else ""
    return {
        "planned_calls": spent_before[-1] - spent_before[0] + plans[-1].calls,
        "spent_calls": export.spent_calls - spent_before[0],
        "plans": [plan.to_json() for plan in plans],
    }


def _plan(export: Export, queue: Path, without_bulk: str) -> dict[str, Any]:
    plan = make_plan(export.account, queue, export.choices, without_bulk=without_bulk)
    return {"plan": plan.to_json(), "spent_calls": export.spent_calls}


def _sending(export: Export, number: int, queue: Path, plans: list[WritePlan]) -> Sending:
    return Sending(
        job=export.job,
        exporting=Exporting(export.account, str(export.job.id)),
        transport=export.transport,
        guard=export.guard,
        number=number,
        queue=queue,
        plan=plans[-1],
        records=plans[0].records,
        tally=export.tally,
    )


def _run_round(sending: Sending) -> _Ended:
    """All deletes are over before the first upsert: Bulk deletes, collections of both, Bulk upserts."""
    deletes = send_in_bulk(sending, Action.DELETE)
    if deletes.told is not None:
        return _Ended(deletes.told, deletes.jobs, collections_done=False)
    upserts = send_in_bulk(sending, Action.UPSERT) if send_collections(sending) else NOTHING_TO_DO
    return _Ended(upserts.told, (*deletes.jobs, *upserts.jobs), collections_done=True)


def _leave(sending: Sending, ended: _Ended, told: Told) -> Path:
    """Write the queue of what is left, for the next round. Raises Fix, once, where somebody aborted a job."""
    job, account = sending.job, sending.exporting.account
    name = sending.step_name("what is left")
    is_new = not job.has_done(name)

    def write() -> str:
        left = f"{job.id}-{job.fence}-{sending.number + 1}.parquet"
        write_remainder(
            sending.queue,
            sending.queue.with_name(left),
            settled=[results_of(sending, each) for each in ended.jobs],
            by_bulk=[(each.action.value, each.sobject) for each in sending.plan.writes if each.way is Way.BULK],
            collections_done=ended.collections_done,
        )
        return left

    def record(left: str) -> str:
        if told.trouble is Trouble.REFUSED:
            remember_refusal(account, told.words)
        return left

    left = job.step(name, write, record)
    if is_new and told.trouble is Trouble.ABORTED:
        raise _aborted(told)
    return sending.queue.with_name(left)


def _aborted(told: Told) -> Fix:
    return Fix(
        "export.bulk_aborted",
        "Somebody aborted a Bulk job of this export in the org.",
        Facts(
            why=told.words,
            left="What the job had written before is recorded; the rest is kept.",
            you_can="ask who aborted it (Setup > Bulk Data Load Jobs), then retry this job: it sends the rest",
        ),
    )
