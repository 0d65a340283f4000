"""Jobs as pages and commands see them, and running one in the foreground."""

from __future__ import annotations

import pytest

from headwater.common.errors import Fix
from headwater.jobs.models import Job, JsonValue, State
from headwater.jobs.progress import Progress
from headwater.jobs.queue import put, take
from headwater.jobs.running import RunningJob
from headwater.jobs.services import JobView, job_view, run_here
from headwater.jobs.tasks import Task, task
from headwater.jobs.worker import Worker
from unit.jobs.conftest import At

pytestmark = pytest.mark.django_db


def counting() -> Task[[]]:
    @task("test.count")
    def count(job: RunningJob) -> JsonValue:
        job.progress(5, 10, "rows")
        return "counted"

    return count


def test_the_view_of_a_running_job_has_rate_and_time_left(at: At) -> None:
    views: list[JobView] = []

    @task("test.view")
    def run(job: RunningJob) -> None:
        for moment, done in ((0, 0), (10, 200)):
            with at(moment):
                job.progress(done, 1000, "rows", "Contact")
        views.append(job_view(Job.objects.get()))

    run.enqueue(tenant="12")
    Worker("one").run_until_idle()
    view = views[0]
    assert view.progress is not None
    assert (view.progress.done, view.progress.total, view.progress.unit) == (200, 1000, "rows")
    assert (view.rate_per_second, view.seconds_left) == (20.0, 40)
    assert (view.may_cancel, view.may_retry, view.is_cancelling) == (True, False, False)


def test_the_view_of_a_job_that_has_not_begun_is_empty_but_true() -> None:
    view = job_view(counting().enqueue(tenant="12"))
    assert (view.state, view.progress, view.seconds_left, view.attempt) == (State.QUEUED, None, None, 0)


def test_it_runs_a_job_in_the_foreground_and_tells_its_progress() -> None:
    told: list[int] = []
    older = put("test.other", tenant="12", arguments={})
    job = run_here(counting().enqueue(tenant="12"), lambda progress: told.append(progress.done))
    assert (job.state, job.result, told) == (State.DONE, "counted", [5])
    older.refresh_from_db()
    assert older.state == State.QUEUED, "the foreground does the job it was given, not the tenant's oldest"


def test_it_returns_a_job_that_waits_for_a_person() -> None:
    @task("test.blocked")
    def run(job: RunningJob) -> None:
        raise Fix("test.fix", "A permission is missing.")

    job = run_here(run.enqueue(tenant="12"))
    assert (job.state, job.reason) == (State.BLOCKED, "A permission is missing.")


def test_it_watches_a_job_that_a_worker_has_until_it_may_take_over(at: At) -> None:
    job = counting().enqueue(tenant="12")
    with at(0):
        assert take(job, "dead", 30)
        Job.objects.update(
            progress_done=1, progress_from=1, progress_from_utc=job.created_utc, progress_utc=job.created_utc
        )
    told: list[int] = []

    def tell(progress: Progress) -> None:
        told.append(progress.done)
        Job.objects.filter(state=State.RUNNING, worker="dead").update(lease_until_utc=None)

    with at(1):
        done = run_here(job, tell, poll_seconds=0.001)
    assert (done.state, told) == (State.DONE, [1, 5])
