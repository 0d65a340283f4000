"""In any order of claims, steps, crashes, thefts, waits and cancellations, no step is lost or doubled."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from headwater.common.clock import clock_set_to
from headwater.jobs.lease import Lease, LeaseWatch, LostJob
from headwater.jobs.models import ENDED, Job, Schedule, State, Step, Turn
from headwater.jobs.outcomes import CANCELLED, HANDED_BACK, Outcome, settle
from headwater.jobs.queue import put, take_next
from headwater.jobs.running import Cancelled, RunningJob
from headwater.jobs.services import cancel

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STEPS = 3
LEASE_SECONDS = 30
WORKERS = ("one", "two", "three")
tenants = st.sampled_from(["12", "13"])
picks = st.integers(0, len(WORKERS) - 1)


class PowerCut(BaseException):
    """A process that ends without a word."""


class Jobs(RuleBasedStateMachine):
    """Rows of Schedule stand for what steps record: one each, named after job and step."""

    @initialize()
    def start(self) -> None:
        for model in (Job, Schedule, Turn):
            model.objects.all().delete()
        self.now = NOON
        self.hands: dict[str, tuple[RunningJob, Lease]] = {}
        self.watches = {name: LeaseWatch(LEASE_SECONDS) for name in WORKERS}
        for tenant in ("12", "13"):
            self.enqueue(tenant, 0)

    @rule(seconds=st.sampled_from([1, 31, -31, 3600, -3600]))
    def the_clock_jumps(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(tenant=tenants, number=st.integers(0, 2))
    def enqueue(self, tenant: str, number: int) -> None:
        with clock_set_to(self.now):
            put("test.task", tenant=tenant, arguments={"number": number})

    @precondition(lambda self: len(self.hands) < len(WORKERS))
    @rule()
    def claim(self) -> None:
        worker = next(name for name in WORKERS if name not in self.hands)
        with clock_set_to(self.now):
            taken = take_next(worker, LEASE_SECONDS, self.watches[worker])
        if taken is not None:
            self.hands[worker] = RunningJob(*taken, stop=Event()), taken[1]

    @precondition(lambda self: self.hands)
    @rule(pick=picks, meanwhile=st.sampled_from(["nothing", "theft", "power cut"]))
    def step(self, pick: int, meanwhile: str) -> None:
        worker = self._picked(pick)
        running, lease = self.hands[worker]
        done = Step.objects.filter(job_id=running.id).count()
        if done == STEPS:
            self._let_go(worker, Outcome(State.DONE, result="done"))
            return
        was_stale = self._is_stale(lease)
        try:
            with clock_set_to(self.now):
                self._do_step(running, f"step-{done}", meanwhile)
            assert not was_stale
        except LostJob:
            assert self._is_stale(lease)
            del self.hands[worker]
        except PowerCut:
            del self.hands[worker]
        except Cancelled:
            self._let_go(worker, CANCELLED)

    def _do_step(self, running: RunningJob, name: str, meanwhile: str) -> None:
        def work() -> str:
            if meanwhile == "theft":
                self.now += timedelta(seconds=LEASE_SECONDS + 1)
                if len(self.hands) < len(WORKERS):
                    self.claim()
            return name

        def record(value: str) -> str:
            Schedule.objects.create(tenant=str(running.id), task=name, every_seconds=1, next_utc=NOON, enabled=False)
            if meanwhile == "power cut":
                raise PowerCut
            return value

        running.step(name, work, record)

    @precondition(lambda self: self.hands)
    @rule(pick=picks)
    def crash(self, pick: int) -> None:
        del self.hands[self._picked(pick)]

    @precondition(lambda self: self.hands)
    @rule(pick=picks, waits=st.booleans())
    def let_go(self, pick: int, waits: bool) -> None:
        waiting = Outcome(State.WAITING, not_before_utc=self.now + timedelta(seconds=60))
        self._let_go(self._picked(pick), waiting if waits else HANDED_BACK)

    def _let_go(self, worker: str, outcome: Outcome) -> None:
        _running, lease = self.hands.pop(worker)
        was_stale = self._is_stale(lease)
        try:
            with clock_set_to(self.now):
                settle(lease, outcome)
            assert not was_stale
        except LostJob:
            assert was_stale

    def _picked(self, pick: int) -> str:
        return sorted(self.hands)[pick % len(self.hands)]

    def _is_stale(self, lease: Lease) -> bool:
        return not Job.objects.filter(pk=lease.job_id, fence=lease.fence, state=State.RUNNING).exists()

    @precondition(lambda self: self.hands)
    @rule(tenant=tenants)
    def cancel_the_newest(self, tenant: str) -> None:
        job = Job.objects.filter(tenant=tenant).last()
        if job is not None:
            with clock_set_to(self.now):
                cancel(job)

    @invariant()
    def one_job_of_a_tenant_runs(self) -> None:
        running = Counter(Job.objects.filter(state=State.RUNNING).values_list("tenant", flat=True))
        assert set(running.values()) <= {1}

    @invariant()
    def every_step_has_the_one_record_it_made(self) -> None:
        recorded = sorted(Schedule.objects.values_list("tenant", "task"))
        steps = sorted((str(job), name) for job, name in Step.objects.values_list("job_id", "name"))
        assert recorded == steps

    def teardown(self) -> None:
        """All workers are dead and two hours pass: whatever was left must come to its end."""
        self.hands.clear()
        for _ in range(200):
            if not Job.objects.exclude(state__in=ENDED).exists():
                break
            self.now += timedelta(hours=2)
            self.claim()
            while self.hands:
                self.step(0, "nothing")
        ends = Job.objects.values_list("pk", "state")
        assert {state for _, state in ends} <= {State.DONE, State.CANCELLED}
        assert all(Step.objects.filter(job=pk).count() == STEPS for pk, state in ends if state == State.DONE)


@pytest.mark.django_db
def test_no_order_of_events_loses_or_doubles_a_step() -> None:
    run_state_machine_as_test(
        Jobs,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
