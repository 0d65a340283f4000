"""Records that leave no trace among the rows are found once a day, for one credit, and what came back is not lost."""

from datetime import timedelta
from typing import Any

import pytest

from headwater.accounts.models import Account
from headwater.common.clock import clock_running_ahead, now_utc
from headwater.connections.models import Connection
from headwater.credits.models import Entry
from headwater.jobs.models import Job, State
from headwater.jobs.running import RunningJob
from headwater.jobs.worker import Worker
from headwater.salesforce.meter import CallKind
from headwater.sync.models import ReplicaTable
from headwater.sync.publish import lake_directory
from headwater.sync.services import open_replica, plan_sync, sync_cycle
from integration.conftest import result_of
from integration.test_sync import assert_replica_equals, rows_of, sync
from orgsim.seed import load_history
from orgsim.server.admin import move_clock
from orgsim.testing import RunningOrgsim


@pytest.fixture
def seeded(org: RunningOrgsim, connected: Connection) -> Account:
    load_history(org.production, records=400, seed=3)
    sync(connected.account)
    return connected.account


def make_due(org: RunningOrgsim, account: Account) -> None:
    """As if everything had last been looked for a day ago; and the second of the latest deletion is over."""
    move_clock(org.state, {"jump_seconds": 2})
    ReplicaTable.of(account).update(vanished_checked_utc=now_utc() - timedelta(hours=24))


def ids(org: RunningOrgsim, sobject: str, where: str = "1") -> list[str]:
    return [
        row["Id"] for row in rows_of(org, f'SELECT Id FROM "{sobject}" WHERE IsDeleted = 0 AND {where} ORDER BY Id')
    ]


def shown(account: Account, sobject: str) -> set[str]:
    with open_replica(account) as connection:
        return {row[0] for row in connection.execute(f'SELECT Id FROM "{sobject}"').fetchall()}


def asked(account: Account, job: Job) -> int:
    calls = Entry.of(account).filter(job_id=str(job.pk), call_kind=CallKind.COMPOSITE_DELETED)
    return calls.count()


def test_hard_deletes_and_an_emptied_bin_are_found_for_one_credit(org: RunningOrgsim, seeded: Account) -> None:
    writer = org.writer()
    leads, members = ids(org, "Lead", "IsConverted = 0"), ids(org, "CampaignMember", "LeadId IS NULL")
    for each in leads[:3]:
        writer.purge("Lead", each)
    writer.purge("CampaignMember", members[0])
    writer.delete("Lead", leads[3])
    writer.purge("Lead", leads[3])
    sync(seeded)
    assert set(leads[:4]) <= shown(seeded, "Lead"), "nothing tells before it is asked for"
    make_due(org, seeded)
    planned = plan_sync(seeded)
    job = sync(seeded)
    assert asked(seeded, job) == 1
    assert planned.looking_calls == 1
    assert result_of(job)["vanished"]["Lead"] == 4
    assert result_of(job)["vanished"]["CampaignMember"] >= 1
    assert_replica_equals(seeded, org)
    assert asked(seeded, sync(seeded)) == 0, "once a day"


def test_an_account_takes_its_contacts_and_opportunities_with_it(org: RunningOrgsim, seeded: Account) -> None:
    with_contacts = ids(org, "Account", "Id IN (SELECT AccountId FROM Contact WHERE IsDeleted = 0)")
    for each in with_contacts[:2]:
        org.writer().purge("Account", each)
    make_due(org, seeded)
    sync(seeded)
    assert_replica_equals(seeded, org)


def test_a_stale_entry_does_not_hide_what_was_undeleted(org: RunningOrgsim, seeded: Account) -> None:
    """Deleted and undeleted in one second, of which the list still tells."""
    lead = ids(org, "Lead", "IsConverted = 0")[0]
    org.writer().delete("Lead", lead)
    org.writer().undelete("Lead", lead)
    stamp = rows_of(org, f"SELECT SystemModstamp FROM Lead WHERE Id = '{lead}'")[0]["SystemModstamp"]
    with org.production.database.write() as connection:
        connection.execute("INSERT INTO _deleted VALUES ('Lead', ?, ?)", (lead, stamp))
    make_due(org, seeded)
    sync(seeded)
    assert lead in shown(seeded, "Lead")
    assert_replica_equals(seeded, org)


def test_what_is_too_long_ago_to_be_told_is_said(org: RunningOrgsim, seeded: Account) -> None:
    make_due(org, seeded)
    ReplicaTable.of(seeded).filter(sobject="Lead").update(vanished_until_utc=now_utc() - timedelta(days=16))
    assert result_of(sync(seeded))["untold"] == ["Lead"]


class Killed(BaseException):
    """As SIGKILL: nothing of ours may catch it."""


def test_a_look_that_ends_a_day_late_counts_from_when_its_cycle_began(
    org: RunningOrgsim, seeded: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What vanishes meanwhile is not in it, and is found within 24 hours all the same."""

    def die(*_: object) -> None:
        raise Killed

    make_due(org, seeded)
    job = sync_cycle.enqueue(tenant=str(seeded.pk), account_id=seeded.pk)
    with monkeypatch.context() as patch:
        patch.setattr("headwater.sync.cycle.look_for_vanished", die)
        with pytest.raises(Killed):
            Worker("killed before the look").run_until_idle()
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED, lease_until_utc=None)
    org.writer().purge("Lead", ids(org, "Lead", "IsConverted = 0")[0])
    move_clock(org.state, {"jump_seconds": 23 * 3600})
    with clock_running_ahead(timedelta(hours=23)):
        Worker("a day later").run_until_idle()
    assert Job.objects.get(pk=job.pk).state == State.DONE
    move_clock(org.state, {"jump_seconds": 2 * 3600})
    with clock_running_ahead(timedelta(hours=25)):
        sync(seeded)
    assert_replica_equals(seeded, org)


def test_what_the_org_told_is_paid_for_once_however_often_the_worker_dies(
    org: RunningOrgsim, seeded: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each of the steps that follow from it."""
    for sobject in ("Lead", "CampaignMember", "Task"):
        org.writer().purge(sobject, ids(org, sobject)[0])
    make_due(org, seeded)
    job = sync_cycle.enqueue(tenant=str(seeded.pk), account_id=seeded.pk)
    deadly = {"rows of Lead that vanished", "rows of Task that vanished", "look for vanished rows"}
    step = RunningJob.step

    def die_once_at_each(running: RunningJob, name: str, work: Any, record: Any = None) -> Any:
        if name in deadly:
            deadly.remove(name)
            work()
            raise Killed
        return step(running, name, work, record)

    monkeypatch.setattr(RunningJob, "step", die_once_at_each)
    for life in range(3):
        with pytest.raises(Killed):
            Worker(f"life {life}").run_until_idle()
        Job.objects.filter(pk=job.pk).update(state=State.QUEUED, lease_until_utc=None)
    Worker("the last").run_until_idle()
    assert asked(seeded, job) == 1
    assert result_of(Job.objects.get(pk=job.pk))["vanished"]["Task"] == 1
    assert list(lake_directory(seeded).glob("scratch-*")) == []
    assert_replica_equals(seeded, org)


def test_a_list_that_the_machine_lost_is_asked_for_by_the_next_cycle(
    org: RunningOrgsim, seeded: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sobject in ("Lead", "Task"):
        org.writer().purge(sobject, ids(org, sobject)[0])
    make_due(org, seeded)
    with monkeypatch.context() as patch:
        patch.setattr("headwater.sync.vanished._save", lambda answer, _: f"{answer.sobject}.json")
        sync(seeded)
    job = sync(seeded)
    assert asked(seeded, job) == 1
    assert_replica_equals(seeded, org)
