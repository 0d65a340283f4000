"""The replica equals the org, row by row, after whatever people do in it; and every call passes the ledger."""

import os
from collections.abc import Collection
from datetime import timedelta

import pytest
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.common.clock import clock_running_ahead, clock_set_to
from headwater.common.errors import Fix
from headwater.connections.models import Connection, Status
from headwater.credits.budget import budget_of
from headwater.credits.models import Window
from headwater.credits.opening import current_window
from headwater.credits.services import calls_of_job, today
from headwater.jobs.models import Job, State
from headwater.jobs.services import job_view, retry, run_here
from headwater.jobs.worker import Worker
from headwater.sync.discover import tables_of
from headwater.sync.models import ManifestPart
from headwater.sync.publish import lake_directory
from headwater.sync.services import (
    object_checksums,
    plan_against_actual,
    plan_sync,
    replica_counts,
    replica_state,
    sync_cycle,
)
from headwater.wiring import change_daily_limit, finish_connecting
from integration.callbacks import callback_of
from integration.conftest import ACTOR, result_of, start_login
from orgsim.edits.checksum import checksum
from orgsim.edits.everyday import EditPlan, make_edits
from orgsim.edits.merge import merge
from orgsim.oauth.grants import revoke_all
from orgsim.person import answer_login
from orgsim.rest.faults import Effect, Fault, add_fault, list_faults
from orgsim.seed import load_history, load_rows
from orgsim.testing import PASSWORD, USERNAME, RunningOrgsim

RECORDS = 6_000


@pytest.fixture
def seeded(org: RunningOrgsim, connected: Connection) -> Account:
    load_history(org.production, records=RECORDS, seed=3)
    return connected.account


def sync(account: Account) -> Job:
    job = run_here(sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.05)
    result_of(job)
    return job


def assert_replica_equals(account: Account, org: RunningOrgsim, *, without: Collection[str] = ()) -> None:
    tables = {name: table for name, table in tables_of(account).items() if name not in without}
    theirs = {
        name: checksum(org.production, name, [column for column, _ in table.columns]) for name, table in tables.items()
    }
    ours = {name: each for name, each in object_checksums(account).items() if name in tables}
    assert ours == {name: (each.rows, each.checksum) for name, each in theirs.items()}


def test_it_reads_everything_then_only_what_changed_and_always_equals_the_org(
    org: RunningOrgsim, seeded: Account
) -> None:
    first = sync(seeded)
    assert_replica_equals(seeded, org)
    assert sum(result_of(first)["rows"].values()) == sum(rows for rows, _ in object_checksums(seeded).values())

    leads = [
        row["Id"] for row in rows_of(org, "SELECT Id FROM Lead WHERE IsDeleted = 0 AND IsConverted = 0 ORDER BY Id")
    ]
    for winner, loser in zip(leads[:100:2], leads[1:100:2], strict=True):
        merge(org.writer(), "Lead", winner, [loser])
    make_edits(org.writer(), EditPlan(edits=1_000, deletes=200, seed=11))
    second = sync(seeded)
    assert_replica_equals(seeded, org)
    assert sum(result_of(second)["rows"].values()) < sum(result_of(first)["rows"].values())


def rows_of(org: RunningOrgsim, sql: str) -> list[dict[str, str]]:
    cursor = org.production.database.connect().execute(sql)
    return [dict(zip([column[0] for column in cursor.description], row, strict=True)) for row in cursor]


def test_the_plan_says_what_the_run_then_spends(org: RunningOrgsim, seeded: Account) -> None:
    planned = plan_sync(seeded)
    used_before = today(seeded).used_calls
    job = sync(seeded)
    spent = calls_of_job(seeded, str(job.pk))
    assert abs(result_of(job)["planned_calls"] - spent) <= 3
    assert abs(planned.calls - 1 - spent) <= 3  # the plan described the objects already, for one call
    assert today(seeded).used_calls == used_before + spent


def test_the_ledger_agrees_with_the_orgs_own_count(org: RunningOrgsim, seeded: Account) -> None:
    sync(seeded)
    assert today(seeded).used_calls == org.production.usage.used_calls()


def test_an_idle_cycle_over_fifteen_objects_costs_three_credits(org: RunningOrgsim, seeded: Account) -> None:
    sync(seeded)
    assert calls_of_job(seeded, str(sync(seeded).pk)) == 3


def more_contacts(org: RunningOrgsim, count: int) -> None:
    """New ones, straight into the org's table."""
    now = org.production.now_text()
    stamps: dict[str, object] = {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
    ids = org.production.new_ids("003", count)
    rows: list[dict[str, object]] = [
        {"Id": each, "LastName": f"Ek {place}", "Email": f"{place}@example.com", "OwnerId": org.production_user_id}
        | stamps
        for place, each in enumerate(ids)
    ]
    load_rows(org.production, [("Contact", rows)])


def test_a_large_object_is_read_by_bulk(
    org: RunningOrgsim, connected: Connection, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    more_contacts(org, 6_000)
    settings.QUERY_PAGE_ROWS, settings.BULK_FILE_BYTES = 200, 1_000_000
    monkeypatch.setattr("headwater.sync.bulk_jobs.bulk_poll_delay_seconds", lambda *_: 0.01)
    sync(connected.account)
    assert {row.call_kind for row in today(connected.account).spending} >= {"bulk_create", "bulk_poll", "bulk_results"}
    assert ManifestPart.of(connected.account).filter(table__sobject="Contact").count() > 1
    assert_replica_equals(connected.account, org)


def test_what_is_far_larger_than_expected_goes_on_by_bulk(
    org: RunningOrgsim, connected: Connection, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    account = connected.account
    settings.QUERY_PAGE_ROWS = 200
    monkeypatch.setattr("headwater.sync.bulk_jobs.bulk_poll_delay_seconds", lambda *_: 0.01)
    sync(account)
    more_contacts(org, 6_000)
    job = sync(account)
    found = plan_against_actual(account, str(job.pk))
    assert found is not None
    contacts = next(line for line in found.objects if line.sobject == "Contact")
    assert (contacts.planned_rows, contacts.method, contacts.rows, contacts.bulk_calls) == (0, "bulk", 6_000, 2)
    together = found.calls[-1]
    assert (together.planned_calls, together.kind) == (3, "calls")
    assert together.planned_again_calls is not None
    assert together.spent_calls is not None
    assert abs(together.planned_again_calls - together.spent_calls) <= 1
    assert_replica_equals(account, org)


def test_changes_that_came_before_are_expected_again(org: RunningOrgsim, connected: Connection) -> None:
    account = connected.account
    sync(account)
    more_contacts(org, 3_000)
    sync(account)
    contacts = next(read for read in plan_sync(account).reads if read.sobject == "Contact")
    assert contacts.rows > 1_000
    used = org.production.usage.used_calls()
    counted = next(read for read in plan_sync(account, count_changes=True).reads if read.sobject == "Contact")
    assert (counted.rows, org.production.usage.used_calls() - used) == (3_000, 3)


def test_the_history_of_a_record_goes_and_comes_back_with_it(org: RunningOrgsim, connected: Connection) -> None:
    account, writer = connected.account, org.writer()
    kept, gone, back = (writer.insert("Lead", {"LastName": name, "Company": "Ask"}) for name in ("Ek", "Alm", "Lind"))
    for lead in (kept, gone, back):
        writer.update("Lead", lead, {"Title": "CEO"})
    writer.delete("Lead", back)
    settle_history(org)
    sync(account)
    writer.delete("Lead", gone)
    sync(account)
    assert_replica_equals(account, org)
    writer.undelete("Lead", back)
    sync(account)
    assert_replica_equals(account, org)
    assert replica_counts(account)["LeadHistory"] == 4


def settle_history(org: RunningOrgsim) -> None:
    """It was long ago, so that no read of changes brings these rows again."""
    with org.production.database.write() as connection:
        connection.execute("""UPDATE "LeadHistory" SET "CreatedDate" = '2025-03-01T08:00:00.000+0000'""")


def test_what_a_killed_process_left_is_swept_after_a_while(org: RunningOrgsim, seeded: Account) -> None:
    sync(seeded)
    directory = lake_directory(seeded)
    old, fresh = directory / "scratch-old", directory / "scratch-fresh"
    for folder in (old, fresh):
        folder.mkdir()
    os.utime(old, (0, 0))
    sync(seeded)
    assert not old.exists()
    assert fresh.exists()
    assert_replica_equals(seeded, org)


def test_an_account_that_is_not_connected_is_told_what_to_do(account: Account) -> None:
    job = run_here(sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.05)
    assert (job.state, job.reason_code) == (State.BLOCKED, "connections.not_connected")
    with pytest.raises(Fix):
        plan_sync(account)


def test_it_pauses_before_the_call_that_would_break_the_quota_and_goes_on_in_the_next_window(
    org: RunningOrgsim, seeded: Account
) -> None:
    org.production.set("allowance_calls", 1_000_000)
    sync(seeded)
    make_edits(org.writer(), EditPlan(edits=100, seed=11))
    window = current_window(seeded)
    Window.of(seeded).filter(pk=window.pk).update(used_calls=100_000 - 2)
    counted = org.production.usage.used_calls()
    job = run_here(sync_cycle.enqueue(tenant=str(seeded.pk), account_id=seeded.pk), poll_seconds=0.05)
    paused = job_view(job)
    assert (paused.state, paused.code) == (State.WAITING, "credits.quota_reached")
    assert "100,000 calls is used up" in paused.reason
    assert paused.not_before_utc == window.starts_utc + timedelta(hours=24)
    assert org.production.usage.used_calls() == counted + 2
    shown = replica_state(seeded)
    assert shown is not None
    assert shown.cycle == 1

    Worker("before the window").run_until_idle()
    job.refresh_from_db()
    assert job.state == State.WAITING

    with clock_set_to(window.starts_utc + timedelta(hours=24, minutes=1)):
        Worker("in the next window").run_until_idle()
        job.refresh_from_db()
        assert job.state == State.DONE, job_view(job)
        assert today(seeded).used_calls == org.production.usage.used_calls() - counted - 2
    assert_replica_equals(seeded, org)


def test_a_first_import_pauses_at_historys_share_and_goes_on_in_the_next_window(
    org: RunningOrgsim, seeded: Account
) -> None:
    window = current_window(seeded)
    Window.of(seeded).filter(pk=window.pk).update(backfill_calls=budget_of(seeded).backfill_share_calls - 4)
    counted = org.production.usage.used_calls()
    job = run_here(sync_cycle.enqueue(tenant=str(seeded.pk), account_id=seeded.pk), poll_seconds=0.05)
    assert (job.state, job.reason_code) == (State.WAITING, "credits.backfill_share_used")
    assert org.production.usage.used_calls() == counted + 4
    assert replica_state(seeded) is None
    with clock_set_to(window.ends_utc):
        Worker("in the next window").run_until_idle()
    job.refresh_from_db()
    result_of(job)
    assert_replica_equals(seeded, org)


def test_a_raised_limit_lets_a_paused_sync_go_on_at_once(org: RunningOrgsim, seeded: Account) -> None:
    org.production.set("allowance_calls", 1_000_000)
    sync(seeded)
    Window.of(seeded).filter(pk=current_window(seeded).pk).update(used_calls=100_000 - 2)
    job = run_here(sync_cycle.enqueue(tenant=str(seeded.pk), account_id=seeded.pk), poll_seconds=0.05)
    assert job.state == State.WAITING
    change_daily_limit(seeded, "100100", "ann@example.com")
    Worker("at once").run_until_idle()
    job.refresh_from_db()
    result_of(job)
    assert_replica_equals(seeded, org)


def test_a_dead_log_in_stops_the_sync_and_a_new_one_lets_it_catch_up(org: RunningOrgsim, seeded: Account) -> None:
    before = Connection.of(seeded).get()
    revoke_all(org.production)
    job = run_here(sync_cycle.enqueue(tenant=str(seeded.pk), account_id=seeded.pk), poll_seconds=0.05)
    assert (job.state, job.reason_code) == (State.BLOCKED, "salesforce.authorization_dead")
    assert Connection.of(seeded).get().status == Status.AUTHORIZATION_REQUIRED

    callback = callback_of(answer_login(start_login(seeded), USERNAME, PASSWORD))
    assert finish_connecting(seeded, callback, actor=ACTOR).pk == before.pk
    Worker("after the log-in").run_until_idle()
    job.refresh_from_db()
    result_of(job)
    assert_replica_equals(seeded, org)


def test_the_orgs_own_exhaustion_is_recognised_and_waits(org: RunningOrgsim, seeded: Account) -> None:
    org.production.set("allowance_calls", 0)
    job = run_here(sync_cycle.enqueue(tenant=str(seeded.pk), account_id=seeded.pk), poll_seconds=0.05)
    assert (job.state, job.reason_code) == (State.WAITING, "salesforce.request_limit")
    org.production.set("allowance_calls", 100_000)
    assert retry(job).pk == job.pk
    with clock_running_ahead(timedelta(minutes=16)):  # only then the org is asked again
        Worker("later").run_until_idle()
    assert_replica_equals(seeded, org)


def test_a_page_whose_locator_expired_is_asked_for_anew(
    org: RunningOrgsim, connected: Connection, settings: Settings
) -> None:
    settings.QUERY_PAGE_ROWS = 200
    sync(connected.account)
    more_contacts(org, 350)
    add_fault(org.production.usage, Fault(Effect.EXPIRED_LOCATOR, kind="query_more", rate=1.0))
    job = sync(connected.account)
    assert [fault["hits"] for fault in list_faults(org.production.usage)] == [1]
    assert result_of(job)["spent_calls"] == calls_of_job(connected.account, str(job.pk))
    assert_replica_equals(connected.account, org)


@pytest.mark.parametrize(
    "effect",
    [
        Effect.UNAVAILABLE,
        Effect.SERVER_ERROR,
        Effect.DROP,
        Effect.TRUNCATED,
        Effect.MALFORMED,
        Effect.UNAUTHORIZED,
    ],
)
def test_a_fault_of_the_line_is_borne_and_its_call_is_in_the_ledger(
    org: RunningOrgsim, seeded: Account, effect: Effect, caplog: pytest.LogCaptureFixture
) -> None:
    add_fault(org.production.usage, Fault(effect, on_calls=(2, 4)))
    sync(seeded)
    assert "unexpected" not in caplog.text
    assert_replica_equals(seeded, org)
    assert today(seeded).used_calls >= org.production.usage.used_calls()
