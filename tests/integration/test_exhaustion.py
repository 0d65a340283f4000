"""Whatever runs out, the org's or Headwater's own: told apart, said once, waited for, and work goes on by itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from headwater.accounts.models import Account
from headwater.accounts.services import open_account_of_job
from headwater.common.clock import clock_running_ahead
from headwater.connections.models import Connection
from headwater.connections.services import session
from headwater.credits.models import DEFAULT_DAILY_LIMIT_CALLS, Window
from headwater.credits.opening import current_window
from headwater.credits.services import today
from headwater.jobs.models import Job, JsonValue, State
from headwater.jobs.running import RunningJob
from headwater.jobs.services import job_view
from headwater.jobs.tasks import task
from headwater.jobs.worker import Worker
from headwater.notify.models import Notification
from headwater.notify.services import open_of
from headwater.salesforce.bulk import Bulk
from headwater.watch import chores
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults
from orgsim.store.settings import DEFAULTS
from orgsim.testing import RunningOrgsim

RanOut = Callable[[RunningOrgsim, Account], Iterator[None]]


@task("exhaustion.test")
def asking(job: RunningJob, *, account_id: int, sobject: str) -> JsonValue:
    """One step done before, and one that needs what ran out."""
    account = open_account_of_job(job.tenant, account_id)
    job.step("before", lambda: 1)
    with session(account, job_kind="sync", job_id=str(job.id)) as transport:
        job.step("ask", lambda: Bulk(transport).create_query(sobject, f"SELECT Id FROM {sobject}").id)
    return sobject


@dataclass(frozen=True, slots=True)
class Case:
    code: str
    words: str
    over_after: timedelta
    while_it_lasts: RanOut


def own_quota(org: RunningOrgsim, account: Account) -> Iterator[None]:
    org.production.set("allowance_calls", 10 * DEFAULT_DAILY_LIMIT_CALLS)
    window = Window.of(account).filter(pk=current_window(account).pk)
    window.update(used_calls=DEFAULT_DAILY_LIMIT_CALLS)
    yield


def allowance(org: RunningOrgsim, _account: Account) -> Iterator[None]:
    org.production.set("allowance_calls", 0)
    yield
    org.production.set("allowance_calls", DEFAULTS["allowance_calls"])


def bulk_queries(org: RunningOrgsim, _account: Account) -> Iterator[None]:
    org.production.set("bulk_query_jobs_per_day", 0)
    yield
    org.production.set("bulk_query_jobs_per_day", DEFAULTS["bulk_query_jobs_per_day"])


def long_requests(org: RunningOrgsim, _account: Account) -> Iterator[None]:
    add_fault(org.production.usage, Fault(Effect.CONCURRENT, rate=1.0))
    yield
    clear_faults(org.production.usage)


CASES = [
    Case("credits.quota_reached", "Daily CRM API Limit", timedelta(hours=24, minutes=1), own_quota),
    Case("salesforce.request_limit", "own API allowance is used up", timedelta(minutes=16), allowance),
    Case("salesforce.bulk_limit", "allowance of 10,000 Bulk queries", timedelta(minutes=61), bulk_queries),
    Case("salesforce.concurrent_limit", "too many long requests", timedelta(minutes=3), long_requests),
]


@pytest.fixture(autouse=True)
def _without_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries of one request follow each other at once."""
    monkeypatch.setattr("headwater.salesforce.transport.wait_random_exponential", lambda **_: lambda _: 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_what_ran_out_is_told_apart_said_once_and_waited_for(
    org: RunningOrgsim, connected: Connection, case: Case
) -> None:
    account, worker = connected.account, Worker("first")
    counted, spent = org.production.usage.used_calls(), today(account).used_calls
    with contextmanager(case.while_it_lasts)(org, account):
        jobs = [
            asking.enqueue(tenant=str(account.pk), account_id=account.pk, sobject=name) for name in ("Lead", "Case")
        ]
        worker.run_until_idle()
        chores()
        views = [job_view(job) for job in refreshed(jobs)]
        assert [(view.state, view.code) for view in views] == [(State.WAITING, case.code)] * 2
        assert all(case.words in view.reason and view.not_before_utc for view in views)
        [told] = open_of(account)
        assert (told.code, told.mails.count()) == (case.code, 0)  # nobody is an admin of this account yet

    with clock_running_ahead(case.over_after):
        Worker("later").run_until_idle()
        chores()
        assert [job.state for job in refreshed(jobs)] == [State.DONE, State.DONE]
        assert not open_of(account)
        assert Notification.of(account).count() == 1
    if case.code != "credits.quota_reached":  # there the window was filled by hand
        turned_away = 0 if case.code == "salesforce.bulk_limit" else refused_calls(account)
        assert today(account).used_calls - spent == org.production.usage.used_calls() - counted + turned_away


def refused_calls(account: Account) -> int:
    """The org does not count what it turns away at the door; the ledger takes it as spent all the same."""
    return sum(row.refused for row in today(account).spending)


def refreshed(jobs: list[Job]) -> list[Job]:
    for job in jobs:
        job.refresh_from_db()
    return jobs
