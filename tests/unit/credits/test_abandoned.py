"""What the org's own log says of calls that a dead process left: only proof gives a credit back."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import clock_set_to
from headwater.credits.abandoned import ASK_EVERY, Question, accounts_to_ask, question, settle_from_log
from headwater.credits.allowance import forget_org
from headwater.credits.ledger import abandon_all_old
from headwater.credits.models import Entry, EntryState, Window
from headwater.salesforce.event_log import LoggedCall
from headwater.salesforce.meter import Call, CallKind, client_name
from unit.credits.calls import spend

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LATER = NOON + 3 * HOUR

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return create_account("Acme")


def leave_open(account: Account, call: Call = Call(CallKind.QUERY, "Lead")) -> list[int]:  # noqa: B008 - frozen
    return spend(account, NOON, call=call, outcome=None)


def asked(account: Account, at: datetime = LATER) -> Question | None:
    with clock_set_to(at):
        abandon_all_old()
        return question(account)


def settled(account: Account, logged: Iterable[LoggedCall], at: datetime = LATER) -> tuple[int, int]:
    wanted = asked(account, at)
    assert wanted is not None
    with clock_set_to(at):
        return settle_from_log(account, wanted, logged)


def log_of(account: Account, *, without: Iterable[int] = (), is_counted: bool = True) -> list[LoggedCall]:
    """What a complete log says of all calls but some."""
    entries = Entry.of(account).exclude(pk__in=without)
    return [LoggedCall(client_name(each.pk), is_counted, 200, each.reserved_utc) for each in entries]


def used(account: Account) -> int:
    return Window.of(account).get().used_calls


def test_a_call_that_the_log_has_was_sent(account: Account) -> None:
    [entry] = leave_open(account)
    assert settled(account, log_of(account)) == (1, 0)
    assert Entry.of(account).get(pk=entry).state == EntryState.ANSWERED
    assert used(account) == 1


def test_a_call_missing_in_a_log_that_has_all_around_it_was_never_sent(account: Account) -> None:
    spend(account, NOON - MINUTE)
    [entry] = leave_open(account)
    spend(account, NOON + MINUTE)
    spend(account, NOON + HOUR)
    assert settled(account, log_of(account, without=[entry])) == (0, 1)
    assert Entry.of(account).get(pk=entry).state == EntryState.NOT_SENT
    assert used(account) == 3


def test_a_log_that_is_not_late_enough_proves_nothing(account: Account) -> None:
    [entry] = leave_open(account)
    spend(account, NOON + HOUR - MINUTE)
    assert settled(account, log_of(account, without=[entry])) == (0, 0)
    assert used(account) == 2


def test_a_log_that_lacks_another_call_proves_nothing(account: Account) -> None:
    [before] = spend(account, NOON - MINUTE)
    [entry] = leave_open(account)
    spend(account, NOON + 2 * HOUR)
    assert settled(account, log_of(account, without=[before, entry])) == (0, 0)
    assert Entry.of(account).get(pk=entry).state == EntryState.ABANDONED


def test_a_log_that_names_no_calls_of_this_kind_proves_nothing(account: Account) -> None:
    [entry] = leave_open(account, call=Call(CallKind.COMPOSITE_QUERY))
    spend(account, NOON + 2 * HOUR)  # a query, which is logged by its name
    assert settled(account, log_of(account, without=[entry])) == (0, 0)


def test_calls_of_the_same_names_by_another_installation_prove_nothing(account: Account) -> None:
    [entry] = leave_open(account)
    [witness] = spend(account, NOON + 2 * HOUR)
    others = [LoggedCall(client_name(witness), is_counted=True, status_code=200, at_utc=NOON - 5 * HOUR)]
    assert settled(account, others) == (0, 0)
    assert Entry.of(account).get(pk=entry).state == EntryState.ABANDONED


def test_a_call_that_the_org_did_not_count_is_given_back(account: Account) -> None:
    leave_open(account)
    assert settled(account, log_of(account, is_counted=False)) == (0, 1)
    assert used(account) == 0


def test_a_call_that_the_log_has_without_a_status_was_lost(account: Account) -> None:
    [entry] = leave_open(account)
    assert settled(account, [LoggedCall(client_name(entry), is_counted=True, status_code=None, at_utc=NOON)]) == (1, 0)
    assert Entry.of(account).get(pk=entry).state == EntryState.LOST


def test_nothing_is_asked_where_nothing_was_left(account: Account) -> None:
    spend(account, NOON, 3)
    assert asked(account) is None
    assert accounts_to_ask(LATER) == []


def test_it_is_asked_a_few_times_and_given_up_after_a_day(account: Account) -> None:
    leave_open(account)
    times = 0
    for minute in range(0, 48 * 60, 10):
        moment = NOON + minute * MINUTE
        if asked(account, moment) is not None:
            times += 1
    assert times == 4
    assert accounts_to_ask(NOON + 25 * HOUR) == []
    assert used(account) == 1


def test_of_two_workers_one_asks(account: Account) -> None:
    leave_open(account)
    assert asked(account) is not None
    assert asked(account) is None
    assert asked(account, LATER + ASK_EVERY) is not None


def test_calls_in_a_former_org_are_not_asked_of_the_next(account: Account) -> None:
    leave_open(account)
    with clock_set_to(NOON + MINUTE):
        forget_org(account)
    assert asked(account) is None
