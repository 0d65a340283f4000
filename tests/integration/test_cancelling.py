"""Cancelling in the middle of a call: a download that would last for an hour ends, and what was spent is accounted."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from django.db import connections
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.connections.models import Connection
from headwater.credits.models import Entry, EntryState
from headwater.jobs.models import Job, State
from headwater.jobs.services import cancel
from headwater.jobs.worker import Worker
from headwater.sync.publish import lake_directory
from headwater.sync.services import replica_state, sync_cycle
from integration.test_bulk_pages import before_the_pages, pages
from integration.test_sync import assert_replica_equals, more_contacts, sync
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults
from orgsim.testing import RunningOrgsim

AN_HOUR_SECONDS = 3_600.0  # no test waits for it
PATIENCE_SECONDS = 90


@pytest.fixture
def many(org: RunningOrgsim, connected: Connection, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Account:
    """Contacts that come by Bulk, in a few pages."""
    more_contacts(org, 1_200)
    settings.QUERY_PAGE_ROWS, settings.BULK_FILE_BYTES = 25, 120_000
    monkeypatch.setattr("headwater.sync.bulk_jobs.bulk_poll_delay_seconds", lambda *_: 0.01)
    return connected.account


@contextmanager
def a_worker(account: Account) -> Iterator[Job]:
    """At work on a sync beside the test, until that has ended; fails where it does not end."""
    job = sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)

    def work() -> None:
        Worker("beside").run_until_idle()
        connections.close_all()

    thread = Thread(target=work, daemon=True)
    thread.start()
    yield job
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive(), "the job did not hear that it was cancelled"
    job.refresh_from_db()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_download_in_which_nothing_comes_is_broken_off(
    org: RunningOrgsim, many: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Fault(Effect.SLOW, kind="bulk_query", on_calls=(2,), seconds=AN_HOUR_SECONDS)
    before_the_pages(monkeypatch, lambda: add_fault(org.production.usage, slow))
    with a_worker(many) as job:
        until(lambda: any(lake_directory(many).glob("scratch-*/1.csv")))
        cancel(job)
    assert job.state == State.CANCELLED
    entries = Entry.of(many).filter(job_id=str(job.pk))
    assert set(entries.values_list("state", flat=True)) == {EntryState.ANSWERED}, "none is left open"
    assert entries.filter(call_kind="bulk_results").count() == 2, (
        "the page that was broken off is paid for, as the org says"
    )
    assert Entry.of(many).count() == org.production.usage.used_calls()
    assert list(lake_directory(many).glob("scratch-*")) == []
    assert replica_state(many) is None, "readers see nothing of it"
    before_the_pages(monkeypatch, lambda: clear_faults(org.production.usage))
    sync(many)
    assert_replica_equals(many, org)
    assert pages(many) > 1


def test_nobody_waits_for_another_attempt(org: RunningOrgsim, many: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headwater.salesforce.transport.wait_random_exponential", lambda **_: lambda _: AN_HOUR_SECONDS)
    add_fault(org.production.usage, Fault(Effect.SERVER_ERROR, rate=1.0))
    with a_worker(many) as job:
        until(lambda: Entry.of(many).filter(job_id=str(job.pk), state=EntryState.REFUSED).exists())
        cancel(job)
    assert job.state == State.CANCELLED
    assert Entry.of(many).filter(job_id=str(job.pk)).count() == 1
