"""Old jobs go with their steps; one that runs, that somebody may act on or that is its task's latest never does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.common.clock import now_utc
from headwater.jobs import retention
from headwater.jobs.models import ENDED, Job, State, Step
from headwater.jobs.queue import put_back
from headwater.jobs.retention import JOBS_KEPT, forget_batch, has_forgettable

DAY = timedelta(days=1)
OLD, RECENT = JOBS_KEPT.days + 1, JOBS_KEPT.days - 1
pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Made:
    """A job to be: the first in a list is the oldest."""

    state: State = State.DONE
    days_ago: int = OLD
    tenant: str = "12"
    task: str = "test.task"
    work: str | None = "same"  # None: equal to no other


def make(each: Made) -> Job:
    then = now_utc() - each.days_ago * DAY
    job = Job.objects.create(
        tenant=each.tenant,
        task=each.task,
        sole_key=each.work,
        state=each.state,
        created_utc=then - DAY,
        finished_utc=then if each.state in ENDED else None,
    )
    Step.objects.create(job=job, name="read", fence=1, done_utc=then)
    return job


def forget_everything() -> None:
    while has_forgettable():
        with transaction.atomic():
            assert forget_batch(), "what is said to be there is found"


def left_of(made: Sequence[Made]) -> list[bool]:
    """Which of them are still there, steps and all, after everything was forgotten."""
    jobs = [make(each) for each in made]
    forget_everything()
    kept = set(Job.objects.values_list("pk", flat=True))
    assert set(Step.objects.values_list("job_id", flat=True)) == kept
    return [job.pk in kept for job in jobs]


RUNNING, QUEUED, WAITING, BLOCKED, FAILED, DONE, CANCELLED = (
    State.RUNNING, State.QUEUED, State.WAITING, State.BLOCKED, State.FAILED, State.DONE, State.CANCELLED,
)  # fmt: skip


@pytest.mark.parametrize(
    ("made", "left"),
    [
        pytest.param([Made(), Made()], [False, True], id="the latest of a task stays, however old"),
        pytest.param([Made(), Made(task="test.other")], [True, True], id="of each task"),
        pytest.param([Made(), Made(tenant="13")], [True, True], id="and of each tenant"),
        pytest.param([Made(days_ago=RECENT), Made()], [True, True], id="recent jobs stay"),
        pytest.param([Made(CANCELLED), Made()], [False, True], id="cancelled ones go"),
        pytest.param([Made(), Made(RUNNING)], [False, True], id="a later one may be under way"),
        pytest.param([Made(RUNNING), Made()], [True, True], id="a running job is never deleted"),
        pytest.param([Made(QUEUED), Made(WAITING, work="b"), Made()], [True] * 3, id="nor one that is to run"),
        pytest.param([Made(BLOCKED), Made()], [True, True], id="nor one that waits for a person"),
        pytest.param([Made(FAILED), Made(work="b")], [True, True], id="a failed one can be retried"),
        pytest.param([Made(FAILED), Made()], [False, True], id="unless a later one did the same"),
        pytest.param([Made(FAILED), Made(FAILED)], [False, True], id="or failed at the same"),
        pytest.param([Made(FAILED), Made(CANCELLED)], [True, True], id="but not where that was cancelled"),
        pytest.param([Made(FAILED, work=None), Made(work=None)], [True, True], id="jobs without a key equal none"),
    ],
)
def test_what_goes_and_what_stays(made: Sequence[Made], left: Sequence[bool]) -> None:
    assert left_of(made) == left


JOBS = st.builds(
    Made,
    state=st.sampled_from([DONE, DONE, CANCELLED, FAILED, BLOCKED, WAITING]),
    days_ago=st.sampled_from([OLD, OLD, RECENT]),
    tenant=st.sampled_from(["12", "13"]),
    task=st.sampled_from(["test.a", "test.b"]),
    work=st.sampled_from([None, "a", "b"]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(JOBS, max_size=12), st.integers(1, 3))
def test_the_rule_holds_whatever_happened_and_however_small_the_batches(made: list[Made], batch_jobs: int) -> None:
    made = [replace(each, work=None) if each.state is WAITING else each for each in made]  # one live job of a kind
    with pytest.MonkeyPatch.context() as patched, transaction.atomic():
        patched.setattr(retention, "BATCH_JOBS", batch_jobs)
        assert left_of(made) == [not _goes(each, made[place + 1 :]) for place, each in enumerate(made)]
        transaction.set_rollback(True)


def _goes(job: Made, later: Sequence[Made]) -> bool:
    of_task = [each for each in later if (each.tenant, each.task) == (job.tenant, job.task)]
    equal = [each for each in of_task if each.work is not None and each.work == job.work]
    if job.days_ago <= JOBS_KEPT.days:
        return False
    if job.state in (DONE, CANCELLED):
        return bool(of_task)
    return job.state is FAILED and any(each.state is not CANCELLED for each in equal)


def test_it_goes_batch_by_batch_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [make(Made(days_ago=OLD + 9 - place)) for place in range(5)]
    monkeypatch.setattr(retention, "BATCH_JOBS", 2)
    with transaction.atomic():
        assert list(forget_batch()) == [("12", jobs[0].pk), ("12", jobs[1].pk)]
    assert Job.objects.count() == 3


def test_a_failed_job_that_a_person_puts_back_is_not_forgotten() -> None:
    failed = make(Made(FAILED))
    make(Made())
    assert put_back(failed)
    forget_everything()
    assert Job.objects.filter(pk=failed.pk, state=QUEUED).exists()


def test_forgetting_is_all_or_nothing() -> None:
    make(Made())
    make(Made())

    def crash() -> Any:
        with transaction.atomic():
            forget_batch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash()
    assert (Job.objects.count(), Step.objects.count()) == (2, 2)
