"""Work that only something else can end: it is broken off when a person cancels, and left alone otherwise."""

from __future__ import annotations

from threading import Event

import pytest

from headwater.jobs import running
from headwater.jobs.models import Job, State
from headwater.jobs.running import RunningJob
from headwater.jobs.services import cancel
from headwater.jobs.tasks import task
from headwater.jobs.worker import Worker

PATIENCE_SECONDS = 60


@pytest.fixture(autouse=True)
def _looks_often(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that listens has a connection of its own, and sees what is committed."""
    monkeypatch.setattr(running, "PAUSE_SLICE_SECONDS", 0.02)


def run_one() -> Job:
    Worker("one").run_one()
    return Job.objects.get()


def test_a_person_who_cancels_does_not_wait_for_what_is_outside() -> None:
    broken_off = Event()

    @task("test.waits")
    def waits(job: RunningJob) -> None:
        with job.watching(broken_off.set):
            cancel(Job.objects.get())
            assert broken_off.wait(PATIENCE_SECONDS)
            raise OSError("the connection broke")

    waits.enqueue(tenant="12")
    job = run_one()
    assert (job.state, job.reason) == (State.CANCELLED, ""), "what breaking off has made of it is not told"


def test_a_job_that_was_taken_over_is_broken_off_and_writes_nothing() -> None:
    broken_off = Event()

    @task("test.waits")
    def waits(job: RunningJob) -> None:
        with job.watching(broken_off.set):
            Job.objects.update(fence=99)
            assert broken_off.wait(PATIENCE_SECONDS)

    waits.enqueue(tenant="12")
    assert run_one().state == State.RUNNING, "as the other holder has it"


def test_nothing_is_broken_off_while_nobody_wishes_it() -> None:
    broken_off = Event()

    @task("test.waits")
    def waits(job: RunningJob) -> bool:
        with job.watching(broken_off.set):
            return broken_off.wait(0.2)

    waits.enqueue(tenant="12")
    job = run_one()
    assert (job.state, job.result) == (State.DONE, False)
