"""The replica equals the org, row by row, after whatever people do in it; and every call passes the ledger."""

import os
from datetime import timedelta

import pytest

from headwater.accounts.models import Account
from headwater.common.clock import clock_running_ahead, clock_set_to
from headwater.common.errors import Fix
from headwater.connections.models import Connection, Status
from headwater.credits.models import Window
from headwater.credits.opening import current_window
from headwater.credits.services import calls_of_job, today
from headwater.jobs.models import Job, State
from headwater.jobs.services import job_view, retry, run_here
from headwater.jobs.worker import Worker
from headwater.sync.discover import tables_of
from headwater.sync.models import ManifestPart
from headwater.sync.publish import lake_directory
from headwater.sync.services import object_checksums, plan_sync, replica_state, sync_cycle
from headwater.wiring import change_daily_limit, finish_connecting
from integration.callbacks import callback_of
from integration.conftest import ACTOR, result_of, start_login
from orgsim.edits.checksum import checksum
from orgsim.edits.everyday import EditPlan, make_edits
from orgsim.edits.merge import merge
from orgsim.oauth.grants import revoke_all
from orgsim.person import answer_login
from orgsim.rest.faults import Effect, Fault, add_fault
from orgsim.seed import load_history
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


def assert_replica_equals(account: Account, org: RunningOrgsim) -> None:
    columns = {name: [column for column, _ in table.columns] for name, table in tables_of(account).items()}
    theirs = {name: checksum(org.production, name, fields) for name, fields in columns.items()}
    assert object_checksums(account) == {name: (each.rows, each.checksum) for name, each in theirs.items()}


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


def test_an_idle_cycle_over_twelve_objects_costs_three_credits(org: RunningOrgsim, seeded: Account) -> None:
    sync(seeded)
    assert calls_of_job(seeded, str(sync(seeded).pk)) == 3


def test_a_large_object_is_read_by_bulk(
    org: RunningOrgsim, connected: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_history(org.production, records=RECORDS, seed=3)
    monkeypatch.setattr("headwater.credits.prices.QUERY_PAGE_ROWS", 10)
    monkeypatch.setattr("headwater.sync.read.BULK_PAGE_ROWS", 300)
    monkeypatch.setattr("headwater.sync.read.poll_delay_seconds", lambda _: 0)
    sync(connected.account)
    assert {row.call_kind for row in today(connected.account).spending} >= {"bulk_create", "bulk_poll", "bulk_results"}
    assert ManifestPart.of(connected.account).filter(table__sobject="Contact").count() > 1
    assert_replica_equals(connected.account, org)


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
    window = current_window(seeded)
    Window.of(seeded).filter(pk=window.pk).update(used_calls=100_000 - 4)
    counted = org.production.usage.used_calls()
    job = run_here(sync_cycle.enqueue(tenant=str(seeded.pk), account_id=seeded.pk), poll_seconds=0.05)
    paused = job_view(job)
    assert (paused.state, paused.code) == (State.WAITING, "credits.quota_reached")
    assert "100,000 calls is used up" in paused.reason
    assert paused.not_before_utc == window.starts_utc + timedelta(hours=24)
    assert org.production.usage.used_calls() == counted + 4
    assert replica_state(seeded) is None

    Worker("before the window").run_until_idle()
    job.refresh_from_db()
    assert job.state == State.WAITING

    with clock_set_to(window.starts_utc + timedelta(hours=24, minutes=1)):
        Worker("in the next window").run_until_idle()
        job.refresh_from_db()
        assert job.state == State.DONE, job_view(job)
        assert today(seeded).used_calls == org.production.usage.used_calls() - counted - 4
    assert_replica_equals(seeded, org)


def test_a_raised_limit_lets_a_paused_sync_go_on_at_once(org: RunningOrgsim, seeded: Account) -> None:
    org.production.set("allowance_calls", 1_000_000)
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


@pytest.mark.parametrize("effect", [Effect.UNAVAILABLE, Effect.SERVER_ERROR, Effect.DROP, Effect.UNAUTHORIZED])
def test_a_fault_of_the_line_is_borne_and_its_call_is_in_the_ledger(
    org: RunningOrgsim, seeded: Account, effect: Effect
) -> None:
    add_fault(org.production.usage, Fault(effect, on_calls=(2, 4)))
    sync(seeded)
    assert_replica_equals(seeded, org)
    assert today(seeded).used_calls >= org.production.usage.used_calls()
