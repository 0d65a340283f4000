"""An audit finds what differs from the org by month of creation, whatever made it so, and repairs it."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import duckdb
import pytest
from django.test import Client
from pytest_django import Settings

from headwater.accounts.models import Account, Role
from headwater.accounts.services import events_of
from headwater.common.clock import now_utc
from headwater.common.errors import Bug
from headwater.connections.models import Connection
from headwater.credits.budget import budget_of
from headwater.credits.models import Entry, Window
from headwater.credits.opening import current_window
from headwater.credits.services import calls_of_job
from headwater.jobs.models import Job, Schedule, State
from headwater.jobs.services import job_view, run_here
from headwater.jobs.worker import Worker
from headwater.lake import TableParts
from headwater.lake.engine import engine
from headwater.lake.parts import write_part
from headwater.lake.snapshot import newest_rows
from headwater.sync.audit_findings import Finding, ObjectFinding
from headwater.sync.discover import tables_of
from headwater.sync.models import Cycle, ManifestPart, ReplicaTable
from headwater.sync.notices import notices_of
from headwater.sync.publish import lake_directory, live_parts, retire
from headwater.sync.rebuild import plan_rebuild, rebuild
from headwater.sync.schedule import change_cadence, keep_schedules
from headwater.sync.schemas import schema_of
from headwater.sync.services import audit, latest_audit, open_replica
from integration.conftest import ACTOR, result_of
from integration.test_sync import assert_replica_equals, more_contacts, sync
from integration.test_vanished import ids
from orgsim.edits.everyday import EditPlan, make_edits
from orgsim.seed import load_history
from orgsim.server.admin import move_clock
from orgsim.testing import RunningOrgsim
from unit.api.test_api import ask, key_of

OBJECTS_COMPARED = 15


@pytest.fixture
def seeded(org: RunningOrgsim, connected: Connection) -> Account:
    load_history(org.production, records=300, seed=3)
    move_clock(org.state, {"jump_seconds": 1_200})  # what is read is older than rows that may become visible late
    sync(connected.account)
    return connected.account


def run_audit(account: Account) -> Job:
    job = run_here(audit.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.05)
    result_of(job)
    return job


def found(account: Account, sobject: str) -> ObjectFinding:
    view = latest_audit(account)
    assert view is not None
    return next(each for each in view.objects if each.sobject == sobject)


def rewrite(account: Account, sobject: str, rows: str) -> None:
    """Behind the replica's back: `rows` (SQL over `newest`, the object's newest rows) become all there is of it."""
    table = tables_of(account)[sobject]
    schema, directory = schema_of(table), lake_directory(account)
    newest = newest_rows(TableParts(schema, live_parts(account, table)), directory)
    cycle = Cycle.of(account).filter(published_utc__isnull=False).order_by("-number").first()
    assert cycle is not None
    with engine() as connection:
        query = f"WITH newest AS ({newest}) {rows}"
        part = write_part(connection, query, schema, directory, cycle.number)
    retire(ManifestPart.of(account).filter(table=table))
    ManifestPart.of(account).create(
        account=account, table=table, cycle=cycle, path=part.path, row_count=part.row_count, size_bytes=part.size_bytes
    )


def lose(account: Account, sobject: str, lost: Sequence[str]) -> None:
    rewrite(account, sobject, f"SELECT * FROM newest WHERE Id NOT IN ({', '.join(map(repr, lost))})")


def test_an_equal_copy_costs_a_handful_of_credits_and_nothing_is_written(org: RunningOrgsim, seeded: Account) -> None:
    cycles = Cycle.of(seeded).count()
    job = run_audit(seeded)
    view = latest_audit(seeded)
    assert view is not None
    compared = [each for each in view.objects if each.finding is not Finding.NOT_COMPARED]
    assert len(compared) == OBJECTS_COMPARED
    assert {each.finding for each in compared} == {Finding.EQUAL}
    assert sum(each.rows for each in compared) > 300
    assert (view.planned_calls, view.spent_calls, calls_of_job(seeded, str(job.pk))) == (3, 3, 3)
    assert (view.repaired_rows, Cycle.of(seeded).count()) == (0, cycles)


def test_rows_that_were_lost_here_come_back(org: RunningOrgsim, seeded: Account) -> None:
    lost = ids(org, "Contact")[:7]
    lose(seeded, "Contact", lost)
    job = run_audit(seeded)
    contact = found(seeded, "Contact")
    assert (contact.finding, contact.repaired_rows) == (Finding.REPAIRED, 7)
    assert sum(each.missing for each in contact.differing) == 7
    assert calls_of_job(seeded, str(job.pk)) == 3 + 1 + 1 + 1, "compared, changed since, read, checked"
    assert_replica_equals(seeded, org)


def test_the_api_starts_it_and_tells_what_it_found(org: RunningOrgsim, seeded: Account, client: Client) -> None:
    key = key_of(seeded, Role.ADMIN)
    assert ask(client, "get", "/replica", key).json()["audit"] is None
    lose(seeded, "Contact", ids(org, "Contact")[:2])
    assert ask(client, "post", "/jobs", key, {"work": "audit"}).status_code == 202
    Worker("beside").run_until_idle()
    told = ask(client, "get", "/replica", key).json()
    assert (told["audit"]["repaired_rows"], told["audit"]["planned_calls"]) == (2, 3)
    assert len(told["audit"]["compared"]) == OBJECTS_COMPARED
    assert {each["sobject"] for each in told["audit"]["differing"]} == {"Contact"}
    assert {each["became"] for each in told["audit"]["differing"]} == {"repaired"}
    assert sum(each["missing"] for each in told["audit"]["differing"]) == 2
    contact = next(each for each in told["objects"] if each["sobject"] == "Contact")
    assert (contact["audit_finding"], contact["live_rows"]) == ("repaired", len(ids(org, "Contact")))


def test_rows_that_the_org_lost_without_a_trace_are_hidden(org: RunningOrgsim, seeded: Account) -> None:
    leads = ids(org, "Lead", "IsConverted = 0")[:4]
    for each in leads:
        org.writer().purge("Lead", each)
    run_audit(seeded)
    assert sum(each.gone for each in found(seeded, "Lead").differing) == 4
    assert_replica_equals(seeded, org)


def test_a_row_that_is_a_day_older_here_than_in_the_org_is_read_anew(org: RunningOrgsim, seeded: Account) -> None:
    """It is neither the oldest nor the newest of its month of creation."""
    rewrite(
        seeded,
        "CampaignMember",
        "SELECT * REPLACE (CASE WHEN Id = chosen THEN 'Long ago' ELSE Status END AS Status, "
        "CASE WHEN Id = chosen THEN SystemModstamp - INTERVAL 1 DAY ELSE SystemModstamp END AS SystemModstamp) "
        "FROM newest, (SELECT Id AS chosen FROM (SELECT Id, row_number() OVER (PARTITION BY "
        "strftime(CreatedDate, '%Y-%m') ORDER BY SystemModstamp) AS place, count(*) OVER (PARTITION BY "
        "strftime(CreatedDate, '%Y-%m')) AS places FROM newest) WHERE place > 1 AND place < places "
        "ORDER BY Id LIMIT 1)",
    )
    run_audit(seeded)
    assert sum(each.stale for each in found(seeded, "CampaignMember").differing) == 1
    assert_replica_equals(seeded, org)


def test_more_sums_than_an_answer_holds_are_asked_for_by_month_alone(
    org: RunningOrgsim, seeded: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgsim.soql.plan.MAX_AGGREGATE_ROWS", 40)
    lose(seeded, "Contact", ids(org, "Contact")[:2])
    assert result_of(run_audit(seeded))["not_repaired"] == []
    assert Finding.NOT_COMPARED not in {found(seeded, name).finding for name in ("Contact", "CampaignMember")}
    assert found(seeded, "Contact").repaired_rows == 2


def test_what_changed_since_the_last_sync_is_no_difference(org: RunningOrgsim, seeded: Account) -> None:
    make_edits(org.writer(), EditPlan(edits=120, deletes=10, seed=5))
    run_audit(seeded)
    view = latest_audit(seeded)
    assert view is not None
    assert view.repaired_rows == 0
    assert Finding.DIFFERS_AGAIN not in {each.finding for each in view.objects}
    sync(seeded)
    assert_replica_equals(seeded, org)


def test_objects_of_which_the_org_cannot_tell_deletions_are_compared_instead(
    org: RunningOrgsim, seeded: Account
) -> None:
    gone = ids(org, "Lead", "IsConverted = 0")[0]
    org.writer().purge("Lead", gone)
    old_utc = now_utc() - timedelta(days=16)
    ReplicaTable.of(seeded).filter(sobject="Lead").update(vanished_until_utc=old_utc, vanished_checked_utc=old_utc)
    assert result_of(sync(seeded))["untold"] == ["Lead"]
    run_audit(seeded)
    lead = ReplicaTable.of(seeded).get(sobject="Lead")
    assert lead.vanished_until_utc is not None
    assert_replica_equals(seeded, org)


def leave_for_history(account: Account, calls: int) -> None:
    budget = budget_of(account)
    used = budget.backfill_share_calls - calls
    Window.of(account).filter(pk=current_window(account).pk).update(backfill_calls=used)


def test_an_audit_without_room_waits(org: RunningOrgsim, seeded: Account) -> None:
    leave_for_history(seeded, 2)
    job = run_here(audit.enqueue(tenant=str(seeded.pk), account_id=seeded.pk), poll_seconds=0.05)
    assert (job_view(job).state, job_view(job).code) == (State.WAITING, "credits.backfill_share_used")
    leave_for_history(seeded, 100)
    job.not_before_utc = None
    job.save()
    assert result_of(run_here(job))["spent_calls"] == 3, "what it had compared is not compared again"


def test_a_repair_without_room_is_told_and_made_the_next_time(org: RunningOrgsim, seeded: Account) -> None:
    lose(seeded, "Contact", ids(org, "Contact")[:3])
    leave_for_history(seeded, 4)
    assert result_of(run_audit(seeded))["not_repaired"] == ["Contact"]
    contact = found(seeded, "Contact")
    assert (contact.finding, contact.repaired_rows) == (Finding.NO_ROOM, 0)
    assert contact.why
    leave_for_history(seeded, 100)
    run_audit(seeded)
    assert_replica_equals(seeded, org)


def test_what_differs_again_right_after_the_repair_is_told(
    org: RunningOrgsim, seeded: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The repair does not become visible."""
    lose(seeded, "Contact", ids(org, "Contact")[:3])
    with monkeypatch.context() as patch:
        patch.setattr("headwater.sync.audit._Auditing._publish", lambda *_: None)
        run_audit(seeded)
    assert found(seeded, "Contact").finding is Finding.DIFFERS_AGAIN
    assert [notice.subject for notice in notices_of(seeded) if notice.code == "sync.audit_differs"] == ["Contact"]
    run_audit(seeded)
    assert [notice for notice in notices_of(seeded) if notice.code == "sync.audit_differs"] == []
    assert_replica_equals(seeded, org)


def test_a_month_of_many_rows_is_read_anew_by_bulk(
    org: RunningOrgsim, seeded: Account, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.QUERY_PAGE_ROWS, settings.BULK_FILE_BYTES = 200, 1_000_000
    monkeypatch.setattr("headwater.sync.bulk_jobs.bulk_poll_delay_seconds", lambda *_: 0.01)
    more_contacts(org, 6_000)
    move_clock(org.state, {"jump_seconds": 1_200})
    sync(seeded)
    rewrite(seeded, "Contact", "SELECT * FROM newest WHERE LastName NOT LIKE 'Ek %'")
    job = run_audit(seeded)
    assert (found(seeded, "Contact").finding, found(seeded, "Contact").repaired_rows) == (Finding.REPAIRED, 6_000)
    kinds = Counter(Entry.of(seeded).filter(job_id=str(job.pk)).values_list("call_kind", flat=True))
    assert (kinds["bulk_create"], kinds["bulk_results"]) == (1, 2), "in files of a megabyte"
    assert_replica_equals(seeded, org)


def test_where_many_are_gone_none_is_hidden_until_a_person_has_looked(
    org: RunningOrgsim, seeded: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connected user may see fewer of them than before."""
    monkeypatch.setattr("headwater.sync.audit_findings.FEW_GONE_ROWS", 3)
    leads = ids(org, "Lead", "IsConverted = 0")
    gone = leads[: len(leads) // 2]
    for each in gone:
        org.writer().purge("Lead", each)
    lose(seeded, "Lead", leads[-1:])
    assert result_of(run_audit(seeded))["not_repaired"] == ["CampaignMember", "Lead"], (
        "a lead takes its memberships along"
    )
    lead = found(seeded, "Lead")
    assert (lead.finding, lead.kept_rows, lead.repaired_rows) == (Finding.MANY_GONE, len(gone), 1)
    with open_replica(seeded) as reader:
        shown = {name for (name,) in reader.execute('SELECT Id FROM "Lead"').fetchall()}
    assert set(leads) <= shown, "what is gone is kept, and what was missing here came back"
    told = [each for each in notices_of(seeded) if each.code == "sync.many_gone"]
    assert f"{len(gone)} of the" in next(each for each in told if each.subject == "Lead").sentence
    rebuild(seeded, ["CampaignMember", "Lead"], actor=ACTOR)
    sync(seeded)
    run_audit(seeded)
    assert [each for each in notices_of(seeded) if each.code == "sync.many_gone"] == []
    assert_replica_equals(seeded, org)


def test_it_comes_by_itself_once_a_week(org: RunningOrgsim, seeded: Account) -> None:
    keep_schedules()
    schedule = Schedule.objects.get(tenant=str(seeded.pk), task="sync.audit")
    assert (schedule.every_seconds, schedule.enabled) == (7 * 86_400, True)
    change_cadence(seeded, None, actor=ACTOR)
    schedule.refresh_from_db()
    assert not schedule.enabled


def test_a_table_is_dropped_and_rebuilt_while_readers_go_on(org: RunningOrgsim, seeded: Account) -> None:
    rewrite(seeded, "Contact", "SELECT * REPLACE ('wrong' AS LastName) FROM newest")
    planned = plan_rebuild(seeded, ["contact"])
    assert planned.rows == {"Contact": len(ids(org, "Contact"))}
    assert planned.calls >= 1
    with open_replica(seeded) as reader:
        rebuild(seeded, ["Contact"], actor=ACTOR)
        assert names(reader) == {"wrong"}
        old = ManifestPart.of(seeded).filter(table__sobject="Contact", is_retired=False)
        old_paths = list(old.values_list("path", flat=True))
        result = result_of(sync(seeded))
        assert result["rows"]["Contact"] == planned.rows["Contact"]
        assert names(reader) == {"wrong"}, "a reader keeps what it has opened"
    assert_replica_equals(seeded, org)
    assert set(ManifestPart.of(seeded).filter(path__in=old_paths).values_list("is_retired", flat=True)) == {True}
    event = events_of(seeded, "sync.rebuilt").get()
    assert (event.actor, event.after) == (ACTOR, "Contact")


def test_a_lost_file_is_a_reason_to_rebuild(org: RunningOrgsim, seeded: Account) -> None:
    part = ManifestPart.of(seeded).filter(table__sobject="Contact", is_retired=False).first()
    assert part is not None
    (lake_directory(seeded) / part.path).unlink()
    with pytest.raises(Bug, match="files of the local copy are gone"):
        open_replica(seeded)
    rebuild(seeded, ["Contact"], actor=ACTOR)
    sync(seeded)
    assert_replica_equals(seeded, org)


def names(reader: duckdb.DuckDBPyConnection) -> set[str]:
    return {name for (name,) in reader.execute('SELECT DISTINCT LastName FROM "Contact"').fetchall()}
