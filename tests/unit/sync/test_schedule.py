"""When an account is read by itself: only while it can be, as often as a person chose, and never in heaps."""

from datetime import timedelta

import pytest

from headwater.accounts.models import Account
from headwater.accounts.services import close_account, create_account
from headwater.common.clock import clock_running_ahead, now_utc
from headwater.common.errors import Fix
from headwater.connections.models import Connection, Status
from headwater.jobs.models import Schedule, State
from headwater.jobs.schedules import enqueue_due
from headwater.jobs.services import jobs_of
from headwater.sync.models import DEFAULT_EVERY_MINUTES, DescribedObject, ReplicaTable
from headwater.sync.schedule import (
    CHOICES_MINUTES,
    CYCLE_TASK,
    cadence_changes,
    cadence_of,
    change_cadence,
    change_formulas,
    in_words,
    keep_schedules,
)
from headwater.watch import chores
from unit.web.test_connections import connect

ACTOR = "alice@alderfinch.example"


@pytest.fixture
def account(db: None) -> Account:
    account = create_account("Acme")
    connect(account)
    return account


def was_read(account: Account) -> None:
    columns = [["Id", "VARCHAR"], ["SystemModstamp", "TIMESTAMP"], ["IsDeleted", "BOOLEAN"]]
    for sobject in ("Contact", "Lead"):
        ReplicaTable.of(account).create(account=account, sobject=sobject, columns=columns, read_from_utc=now_utc())


def set_status(account: Account, status: Status) -> None:
    Connection.of(account).update(status=status)


def next_of(account: Account) -> float | None:
    """Minutes until the next read by itself."""
    next_utc = cadence_of(account).next_utc
    return None if next_utc is None else (next_utc - now_utc()) / timedelta(minutes=1)


def test_the_first_read_is_a_persons_deed_and_then_cycles_follow_by_themselves(account: Account) -> None:
    chores()
    assert next_of(account) is None
    was_read(account)
    chores()
    assert next_of(account) == pytest.approx(DEFAULT_EVERY_MINUTES, abs=1)
    assert enqueue_due() == 0
    with clock_running_ahead(timedelta(minutes=DEFAULT_EVERY_MINUTES, seconds=1)):
        chores()
        assert enqueue_due() == 1
    job = jobs_of(str(account.pk)).get()
    assert (job.task, job.arguments, job.state) == (CYCLE_TASK, {"account_id": account.pk}, State.QUEUED)


def test_missed_ticks_are_one_cycle(account: Account) -> None:
    was_read(account)
    keep_schedules()
    for hours in (5, 6, 7):
        with clock_running_ahead(timedelta(hours=hours)):
            enqueue_due()
    assert jobs_of(str(account.pk)).count() == 1


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.CONNECTED])
def test_no_cycle_comes_by_itself_while_the_org_is_not_connected(account: Account, status: Status) -> None:
    was_read(account)
    keep_schedules()
    set_status(account, status)
    keep_schedules()
    assert next_of(account) is None
    with clock_running_ahead(timedelta(days=1)):
        assert enqueue_due() == 0
    set_status(account, Status.CONNECTED)
    keep_schedules()
    assert next_of(account) == pytest.approx(DEFAULT_EVERY_MINUTES, abs=1)


def test_a_closed_account_is_left_alone(account: Account) -> None:
    was_read(account)
    keep_schedules()
    close_account(account, actor=ACTOR)
    keep_schedules()
    assert next_of(account) is None


def test_a_shorter_interval_counts_at_once_and_a_longer_one_from_the_next_tick(account: Account) -> None:
    was_read(account)
    change_cadence(account, 60, actor=ACTOR)
    assert next_of(account) == pytest.approx(60, abs=1)
    change_cadence(account, 5, actor=ACTOR)
    assert next_of(account) == pytest.approx(5, abs=1)
    change_cadence(account, 1440, actor=ACTOR)
    assert next_of(account) == pytest.approx(5, abs=1)
    assert Schedule.objects.get(task="sync.cycle").every_seconds == 1440 * 60


def test_off_is_off_until_somebody_switches_it_on(account: Account) -> None:
    was_read(account)
    change_cadence(account, None, actor=ACTOR)
    chores()
    assert (cadence_of(account).every_minutes, next_of(account)) == (None, None)
    change_cadence(account, 10, actor=ACTOR)
    assert next_of(account) == pytest.approx(10, abs=1)


def test_each_change_is_kept_with_its_author(account: Account) -> None:
    change_cadence(account, 60, actor=ACTOR)
    change_cadence(account, 60, actor=ACTOR)
    change_cadence(account, None, actor="operator")
    told = [(event.actor, event.before, event.after) for event in cadence_changes(account)]
    assert told == [("operator", "every hour", in_words(None)), (ACTOR, "every 15 minutes", "every hour")]


@pytest.mark.parametrize("minutes", [0, 1, 7, -5, 10_000])
def test_an_interval_that_is_not_offered_is_refused_and_changes_nothing(account: Account, minutes: int) -> None:
    with pytest.raises(Fix, match="not one of the intervals") as refused:
        change_cadence(account, minutes, actor=ACTOR)
    assert refused.value.code == "sync.bad_interval"
    assert cadence_of(account).every_minutes == DEFAULT_EVERY_MINUTES


def test_the_price_of_a_day_is_known_once_objects_were_read(account: Account) -> None:
    assert {choice.calls_a_day for choice in cadence_of(account).choices} == {0}
    was_read(account)
    prices = {choice.minutes: choice.calls_a_day for choice in cadence_of(account).choices}
    assert prices[1440] == 1 + 1  # two objects, empty: one composite, and the describe
    assert prices[5] == 288 + 1
    assert list(prices) == list(CHOICES_MINUTES)


def test_formulas_cost_what_they_cost_a_day_and_each_choice_is_kept_with_its_author(account: Account) -> None:
    was_read(account)
    before = cadence_of(account)
    assert (before.formulas.every_days, before.formulas.calls, before.formulas.fields) == (1, 0, ())
    ReplicaTable.of(account).filter(sobject="Lead").update(
        columns=[["Id", "VARCHAR"], ["SystemModstamp", "TIMESTAMP"], ["Staff__c", "DOUBLE"]],
        kinds={"Staff__c": "double formula"},
    )
    DescribedObject.of(account).create(account=account, sobject="Lead", fields={"Id": ["id", False, "Id"]})
    daily = cadence_of(account)
    assert (daily.formulas.calls, daily.formulas.fields) == (1, ("Lead.Staff__c",))
    assert [choice.calls_a_day for choice in daily.choices] == [choice.calls_a_day + 1 for choice in before.choices]
    never = change_formulas(account, None, actor=ACTOR)
    assert never.choices == before.choices
    change_formulas(account, 7, actor=ACTOR)
    told = [(event.actor, event.before, event.after) for event in cadence_changes(account)]
    assert told == [(ACTOR, "never", "once a week"), (ACTOR, "once a day", "never")]
    with pytest.raises(Fix, match="2 days is not one of the intervals") as refused:
        change_formulas(account, 2, actor=ACTOR)
    assert refused.value.code == "sync.bad_interval"


def test_another_accounts_schedule_stays_its_own(account: Account) -> None:
    was_read(account)
    keep_schedules()
    other = create_account("Birch")
    change_cadence(other, None, actor=ACTOR)
    assert cadence_of(account).every_minutes == DEFAULT_EVERY_MINUTES
    assert next_of(account) == pytest.approx(DEFAULT_EVERY_MINUTES, abs=1)
