"""From the org and back to it: import, attribute, write back; then again with nothing and with something changed."""

from decimal import Decimal

import pytest

from headwater.accounts.models import Account
from headwater.common.errors import Fix
from headwater.common.money import to_cents
from headwater.connections.models import Connection
from headwater.connections.package import (
    BUYER_ATTRIBUTION_TOUCHPOINT,
    BUYER_TOUCHPOINT,
    PERMISSION_SET,
    choose_read_only,
    installed,
)
from headwater.connections.services import session
from headwater.credits.services import calls_of_job, today
from headwater.export.services import export_errors, export_records, plan_export, written_counts
from headwater.jobs.models import Job, State
from headwater.jobs.services import job_view, run_here
from headwater.jobs.tasks import Task
from headwater.jobs.worker import Worker
from headwater.results.services import (
    attribute,
    opportunities,
    opportunity,
    revenue_by_channel,
    won_total_cents,
)
from headwater.salesforce.rest import Org
from headwater.sync.services import sync_cycle
from headwater.wiring import install_package
from integration.conftest import have_package, result_of
from orgsim.edits.everyday import EditPlan, make_edits
from orgsim.seed import load_history
from orgsim.server.access import describe_access, unassign
from orgsim.testing import USERNAME, RunningOrgsim

RECORDS = 5_000


@pytest.fixture
def seeded(org: RunningOrgsim, connected: Connection) -> Account:
    load_history(org.production, records=RECORDS, seed=5)
    return connected.account


def do(task: Task[...], account: Account) -> Job:
    job = run_here(task.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.05)
    result_of(job)
    return job


def ask(account: Account, soql: str) -> list[dict[str, object]]:
    with session(account, job_kind="test") as transport:
        return Org(transport).query(soql, "testing")


@pytest.fixture
def attributed(seeded: Account) -> Account:
    do(sync_cycle, seeded)
    do(attribute, seeded)
    return seeded


def test_every_model_sums_to_what_the_org_itself_says_was_won(attributed: Account) -> None:
    [row] = ask(attributed, "SELECT SUM(Amount) won FROM Opportunity WHERE IsWon = true")
    won_cents = to_cents(Decimal(str(row["won"])))
    table = revenue_by_channel(attributed)
    assert won_total_cents(attributed) == won_cents > 0
    assert table.models == ("First Touch", "Lead Creation", "U-shaped", "W-shaped", "Full Path")
    assert set(table.sums_cents.values()) == {won_cents}
    assert len([row for row in table.rows if not row.is_none]) >= 5


def test_the_shares_of_each_opportunity_sum_to_its_amount_and_each_names_its_rule(attributed: Account) -> None:
    rows, found = opportunities(attributed)
    assert 0 < len(rows) <= found
    touched = [row for row in rows if row.touches and row.amount_cents is not None]
    for row in touched[:20]:
        detail = opportunity(attributed, row.id)
        assert detail is not None
        assert len(detail.touches) == row.touches
        for place in range(len(detail.models)):
            shares = [touch.shares[place] for touch in detail.touches]
            assert sum(share.cents or 0 for share in shares) == row.amount_cents
            assert all(share.rule for share in shares)


def test_opportunities_are_found_by_name_or_account_and_unknown_ids_are_not(attributed: Account) -> None:
    rows, _ = opportunities(attributed)
    named, count = opportunities(attributed, search=rows[0].account_name.upper())
    assert count >= 1
    assert rows[0].id in {row.id for row in named}
    assert opportunity(attributed, "006000000000000AAA") is None


def test_without_the_package_nothing_is_written_and_the_remedy_is_named(attributed: Account) -> None:
    job = run_here(export_records.enqueue(tenant=str(attributed.pk), account_id=attributed.pk), poll_seconds=0.05)
    assert (job.state, job.reason_code) == (State.BLOCKED, "export.package_missing")
    assert "headwater package" in job_view(job).facts.you_can
    assert sum(written_counts(attributed).values()) == 0


def test_the_installation_is_granted_to_the_connected_user_and_its_loss_is_told_apart(
    org: RunningOrgsim, attributed: Account
) -> None:
    before = today(attributed).used_calls
    assert not installed(attributed).is_ungranted  # nothing is there: nothing to grant
    have_package(attributed)
    assert have_package(attributed)["assigned"] is False  # what is assigned already is not assigned again
    assert describe_access(org.production, USERNAME)["permission_sets"] == [PERMISSION_SET]
    assert installed(attributed).is_complete

    unassign(org.production, user=USERNAME, permission_set=PERMISSION_SET)
    state = installed(attributed)
    assert (state.is_complete, state.is_ungranted) == (False, True)
    assert f"{BUYER_TOUCHPOINT}.UniqueId__c" in state.missing
    job = run_here(export_records.enqueue(tenant=str(attributed.pk), account_id=attributed.pk), poll_seconds=0.05)
    assert (job.state, job.reason_code) == (State.BLOCKED, "export.package_not_granted")
    assert PERMISSION_SET in job_view(job).facts.you_can
    assert before < today(attributed).used_calls == org.production.usage.used_calls()


def test_an_org_that_lets_nobody_assign_says_so_and_keeps_the_objects(
    org: RunningOrgsim, connected: Connection
) -> None:
    account = connected.account
    org.revoke("AssignPermissionSets", profile="System Administrator")
    job = run_here(install_package(account, actor="test"), poll_seconds=0.05)
    assert (job.state, job.reason_code) == (State.BLOCKED, "connections.package_not_assigned")
    assert installed(account).is_ungranted
    assert today(account).used_calls == org.production.usage.used_calls()


def test_a_read_only_account_writes_nothing_though_the_package_is_there(
    org: RunningOrgsim, attributed: Account
) -> None:
    have_package(attributed)
    choose_read_only(attributed, read_only=True, actor="test")
    before = writes(org)
    used = org.production.usage.used_calls()
    assert plan_export(attributed)["planned_calls"] == 0
    told = result_of(do(export_records, attributed))
    assert (told["done"], told["failed"], sum(told["queued"].values()) > 0) == (0, 0, True)
    assert "read only" in told["not_written"]
    assert (writes(org), org.production.usage.used_calls()) == (before, used)
    assert sum(written_counts(attributed).values()) == 0

    choose_read_only(attributed, read_only=False, actor="test")
    assert result_of(do(export_records, attributed))["done"] == sum(told["queued"].values())
    assert writes(org) > before


def writes(org: RunningOrgsim) -> int:
    """Calls by which records are written, as the org itself has counted them."""
    return sum(
        total.calls for total in org.production.usage.totals() if total.kind in ("collections", "composite", "record")
    )


def test_touchpoints_are_written_back_200_a_credit_and_a_second_run_writes_and_spends_nothing(
    org: RunningOrgsim, attributed: Account
) -> None:
    have_package(attributed)
    assert installed(attributed).is_complete
    planned = plan_export(attributed)
    first = do(export_records, attributed)
    assert result_of(first)["planned_calls"] == planned["planned_calls"] == calls_of_job(attributed, str(first.pk))
    assert result_of(first)["failed"] == export_errors(attributed).count() == 0

    written = written_counts(attributed)
    for sobject in (BUYER_TOUCHPOINT, BUYER_ATTRIBUTION_TOUCHPOINT):
        [row] = ask(attributed, f"SELECT COUNT(Id) n FROM {sobject}")
        assert row["n"] == written[sobject] > 200
    [row] = ask(
        attributed,
        f"SELECT SUM(Revenue_Full_Path__c) won FROM {BUYER_ATTRIBUTION_TOUCHPOINT} WHERE Opportunity__r.IsWon = true",
    )
    untouched = next((row.cents["Full Path"] for row in revenue_by_channel(attributed).rows if row.is_none), 0)
    assert to_cents(Decimal(str(row["won"]))) + untouched == won_total_cents(attributed)

    before = today(attributed).used_calls
    second = do(export_records, attributed)
    assert result_of(second) == {"queued": {}, "planned_calls": 0, "done": 0, "failed": 0}
    assert today(attributed).used_calls == before
    assert today(attributed).used_calls == org.production.usage.used_calls()


def test_only_what_changed_is_written_and_what_nobody_wants_any_more_is_deleted(
    org: RunningOrgsim, attributed: Account
) -> None:
    have_package(attributed)
    do(export_records, attributed)
    make_edits(org.writer(), EditPlan(edits=60, deletes=30, merges=4, seed=2))
    do(sync_cycle, attributed)
    do(attribute, attributed)
    queued = plan_export(attributed)["queued"]
    assert 0 < sum(queued.values()) < sum(written_counts(attributed).values())
    do(export_records, attributed)
    for sobject, count in written_counts(attributed).items():
        [row] = ask(attributed, f"SELECT COUNT(Id) n FROM {sobject}")
        assert row["n"] == count
    assert plan_export(attributed)["queued"] == {}


def test_a_record_that_the_org_refuses_is_kept_as_an_error_and_the_others_go_through(
    org: RunningOrgsim, attributed: Account
) -> None:
    have_package(attributed)
    [touched, *_] = [row for row in opportunities(attributed)[0] if row.touches]
    org.writer().delete("Opportunity", touched.id)
    first = result_of(do(export_records, attributed))
    assert first["failed"] == touched.touches == export_errors(attributed).count()
    assert first["done"] == sum(written_counts(attributed).values()) > 200
    error = export_errors(attributed)[0]
    assert error.unique_id.startswith(f"BAT2_{touched.id}")
    assert error.message

    again = result_of(do(export_records, attributed))
    assert (again["done"], again["failed"]) == (0, touched.touches)
    do(sync_cycle, attributed)
    do(attribute, attributed)
    do(export_records, attributed)
    assert export_errors(attributed).count() == 0  # the deleted opportunity wants no touchpoints any more


def test_an_export_that_is_run_again_behind_its_last_step_sends_nothing_twice(
    org: RunningOrgsim, attributed: Account
) -> None:
    have_package(attributed)
    job = do(export_records, attributed)
    spent = org.production.usage.used_calls()
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED, finished_utc=None)  # as if killed before its end was noted
    Worker("again").run_until_idle()
    again = Job.objects.get(pk=job.pk)
    assert result_of(again) == job.result
    assert org.production.usage.used_calls() == spent


def test_attributing_before_anything_was_read_says_what_to_do(connected: Connection) -> None:
    account = connected.account
    job = run_here(attribute.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.05)
    assert (job.state, job.reason_code) == (State.BLOCKED, "results.nothing_read")
    with pytest.raises(Fix, match="Nothing was attributed yet"):
        revenue_by_channel(account)
