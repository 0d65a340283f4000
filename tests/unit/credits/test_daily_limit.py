"""Settings > CRM > General > Daily CRM API Limit (rows B2, B3)."""

import pytest

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.errors import Fix
from headwater.credits.quota_settings import settings_changes
from headwater.credits.services import change_daily_limit, daily_limit

pytestmark = pytest.mark.django_db
FULL_WIDTH_100000 = "\uff11" + "\uff10" * 5


@pytest.fixture
def account() -> Account:
    return create_account("Acme")


def test_it_is_100000_at_first(account: Account) -> None:
    assert daily_limit(account) == 100_000


@pytest.mark.parametrize(("typed", "stored"), [("100000", 100_000), (" 250,000 ", 250_000), ("1000000000", 10**9)])
def test_whole_numbers_of_100000_or_more_are_stored(account: Account, typed: str, stored: int) -> None:
    assert change_daily_limit(account, typed, "ann@example.com") == stored == daily_limit(account)


@pytest.mark.parametrize("typed", ["99999", "abc", "", "1e6", "100000.5", "-200000", "9" * 40, FULL_WIDTH_100000])
def test_anything_else_is_refused_with_the_reason_and_changes_nothing(account: Account, typed: str) -> None:
    with pytest.raises(Fix) as refused:
        change_daily_limit(account, typed, "ann@example.com")
    assert refused.value.code == "credits.bad_limit"
    assert refused.value.facts.left == "The limit was not changed."
    assert daily_limit(account) == 100_000
    assert list(settings_changes(account)) == []


def test_who_changed_what_and_when_is_kept(account: Account) -> None:
    change_daily_limit(account, "150000", "ann@example.com")
    change_daily_limit(account, "150000", "bob@example.com")  # nothing changes, so nothing is noted
    change_daily_limit(account, "120000", "bob@example.com")
    kept = [(event.actor, event.before, event.after) for event in settings_changes(account)]
    assert kept == [("bob@example.com", "150,000", "120,000"), ("ann@example.com", "100,000", "150,000")]
