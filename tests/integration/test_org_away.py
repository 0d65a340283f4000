"""An org that is away for an hour: its read waits, tells it once, spends nothing unaccounted, and goes on by itself."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx2
import pytest
from tenacity import wait_none

from headwater import watch
from headwater.accounts.models import Account
from headwater.common.clock import clock_running_ahead
from headwater.connections.models import Connection
from headwater.credits.models import Entry, EntryState
from headwater.credits.services import today
from headwater.jobs.models import Job, State
from headwater.jobs.services import job_view, jobs_of
from headwater.jobs.worker import Worker
from headwater.notify.models import Notification
from headwater.notify.services import open_of
from headwater.salesforce.transport import ATTEMPTS
from headwater.sync.services import replica_state, sync_cycle
from integration.test_sync import assert_replica_equals, sync
from orgsim.edits.everyday import EditPlan, make_edits
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults
from orgsim.seed import load_history
from orgsim.testing import RunningOrgsim

MINUTES_BETWEEN_TRIES = 5


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that fails is sent again after some seconds; here at once."""
    monkeypatch.setattr("headwater.salesforce.transport.wait_random_exponential", lambda **_: wait_none())


@pytest.fixture
def changed(org: RunningOrgsim, connected: Connection) -> Account:
    """Read once; then people went on working."""
    load_history(org.production, records=400, seed=3)
    sync(connected.account)
    make_edits(org.writer(), EditPlan(edits=200, deletes=20, seed=5))
    return connected.account


@contextmanager
def silence(account: Account) -> Iterator[None]:
    """A port that takes connections and answers nothing. It is given up after less than the usual two minutes."""
    url = Connection.of(account).get().instance_url
    with socket.create_server(("127.0.0.1", 0), backlog=1_000) as silent, pytest.MonkeyPatch.context() as patch:
        patch.setattr("headwater.salesforce.transport.TIMEOUT", httpx2.Timeout(10, read=0.05))
        Connection.of(account).update(instance_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        yield
    Connection.of(account).update(instance_url=url)


def work(minutes: int) -> None:
    """A worker looks, so long after the beginning, for what there is to do."""
    with clock_running_ahead(timedelta(minutes=minutes)):
        watch.chores()
        Worker(f"after {minutes} minutes").run_until_idle()
        watch.chores()


def away_entries(account: Account, **of: str) -> int:
    """Calls that the org does not count: it never saw them, or turned them away. The ledger takes them as spent."""
    return Entry.of(account).filter(state__in=[EntryState.LOST, EntryState.REFUSED], **of).count()


def told(account: Account) -> list[tuple[str, str]]:
    return list(Notification.of(account).values_list("code", "subject"))


def test_a_read_waits_out_an_hour_tells_it_once_and_goes_on_by_itself(org: RunningOrgsim, changed: Account) -> None:
    spent, counted = today(changed).used_calls, org.production.usage.used_calls()
    published = replica_state(changed)
    job = sync_cycle.enqueue(tenant=str(changed.pk), account_id=changed.pk)
    add_fault(org.production.usage, Fault(Effect.UNAVAILABLE, on_calls=tuple(range(3, 100))))
    work(0)
    view = job_view(refreshed(job))
    assert (view.state, view.code) == (State.WAITING, "salesforce.unavailable")
    assert org.production.usage.used_calls() - counted == 2, "it stopped in the middle of its reads"
    with silence(changed):
        for minutes in range(5, 35, MINUTES_BETWEEN_TRIES):
            work(minutes + 1)
    assert told(changed) == [("salesforce.unavailable", sync_cycle.name)]
    for minutes in range(35, 65, MINUTES_BETWEEN_TRIES):
        work(minutes + 1)
    assert refreshed(job).state == State.WAITING
    assert jobs_of(str(changed.pk)).filter(task=sync_cycle.name).exclude(state=State.DONE).get() == job
    assert replica_state(changed) == published
    assert told(changed) == [("salesforce.unavailable", sync_cycle.name)]
    assert open_of(changed).count() == 1
    tries = 1 + 60 // MINUTES_BETWEEN_TRIES
    assert away_entries(changed, job_kind="sync") == tries * ATTEMPTS  # the hourly look at the allowance is none

    clear_faults(org.production.usage)
    work(70)
    assert refreshed(job).state == State.DONE, job_view(job)
    assert not open_of(changed).exists()
    assert_replica_equals(changed, org)
    assert today(changed).used_calls - spent == org.production.usage.used_calls() - counted + away_entries(changed)


def refreshed(job: Job) -> Job:
    job.refresh_from_db()
    return job
