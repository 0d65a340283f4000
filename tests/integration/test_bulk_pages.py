"""Pages of a Bulk result: each is paid for once, whatever becomes of this process, and each is in the replica once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.common.clock import clock_running_ahead
from headwater.connections.models import Connection
from headwater.credits.services import today
from headwater.jobs.models import Job, State
from headwater.jobs.running import RunningJob
from headwater.jobs.services import retry, run_here
from headwater.jobs.worker import Worker
from headwater.sync.bulk_pages import take_pages
from headwater.sync.learning import pace_of
from headwater.sync.models import ManifestPart
from headwater.sync.publish import lake_directory
from headwater.sync.services import sync_cycle
from integration.conftest import result_of
from integration.test_sync import assert_replica_equals, more_contacts, sync
from orgsim.rest.faults import Effect, Fault, add_fault
from orgsim.server.admin import move_clock
from orgsim.testing import RunningOrgsim

CONTACTS = 6_000
NIGHT = timedelta(hours=10)


class Killed(BaseException):
    """As SIGKILL: nothing of ours may catch it."""


@pytest.fixture
def many(org: RunningOrgsim, connected: Connection, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Account:
    """Contacts that come by Bulk, in several compressed pages."""
    more_contacts(org, CONTACTS)
    settings.QUERY_PAGE_ROWS, settings.BULK_FILE_BYTES = 200, 1_000_000
    monkeypatch.setattr("headwater.sync.bulk_jobs.bulk_poll_delay_seconds", lambda *_: 0.01)
    return connected.account


def fetches(account: Account) -> int:
    return sum(row.calls for row in today(account).spending if row.call_kind == "bulk_results")


def pages(account: Account) -> int:
    """That were taken in; none of them is left lying about."""
    assert list(lake_directory(account).glob("scratch-*")) == []
    return ManifestPart.of(account).filter(table__sobject="Contact").count()


def before_the_pages(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    def take(*arguments: Any) -> bool:
        do()
        return take_pages(*arguments)

    monkeypatch.setattr("headwater.sync.bulk_jobs.take_pages", take)


def run_until_it_lives(account: Account) -> tuple[Job, int]:
    """A job whose worker is killed again and again, and how often it was."""
    job = sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)
    for lives in range(100):
        try:
            Worker(f"life {lives}").run_until_idle()
            break
        except Killed:
            Job.objects.filter(pk=job.pk).update(state=State.QUEUED, lease_until_utc=None)
    return Job.objects.get(pk=job.pk), lives


def kill_once_at_each_step(monkeypatch: pytest.MonkeyPatch, moment: str, prefix: str = "") -> set[str]:
    """Of those whose names begin so: before its work, or behind it with nothing recorded. Returns those that it met."""
    met: set[str] = set()
    original = RunningJob.step

    def step(job: RunningJob, name: str, work: Callable[[], Any], record: Callable[[Any], object] | None = None) -> Any:
        if name.startswith(prefix) and name not in met and not job.has_done(name):
            met.add(name)
            if moment == "after":
                work()
            raise Killed(name)
        return original(job, name, work, record)

    monkeypatch.setattr(RunningJob, "step", step)
    return met


def test_a_body_cut_short_is_fetched_again_and_no_row_is_missing(
    org: RunningOrgsim, many: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = Fault(Effect.TRUNCATED, kind="bulk_query", on_calls=(1, 3))
    before_the_pages(monkeypatch, lambda: add_fault(org.production.usage, cut))
    sync(many)
    assert_replica_equals(many, org)
    assert fetches(many) == pages(many) + 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_before_or_behind_the_writing_of_every_part_no_page_is_paid_for_twice(
    org: RunningOrgsim, many: Account, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    kill_once_at_each_step(monkeypatch, moment, "Bulk part")
    job, kills = run_until_it_lives(many)
    assert result_of(job)["rows"]["Contact"] == CONTACTS
    assert kills == fetches(many) == pages(many) > 1
    assert_replica_equals(many, org)


def test_a_page_that_the_machine_lost_before_it_was_a_part_is_fetched_again(
    org: RunningOrgsim, many: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[Path] = []
    original = RunningJob.step

    def step(job: RunningJob, name: str, work: Callable[[], Any], record: Callable[[Any], object] | None = None) -> Any:
        if name.startswith("Bulk part") and not lost:
            lost.extend(lake_directory(many).glob("scratch-*/*"))
            lost[0].write_bytes(lost[0].read_bytes()[:-9])
            raise Killed(name)
        return original(job, name, work, record)

    monkeypatch.setattr(RunningJob, "step", step)
    job, _ = run_until_it_lives(many)
    assert result_of(job)["rows"]["Contact"] == CONTACTS
    assert fetches(many) == pages(many) + 1
    assert_replica_equals(many, org)


def spoil(monkeypatch: pytest.MonkeyPatch, org: RunningOrgsim, *numbers: int) -> None:
    """Their last character is missing, and nothing else tells it."""
    spoiled = Fault(Effect.MALFORMED, kind="bulk_query", on_calls=numbers)
    before_the_pages(monkeypatch, lambda: add_fault(org.production.usage, spoiled))


def test_a_page_that_was_spoiled_on_its_way_is_fetched_once_more(
    org: RunningOrgsim, many: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, org, 2)
    sync(many)
    assert fetches(many) == pages(many) + 1
    assert_replica_equals(many, org)


def test_a_page_that_is_not_what_was_asked_for_is_not_kept(
    org: RunningOrgsim, many: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, org, 2, 3, 4)
    job = sync_cycle.enqueue(tenant=str(many.pk), account_id=many.pk)
    Worker("one").run_until_idle()
    job.refresh_from_db()
    assert job.reason_code == "lake.unreadable_file"
    left = {path.name for path in lake_directory(many).glob("scratch-*/*")}
    assert "1.csv.gz" not in left


def creations(account: Account) -> int:
    return sum(row.calls for row in today(account).spending if row.call_kind == "bulk_create")


@contextmanager
def a_week_later(org: RunningOrgsim) -> Iterator[Callable[..., float]]:
    """What the sync waits for comes when its jobs are long gone, once."""
    jumps = iter([8 * 24 * 3600])

    def jump(*_: object) -> float:
        for seconds in jumps:
            move_clock(org.state, {"jump_seconds": seconds})
        return 0.01

    yield jump
    assert list(jumps) == []


def test_a_job_that_the_org_lists_no_longer_is_made_anew(
    org: RunningOrgsim, many: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_week_later(org) as jump:
        monkeypatch.setattr("headwater.sync.bulk_jobs.bulk_poll_delay_seconds", jump)
        sync(many)
    assert creations(many) == 2
    assert_replica_equals(many, org)


def test_a_result_that_is_gone_when_it_is_fetched_is_made_anew(
    org: RunningOrgsim, many: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_week_later(org) as jump:
        before_the_pages(monkeypatch, jump)
        sync(many)
    assert creations(many) == 2
    assert_replica_equals(many, org)


def test_a_result_that_goes_between_its_pages_is_made_anew_also_by_a_worker_that_comes_later(
    org: RunningOrgsim, many: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever goes on asks for none of its pages again."""
    gone = iter([Fault(Effect.EXPIRED_LOCATOR, kind="bulk_query", on_calls=(2,))])
    before_the_pages(monkeypatch, lambda: [add_fault(org.production.usage, fault) for fault in gone])
    kill_once_at_each_step(monkeypatch, "before", "create Bulk job Contact 1")
    job, lives = run_until_it_lives(many)
    result_of(job)
    assert (lives, creations(many)) == (1, 2)
    assert fetches(many) == pages(many) + 1
    assert_replica_equals(many, org)


def test_an_org_that_fails_at_a_job_three_times_is_told_and_whoever_retries_has_three_tries_more(
    org: RunningOrgsim, many: Account
) -> None:
    add_fault(org.production.usage, Fault(Effect.FAILED_JOB, kind="bulk_query", on_calls=(1, 2, 3, 4)))
    job = run_here(sync_cycle.enqueue(tenant=str(many.pk), account_id=many.pk))
    assert (job.state, job.reason_code, creations(many)) == (State.BLOCKED, "sync.bulk_failed", 3)
    result_of(run_here(retry(job)))
    assert creations(many) == 5
    assert_replica_equals(many, org)


def test_a_night_without_a_worker_says_nothing_of_how_fast_the_org_is(
    org: RunningOrgsim, many: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_once_at_each_step(monkeypatch, "before", "wait for Bulk jobs")
    job = sync_cycle.enqueue(tenant=str(many.pk), account_id=many.pk)
    with pytest.raises(Killed):
        Worker("in the evening").run_until_idle()
    move_clock(org.state, {"jump_seconds": NIGHT.total_seconds()})
    with clock_running_ahead(NIGHT):
        Worker("in the morning").run_until_idle()
    job.refresh_from_db()
    result_of(job)
    pace = pace_of(many).bulk_rows_per_second
    assert pace is not None
    assert pace > CONTACTS / 60
