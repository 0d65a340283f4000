"""A worker forgets old jobs and how their cycles were planned; what they read and cost stays, and what readers see."""

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import clock_running_ahead, now_utc
from headwater.credits.services import calls_of_job
from headwater.jobs.models import Job, State, Step
from headwater.jobs.retention import JOBS_KEPT
from headwater.sync.models import Cycle, ManifestPart, ReplicaTable
from headwater.sync.plan import SyncPlan
from headwater.sync.publish import lake_directory, sweep_all
from headwater.sync.schedule import CYCLE_TASK
from headwater.sync.services import plan_against_actual, replica_state
from headwater.watch import chores
from unit.credits.calls import spend

DAY = timedelta(days=1)
PLAN = SyncPlan((), looking_calls=1, query_calls=1, composite_calls=1, bulk_calls=0).to_json()
ACTUAL = {"calls": 3, "seconds": 9, "objects": {"Contact": {"rows": 7, "pages": 1, "bulk_pages": 0, "bulk_calls": 0}}}
pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return create_account("Acme")


def cycle_of(account: Account, number: int, state: State = State.DONE, *, is_published: bool = True) -> Cycle:
    """The job of a cycle, and what it left."""
    now = now_utc()
    ended_utc = None if state == State.RUNNING else now
    job = Job.objects.create(
        tenant=str(account.pk), task=CYCLE_TASK, state=state, created_utc=now, finished_utc=ended_utc
    )
    Step.objects.create(job=job, name="plan", result=PLAN, fence=1, done_utc=now)
    return Cycle.of(account).create(
        account=account,
        number=number,
        job_id=str(job.pk),
        started_utc=now,
        published_utc=now if is_published else None,
        plan=PLAN,
        final_plan=PLAN,
        actual=ACTUAL,
        rows_read={"Contact": 7},
        schemas={"Contact": {"columns": []}},
    )


def months_later() -> None:
    with clock_running_ahead(JOBS_KEPT + DAY):
        chores()


def is_planned(cycle: Cycle) -> bool:
    cycle.refresh_from_db()
    assert {bool(cycle.plan), bool(cycle.final_plan), bool(cycle.schemas)} in ({True}, {False})
    return bool(cycle.plan)


def test_old_cycles_keep_their_numbers_and_lose_their_plans(account: Account) -> None:
    old, shown = cycle_of(account, 1), cycle_of(account, 2)
    spend(account, now_utc(), 3, job_id=old.job_id)
    months_later()
    assert (is_planned(old), is_planned(shown)) == (False, True)
    assert (old.rows_read, old.actual) == ({"Contact": 7}, {"calls": 3, "seconds": 9})
    assert not Job.objects.filter(pk=old.job_id).exists()
    assert not Step.objects.filter(job_id=int(old.job_id)).exists()
    assert calls_of_job(account, old.job_id) == 3, "the ledger does not need the job"
    assert plan_against_actual(account, old.job_id) is None


def test_what_readers_see_keeps_its_plan_though_its_job_is_gone(account: Account) -> None:
    shown = cycle_of(account, 1)
    cycle_of(account, 2, State.CANCELLED, is_published=False)
    months_later()
    assert not Job.objects.filter(pk=shown.job_id).exists()
    assert is_planned(shown)
    state = replica_state(account)
    assert state is not None
    assert (state.cycle, state.spent_calls) == (1, 3)


def test_a_cycle_under_way_and_the_one_before_it_stay(account: Account) -> None:
    shown, running = cycle_of(account, 1), cycle_of(account, 2, State.RUNNING, is_published=False)
    months_later()
    assert (is_planned(shown), is_planned(running)) == (True, True)
    assert Job.objects.filter(pk=running.job_id).exists()


def test_what_a_cycle_read_that_was_never_published_is_let_go(account: Account) -> None:
    table = ReplicaTable.of(account).create(account=account, sobject="Contact")
    cancelled, shown = cycle_of(account, 1, State.CANCELLED, is_published=False), cycle_of(account, 2)
    for cycle in (cancelled, shown):
        ManifestPart.of(account).create(
            account=account, table=table, cycle=cycle, path=f"part {cycle.number}", row_count=1, size_bytes=1
        )
    months_later()
    assert [part.path for part in ManifestPart.of(account).filter(is_retired=False)] == ["part 2"]


def test_another_account_with_the_same_history_is_judged_by_its_own(account: Account) -> None:
    old, _ = cycle_of(account, 1), cycle_of(account, 2)
    others = cycle_of(create_account("Birch Telecom"), 1)
    months_later()
    assert (is_planned(old), is_planned(others)) == (False, True)
    assert Job.objects.filter(pk=others.job_id).exists()


def test_parts_that_nobody_reads_any_more_leave_the_manifest(
    account: Account, tmp_path: Path, settings: Settings
) -> None:
    settings.DATA_DIR = tmp_path
    lake_directory(account).mkdir(parents=True)
    table = ReplicaTable.of(account).create(account=account, sobject="Contact")
    cycle, now = cycle_of(account, 1), now_utc()
    for path, retired_utc in (("live", None), ("just.retired", now), ("long.retired", now - DAY)):
        ManifestPart.of(account).create(
            account=account,
            table=table,
            cycle=cycle,
            path=path,
            row_count=1,
            size_bytes=1,
            is_retired=retired_utc is not None,
            retired_utc=retired_utc,
        )
    sweep_all(account)
    assert list(ManifestPart.of(account).order_by("pk").values_list("path", flat=True)) == ["live", "just.retired"]
