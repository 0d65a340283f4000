"""What other rooms, pages and commands may do with jobs.

Enqueue through the task itself (`run_cycle.enqueue(...)`), or by name here. Not here: the loop (worker.py).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, F, QuerySet, Value, When

from headwater.common.clock import now_utc
from headwater.common.errors import NO_FACTS, Facts, Fix
from headwater.jobs.models import ENDED, MAY_START, Job, JsonValue, Schedule, State, Step
from headwater.jobs.progress import Progress, progress_of
from headwater.jobs.queue import RETRYABLE, put_back
from headwater.jobs.queue import put as enqueue
from headwater.jobs.worker import Worker

__all__ = [
    "JobView", "cancel", "enqueue", "job_view", "jobs_of", "latest", "retry", "run_here", "set_schedule", "steps_of",
    "stop_schedule",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as a page or a command shows it."""

    id: int
    tenant: str
    task: str
    state: State
    progress: Progress | None
    rate_per_second: float | None
    seconds_left: int | None
    code: str
    reason: str
    facts: Facts
    not_before_utc: datetime | None
    started_utc: datetime | None
    finished_utc: datetime | None
    attempt: int
    is_cancelling: bool
    may_cancel: bool
    may_retry: bool
    result: Any


def job_view(job: Job) -> JobView:
    state = State(job.state)
    progress = progress_of(job)
    return JobView(
        id=job.pk,
        tenant=job.tenant,
        task=job.task,
        state=state,
        progress=progress,
        rate_per_second=progress.rate_per_second if progress else None,
        seconds_left=progress.seconds_left if progress and state is State.RUNNING else None,
        code=job.reason_code,
        reason=job.reason,
        facts=Facts(**job.reason_facts),
        not_before_utc=job.not_before_utc,
        started_utc=job.started_utc,
        finished_utc=job.finished_utc,
        attempt=job.attempt,
        is_cancelling=job.cancel_requested and state is State.RUNNING,
        may_cancel=state not in ENDED and not job.cancel_requested,
        may_retry=state in RETRYABLE,
        result=job.result,
    )


def jobs_of(tenant: str) -> QuerySet[Job]:
    """The tenant's jobs, newest first."""
    return Job.objects.filter(tenant=tenant).order_by("-pk")


def latest(tenant: str, task: str) -> Job | None:
    return jobs_of(tenant).filter(task=task).first()


def steps_of(job: Job) -> QuerySet[Step]:
    """The steps that are done, in the order in which they were."""
    return Step.objects.filter(job=job).order_by("pk")


def retry(job: Job) -> Job:
    """Put a blocked, failed or waiting job back; it goes on after its last done step.

    Returns the job that will do the work: this one, or an equal one that is live already; then this one is cancelled.

    Errors    Fix jobs.ended   it is done or cancelled; there is nothing to go on with.
    """
    if not put_back(job):
        equal = enqueue(job.task, tenant=job.tenant, arguments=job.arguments)
        _merge(job, equal)
        return equal
    job.refresh_from_db()
    if job.state in (State.DONE, State.CANCELLED):
        raise Fix(
            "jobs.ended",
            f"Job {job.pk} is {job.state}; it cannot be retried.",
            Facts(you_can="start the work anew"),
        )
    return job


def _merge(job: Job, equal: Job) -> None:
    """A stopped job whose work an equal one does would ask for attention for ever."""
    stopped = Job.objects.filter(pk=job.pk, state__in=[State.BLOCKED, State.FAILED])
    reason = f"Job {equal.pk} does the same work."
    stopped.update(
        state=State.CANCELLED, finished_utc=now_utc(), reason=reason, reason_code="", reason_facts=asdict(NO_FACTS)
    )


def cancel(job: Job) -> Job:
    """End a job that is not running; ask a running one to stop at its next step. An ended job stays as it is."""
    is_running = When(state=State.RUNNING, then=F("state"))
    still_running = When(state=State.RUNNING, then=F("finished_utc"))
    Job.objects.filter(pk=job.pk).exclude(state__in=ENDED).update(
        state=Case(is_running, default=Value(State.CANCELLED.value)),
        finished_utc=Case(still_running, default=Value(now_utc())),
        cancel_requested=True,
    )
    job.refresh_from_db()
    return job


def run_here(
    job: Job,
    on_progress: Callable[[Progress], None] | None = None,
    *,
    poll_seconds: float = 0.5,
    lease_seconds: float = 30.0,
) -> Job:
    """Run the job in this process, in the foreground, and return it as it ended, waits or is blocked.

    Where a worker has it already, or has another job of the tenant, this watches until that is over. Ctrl-C hands
    the job back to the workers.
    """
    worker = Worker(f"foreground-{os.getpid()}", lease_seconds=lease_seconds, tell=on_progress)
    while not worker.run_this(job.pk):
        job.refresh_from_db()
        if not _may_move(job):
            return job
        progress = progress_of(job)
        if on_progress is not None and progress is not None:
            on_progress(progress)
        time.sleep(poll_seconds)
    job.refresh_from_db()
    return job


def _may_move(job: Job) -> bool:
    is_due = job.not_before_utc is None or job.not_before_utc <= now_utc()
    return job.state == State.RUNNING or (job.state in MAY_START and is_due)


def set_schedule(
    task: str,
    *,
    tenant: str,
    every_seconds: int,
    arguments: Mapping[str, JsonValue],
    first_utc: datetime | None = None,
) -> Schedule:
    """Have `task` done every so often, from `first_utc` (now, unless given). Setting it again keeps its next tick,
    unless `first_utc` is given or a shorter interval brings the tick forward."""
    kept = {"every_seconds": every_seconds, "arguments": arguments, "enabled": True}
    moved = {} if first_utc is None else {"next_utc": first_utc}
    schedule, _ = Schedule.objects.update_or_create(
        tenant=tenant,
        task=task,
        defaults={**kept, **moved},
        create_defaults={**kept, "next_utc": first_utc or now_utc()},
    )
    soonest = now_utc() + timedelta(seconds=every_seconds)
    if first_utc is None and schedule.next_utc > soonest:
        schedule.next_utc = soonest
        schedule.save(update_fields=["next_utc"])
    return schedule


def stop_schedule(task: str, *, tenant: str) -> None:
    Schedule.objects.filter(tenant=tenant, task=task).update(enabled=False)
