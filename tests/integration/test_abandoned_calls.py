"""Processes die around a call to a simulated org; hours later its own event log says which of the calls it saw."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db.models import QuerySet, Sum

from headwater import watch
from headwater.accounts.models import Account
from headwater.accounts.services import events_of
from headwater.common.clock import clock_running_ahead
from headwater.connections.models import Connection
from headwater.connections.org_accounts import LOG_KEPT_BACK, RECONCILING
from headwater.connections.services import session
from headwater.credits.ledger import Ledger
from headwater.credits.models import Entry, EntryState, Window
from headwater.credits.reconcile_models import LogCheck
from headwater.salesforce.event_log import EVENT_LOG
from headwater.salesforce.meter import Call, CallKind
from headwater.salesforce.rest import Org, SubQuery
from orgsim.clock import ClockSetting
from orgsim.testing import RunningOrgsim


@pytest.fixture(autouse=True)
def _long_sessions(org: RunningOrgsim) -> None:
    org.production.set("access_token_seconds", 100 * 3600)


@contextmanager
def hours_later(org: RunningOrgsim, hours: float) -> Iterator[None]:
    """By the org's clock and by ours."""
    org.state.set_clock(ClockSetting(offset_seconds=hours * 3600))
    with clock_running_ahead(timedelta(hours=hours)):
        yield


def query(account: Account) -> None:
    with session(account, job_kind="sync") as transport:
        Org(transport).query("SELECT Id FROM Lead", "testing")


def query_together(account: Account) -> None:
    with session(account, job_kind="sync") as transport:
        Org(transport).query_together([SubQuery("Lead", "SELECT Id FROM Lead")])


def die_before(account: Account, kind: CallKind = CallKind.QUERY) -> int:
    return Ledger(account, job_kind="sync").reserve(Call(kind, "Lead"))


def die_after(account: Account, call: Callable[[Account], None], monkeypatch: pytest.MonkeyPatch) -> int:
    """The org has answered, and nobody wrote it down."""

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "settle", die)
        with pytest.raises(KeyboardInterrupt):
            call(account)
    return Entry.of(account).latest("pk").pk


def askings(account: Account) -> QuerySet[Entry]:
    return Entry.of(account).filter(job_kind=RECONCILING, sobject=EVENT_LOG)


def state_of(account: Account, entry: int) -> EntryState:
    return EntryState(Entry.of(account).get(pk=entry).state)


def ledger_and_org(account: Account, org: RunningOrgsim) -> tuple[int, int]:
    return Window.of(account).aggregate(sum=Sum("used_calls"))["sum"], org.production.usage.total_credits()


def test_only_what_the_org_never_saw_is_given_back_and_then_both_counts_agree(
    org: RunningOrgsim, account: Account, connected: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    query(account)
    unsent, sent = die_before(account), die_after(account, query, monkeypatch)
    query(account)
    with hours_later(org, 1.5):
        watch.chores()
        assert {state_of(account, unsent), state_of(account, sent)} == {EntryState.ABANDONED}
        query(account)
    with hours_later(org, 3):
        watch.chores()
        watch.chores()
        assert askings(account).count() == 1  # one credit for all
    assert (state_of(account, unsent), state_of(account, sent)) == (EntryState.NOT_SENT, EntryState.ANSWERED)
    ledger, counted = ledger_and_org(account, org)
    assert ledger == counted


def test_a_log_that_is_late_is_asked_again(org: RunningOrgsim, account: Account, connected: Connection) -> None:
    org.production.set("event_log_lag_seconds", 6 * 3600)
    query(account)
    unsent = die_before(account)
    with hours_later(org, 1.5):
        query(account)
    with hours_later(org, 3):
        watch.chores()
        assert state_of(account, unsent) == EntryState.ABANDONED
    with hours_later(org, 9.5):
        watch.chores()
    assert state_of(account, unsent) == EntryState.NOT_SENT
    assert askings(account).count() == 2


def test_calls_that_the_log_does_not_name_stay_spent(
    org: RunningOrgsim, account: Account, connected: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = die_after(account, query_together, monkeypatch)
    unsent = die_before(account, CallKind.COMPOSITE_QUERY)
    with hours_later(org, 1.5):
        query_together(account)
    with hours_later(org, 3):
        watch.chores()
    assert {state_of(account, sent), state_of(account, unsent)} == {EntryState.ABANDONED}


def test_an_org_that_keeps_its_log_back_is_asked_once_a_day_and_the_calls_stay_spent(
    org: RunningOrgsim, account: Account, connected: Connection
) -> None:
    org.revoke("ViewEventLogObjectData", profile="System Administrator")
    unsent = die_before(account)
    for hours in (3, 10, 16):
        with hours_later(org, hours):
            watch.chores()
    assert state_of(account, unsent) == EntryState.ABANDONED
    assert askings(account).count() == 1
    assert [event.after for event in events_of(account, LOG_KEPT_BACK)] == [
        f"ApiTotalUsageEventLog: {LogCheck.of(account).get().told}. Calls of dead processes stay spent."
    ]
    assert "INVALID_TYPE" in LogCheck.of(account).get().told


def test_an_org_that_is_away_holds_no_worker_up(org: RunningOrgsim, account: Account, connected: Connection) -> None:
    unsent = die_before(account)
    with hours_later(org, 3):
        Connection.of(account).update(instance_url="http://127.0.0.1:9")
        watch.chores()
    assert state_of(account, unsent) == EntryState.ABANDONED
    assert askings(account).get().state == EntryState.NOT_SENT
    assert LogCheck.of(account).get().told


def test_nothing_is_asked_where_nothing_was_left(org: RunningOrgsim, account: Account, connected: Connection) -> None:
    query(account)
    with hours_later(org, 3):
        watch.chores()
    assert not askings(account).exists()
