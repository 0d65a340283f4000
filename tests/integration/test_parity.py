"""Parity of a sandbox and its production org, over HTTP: taken, kept through the switch, compared, and paid for."""

import csv
import io
from typing import Any

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from headwater.accounts.models import Account, AuditEvent
from headwater.accounts.services import create_account
from headwater.cli.app import app
from headwater.common.errors import Fix
from headwater.connections.changes import Kind
from headwater.connections.models import Connection, OrgSnapshot, Status
from headwater.connections.parity import Comparison, Difference
from headwater.connections.parity_report import as_csv
from headwater.connections.parity_verdict import Level
from headwater.connections.services import connection_of, session
from headwater.connections.snapshot import KEPT_OF_AN_ORG, PRICE_CALLS, latest_of, latest_of_others, snapshots_of
from headwater.credits.models import Entry
from headwater.jobs.models import State
from headwater.jobs.services import jobs_of, run_here
from headwater.wiring import (
    compare_snapshots,
    confirm_connection,
    delete_connection,
    look_before_confirming,
    take_snapshot,
    taking_snapshot,
)
from integration.conftest import ACTOR, connect, log_in, result_of
from integration.orgsim.deploying import deploy, field
from orgsim.server.flows import set_flow
from orgsim.server.rules import set_rule
from orgsim.server.triggers import set_trigger
from orgsim.store.org import Org
from orgsim.testing import SANDBOX_USERNAME, RunningOrgsim


def deploy_fields(org: RunningOrgsim, to: Org, files: dict[str, str]) -> None:
    """Custom fields, as an administrator would deploy them, and let administrators see them."""
    headers = {"Authorization": f"Bearer {org.access_token(to)}"}
    with httpx2.Client(base_url=f"{org.url}/services/data/v64.0", headers=headers) as client:

        def finished(path: str) -> dict[str, Any]:
            while True:
                answer: dict[str, Any] = client.get(path).json()
                if answer["deployResult"]["done"]:
                    return answer

        assert deploy(client, finished, files)["success"]


def lead(*fields: str) -> dict[str, str]:
    inner = "".join(fields)
    return {
        "objects/Lead.object": f'<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">{inner}</CustomObject>'
    }


def make_different(org: RunningOrgsim) -> None:
    """What sandbox and production disagree about, by deployments and levers."""
    deploy_fields(
        org,
        org.sandbox,
        lead(field("Score__c", "Text", length=40), field("Only_Here__c", "Checkbox", defaultValue="false")),
    )
    deploy_fields(org, org.production, lead(field("Score__c", "Number", precision=18, scale=2)))
    for of_org in (org.sandbox, org.production):
        set_trigger(of_org, {"sobject": "Contact", "name": "Same", "cpu_ms_per_record": 1, "events": ["before update"]})
    set_trigger(
        org.production, {"sobject": "Lead", "name": "Stamp", "cpu_ms_per_record": 1, "events": ["after update"]}
    )
    set_trigger(org.sandbox, {"sobject": "Case", "name": "Born", "cpu_ms_per_record": 1, "events": ["after insert"]})
    set_flow(org.production, {"sobject": "Opportunity", "name": "Route", "on": "create or update"})
    set_flow(org.production, {"sobject": "Opportunity", "name": "Asleep", "on": "update", "active": False})
    set_flow(org.sandbox, {"sobject": "Account", "name": "Old_Process", "process": True})
    rule = {"sobject": "Lead", "name": "No_Fax", "formula": "NOT(ISBLANK(Fax))", "message": "No fax"}
    set_rule(org.production, rule)


def find(found: Comparison, kind: Kind, name: str, attribute: str = "") -> Difference:
    [one] = [each for each in found.differences if (each.kind, each.name, each.attribute) == (kind, name, attribute)]
    return one


def take_of_both(account: Account) -> Comparison:
    """The whole switch: the sandbox is looked at, deleted, and production looked at before it is confirmed."""
    connect(account, "sandbox", SANDBOX_USERNAME)
    run_here(delete_connection(account, typed_name=account.name, actor=ACTOR), poll_seconds=0.01)
    log_in(account)
    after = look_before_confirming(account, actor=ACTOR)
    assert after is not None
    before = latest_of_others(account, after.org_id)
    assert before is not None
    assert (before.org_kind, after.org_kind) == ("sandbox", "production")
    return compare_snapshots(before, after)


def test_two_orgs_that_are_alike_differ_in_nothing(org: RunningOrgsim, account: Account) -> None:
    found = take_of_both(account)
    assert (found.differences, found.not_compared) == ((), ())


def test_the_switch_tells_every_difference_before_production_is_confirmed(org: RunningOrgsim, account: Account) -> None:
    make_different(org)
    found = take_of_both(account)
    row = connection_of(account)
    assert row is not None
    assert row.status == Status.AWAITING_CONFIRMATION
    stamp = find(found, Kind.TRIGGER, "Stamp")
    assert (stamp.level, stamp.sobject, stamp.before, stamp.after) == (Level.MATTERS, "Lead", "no", "yes")
    assert stamp.sentence == "The Apex trigger Stamp on Lead is active in the production org, not in the sandbox org."
    assert find(found, Kind.TRIGGER, "Born").level is Level.WORTH_KNOWING
    assert find(found, Kind.FLOW, "Route").level is Level.MATTERS
    assert "does not tell on which object" in find(found, Kind.FLOW, "Old_Process").effect
    assert find(found, Kind.VALIDATION_RULE, "Lead.No_Fax").level is Level.WORTH_KNOWING
    assert find(found, Kind.FIELD, "Score__c", "type").after == "double"
    assert find(found, Kind.FIELD, "Only_Here__c").level is Level.WORTH_KNOWING
    assert not [each for each in found.differences if each.name in ("Same", "Asleep")]
    assert {each.name for each in found.differences} == {
        "Stamp", "Born", "Route", "Old_Process", "Lead.No_Fax", "Score__c", "Only_Here__c",
    }  # fmt: skip
    assert confirm_connection(account, org_id=row.org_id, actor=ACTOR).status == Status.CONNECTED


def test_a_field_that_production_hides_from_the_user_matters(org: RunningOrgsim, account: Account) -> None:
    org.revoke("Lead.LeadSource", profile="System Administrator")
    hidden = find(take_of_both(account), Kind.FIELD, "LeadSource")
    assert hidden.level is Level.MATTERS
    assert hidden.sentence == "Lead.LeadSource is not in the production org, or hidden from its user."
    assert "grant read on Lead.LeadSource" in hidden.you_can


def test_a_look_costs_two_credits_as_the_org_counts_them_and_reads_no_record(
    org: RunningOrgsim, account: Account
) -> None:
    connect(account, "sandbox", SANDBOX_USERNAME)
    before = org.sandbox.usage.total_credits()
    taken = take_snapshot(account, actor=ACTOR)
    assert (taken.spent_calls, org.sandbox.usage.total_credits() - before) == (PRICE_CALLS, 2)
    assert set(Entry.of(account).filter(job_kind="parity").values_list("call_kind", flat=True)) == {
        "composite_describe", "query",
    }  # fmt: skip
    assert {"Lead", "Contact", "Account", "Opportunity", "Campaign", "Case", "CampaignMember"} <= set(
        taken.content["objects"]
    )


def test_who_may_not_see_setup_is_told_what_could_not_be_compared(org: RunningOrgsim, account: Account) -> None:
    make_different(org)
    for of_org in (org.sandbox, org.production):
        org.revoke("ViewSetup", profile="System Administrator", org=of_org)
    found = take_of_both(account)
    assert {each.kind for each in found.differences} == {Kind.FIELD}
    assert [each.part for each in found.not_compared] == ["triggers", "flows", "validation_rules"]
    assert "Triggers could not be compared" in found.not_compared[0].sentence


def test_a_confirmed_test_org_is_looked_at_by_a_job_and_production_is_not(org: RunningOrgsim, account: Account) -> None:
    connect(account, "sandbox", SANDBOX_USERNAME)
    [job] = jobs_of(str(account.pk)).filter(task=taking_snapshot.name)
    assert result_of(run_here(job, poll_seconds=0.01)) == {"credits": PRICE_CALLS}
    assert latest_of(account, org.sandbox.org_id) is not None
    other = create_account("Other")
    connect(other)
    assert not jobs_of(str(other.pk)).exists()
    assert look_before_confirming(other, actor=ACTOR) is None  # it is confirmed
    assert snapshots_of(other) == []


def test_nothing_is_spent_where_there_is_nothing_to_compare_with(org: RunningOrgsim, account: Account) -> None:
    log_in(account)
    before = org.production.usage.total_credits()
    assert look_before_confirming(account, actor=ACTOR) is None
    assert org.production.usage.total_credits() == before


def test_the_door_before_the_confirmation_is_for_the_schema_alone(org: RunningOrgsim, account: Account) -> None:
    log_in(account)
    take_snapshot(account, actor=ACTOR)
    with pytest.raises(Fix, match="Nobody has confirmed yet"), session(account, job_kind="sync"):
        pass


def test_a_deletion_notes_once_more_how_the_sandbox_is(org: RunningOrgsim, account: Account) -> None:
    connect(account, "sandbox", SANDBOX_USERNAME)
    take_snapshot(account, actor=ACTOR)
    set_flow(org.sandbox, {"sobject": "Lead", "name": "Late", "on": "update"})
    run_here(delete_connection(account, typed_name=account.name, actor=ACTOR), poll_seconds=0.01)
    assert connection_of(account) is None
    newest, older = snapshots_of(account)
    assert (newest.taken_by, older.taken_by) == ("headwater", ACTOR)
    assert list(newest.content["flows"]) == ["Late"]
    [late] = compare_snapshots(older, newest).differences
    assert late.sentence.startswith("The flow Late on Lead is active in Acme on 20")


def test_an_org_that_is_gone_is_deleted_without_a_last_look(org: RunningOrgsim, account: Account) -> None:
    connect(account, "sandbox", SANDBOX_USERNAME)
    take_snapshot(account, actor=ACTOR)
    Connection.of(account).update(instance_url="http://127.0.0.1:1")
    job = run_here(delete_connection(account, typed_name=account.name, actor=ACTOR), poll_seconds=0.01)
    assert job.state == State.DONE
    assert len(snapshots_of(account)) == 1
    assert "could not be reached" in AuditEvent.of(account).get(action="connections.snapshot_missed").after


@pytest.mark.parametrize("status", [Status.AWAITING_CONFIRMATION, Status.DELETING])
def test_a_dead_log_in_found_by_a_look_changes_no_state(org: RunningOrgsim, account: Account, status: Status) -> None:
    connect(account, "sandbox", SANDBOX_USERNAME)
    Connection.of(account).update(status=status)
    for table in ("_access", "_refresh", "_grant"):
        with org.sandbox.database.write() as connection:
            connection.execute(f"DELETE FROM {table}")
    with pytest.raises(Fix) as refused:
        take_snapshot(account, actor=ACTOR)
    assert refused.value.code == "salesforce.authorization_dead"
    assert Connection.of(account).get().status == status
    assert snapshots_of(account) == []


def test_of_each_org_the_newest_snapshots_are_kept(org: RunningOrgsim, account: Account) -> None:
    connect(account, "sandbox", SANDBOX_USERNAME)
    first = take_snapshot(account, actor=ACTOR)
    for _ in range(KEPT_OF_AN_ORG):
        first.pk = None
        first.save(force_insert=True)
    others = OrgSnapshot.of(account).exclude(pk=first.pk).first()
    assert others is not None
    OrgSnapshot.of(account).filter(pk=others.pk).update(org_id="00D000000000001AAA")  # of another org
    newest = take_snapshot(account, actor=ACTOR)
    kept = snapshots_of(account)
    assert len([each for each in kept if each.org_id == newest.org_id]) == KEPT_OF_AN_ORG
    assert {newest.pk, first.pk, others.pk} <= {each.pk for each in kept}


def headwater(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["parity", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_takes_compares_and_tells(org: RunningOrgsim, account: Account) -> None:
    assert "No org was looked at yet" in headwater()
    assert orjson.loads(headwater("--json")) == {"before": None, "after": None}
    make_different(org)
    connect(account, "sandbox", SANDBOX_USERNAME)
    assert "One snapshot, of Acme (sandbox" in headwater("--take")
    run_here(delete_connection(account, typed_name=account.name, actor=ACTOR), poll_seconds=0.01)
    connect(account)
    told = orjson.loads(headwater("--take", "--json"))
    assert (told["before"]["org_kind"], told["after"]["org_kind"]) == ("sandbox", "production")
    assert told["counts"]["matters"] == 3
    assert len(told["differences"]) == sum(told["counts"].values())
    of_lead = orjson.loads(headwater("--json", "--sobject", "Lead", "--level", "matters"))["differences"]
    assert [each["name"] for each in of_lead] == ["Stamp"]
    assert f"3 matters, {told['counts']['worth_knowing']} worth knowing, 0 cosmetic" in headwater()
    assert CliRunner().invoke(app, ["parity", "--level", "dreadful"]).exit_code == 2


def test_a_spreadsheet_runs_nothing_and_does_not_look_equal(org: RunningOrgsim, account: Account) -> None:
    org.revoke("ViewSetup", profile="System Administrator")
    connect(account, "sandbox", SANDBOX_USERNAME)
    before = take_snapshot(account, actor=ACTOR)
    after = take_snapshot(account, actor=ACTOR)
    label = "=HYPERLINK(1)"
    after.content["objects"]["Lead"]["fields"]["Email"]["label"] = label
    after.content["flows"] = None
    found = compare_snapshots(before, after)
    rows = list(csv.DictReader(io.StringIO(as_csv(found, found.differences))))
    assert [(each["level"], each["after"]) for each in rows] == [("not_compared", ""), ("cosmetic", f"'{label}")]
