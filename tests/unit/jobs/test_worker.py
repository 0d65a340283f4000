"""What becomes of a job: done, waiting, blocked, failed, cancelled, handed back."""

from __future__ import annotations

import errno
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connection

from headwater.common.clock import now_utc
from headwater.common.errors import Bug, Facts, Fix, Skip, Wait
from headwater.jobs import worker as worker_module
from headwater.jobs.models import Job, JsonValue, State
from headwater.jobs.outcomes import MAX_TAKEOVERS
from headwater.jobs.queue import put, take
from headwater.jobs.running import RunningJob
from headwater.jobs.services import cancel, job_view, retry, steps_of
from headwater.jobs.tasks import task
from headwater.jobs.worker import Worker, stop_on_signals
from unit.jobs.conftest import At

pytestmark = pytest.mark.django_db


def run(body: Callable[[RunningJob], JsonValue], **options: Any) -> Job:
    """Enqueue `body` and let one worker do it."""
    job = task("test.body", **options)(body).enqueue(tenant="12")
    Worker("one").run_until_idle()
    job.refresh_from_db()
    return job


def go_on(job: Job) -> Job:
    Worker("another").run_until_idle()
    job.refresh_from_db()
    return job


def raising(*errors: Exception) -> Callable[[RunningJob], JsonValue]:
    """Does a step, then raises the next of `errors`; done when there is none left."""
    left = iter(errors)

    def body(job: RunningJob) -> JsonValue:
        for error in left:
            raise error
        return "done"

    return body


def test_it_keeps_the_result_of_a_finished_job() -> None:
    job = run(lambda job: {"tenant": job.tenant, "attempt": job.attempt})
    assert (job.state, job.result) == (State.DONE, {"tenant": "12", "attempt": 1})
    assert job.finished_utc is not None
    assert (job.worker, job.lease_until_utc) == ("", None)


def test_it_waits_until_the_moment_that_wait_names_and_goes_on_by_itself(at: At) -> None:
    with at(0):
        wait = Wait(
            "test.quota", "No calls left.", retry_utc=now_utc() + timedelta(minutes=5), facts=Facts(why="Used.")
        )
        job = run(raising(wait))
        assert (job.state, job.not_before_utc) == (State.WAITING, wait.retry_utc)
        view = job_view(job)
        assert (view.code, view.reason, view.facts) == ("test.quota", "No calls left.", Facts(why="Used."))
    with at(299):
        assert go_on(job).state == State.WAITING
    with at(300):
        assert go_on(job).state == State.DONE
    assert (job.reason, job_view(job).facts) == ("", Facts())


def test_it_does_not_spin_on_a_wait_whose_moment_is_past(at: At) -> None:
    with at(0):
        job = run(raising(Wait("test.quota", "No calls left.", retry_utc=now_utc() - timedelta(hours=1))))
        assert (job.state, job.attempt) == (State.WAITING, 1)


def test_it_is_blocked_by_fix_until_a_person_retries() -> None:
    job = run(raising(Fix("test.permission", "A permission is missing.", Facts(you_can="ask the admin"))))
    assert (job.state, job.reason_code) == (State.BLOCKED, "test.permission")
    assert go_on(job).state == State.BLOCKED
    assert job_view(job).may_retry
    assert retry(job).state == State.QUEUED
    assert go_on(job).state == State.DONE


def test_it_cannot_retry_what_is_done() -> None:
    job = run(raising())
    with pytest.raises(Fix, match="cannot be retried"):
        retry(job)


def test_it_goes_on_with_the_equal_live_job_when_a_blocked_one_is_retried() -> None:
    blocked = run(raising(Fix("test.permission", "A permission is missing.")))
    live = put("test.body", tenant="12", arguments={})
    assert retry(blocked) == live
    blocked.refresh_from_db()
    assert (blocked.state, blocked.reason) == (State.CANCELLED, f"Job {live.pk} does the same work.")


def test_it_tries_again_after_unexpected_errors_with_growing_pauses_then_gives_up(at: At) -> None:
    with at(0):
        job = run(raising(OSError("one"), OSError("two"), OSError("three")), max_attempts=3)
        assert (job.state, job.reason_code, job.not_before_utc) == (
            State.WAITING,
            "jobs.interrupted",
            now_utc() + timedelta(seconds=2),
        )
    with at(2):
        assert go_on(job).not_before_utc == now_utc() + timedelta(seconds=4)
    with at(6):
        assert go_on(job).state == State.FAILED
    assert (job.reason_code, job.reason_facts["why"]) == ("jobs.given_up", "OSError: three")
    with at(7):
        retry(job)
        assert go_on(job).state == State.DONE


def test_it_counts_errors_anew_once_a_step_got_done(at: At) -> None:
    def body(job: RunningJob) -> JsonValue:
        for number in range(4):
            job.step(f"page-{number}", lambda: None)
            if job.attempt == number + 1:
                raise OSError(f"after page {number}")
        return "done"

    with at(0):
        job = run(body, max_attempts=2)
    for minute in range(1, 5):
        assert job.failures <= 1
        with at(minute * 60):
            go_on(job)
    assert job.state == State.DONE


@pytest.mark.parametrize("error", [Bug("test.bug", "Two and two are five."), Skip("test.skip", "Not this one.")])
def test_it_fails_at_once_where_trying_again_cannot_help(error: Exception) -> None:
    job = run(raising(error))
    assert (job.state, job.reason) == (State.FAILED, str(error.args[0]))


def test_it_fails_a_task_that_nobody_knows() -> None:
    job = put("test.gone", tenant="12", arguments={})
    assert go_on(job).state == State.FAILED
    assert job.reason_code == "jobs.unknown_task"


def test_it_gives_up_a_job_that_kills_its_workers(at: At) -> None:
    task("test.deadly")(raising())
    job = put("test.deadly", tenant="12", arguments={})
    for dead in range(MAX_TAKEOVERS):
        with at(dead * 60):
            assert take(Job.objects.get(), f"dead-{dead}", 30)
    with at(MAX_TAKEOVERS * 60):
        assert go_on(job).reason_code == "jobs.workers_died"
    assert job.state == State.FAILED


def test_it_cancels_a_queued_job_at_once() -> None:
    job = task("test.body")(raising()).enqueue(tenant="12")
    assert cancel(job).state == State.CANCELLED
    assert job.finished_utc is not None
    assert go_on(job).attempt == 0


def test_it_stops_a_running_job_at_its_next_step() -> None:
    def body(job: RunningJob) -> JsonValue:
        job.step("first", lambda: None)
        assert cancel(Job.objects.get()).state == State.RUNNING
        job.step("second", lambda: None)
        raise AssertionError("the second step was begun")

    job = run(body)
    assert (job.state, [step.name for step in steps_of(job)]) == (State.CANCELLED, ["first"])


@pytest.mark.parametrize("error", [Fix("test.fix", "A permission is missing."), OSError("gone")])
def test_it_is_cancelled_rather_than_left_to_go_on_when_the_wish_came_late(error: Exception) -> None:
    def body(job: RunningJob) -> JsonValue:
        cancel(Job.objects.get())
        raise error

    job = run(body)
    assert job.state == State.CANCELLED
    assert job.finished_utc is not None


def test_it_leaves_a_finished_job_as_it_is_when_cancelled() -> None:
    job = run(raising())
    assert cancel(job).state == State.DONE


@pytest.fixture
def restored_signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("restored_signals")
def test_it_finishes_its_step_and_hands_the_job_back_on_sigterm() -> None:
    stop = stop_on_signals()

    def stopped_meanwhile() -> str:
        signal.raise_signal(signal.SIGTERM)
        return "kept"

    def body(job: RunningJob) -> JsonValue:
        first = job.step("first", stopped_meanwhile)
        job.step("second", lambda: None)
        return [first, job.attempt]

    job = task("test.body")(body).enqueue(tenant="12")
    Worker("one").run_forever(stop, poll_seconds=0.001)
    job.refresh_from_db()
    assert (job.state, [step.name for step in steps_of(job)]) == (State.QUEUED, ["first"])
    assert go_on(job).result == ["kept", 2]


def test_it_hands_the_job_back_on_ctrl_c() -> None:
    def body(job: RunningJob) -> JsonValue:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(body)
    assert Job.objects.get().state == State.QUEUED


def refusing(times: int, stop: Event) -> Callable[..., Any]:
    """A database that is locked for the next `times` statements, and after them sees the worker asked to stop."""
    left = iter(range(times))

    def execute(inner: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        for _ in left:
            raise OperationalError("database is locked")
        stop.set()
        return inner(sql, params, many, context)

    return execute


def test_it_has_patience_with_a_locked_database() -> None:
    stop = Event()
    with connection.execute_wrapper(refusing(3, stop)):
        Worker("one").run_forever(stop, poll_seconds=0.001)
    assert stop.is_set()


def test_its_patience_with_a_locked_database_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "PATIENCE_TRIES", 4)
    with (
        connection.execute_wrapper(refusing(100, Event())),
        pytest.raises(OperationalError, match="database is locked"),
    ):
        Worker("one").run_forever(Event(), poll_seconds=0.001)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OperationalError("database or disk is full"),
        OperationalError('could not extend file "base/1/2": No space left on device'),
    ],
)
def test_a_full_disk_is_waited_for_however_long_it_takes(error: Exception, at: At) -> None:
    with at(0):
        job = run(raising(*[error] * 9), max_attempts=3)
    for minutes in range(2, 18, 2):
        assert (job.state, job.reason_code) == (State.WAITING, "jobs.disk_full")
        with at(minutes * 60):
            job = go_on(job)
    with at(3600):
        assert go_on(job).state == State.DONE


def test_other_troubles_of_files_and_the_database_are_no_full_disk() -> None:
    job = run(raising(OSError(errno.EACCES, "Permission denied"), OperationalError("no such table: x")))
    assert job.reason_code == "jobs.interrupted"


def test_an_outcome_that_the_database_could_not_take_is_written_as_soon_as_it_can() -> None:
    worker, refusals = Worker("one"), iter([True, True, True])

    def refuse_outcomes(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if '"result" = ' in sql and next(refusals, False):
            raise OperationalError("the database is going away")
        return execute(sql, params, many, context)

    job = task("test.body")(lambda _: "done").enqueue(tenant="12")
    with connection.execute_wrapper(refuse_outcomes):
        for _ in range(3):
            with pytest.raises(OperationalError):
                worker.run_one()
        assert Job.objects.get().state == State.RUNNING
        worker.run_one()
    job.refresh_from_db()
    assert (job.state, job.result, job.attempt) == (State.DONE, "done", 1)
