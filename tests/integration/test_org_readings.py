"""What a simulated org says of its allowance is kept by the hour; its /limits are a second opinion, once a day."""

from datetime import timedelta

import pytest

from headwater import watch
from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.connections.models import Connection
from headwater.connections.org_accounts import RECONCILING
from headwater.credits.models import Entry
from headwater.credits.readings import READINGS_KEPT, readings
from headwater.credits.reconcile import Verdict, drift
from headwater.credits.reconcile_models import Source
from integration.test_abandoned_calls import hours_later, query
from orgsim.testing import RunningOrgsim


@pytest.fixture(autouse=True)
def _long_sessions(org: RunningOrgsim) -> None:
    org.production.set("access_token_seconds", 100 * 3600)


def test_each_hour_has_a_reading_beside_our_own_calls(
    org: RunningOrgsim, account: Account, connected: Connection
) -> None:
    org.production.usage.use_elsewhere(5_000)
    query(account)
    with hours_later(org, 2):
        query(account)
    first, second = readings(account, now_utc() - timedelta(hours=2))[-2:]
    assert (first.source, second.source) == (Source.HEADER, Source.HEADER)
    assert first.used_calls - first.own_calls == second.used_calls - second.own_calls == 5_000
    assert second.own_calls == first.own_calls + 1
    with hours_later(org, 24 * READINGS_KEPT.days + 48):
        watch.chores()
    assert readings(account, now_utc() - timedelta(hours=2)) == []


def test_limits_are_asked_once_a_day_of_an_account_at_work(
    org: RunningOrgsim, account: Account, connected: Connection
) -> None:
    org.production.usage.use_elsewhere(300)
    query(account)
    watch.chores()
    assert not Entry.of(account).filter(job_kind=RECONCILING).exists()
    with hours_later(org, 2):
        watch.chores()
        watch.chores()
        found = drift(account)
    assert Entry.of(account).get(job_kind=RECONCILING).call_kind == "limits"
    assert found.limits_used_calls == found.org_used_calls == found.own_calls + 300
    assert found.verdict == Verdict.OTHERS


def test_limits_that_the_user_may_not_see_are_done_without(
    org: RunningOrgsim, account: Account, connected: Connection
) -> None:
    org.revoke("ViewSetup", profile="System Administrator")
    query(account)
    for hours in (2, 10, 20):
        with hours_later(org, hours):
            watch.chores()
            assert drift(account).limits_used_calls is None
    assert Entry.of(account).filter(job_kind=RECONCILING).count() == 1
