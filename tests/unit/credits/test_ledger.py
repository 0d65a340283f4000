"""Every call is reserved before it is sent; no number of workers and no crash overspends the quota."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import clock_set_to
from headwater.common.errors import Wait
from headwater.credits.ledger import ABANDONED_AFTER, Ledger, abandon, abandon_all_old
from headwater.credits.models import Entry, EntryState, Window
from headwater.credits.opening import current_window
from headwater.credits.services import calls_of_job, today
from headwater.salesforce.meter import Call, CallKind, OrgUsage, Outcome, Settlement

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALL = Call(CallKind.QUERY, "Lead")
ANSWERED = Settlement(Outcome.ANSWERED, 200, OrgUsage(40, 115_000))

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return create_account("Acme")


@pytest.fixture
def ledger(account: Account) -> Ledger:
    return Ledger(account, job_kind="sync", job_id="7")


def almost_used_up(account: Account, left: int) -> None:
    Window.of(account).filter(pk=current_window(account).pk).update(used_calls=100_000 - left)


def test_a_settled_call_is_one_credit_with_its_outcome(account: Account, ledger: Ledger) -> None:
    with clock_set_to(NOON):
        ledger.settle(ledger.reserve(CALL), ANSWERED)
        now = today(account)
    assert (now.used_calls, now.org_used_calls, now.org_limit_calls) == (1, 40, 115_000)
    assert [(row.job_kind, row.call_kind, row.sobject, row.calls) for row in now.spending] == [
        ("sync", "query", "Lead", 1)
    ]


def test_a_call_whose_settlement_was_lost_counts_as_spent(account: Account, ledger: Ledger) -> None:
    ledger.reserve(CALL)
    now = today(account)
    assert now.used_calls == 1
    assert now.spending[0].unanswered == 1


def test_a_failed_call_counts(account: Account, ledger: Ledger) -> None:
    ledger.settle(ledger.reserve(CALL), Settlement(Outcome.REFUSED, 400))
    assert today(account).used_calls == 1
    assert today(account).spending[0].refused == 1


def test_a_call_that_never_left_this_machine_is_given_back(account: Account, ledger: Ledger) -> None:
    ledger.settle(ledger.reserve(CALL), Settlement(Outcome.NOT_SENT))
    assert today(account).used_calls == 0
    assert Entry.of(account).get().state == EntryState.NOT_SENT


def test_what_a_dead_holder_of_the_job_left_is_given_up_as_spent_at_the_next_holders_first_call(
    account: Account,
) -> None:
    first = Ledger(account, job_kind="sync", job_id="7", fence=1).reserve(CALL)
    others = Ledger(account, job_kind="sync", job_id="8", fence=1).reserve(CALL)
    outside = Ledger(account, job_kind="plan").reserve(CALL)
    second = Ledger(account, job_kind="sync", job_id="7", fence=2).reserve(CALL)
    states = dict(Entry.of(account).values_list("pk", "state"))
    assert states == {
        first: EntryState.ABANDONED,
        others: EntryState.OPEN,
        outside: EntryState.OPEN,
        second: EntryState.OPEN,
    }
    assert today(account).used_calls == 4
    assert today(account).spending[0].unanswered == 3


def test_what_nobody_can_be_waiting_for_any_more_is_given_up_as_spent(account: Account, ledger: Ledger) -> None:
    with clock_set_to(NOON):
        old = ledger.reserve(CALL)
    with clock_set_to(NOON + ABANDONED_AFTER):
        young = ledger.reserve(CALL)
    with clock_set_to(NOON + ABANDONED_AFTER + timedelta(seconds=1)):
        assert abandon_all_old() == 1
        assert today(account).used_calls == 2
    assert dict(Entry.of(account).values_list("pk", "state")) == {old: EntryState.ABANDONED, young: EntryState.OPEN}


@pytest.mark.parametrize(("outcome", "used"), [(Outcome.ANSWERED, 1), (Outcome.NOT_SENT, 0)])
def test_what_is_known_late_of_a_call_that_was_given_up_is_known_better(
    account: Account, ledger: Ledger, outcome: Outcome, used: int
) -> None:
    entry = ledger.reserve(CALL)
    abandon(Entry.of(account))
    ledger.settle(entry, Settlement(outcome))
    assert (Entry.of(account).get().state, today(account).used_calls) == (outcome.value, used)


def test_settling_twice_changes_nothing(account: Account, ledger: Ledger) -> None:
    entry = ledger.reserve(CALL)
    ledger.settle(entry, Settlement(Outcome.NOT_SENT))
    ledger.settle(entry, Settlement(Outcome.NOT_SENT))
    assert today(account).used_calls == 0


def test_the_call_that_would_go_over_is_not_granted_and_the_message_says_when_it_goes_on(
    account: Account, ledger: Ledger
) -> None:
    with clock_set_to(NOON):
        almost_used_up(account, left=2)
        ledger.reserve(CALL)
        ledger.reserve(CALL)
        with pytest.raises(Wait, match="100,000 calls is used up") as refused:
            ledger.reserve(CALL)
        assert today(account).used_calls == 100_000
        assert Entry.of(account).count() == 2
    assert refused.value.retry_utc == datetime(2026, 3, 2, tzinfo=UTC)


def test_the_next_window_has_room_again(account: Account, ledger: Ledger) -> None:
    with clock_set_to(NOON):
        almost_used_up(account, left=0)
    with clock_set_to(NOON + timedelta(hours=12)):
        ledger.reserve(CALL)
        assert today(account).used_calls == 1


def test_one_account_does_not_spend_anothers_credits(account: Account, ledger: Ledger) -> None:
    ledger.reserve(CALL)
    assert today(create_account("Other")).used_calls == 0
    assert calls_of_job(account, "7") == 1


ASK = """
import django
django.setup()
from django.db import connection
print(connection.cursor().execute("PRAGMA synchronous").fetchone())
"""


def test_the_embedded_database_has_a_commit_on_disk_before_it_goes_on(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "headwater.settings",
        "HEADWATER_DATA_DIR": str(tmp_path),
        "HEADWATER_DATABASE_URL": f"sqlite:///{tmp_path}/headwater.sqlite3",
    }
    asked = subprocess.run([sys.executable, "-c", ASK], env=environment, check=True, capture_output=True, text=True)
    assert asked.stdout == "(2,)\n"
