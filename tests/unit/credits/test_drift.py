"""Our own ledger beside what the org says of itself."""

from datetime import UTC, datetime, timedelta

import pytest

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.credits.allowance import NOISE_CALLS
from headwater.credits.reconcile import Verdict, drift
from headwater.salesforce.meter import OrgUsage, Outcome
from unit.credits.calls import spend

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return create_account("Acme")


def hear(account: Account, used_calls: int) -> None:
    """One more call, in whose answer the org says what it counts."""
    spend(account, NOON, org_usage=OrgUsage(used_calls, 115_000))


def test_an_org_that_has_not_spoken_is_not_judged(account: Account) -> None:
    spend(account, NOON)
    told = drift(account)
    assert (told.verdict, told.org_used_calls, told.at_utc) == (Verdict.UNKNOWN, None, None)


@pytest.mark.parametrize("wavering", [-NOISE_CALLS, 0, NOISE_CALLS])
def test_noise_is_no_drift(account: Account, wavering: int) -> None:
    spend(account, NOON - HOUR, 29)
    hear(account, 30 + wavering)
    told = drift(account)
    assert (told.own_calls, told.difference_calls, told.verdict) == (30, wavering, Verdict.AGREES)


def test_what_the_org_counts_beyond_ours_is_by_others(account: Account) -> None:
    hear(account, 5_001)
    told = drift(account)
    assert (told.verdict, told.others_calls) == (Verdict.OTHERS, 5_000)
    assert "the other 5,000 are by its other users" in told.sentence


def test_an_org_that_counts_fewer_than_we_sent_drifts(account: Account) -> None:
    spend(account, NOON - 24 * HOUR + timedelta(minutes=30), 7)
    spend(account, NOON - HOUR, 42)
    hear(account, 10)
    told = drift(account)
    assert (told.verdict, told.difference_calls, told.unexplained_calls) == (Verdict.LESS, -40, 18)
    assert "40 fewer than Headwater" in told.sentence


def test_calls_without_an_answer_may_not_have_been_counted(account: Account) -> None:
    spend(account, NOON - HOUR, 20, outcome=None)
    spend(account, NOON - HOUR, 10, outcome=Outcome.LOST)
    hear(account, 1)
    told = drift(account)
    assert (told.own_calls, told.unanswered_calls, told.verdict) == (31, 30, Verdict.AGREES)


def test_ours_are_counted_over_the_orgs_own_24_hours_and_not_over_our_window(account: Account) -> None:
    spend(account, NOON - 24.5 * HOUR, 40)
    spend(account, NOON - 22.5 * HOUR, 40)
    hear(account, 41)
    assert drift(account).own_calls == 41


def test_calls_about_to_leave_the_orgs_24_hours_may_be_gone_from_its_count(account: Account) -> None:
    spend(account, NOON - 23.5 * HOUR, 40)
    hear(account, 1)
    told = drift(account)
    assert (told.own_calls, told.edge_calls, told.verdict) == (41, 40, Verdict.AGREES)
