"""History that has no room waits for its share of the quota, while fresh changes go on and readers see whole cycles."""

from datetime import timedelta

import pytest

from headwater.accounts.models import Account
from headwater.common.clock import clock_set_to, now_utc
from headwater.common.errors import Wait
from headwater.connections.models import Connection
from headwater.credits.budget import budget_of
from headwater.credits.models import Window
from headwater.credits.opening import current_window
from headwater.jobs.models import Job, State
from headwater.jobs.services import job_view, jobs_of, retry
from headwater.jobs.worker import Worker
from headwater.sync.models import Cycle
from headwater.sync.objects import OBJECTS
from headwater.sync.plan import Mode
from headwater.sync.rebuild import rebuild
from headwater.sync.services import backfill, plan_sync, replica_counts, replica_state, sync_cycle
from integration.conftest import ACTOR, result_of
from integration.test_sync import assert_replica_equals, more_contacts, sync
from orgsim.edits.everyday import EditPlan, make_edits
from orgsim.seed import load_history
from orgsim.testing import RunningOrgsim

BEFORE = {name: fields for name, fields in OBJECTS.items() if name != "Case"} | {
    "Lead": tuple(field for field in OBJECTS["Lead"] if field != "Company")
}


@pytest.fixture
def older(org: RunningOrgsim, connected: Connection, monkeypatch: pytest.MonkeyPatch) -> Account:
    """It was read by a version that knew neither cases nor the company of a lead."""
    load_history(org.production, records=3_000, seed=3)
    with monkeypatch.context() as patch:
        patch.setattr("headwater.sync.describe.OBJECTS", BEFORE)
        sync(connected.account)
    return connected.account


def use_up_share(account: Account) -> None:
    share = budget_of(account).backfill_share_calls
    Window.of(account).filter(pk=current_window(account).pk).update(backfill_calls=share)


def history_job(account: Account) -> Job:
    job = jobs_of(str(account.pk)).filter(task=backfill.name).first()
    assert job is not None
    return job


def test_history_that_has_room_comes_with_the_next_cycle(org: RunningOrgsim, older: Account) -> None:
    assert "waiting" not in result_of(sync(older))
    assert_replica_equals(older, org)


def test_history_without_room_waits_and_is_told_until_when(org: RunningOrgsim, older: Account) -> None:
    use_up_share(older)
    plan = plan_sync(older)
    assert {each.sobject: each.until_utc for each in plan.waiting} == {
        name: f"{current_window(older).ends_utc:%Y-%m-%dT%H:%M:%SZ}" for name in ("Case", "Lead")
    }
    assert {read.mode for read in plan.reads} == {Mode.CHANGES}
    assert plan.left_calls is not None
    assert plan.left_calls > 0


def test_fresh_cycles_go_on_and_history_follows_in_the_next_window(org: RunningOrgsim, older: Account) -> None:
    leads = replica_counts(older)["Lead"]
    use_up_share(older)
    assert set(result_of(sync(older))["waiting"]) == {"Case", "Lead"}
    worker = Worker("today")
    worker.run_until_idle()
    paused = job_view(history_job(older))
    assert (paused.state, paused.code) == (State.WAITING, "credits.backfill_share_used")

    make_edits(org.writer(), EditPlan(edits=200, deletes=30, seed=5))
    more_contacts(org, 300)
    published = replica_state(older)
    sync(older)
    now = replica_state(older)
    assert published is not None
    assert now is not None
    assert now.cycle > published.cycle
    counts = replica_counts(older)
    assert counts["Contact"] > 300
    assert counts["Lead"] > leads // 2  # what was read before is still shown, and its changes too

    with clock_set_to(current_window(older).ends_utc):
        Worker("in the next window").run_until_idle()
    result = result_of(history_job(older))
    assert set(result["rows"]) == {"Case", "Lead"}
    assert Cycle.of(older).get(number=result["cycle"]).is_backfill
    sync(older)
    assert_replica_equals(older, org)


def test_history_gives_way_to_every_other_job_and_goes_on_behind_its_last_step(
    org: RunningOrgsim, older: Account
) -> None:
    use_up_share(older)
    sync(older)
    Window.of(older).update(backfill_calls=0)
    fresh = sync_cycle.enqueue(tenant=str(older.pk), account_id=older.pk)
    job = history_job(older)
    assert job.pk < fresh.pk  # it would be taken first
    worker = Worker("one")
    assert worker.run_one()
    gave_way = job_view(history_job(older))
    assert (gave_way.state, gave_way.code) == (State.WAITING, "jobs.gave_way")
    assert worker.run_one()
    fresh.refresh_from_db()
    assert fresh.state == State.DONE
    Job.objects.filter(pk=job.pk).update(not_before_utc=None)
    worker.run_until_idle()
    result_of(history_job(older))
    sync(older)
    assert_replica_equals(older, org)


def stopped_once(monkeypatch: pytest.MonkeyPatch, account: Account, where: str) -> Job:
    """History that had no room, has it again, and was stopped just before `where`, a function of its module."""
    use_up_share(account)
    sync(account)
    Window.of(account).update(backfill_calls=0)
    Job.objects.filter(pk=history_job(account).pk).update(not_before_utc=None)
    with monkeypatch.context() as patch:
        patch.setattr(f"headwater.sync.backfill.{where}", stop)
        Worker("stopped").run_until_idle()
    job = history_job(account)
    assert (job.state, job.reason_code) == (State.WAITING, "salesforce.unavailable")
    return job


def stop(*_: object) -> None:
    raise Wait("salesforce.unavailable", "The org is away.", retry_utc=now_utc() + timedelta(hours=1))


def go_on(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(not_before_utc=None)
    Worker("goes on").run_until_idle()
    job.refresh_from_db()
    result_of(job)


def test_history_that_is_planned_late_is_newer_than_what_was_merged_meanwhile(
    org: RunningOrgsim, older: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = stopped_once(monkeypatch, older, "_plan")
    use_up_share(older)
    make_edits(org.writer(), EditPlan(edits=100, deletes=10, seed=6))
    monkeypatch.setattr("headwater.sync.publish.to_merge", lambda parts: parts)
    sync(older)
    rebuild(older, ["Contact"], actor=ACTOR)
    Window.of(older).update(backfill_calls=0)
    go_on(job)
    assert_replica_equals(older, org)
    sync(older)
    assert_replica_equals(older, org)


def test_history_that_another_cycle_has_read_meanwhile_is_let_go(
    org: RunningOrgsim, older: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = stopped_once(monkeypatch, older, "read_plan")
    Job.objects.filter(pk=job.pk).update(state=State.FAILED, finished_utc=now_utc())
    assert set(result_of(sync(older))["rows"]) >= {"Case", "Lead"}
    make_edits(org.writer(), EditPlan(edits=100, deletes=10, seed=7))
    sync(older)
    go_on(retry(job))
    sync(older)
    assert_replica_equals(older, org)
