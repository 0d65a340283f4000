"""The ledger of steps: done once, recorded in one transaction, and only by the newest holder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from headwater.common.clock import now_utc
from headwater.jobs.models import Job, JsonValue, Schedule, State, Step
from headwater.jobs.running import RunningJob
from headwater.jobs.services import steps_of
from headwater.jobs.tasks import task
from headwater.jobs.worker import Worker
from unit.jobs.conftest import At

pytestmark = pytest.mark.django_db
Body = Callable[[RunningJob], JsonValue]


def enqueue(body: Body, tenant: str = "12", max_attempts: int = 5) -> Job:
    @task(f"test.{body.__name__}", max_attempts=max_attempts)
    def run(job: RunningJob) -> JsonValue:
        return body(job)

    return run.enqueue(tenant=tenant)


def a_row(name: str) -> Schedule:
    """Something that a step's record writes; any table does."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Schedule.objects.create(tenant=name, task="recorded", every_seconds=1, next_utc=moment, enabled=False)


def test_it_runs_a_step_once_and_gives_its_stored_result_later(at: At) -> None:
    worked: list[str] = []

    def noted(step: str, value: object) -> object:
        worked.append(step)
        return value

    def body(job: RunningJob) -> JsonValue:
        first = job.step("first", lambda: noted("first", {"count": 3}))
        if job.attempt == 1:
            raise OSError("the disk is away for a moment")
        second = job.step("second", lambda: noted("second", first["count"] + 1))
        return [first, second]

    job = enqueue(body)
    with at(0):
        Worker("one").run_until_idle()
    with at(60):
        Worker("two").run_until_idle()
    job.refresh_from_db()
    assert job.state == State.DONE
    assert job.result == [{"count": 3}, 4]
    assert worked == ["first", "second"]
    assert [(step.name, step.result) for step in steps_of(job)] == [("first", {"count": 3}), ("second", 4)]


def test_what_a_step_of_a_chapter_told_is_found_in_that_chapter() -> None:
    def body(job: RunningJob) -> JsonValue:
        job.step("page", lambda: "of before")
        with job.chapter("turn 1"):
            assert not job.has_done("page")
            job.step("page", lambda: "of turn 1")
            job.step("part", lambda: "only of turn 1")
            return [job.has_done("part"), job.result_of("page"), job.result_of("part")]

    job = enqueue(body)
    Worker("one").run_until_idle()
    job.refresh_from_db()
    assert job.result == [True, "of turn 1", "only of turn 1"], job.reason_facts


def test_it_gives_the_same_shape_at_once_as_it_will_after_a_restart() -> None:
    seen: list[object] = []
    enqueue(lambda job: seen.append(job.step("pair", lambda: (1, {2: "two"}))))
    Worker("one").run_until_idle()
    assert seen == [[1, {"2": "two"}]]


def test_it_stores_what_record_returns_with_the_rows_that_record_writes() -> None:
    def body(job: RunningJob) -> JsonValue:
        job.step("part", lambda: "part-1.parquet", lambda path: {"path": path, "row": bool(a_row(path).pk)})
        return None

    job = enqueue(body)
    Worker("one").run_until_idle()
    assert Schedule.objects.filter(tenant="part-1.parquet").count() == 1
    assert steps_of(job).get().result == {"path": "part-1.parquet", "row": True}


def test_it_writes_nothing_of_a_step_whose_record_fails() -> None:
    def record(path: str) -> JsonValue:
        a_row(path)
        raise OSError("the disk is full")

    job = enqueue(lambda job: job.step("part", lambda: "part-1", record))
    Worker("one").run_until_idle()
    assert not Schedule.objects.exists()
    assert not steps_of(job).exists()


def test_it_refuses_a_result_that_json_cannot_hold() -> None:
    job = enqueue(lambda job: job.step("odd", lambda: {1, 2}), max_attempts=1)
    Worker("one").run_until_idle()
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert "not JSON serializable" in job.reason_facts["why"]
    assert not steps_of(job).exists()


def test_it_records_nothing_for_a_holder_whose_job_was_stolen(at: At) -> None:
    recorded: list[str] = []

    def record(value: str) -> str:
        recorded.append(value)
        return value

    def body(job: RunningJob) -> JsonValue:
        def work() -> str:
            if job.attempt == 1:  # the machine sleeps past its lease, and another worker finishes the job meanwhile
                with at(31):
                    assert Worker("thief").run_one()
            return f"by fence {job.fence}"

        result: str = job.step("only", work, record)
        return result

    job = enqueue(body)
    with at(0):
        Worker("sleeper").run_one()
    job.refresh_from_db()
    assert (job.state, job.result, job.attempt) == (State.DONE, "by fence 2", 2)
    assert recorded == ["by fence 2"]


def test_it_counts_a_robbed_holder_as_alive(at: At) -> None:
    def body(job: RunningJob) -> JsonValue:
        if job.attempt == 1:
            with at(31):
                Worker("thief").run_one()
        if job.attempt == 2:
            assert Job.objects.get().takeovers == 1
            raise KeyboardInterrupt  # the thief is stopped, too, before it has done a step
        job.step("only", lambda: 1)
        return None

    job = enqueue(body)
    with at(0), pytest.raises(KeyboardInterrupt):
        Worker("sleeper").run_one()
    job.refresh_from_db()
    assert (job.state, job.takeovers) == (State.QUEUED, 1)
    with at(1):
        Worker("third").run_one()
    job.refresh_from_db()
    assert (job.state, job.takeovers) == (State.DONE, 0)


def test_it_writes_progress_twice_a_second_at_most_and_with_each_step(at: At) -> None:
    shown: list[tuple[int, int | None]] = []

    def look() -> None:
        job = Job.objects.get()
        shown.append((job.progress_done or 0, job.progress_total))

    def body(job: RunningJob) -> JsonValue:
        for moment, done in ((0.0, 10), (0.2, 20), (0.6, 30), (0.7, 40)):
            with at(moment):
                job.progress(done, 100, "rows", "Contact")
                look()
        with at(0.8):
            job.step("page", lambda: None)
            look()
        return None

    enqueue(body)
    Worker("one").run_until_idle()
    assert shown == [(10, 100), (10, 100), (30, 100), (30, 100), (40, 100)]


def test_it_prolongs_the_lease_with_progress_and_steps(at: At) -> None:
    def body(job: RunningJob) -> JsonValue:
        with at(25):
            job.progress(1, 2, "rows")
        with at(50):
            assert not Worker("vulture").run_one()
            job.step("page", lambda: None)
        with at(75):
            assert not Worker("vulture").run_one()
        return "kept"

    job = enqueue(body)
    with at(0):
        Worker("one").run_one()
    job.refresh_from_db()
    assert job.result == "kept"


def test_it_tells_progress_to_whoever_listens() -> None:
    told: list[int] = []
    enqueue(lambda job: job.progress(7, None, "rows"))
    Worker("one", tell=lambda progress: told.append(progress.done)).run_until_idle()
    assert told == [7]


def test_its_index_holds_against_a_second_row_for_a_step() -> None:
    job = enqueue(lambda job: job.step("same", lambda: 1))
    Worker("one").run_until_idle()
    with pytest.raises(IntegrityError), transaction.atomic():
        Step.objects.create(job=job, name="same", fence=2, done_utc=now_utc())
