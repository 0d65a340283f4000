"""Formulas move without a stamp: what they say now is read anew on a schedule, and nothing else is touched by it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.common.clock import clock_running_ahead, now_utc
from headwater.common.errors import Wait
from headwater.connections.models import Connection
from headwater.credits.services import calls_of_job, today
from headwater.jobs.models import Job, State
from headwater.jobs.services import retry, run_here
from headwater.lake import Part, write_renewed
from headwater.sync.extras import name_field
from headwater.sync.models import Cycle, ManifestPart, ReplicaTable
from headwater.sync.plan import Method, Mode, ObjectRead
from headwater.sync.refresh import refresh_formulas
from headwater.sync.schedule import change_formulas
from headwater.sync.services import open_replica, plan_against_actual, plan_sync, sync_cycle
from headwater.sync.vanished import look_for_vanished
from integration.conftest import ACTOR, result_of
from integration.org_fields import remove_field
from integration.test_backfill import use_up_share
from integration.test_bulk_pages import kill_once_at_each_step, run_until_it_lives
from integration.test_sync import assert_replica_equals, more_contacts, rows_of, sync
from orgsim.schema.declare import number, text
from orgsim.schema.model import Field
from orgsim.seed import load_history
from orgsim.testing import RunningOrgsim

IDLE_CALLS = 3


def formula(field: Field, computed: str) -> Field:
    return replace(field, formula=computed, calculated=True, createable=False, updateable=False)


INDUSTRY = formula(text("AccountIndustry__c", 1300), 'Account.Name & ": " & TEXT(Account.Industry)')
STAFF = formula(number("Staff__c"), "Account.NumberOfEmployees * 2")


@pytest.fixture
def account(org: RunningOrgsim, account: Account) -> Account:
    """The contacts have two formulas. Nothing has changed for long, so no read of changes brings a row again."""
    load_history(org.production, records=400, seed=3)
    for field in (INDUSTRY, STAFF):
        org.production.add_field(org.production.catalog().get("Contact"), field)
    quiet(org)
    return account


@pytest.fixture
def seeded(connected: Connection) -> Account:
    """Both formulas are read because somebody named them."""
    for field in (INDUSTRY, STAFF):
        name_field(connected.account, "Contact", field.name, actor=ACTOR)
    sync(connected.account)
    return connected.account


def quiet(org: RunningOrgsim) -> None:
    with org.production.database.write() as connection:
        connection.execute("""UPDATE "Contact" SET "SystemModstamp" = '2025-03-01T08:00:00.000+0000'""")


def make_due(account: Account) -> None:
    ReplicaTable.of(account).update(formulas_read_utc=now_utc() - timedelta(days=1))


def contacts_of_one_account(org: RunningOrgsim) -> tuple[str, list[str]]:
    of_accounts = 'FROM "Contact" WHERE "IsDeleted" = 0 AND "AccountId" IS NOT NULL GROUP BY 1'
    sql = f'SELECT "AccountId", count(*) {of_accounts} ORDER BY 2 DESC, 1 LIMIT 1'
    parent = rows_of(org, sql)[0]["AccountId"]
    rows = rows_of(
        org, f'SELECT "Id" FROM "Contact" WHERE "IsDeleted" = 0 AND "AccountId" = \'{parent}\' ORDER BY "Id"'
    )
    return parent, [row["Id"] for row in rows]


def shown(account: Account, contact: str, field: str = "Staff__c") -> object:
    with open_replica(account) as replica:
        return replica.execute(f'SELECT "{field}" FROM "Contact" WHERE "Id" = ?', [contact]).fetchall()[0][0]


def parts_of(account: Account, job: Job) -> dict[str, int]:
    """Rows that the job's cycle wrote of contacts."""
    parts = ManifestPart.of(account).filter(cycle__job_id=str(job.pk), table__sobject="Contact")
    return {part.path: part.row_count for part in parts}


def refreshed(account: Account) -> list[ObjectRead]:
    return [read for read in plan_sync(account).all_reads if read.mode is Mode.FORMULAS]


@pytest.fixture
def stale(org: RunningOrgsim, seeded: Account) -> tuple[str, list[str]]:
    """An account has other staff since its contacts were read: (the account, its contacts)."""
    parent, contacts = contacts_of_one_account(org)
    org.writer().update("Account", parent, {"NumberOfEmployees": 4321})
    return parent, contacts


def test_a_formula_is_as_it_was_until_it_is_read_anew_and_then_as_in_the_org(
    org: RunningOrgsim, seeded: Account, stale: tuple[str, list[str]]
) -> None:
    _, contacts = stale
    sync(seeded)
    assert shown(seeded, contacts[0]) != 8642, "nothing tells that it moved"
    with pytest.raises(AssertionError):
        assert_replica_equals(seeded, org)
    make_due(seeded)
    job = sync(seeded)
    assert shown(seeded, contacts[0]) == 8642
    assert_replica_equals(seeded, org)
    assert list(parts_of(seeded, job).values()) == [len(contacts)], "only rows whose value is another are written"


def test_it_is_planned_with_its_reason_and_costs_what_was_planned(
    org: RunningOrgsim, seeded: Account, stale: tuple[str, list[str]]
) -> None:
    assert refreshed(seeded) == []
    make_due(seeded)
    [read] = refreshed(seeded)
    assert read.sobject == "Contact"
    assert read.why.startswith("AccountIndustry__c, Staff__c may move without a stamp; ")
    assert plan_sync(seeded).calls == IDLE_CALLS + 1
    before = org.production.usage.used_calls()
    job = sync(seeded)
    assert calls_of_job(seeded, str(job.pk)) == IDLE_CALLS + 1 == org.production.usage.used_calls() - before
    assert today(seeded).used_calls == org.production.usage.used_calls()
    found = plan_against_actual(seeded, str(job.pk))
    assert found is not None
    line = next(each for each in found.objects if each.mode == "formulas")
    assert (line.sobject, line.rows, line.planned_rows, line.pages) == ("Contact", read.rows, read.rows, 1)
    together = found.calls[-1]
    assert (together.planned_calls, together.planned_again_calls, together.spent_calls) == (4, 4, 4)
    assert calls_of_job(seeded, str(sync(seeded).pk)) == IDLE_CALLS, "once a day"


def test_where_nothing_moved_nothing_is_written(org: RunningOrgsim, seeded: Account) -> None:
    make_due(seeded)
    job = sync(seeded)
    assert parts_of(seeded, job) == {}
    assert_replica_equals(seeded, org)


def test_many_rows_are_read_by_bulk(
    org: RunningOrgsim, connected: Connection, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    account, settings.QUERY_PAGE_ROWS = connected.account, 200
    monkeypatch.setattr("headwater.sync.bulk_jobs.bulk_poll_delay_seconds", lambda *_: 0.01)
    more_contacts(org, 6_000)
    parent, _ = contacts_of_one_account(org)
    with org.production.database.write() as connection:
        connection.execute(f"""UPDATE "Contact" SET "AccountId" = '{parent}' WHERE "AccountId" IS NULL""")
    quiet(org)
    name_field(account, "Contact", STAFF.name, actor=ACTOR)
    sync(account)
    org.writer().update("Account", parent, {"NumberOfEmployees": 77})
    make_due(account)
    [read] = refreshed(account)
    assert read.method is Method.BULK
    job = sync(account)
    assert sum(parts_of(account, job).values()) > 6_000
    found = plan_against_actual(account, str(job.pk))
    assert found is not None
    line = next(each for each in found.objects if each.mode == "formulas")
    assert (line.method, line.bulk_calls) == ("bulk", 2)
    assert today(account).used_calls == org.production.usage.used_calls()
    assert_replica_equals(account, org)


def test_what_stopped_in_the_middle_goes_on_behind_its_last_step(
    org: RunningOrgsim, connected: Connection, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """It stops with a round on disk and another paid for whose result was lost: that one alone is paid for again."""
    account, settings.QUERY_PAGE_ROWS = connected.account, 200
    more_contacts(org, 1_500)
    quiet(org)
    name_field(account, "Contact", STAFF.name, actor=ACTOR)
    sync(account)
    parent, contacts = contacts_of_one_account(org)
    org.writer().update("Account", parent, {"NumberOfEmployees": 4321})
    make_due(account)
    planned, before = plan_sync(account).calls, org.production.usage.used_calls()
    with monkeypatch.context() as patch:
        patch.setattr("headwater.sync.refresh.write_renewed", stop_at_the_second(write_renewed))
        job = run_here(sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.05)
    assert job.state == State.WAITING
    assert shown(account, contacts[0]) != 8642, "nothing is shown before all of it is"
    with clock_running_ahead(timedelta(minutes=10)):
        result_of(run_here(retry(job)))
    assert org.production.usage.used_calls() - before == planned + 1 == today(account).used_calls - before
    assert_replica_equals(account, org)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_before_or_behind_every_step_it_ends_as_in_the_org_and_its_calls_are_in_the_ledger(
    org: RunningOrgsim, seeded: Account, stale: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    make_due(seeded)
    met = kill_once_at_each_step(monkeypatch, moment)
    job, kills = run_until_it_lives(seeded)
    assert kills == len(met) > 10
    assert sum(parts_of(seeded, job).values()) == len(stale[1])
    assert today(seeded).used_calls == org.production.usage.used_calls()
    assert_replica_equals(seeded, org)


def stop_at_the_second(write: Callable[..., Part]) -> Callable[..., Part]:
    times = count()

    def stop(*given: object) -> Part:
        if next(times) == 1:
            raise Wait("salesforce.unavailable", "The org is away.", retry_utc=now_utc())
        return write(*given)

    return stop


def test_a_formula_that_nothing_reads_costs_nothing(org: RunningOrgsim, connected: Connection) -> None:
    sync(connected.account)
    make_due(connected.account)
    assert refreshed(connected.account) == []
    assert calls_of_job(connected.account, str(sync(connected.account).pk)) == IDLE_CALLS


def test_a_change_that_comes_in_between_is_not_undone(
    org: RunningOrgsim, seeded: Account, stale: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two contacts one is edited after the changes were read, the other after the formulas were."""
    _, (first, second, *_) = stale
    make_due(seeded)
    edits = iter([(first, "before the formulas"), (second, "behind them")])

    def edit(value: object) -> object:
        contact, title = next(edits)
        org.writer().update("Contact", contact, {"Title": title})
        return value

    monkeypatch.setattr("headwater.sync.cycle.look_for_vanished", lambda *given: edit(look_for_vanished(*given)))
    monkeypatch.setattr("headwater.sync.cycle.refresh_formulas", lambda *given: edit(refresh_formulas(*given)))
    sync(seeded)
    monkeypatch.undo()
    sync(seeded)
    assert_replica_equals(seeded, org)
    assert shown(seeded, first, "Title") == "before the formulas"
    assert shown(seeded, second, "Title") == "behind them"


def test_without_room_it_waits_and_fresh_changes_go_on(
    org: RunningOrgsim, seeded: Account, stale: tuple[str, list[str]]
) -> None:
    make_due(seeded)
    use_up_share(seeded)
    job = sync(seeded)
    assert list(result_of(job)["stale_formulas"]) == ["Contact"]
    assert calls_of_job(seeded, str(job.pk)) == IDLE_CALLS
    [waiting] = plan_sync(seeded).all_waiting
    assert (waiting.sobject, waiting.mode, waiting.calls) == ("Contact", Mode.FORMULAS, 1)
    with clock_running_ahead(timedelta(hours=25)):
        assert "stale_formulas" not in result_of(sync(seeded))
        assert_replica_equals(seeded, org)


def test_a_formula_that_is_removed_meanwhile_has_the_org_described_at_once(
    org: RunningOrgsim, seeded: Account, stale: tuple[str, list[str]]
) -> None:
    make_due(seeded)
    remove_field(org, "Contact", "Staff__c")
    result_of(sync(seeded))
    assert_replica_equals(seeded, org)


def test_a_person_chooses_how_often(org: RunningOrgsim, seeded: Account) -> None:
    make_due(seeded)
    change_formulas(seeded, 7, actor=ACTOR)
    assert refreshed(seeded) == []
    ReplicaTable.of(seeded).update(formulas_read_utc=now_utc() - timedelta(days=7))
    assert [read.sobject for read in refreshed(seeded)] == ["Contact"]
    change_formulas(seeded, None, actor=ACTOR)
    assert refreshed(seeded) == []
    assert Cycle.of(seeded).exists()
