"""Whatever way records go to the org, and whatever happens then: each is written once, and each refusal is kept."""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from headwater.accounts.models import Account
from headwater.common.clock import clock_running_ahead
from headwater.common.errors import Fix
from headwater.connections.models import Connection
from headwater.connections.package import BUYER_ATTRIBUTION_TOUCHPOINT, BUYER_TOUCHPOINT, PERMISSION_SET
from headwater.credits.models import Entry
from headwater.credits.services import today
from headwater.export.models import WrittenRecord
from headwater.export.plan import Choices
from headwater.export.services import export_errors, export_records, plan_export, written_counts
from headwater.jobs.models import Job, State
from headwater.jobs.running import RunningJob
from headwater.jobs.services import job_view, run_here
from headwater.jobs.worker import Worker
from integration.conftest import have_package, result_of
from integration.touchpoints import Touchpoints, publish
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults
from orgsim.server.access import set_rights
from orgsim.store.settings import DEFAULTS
from orgsim.testing import RunningOrgsim

WORKING = "SELECT count(*) FROM _job WHERE state IN ('UploadComplete', 'InProgress')"


class Killed(BaseException):
    """As SIGKILL: nothing of ours may catch it."""


@pytest.fixture
def ready(org: RunningOrgsim, connected: Connection) -> Account:
    have_package(connected.account)
    return connected.account


@pytest.fixture(autouse=True)
def _time_passes(org: RunningOrgsim, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of the seconds between polls, a job waits until the simulated org has done its work."""

    def pause(job: RunningJob, _seconds: float) -> None:
        job.check_cancelled()
        while org.production.database.connect().execute(WORKING).fetchone() != (0,):
            time.sleep(0.01)

    monkeypatch.setattr(RunningJob, "pause", pause)


@pytest.fixture
def _small_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """One collection a call, and small uploads: what takes a million records else takes some thousands."""
    for module in ("credits.write_prices", "export.collections_lane"):
        monkeypatch.setattr(f"headwater.{module}.COLLECTIONS_MAX", 1)
    monkeypatch.setattr("headwater.credits.write_prices.JOB_BYTES", 1_000_000)


def run(account: Account, **options: Any) -> Job:
    job = export_records.enqueue(tenant=str(account.pk), account_id=account.pk, **options)
    return run_here(job, poll_seconds=0.05)


def export(account: Account, **options: Any) -> dict[str, Any]:
    return result_of(run(account, **options))


def go_on(job: Job) -> Job:
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED, not_before_utc=None)
    return run_here(Job.objects.get(pk=job.pk), poll_seconds=0.05)


def in_org(org: RunningOrgsim, sobject: str) -> dict[str, dict[str, Any]]:
    cursor = org.production.database.connect().execute(f'SELECT * FROM "{sobject}" WHERE IsDeleted = 0')
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor]
    assert len({row["UniqueId__c"] for row in rows}) == len(rows)
    return {row["UniqueId__c"]: row for row in rows}


def assert_org_holds_what_is_recorded(org: RunningOrgsim, account: Account) -> None:
    for sobject in (BUYER_TOUCHPOINT, BUYER_ATTRIBUTION_TOUCHPOINT):
        recorded = WrittenRecord.of(account).filter(sobject=sobject).values_list("unique_id", "salesforce_id")
        assert dict(recorded) == {name: row["Id"] for name, row in in_org(org, sobject).items()}
    assert today(account).used_calls == org.production.usage.used_calls()


def ways(told: dict[str, Any]) -> dict[str, str]:
    """By which way each queue of the first plan went."""
    return {f"{each['action']} {each['sobject']}": each["way"] for each in told["plans"][0]["writes"]}


@pytest.mark.usefixtures("_small_scale")
def test_bulk_jobs_carry_every_cell_and_what_csv_cannot_say_goes_by_collections(
    org: RunningOrgsim, ready: Account
) -> None:
    publish(ready, Touchpoints((0, 2_400), (0, 300), refused_percent=4, unfit=[5, 77]))
    planned = plan_export(ready)
    told = export(ready)
    assert ways(told) == {f"upsert {BUYER_TOUCHPOINT}": "bulk", f"upsert {BUYER_ATTRIBUTION_TOUCHPOINT}": "composite"}
    assert abs(told["spent_calls"] - planned["planned_calls"]) <= 3
    assert (told["done"], told["failed"]) == (2_400 + 300 - 12, 12)
    assert {error.status_code for error in export_errors(ready)} == {"INVALID_CROSS_REFERENCE_KEY"}
    assert_org_holds_what_is_recorded(org, ready)
    rows = in_org(org, BUYER_TOUCHPOINT)
    assert [rows[f"TP2_Person_{n % 10}_{n}"]["Ad_Campaign_Name__c"] for n in (5, 6)] == ["#N/A", 'Spring “6”, "wave" 1']
    assert rows["TP2_Person_1_1"]["Medium__c"] == "cpc"
    assert {row["Ad_Content__c"] for row in rows.values()} == {None}
    assert (rows["TP2_Person_6_6"]["Count_First_Touch__c"], rows["TP2_Person_8_8"]["Medium__c"]) == (
        1_000_000,
        None,
    )  # millionths

    for row in list(rows.values())[:3]:
        org.writer().delete(BUYER_TOUCHPOINT, row["Id"])  # by hand: a record that is gone is as good as deleted
    publish(ready, Touchpoints((2_400, 2_500), (0, 300)))  # the others are deleted, by Bulk
    told = export(ready)
    assert ways(told)[f"delete {BUYER_TOUCHPOINT}"] == "bulk"
    assert (told["done"], told["failed"]) == (2_400 + 100 + 12 + 2, 0)  # those refused before, and two unfit ones
    assert written_counts(ready) == {BUYER_TOUCHPOINT: 100, BUYER_ATTRIBUTION_TOUCHPOINT: 300}
    assert_org_holds_what_is_recorded(org, ready)
    assert not export_errors(ready)
    assert plan_export(ready)["queued"] == {}


def dying(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has each life of a job end behind the work of its second new step, before that step is recorded."""
    left = [2]
    original = RunningJob.step

    def step(job: RunningJob, name: str, work: Callable[[], Any], record: Callable[[Any], object] | None = None) -> Any:
        if not job.has_done(name):
            left[0] -= 1
            if left[0] == 0:
                work()
                raise Killed(name)
        return original(job, name, work, record)

    monkeypatch.setattr(RunningJob, "step", step)
    return lambda: left.__setitem__(0, 2)


@pytest.mark.usefixtures("_small_scale")
def test_an_export_killed_behind_every_step_of_it_doubles_nothing_and_loses_no_result(
    org: RunningOrgsim, ready: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(ready, Touchpoints((0, 1_500), (0, 100)))
    export(ready)
    publish(ready, Touchpoints((1_490, 3_090), (0, 1_500), version=2, refused_percent=3))
    monkeypatch.setattr("headwater.export.bulk_lane.ROWS_AT_ONCE", 1_000)
    live_again = dying(monkeypatch)
    job = export_records.enqueue(tenant=str(ready.pk), account_id=ready.pk)
    for lives in range(1, 80):
        live_again()
        try:
            Worker(f"life {lives}").run_until_idle()
            break
        except Killed:
            Job.objects.filter(pk=job.pk).update(state=State.QUEUED, lease_until_utc=None)
    told = result_of(Job.objects.get(pk=job.pk))
    assert lives > 20
    assert set(ways(told).values()) == {"bulk"}
    assert (told["done"], told["failed"]) == (1_490 + 1_600 + 1_500 - 45, 45)
    assert export_errors(ready).count() == 45
    assert {int(error.unique_id.rpartition("_")[2]) % 100 for error in export_errors(ready)} == {0, 1, 2}
    assert set(in_org(org, BUYER_TOUCHPOINT)) == {f"TP2_Person_{n % 10}_{n}" for n in range(1_490, 3_090)}
    assert_org_holds_what_is_recorded(org, ready)


@pytest.mark.usefixtures("_small_scale")
def test_an_org_that_takes_no_bulk_jobs_is_written_to_without_and_the_plan_says_why(
    org: RunningOrgsim, ready: Account
) -> None:
    org.production.set("bulk_records_per_day", 800)  # used up amid the job
    publish(ready, Touchpoints((0, 2_400)))
    told = export(ready)
    first, second = told["plans"]
    assert (first["without_bulk"], second["calls"]) == ("", 8)
    assert "Daily Bulk API records Limit exceeded" in second["without_bulk"]
    assert (told["done"], told["failed"]) == (2_400, 0)
    assert abs(told["spent_calls"] - told["planned_calls"]) <= 3
    assert_org_holds_what_is_recorded(org, ready)

    publish(ready, Touchpoints((0, 2_400), version=2))
    remembered = plan_export(ready)["plan"]
    assert "Daily Bulk API records Limit exceeded" in remembered["without_bulk"]
    assert remembered["calls"] == 12
    with clock_running_ahead(timedelta(hours=25)):
        assert plan_export(ready)["plan"]["without_bulk"] == ""
        told = export(ready)  # refused at the creation this time
        assert [plan["calls"] for plan in told["plans"]] == [1 + 7, 12]
        assert "LIMIT_EXCEEDED" in told["plans"][1]["without_bulk"]
    assert {row["Ad_Campaign_Name__c"][-1] for row in in_org(org, BUYER_TOUCHPOINT).values()} == {"2"}
    org.production.set("bulk_records_per_day", DEFAULTS["bulk_records_per_day"])


@pytest.mark.usefixtures("_small_scale")
def test_a_bulk_job_that_fails_is_made_anew_and_then_done_without_and_one_that_was_aborted_asks_first(
    org: RunningOrgsim, ready: Account
) -> None:
    publish(ready, Touchpoints((0, 2_400)))
    add_fault(org.production.usage, Fault(Effect.FAILED_JOB, "bulk_ingest", on_calls=(1, 2, 3)))
    told = export(ready)
    assert [bool(plan["without_bulk"]) for plan in told["plans"]] == [False, False, True]
    assert "An unexpected error occurred" in told["plans"][2]["without_bulk"]
    assert_org_holds_what_is_recorded(org, ready)
    clear_faults(org.production.usage)

    publish(ready, Touchpoints((0, 2_400), version=2))
    org.production.set("bulk_delay_seconds", 30)
    job = run_until_aborted(org, ready)
    assert (job.state, job.reason_code) == (State.BLOCKED, "export.bulk_aborted")
    org.production.set("bulk_delay_seconds", 0)
    told = result_of(go_on(job))
    assert [plan["without_bulk"] for plan in told["plans"]] == ["", ""]
    assert (told["done"], told["failed"]) == (2_400, 0)
    assert_org_holds_what_is_recorded(org, ready)


def run_until_aborted(org: RunningOrgsim, account: Account) -> Job:
    """An export whose Bulk jobs an admin aborts as soon as they wait for their turn."""
    abort = "UPDATE _job SET state = 'Aborted' WHERE state = 'UploadComplete'"

    def pause(_job: RunningJob, _seconds: float) -> None:
        with org.production.database.write() as connection:
            connection.execute(abort)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(RunningJob, "pause", pause)
        return run(account)


def test_a_package_that_was_seen_today_is_not_looked_for_and_one_that_went_away_is_noticed(
    org: RunningOrgsim, ready: Account
) -> None:
    publish(ready, Touchpoints((0, 300), (0, 300)))
    set_rights(org.production, on=f"{BUYER_TOUCHPOINT}.UniqueId__c", granted=False, permission_set=PERMISSION_SET)
    job = run(ready)
    assert (job.state, job.reason_code) == (State.BLOCKED, "export.package_missing")
    assert BUYER_TOUCHPOINT in job_view(job).facts.why
    assert written_counts(ready) == {BUYER_TOUCHPOINT: 0, BUYER_ATTRIBUTION_TOUCHPOINT: 300}  # the call's other half
    assert calls(ready, job) == {"composite_write": 1, "composite_describe": 1}

    have_package(ready)
    job.refresh_from_db()
    if job.state != State.DONE:
        job = go_on(job)
    told = result_of(job)
    assert (told["done"], told["failed"]) == (600, 0)
    assert calls(ready, job) == {"composite_write": 2, "composite_describe": 1}
    assert_org_holds_what_is_recorded(org, ready)

    publish(ready, Touchpoints((0, 300), (0, 300), version=2))
    assert plan_export(ready)["planned_calls"] == 1
    with clock_running_ahead(timedelta(hours=25)):
        assert plan_export(ready)["planned_calls"] == 2
        job = run(ready)
        assert calls(ready, job) == {"composite_write": 1, "composite_describe": 1}


def calls(account: Account, job: Job) -> dict[str, int]:
    return Counter(Entry.of(account).filter(job_id=str(job.pk)).values_list("call_kind", flat=True))


@pytest.mark.usefixtures("_small_scale")
def test_a_package_that_went_away_is_noticed_by_bulk_jobs_too(org: RunningOrgsim, ready: Account) -> None:
    publish(ready, Touchpoints((0, 2_400)))
    set_rights(org.production, on=f"{BUYER_TOUCHPOINT}.Medium__c", granted=False, permission_set=PERMISSION_SET)
    job = run(ready)
    assert (job.state, job.reason_code) == (State.BLOCKED, "export.package_missing")
    assert "Medium__c" in job_view(job).facts.why
    have_package(ready)
    set_rights(org.production, on=f"{BUYER_TOUCHPOINT}.Medium__c", granted=True, permission_set=PERMISSION_SET)
    told = result_of(go_on(job))
    assert (told["done"], told["failed"]) == (2_400, 0)
    assert_org_holds_what_is_recorded(org, ready)


@pytest.mark.usefixtures("_small_scale")
def test_plan_and_actual_agree_over_random_queues_and_the_ledger_with_the_org(
    org: RunningOrgsim, ready: Account
) -> None:
    dice = random.Random(20)  # noqa: S311 - repeatable on purpose
    seen: Counter[str] = Counter()
    for version in range(8):
        first = dice.choice([0, 0, 200, 1_800])
        wanted = Touchpoints(
            (first, first + dice.choice([0, 3, 450, 2_000])),
            (0, dice.choice([0, 1, 250, 900])),
            version=dice.choice([1, version]),
            refused_percent=dice.choice([0, 0, 3]),
        )
        publish(ready, wanted)
        choices = Choices(dice.choice([200, 200, 200, 100, 25]), dice.choice([True, True, False]))
        counted, planned = org.production.usage.used_calls(), plan_export(ready, choices)
        told = export(ready, batch_size=choices.batch_size, use_bulk=choices.use_bulk)
        spent = org.production.usage.used_calls() - counted
        assert told.get("spent_calls", 0) == spent
        assert abs(planned["planned_calls"] - spent) <= max(3, 0.05 * spent)
        seen.update(each["way"] for plan in told.get("plans", ()) for each in plan["writes"])
    assert set(seen) >= {"bulk", "composite"}
    assert_org_holds_what_is_recorded(org, ready)


def test_smaller_batches_are_five_a_credit_too_and_other_sizes_are_refused(org: RunningOrgsim, ready: Account) -> None:
    publish(ready, Touchpoints((0, 251)))
    told = export(ready, batch_size=25)
    assert (told["planned_calls"], told["spent_calls"], told["done"]) == (3, 3, 251)
    assert "lighter transactions" in told["plans"][0]["without_bulk"]
    with pytest.raises(Fix, match="no export batch size"):
        plan_export(ready, Choices(batch_size=10))
