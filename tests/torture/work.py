"""The job under torture: a chain of steps, each needing the one before, while the clock jumps about."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from random import Random

from headwater.common.clock import clock_running_ahead, now_utc
from headwater.common.errors import Wait
from headwater.jobs.models import Job, State
from headwater.jobs.running import RunningJob
from headwater.jobs.tasks import task
from torture.models import Attempt, Effect

STEPS = 8
CLOCK_JUMPS_SECONDS = (0, 0, 0, 1, -1, 20, -20, 3600, -3600)


def jump(random: Random) -> timedelta:
    return timedelta(seconds=random.choice(CLOCK_JUMPS_SECONDS))


def chained(number: int) -> list[int]:
    """The results that the steps of job `number` must have."""
    values = [number]
    for place in range(STEPS):
        values.append((values[-1] * 31 + place) % 1_000_003)
    return values[1:]


@task("torture.long_step")
def long_step(job: RunningJob, *, seconds: float) -> None:
    """Says nothing for `seconds`, as a large download does."""
    _note_attempt(job)
    job.step("long", lambda: time.sleep(seconds))


@task("torture.chain")
def chain(job: RunningJob, *, number: int) -> int:
    _note_attempt(job)
    random = Random(number * 1000 + job.attempt)  # noqa: S311  chance for a test, not for a secret
    value = number
    for place in range(STEPS):
        with clock_running_ahead(jump(random)):
            _stumble_once(job, number, place)
            value = _one_step(job, place, value, seconds=random.uniform(0.02, 0.08))
    return value


def _note_attempt(job: RunningJob) -> None:
    worker = Job.objects.values_list("worker", flat=True).get(pk=job.id)
    Attempt.objects.create(job_id=job.id, fence=job.fence, worker=worker)


def _one_step(job: RunningJob, place: int, before: int, *, seconds: float) -> int:
    def work() -> int:
        time.sleep(seconds)
        return (before * 31 + place) % 1_000_003

    job.progress(place, STEPS, "steps")
    value: int = job.step(f"step-{place}", work, partial(_record, job, f"step-{place}"))
    return value


def _record(job: RunningJob, step: str, value: int) -> int:
    running = Job.objects.filter(tenant=job.tenant, state=State.RUNNING).count()
    Effect.objects.create(tenant=job.tenant, job_id=job.id, step=step, fence=job.fence, running_of_tenant=running)
    return value


def _stumble_once(job: RunningJob, number: int, place: int) -> None:
    """Some jobs have to wait at their fourth step, some meet an error at their sixth, on their first attempt."""
    if job.attempt > 1:
        return
    if place == 3 and number % 5 == 0:
        raise Wait("torture.wait", "Not yet.", retry_utc=now_utc())
    if place == 5 and number % 7 == 0:
        raise RuntimeError("an error that nobody expected")
