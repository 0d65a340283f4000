"""Schedules become jobs, each tick once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.common.clock import now_utc
from headwater.jobs.models import Job, Schedule
from headwater.jobs.running import RunningJob
from headwater.jobs.schedules import enqueue_due, next_tick
from headwater.jobs.services import set_schedule, stop_schedule
from headwater.jobs.tasks import task
from headwater.jobs.worker import Worker
from unit.jobs.conftest import At

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def every(seconds: int, first_utc: datetime | None = None) -> Schedule:
    return set_schedule("test.task", tenant="12", every_seconds=seconds, arguments={"number": 1}, first_utc=first_utc)


@given(every_seconds=st.integers(1, 10**6), late_seconds=st.integers(0, 10**8))
def test_the_next_tick_is_the_first_after_now_on_the_same_grid(every_seconds: int, late_seconds: int) -> None:
    now = NOON + timedelta(seconds=late_seconds)
    ahead = next_tick(NOON, every_seconds, now) - NOON
    assert ahead % timedelta(seconds=every_seconds) == timedelta()
    assert timedelta() < NOON + ahead - now <= timedelta(seconds=every_seconds)


@pytest.mark.django_db
def test_the_worker_turns_a_due_schedule_into_a_job(at: At) -> None:
    ran: list[int] = []

    @task("test.task")
    def run(job: RunningJob, *, number: int) -> None:
        ran.append(number)

    with at(0):
        every(600)
        Worker("one").run_until_idle()
        Worker("one").run_until_idle()
    with at(600):
        Worker("one").run_until_idle()
    assert ran == [1, 1]


@pytest.mark.django_db
def test_it_makes_one_job_of_the_ticks_that_were_missed(at: At) -> None:
    with at(0):
        schedule = every(600)
    with at(6001):
        assert (enqueue_due(), enqueue_due()) == (1, 0)
        schedule.refresh_from_db()
        assert schedule.next_utc == now_utc() + timedelta(seconds=599)
    assert Job.objects.count() == 1


@pytest.mark.django_db
def test_it_makes_no_job_of_a_stopped_schedule(at: At) -> None:
    with at(0):
        every(600)
        stop_schedule("test.task", tenant="12")
        assert enqueue_due() == 0


@pytest.mark.django_db
def test_setting_it_again_keeps_the_next_tick_unless_it_comes_sooner(at: At) -> None:
    with at(0):
        every(600, first_utc=now_utc() + timedelta(seconds=300))
        assert every(600).next_utc == now_utc() + timedelta(seconds=300)
        assert every(60).next_utc == now_utc() + timedelta(seconds=60)
        assert every(60, first_utc=now_utc() + timedelta(days=1)).next_utc == now_utc() + timedelta(days=1)
