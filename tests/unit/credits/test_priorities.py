"""When credits are short, fresh changes go before exports, and exports before history."""

from datetime import UTC, datetime

import pytest

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import clock_set_to
from headwater.common.errors import Wait
from headwater.credits.budget import budget_of
from headwater.credits.models import Quota, Window
from headwater.credits.opening import current_window, quota_of
from headwater.credits.priorities import Priority
from headwater.credits.services import meter_for
from headwater.salesforce.meter import Call, CallKind, Outcome, Settlement

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALL = Call(CallKind.QUERY, "Lead")

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    """With a quota of 20 calls, which no person could choose."""
    made = create_account("Acme")
    Quota.of(made).filter(pk=quota_of(made).pk).update(daily_limit_calls=20)
    return made


def spend(account: Account, priority: Priority, calls: int = 100) -> int:
    """Returns how many were granted."""
    meter = meter_for(account, job_kind="sync", priority=priority)
    for granted in range(calls):
        try:
            meter.settle(meter.reserve(CALL), Settlement(Outcome.ANSWERED, 200))
        except Wait:
            return granted
    return calls


def refusal(account: Account, priority: Priority) -> Wait:
    with pytest.raises(Wait) as refused:
        meter_for(account, job_kind="sync", priority=priority).reserve(CALL)
    return refused.value


def test_fresh_changes_may_use_all_exports_leave_5_percent_and_history_10(account: Account) -> None:
    assert spend(account, Priority.FRESH, 17) == 17
    assert spend(account, Priority.BACKFILL) == 1
    assert spend(account, Priority.EXPORT) == 1
    assert spend(account, Priority.FRESH) == 1


def test_history_gets_its_share_of_a_window_and_no_more(account: Account) -> None:
    assert spend(account, Priority.BACKFILL) == 10
    assert Window.of(account).get().backfill_calls == 10
    assert spend(account, Priority.FRESH, 2) == 2
    assert spend(account, Priority.EXPORT, 2) == 2


def test_each_reason_has_its_own_code_and_all_say_when_it_goes_on(account: Account) -> None:
    with clock_set_to(NOON):
        spend(account, Priority.BACKFILL)
        share = refusal(account, Priority.BACKFILL)
        spend(account, Priority.EXPORT)
        kept = refusal(account, Priority.EXPORT)
        spend(account, Priority.FRESH)
        reached = refusal(account, Priority.FRESH)
    assert (share.code, kept.code, reached.code) == (
        "credits.backfill_share_used",
        "credits.kept_for_fresh",
        "credits.quota_reached",
    )
    assert {each.retry_utc for each in (share, kept, reached)} == {datetime(2026, 3, 2, tzinfo=UTC)}
    assert "50 % of the limit" in share.facts.why
    assert "writing to Salesforce stops at 95 %" in kept.facts.why


def test_a_raised_limit_counts_at_the_next_call_and_one_below_what_is_spent_pauses(account: Account) -> None:
    spend(account, Priority.FRESH)
    Quota.of(account).update(daily_limit_calls=22)
    assert spend(account, Priority.FRESH) == 2
    Quota.of(account).update(daily_limit_calls=12)
    assert refusal(account, Priority.FRESH).code == "credits.quota_reached"
    assert budget_of(account).left_calls == 0


def test_a_call_of_history_that_was_never_sent_gives_its_share_back(account: Account) -> None:
    meter = meter_for(account, job_kind="sync", priority=Priority.BACKFILL)
    entry = meter.reserve(CALL)
    meter.settle(entry, Settlement(Outcome.NOT_SENT))
    window = current_window(account)
    assert (window.used_calls, window.backfill_calls) == (0, 0)


def test_the_budget_says_how_many_calls_each_priority_would_get(account: Account) -> None:
    spend(account, Priority.FRESH, 6)
    spend(account, Priority.BACKFILL, 2)
    budget = budget_of(account)
    left = {priority: budget.left_for(priority) for priority in Priority}
    assert left == {Priority.FRESH: 12, Priority.EXPORT: 11, Priority.BACKFILL: 8}
    assert (budget.floor_calls, budget.org_left_calls) == (None, None)
    assert spend(account, Priority.BACKFILL) == 8
    assert budget_of(account).left_for(Priority.BACKFILL) == 0
