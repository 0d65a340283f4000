"""Putting in and taking out: equal jobs, fairness, one running job per tenant, leases that end."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from headwater.common.clock import now_utc
from headwater.jobs.lease import LeaseWatch
from headwater.jobs.models import Job, JsonValue, State
from headwater.jobs.queue import put, take, take_next
from headwater.jobs.running import RunningJob
from headwater.jobs.services import cancel, jobs_of, latest
from headwater.jobs.tasks import task, task_names
from headwater.jobs.worker import Worker
from unit.jobs.conftest import At

pytestmark = pytest.mark.django_db


def put_job(tenant: str, number: int = 0, **options: bool | datetime) -> Job:
    return put("test.task", tenant=tenant, arguments={"number": number}, **options)  # type: ignore[arg-type]  # passed on


def take_one(worker: str, watch: LeaseWatch | None = None) -> Job | None:
    taken = take_next(worker, 30, watch or LeaseWatch(30))
    return taken[0] if taken else None


def test_it_returns_the_equal_live_job_instead_of_a_second() -> None:
    first = put("test.task", tenant="12", arguments={"a": 1, "b": 2})
    assert put("test.task", tenant="12", arguments={"b": 2, "a": 1}) == first
    take_one("one")
    assert put("test.task", tenant="12", arguments={"a": 1, "b": 2}) == first
    Job.objects.update(state=State.WAITING)
    assert put("test.task", tenant="12", arguments={"a": 1, "b": 2}) == first


def test_it_makes_a_job_of_its_own_for_other_arguments_tenants_and_wishes() -> None:
    jobs = {put_job("12"), put_job("12", 1), put_job("13"), put_job("12", dedupe=False)}
    assert len(jobs) == 4


def test_it_makes_a_new_job_once_the_equal_one_has_ended() -> None:
    first = put_job("12")
    cancel(first)
    assert put_job("12") != first


def test_its_index_holds_against_a_second_equal_live_job() -> None:
    first = put_job("12")
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.create(tenant="12", task="test.task", sole_key=first.sole_key, created_utc=now_utc())


def test_it_refuses_a_moment_without_a_timezone() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        put_job("12", not_before_utc=datetime(2026, 1, 1))  # noqa: DTZ001  the mistake under test


def test_it_does_not_start_before_its_time(at: At) -> None:
    with at(0):
        put_job("12", not_before_utc=now_utc() + timedelta(seconds=10))
        assert take_one("one") is None
    with at(10):
        assert take_one("one") is not None


def test_it_serves_the_tenant_longest_unserved_first_and_its_oldest_job_first() -> None:
    order: list[tuple[str, JsonValue]] = []

    @task("test.task")
    def note(job: RunningJob, *, number: int) -> None:
        order.append((job.tenant, number))

    for number in range(3):
        put_job("big", number)
    put_job("small", 0)
    put_job("late", 0)
    Worker("one").run_until_idle()
    assert order == [("big", 0), ("small", 0), ("late", 0), ("big", 1), ("big", 2)]
    put_job("big", 3)
    put_job("small", 1)
    Worker("one").run_until_idle()
    assert order[5:] == [("small", 1), ("big", 3)]


def test_it_never_gives_out_two_jobs_of_a_tenant() -> None:
    put_job("12", 1)
    second = put_job("12", 2)
    put_job("13", 1)
    taken = [take_one(f"worker-{number}") for number in range(3)]
    assert [job.tenant if job else None for job in taken] == ["12", "13", None]
    assert take(second, "hasty", 30) is None, "the index refuses what the look ahead did not see"


def test_only_one_of_two_that_read_the_same_row_takes_it() -> None:
    put_job("12")
    read_by_one, read_by_other = Job.objects.get(), Job.objects.get()
    assert take(read_by_one, "one", 30) is not None
    assert take(read_by_other, "other", 30) is None
    assert Job.objects.get().worker == "one"


def test_it_takes_over_from_a_dead_worker_when_its_lease_has_ended(at: At) -> None:
    put_job("12")
    with at(0):
        assert take_one("dead")
    with at(29):
        assert take_one("heir") is None
    with at(30):
        taken = take_one("heir")
    assert taken is not None
    assert (taken.fence, taken.attempt, taken.takeovers) == (2, 2, 1)


def test_it_frees_a_job_whose_dead_holder_had_a_clock_far_ahead(at: At) -> None:
    put_job("12")
    with at(24 * 3600):
        assert take_one("dead")
    watch = LeaseWatch(30)
    for moment in (0, 29):
        with at(moment):
            assert take_one("heir", watch) is None
    with at(31):
        assert take_one("heir", watch) is not None


def test_it_leaves_a_job_alone_whose_living_holder_has_a_clock_far_ahead(at: At) -> None:
    put_job("12")
    with at(24 * 3600):
        taken = take_next("alive", 30, LeaseWatch(30))
    assert taken is not None
    watch = LeaseWatch(30)
    for moment in (0, 20, 40, 60):
        with at(24 * 3600 + moment):
            taken[1].renew()
        with at(moment):
            assert take_one("vulture", watch) is None


def test_it_lists_a_tenants_jobs_newest_first() -> None:
    first, second = put_job("12", 1), put_job("12", 2)
    put_job("13")
    assert list(jobs_of("12")) == [second, first]
    assert latest("12", "test.task") == second
    assert latest("12", "test.other") is None


def test_it_knows_tasks_by_name_and_refuses_a_name_twice() -> None:
    @task("test.task")
    def run(job: RunningJob, *, number: int) -> int:
        return number

    assert task_names() == ["test.task"]
    with pytest.raises(ValueError, match="There is a task"):
        task("test.task")(run.run)


def test_it_refuses_arguments_that_the_task_does_not_take() -> None:
    @task("test.task")
    def run(job: RunningJob, *, number: int) -> int:
        return number

    with pytest.raises(TypeError, match="number"):
        run.enqueue(tenant="12", nummer=1)
    assert not Job.objects.exists()


def test_many_tenants_share_two_workers_and_none_waits_for_a_busy_one() -> None:
    """One tenant's jobs are long and never end; between two turns of it every other that waits has one."""
    tenants = [f"tenant-{number}" for number in range(30)]
    for tenant in tenants:
        for number in range(3):
            put_job(tenant, number)
    for number in range(3, 60):
        put_job("tenant-0", number)
    served: list[str] = []
    long_one: Job | None = None
    for place in range(180):
        if long_one is not None and place % 10 == 9:  # ten times as long as the others' jobs
            end(long_one)
            long_one = None
        job = take_one("one" if place % 2 else "two")
        if job is None:
            continue
        served.append(job.tenant)
        if job.tenant == "tenant-0":
            long_one = job
        else:
            end(job)
    for tenant in tenants[1:]:
        turns = [place for place, name in enumerate(served) if name == tenant]
        assert len(turns) == 3
        assert max(after - before for before, after in itertools.pairwise(turns)) <= len(tenants)
    assert served.count("tenant-0") > 3


def end(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state=State.DONE)
