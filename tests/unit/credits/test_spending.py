"""Where credits went, in groups and by window."""

from datetime import UTC, datetime, timedelta

import pytest

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import clock_set_to
from headwater.common.errors import Bug
from headwater.credits.services import change_daily_limit
from headwater.credits.spending import history, spending
from headwater.salesforce.meter import Call, CallKind, Outcome
from unit.credits.calls import spend

DAY = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return create_account("Acme")


def test_calls_are_told_by_hour_and_job(account: Account) -> None:
    spend(account, DAY + 9 * HOUR, 3, job_kind="sync")
    spend(account, DAY + 9 * HOUR, 5, job_kind="export")
    spend(account, DAY + 10 * HOUR, 1, job_kind="sync")
    told = [
        (row.hour, row.job_kind, row.calls) for row in spending(account, DAY, DAY + 24 * HOUR, by=["hour", "job_kind"])
    ]
    assert told == [(DAY + 9 * HOUR, "export", 5), (DAY + 9 * HOUR, "sync", 3), (DAY + 10 * HOUR, "sync", 1)]


def test_every_column_can_be_asked_for_and_the_rest_is_none(account: Account) -> None:
    spend(account, DAY, 2, job_id="7", outcome=Outcome.REFUSED, call=Call(CallKind.UPSERT, "Contact"))
    [row] = spending(account, DAY, DAY + HOUR, by=["day", "job_id", "sobject", "call_kind", "outcome"])
    assert (row.day, row.job_id, row.sobject, row.call_kind, row.outcome) == (DAY, "7", "Contact", "upsert", "refused")
    assert (row.calls, row.refused, row.unanswered, row.hour, row.job_kind) == (2, 2, 0, None, None)


def test_without_a_group_there_is_one_sum(account: Account) -> None:
    spend(account, DAY, 2)
    spend(account, DAY, 1, outcome=Outcome.REFUSED)
    spend(account, DAY, 1, outcome=Outcome.LOST)
    spend(account, DAY, 1, outcome=None)
    [row] = spending(account, DAY, DAY + HOUR, by=[])
    assert (row.calls, row.refused, row.unanswered) == (5, 1, 2)


def test_a_call_that_was_never_sent_is_in_no_group(account: Account) -> None:
    spend(account, DAY, 2, outcome=Outcome.NOT_SENT)
    assert spending(account, DAY, DAY + HOUR, by=["outcome"]) == []


def test_a_span_begins_with_its_first_moment_and_ends_before_its_last(account: Account) -> None:
    for at in (DAY - timedelta(microseconds=1), DAY, DAY + HOUR - timedelta(microseconds=1), DAY + HOUR):
        spend(account, at)
    [row] = spending(account, DAY, DAY + HOUR, by=[])
    assert row.calls == 2


def test_one_account_does_not_see_anothers_calls(account: Account) -> None:
    spend(create_account("Other"), DAY)
    assert spending(account, DAY, DAY + HOUR, by=["hour"]) == []
    with clock_set_to(DAY):
        assert [window.used_calls for window in history(account)] == [0]


def test_an_unknown_group_is_our_own_mistake(account: Account) -> None:
    with pytest.raises(Bug, match="colour"):
        spending(account, DAY, DAY + HOUR, by=["colour"])  # type: ignore[list-item]  # the mistake in question


def test_history_has_a_row_a_window_with_the_limit_it_had(account: Account) -> None:
    spend(account, DAY, 3)
    spend(account, DAY, 1, outcome=Outcome.REFUSED)
    spend(account, DAY, 1, outcome=None)
    change_daily_limit(account, "250000", "ann@example.com")
    spend(account, DAY + 25 * HOUR, 2)
    change_daily_limit(account, "300000", "ann@example.com")
    with clock_set_to(DAY + 26 * HOUR):
        told = history(account)
    assert [(each.starts_utc, each.used_calls, each.limit_calls, each.refused, each.unanswered) for each in told] == [
        (DAY, 5, 100_000, 1, 1),
        (DAY + 24 * HOUR, 2, 300_000, 0, 0),
    ]
    assert told[0].ends_utc == told[1].starts_utc


def test_history_gives_as_many_windows_as_asked_for(account: Account) -> None:
    for day in range(5):
        spend(account, DAY + day * 24 * HOUR)
    with clock_set_to(DAY + 4 * 24 * HOUR):
        assert [each.starts_utc.day for each in history(account, windows=3)] == [3, 4, 5]
