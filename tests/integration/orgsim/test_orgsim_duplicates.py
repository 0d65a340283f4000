"""Duplicate rules: a record that matches another is refused, or kept when the request says so (facts C.22)."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from orgsim.cli import app
from orgsim.edits.convert import convert_lead
from orgsim.edits.merge import merge
from orgsim.errors import ApiError
from orgsim.oauth.users import NewUser, add_user
from orgsim.server.duplicaterules import set_duplicate_rule
from orgsim.store.state import NewOrg, State
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]
Finished = Callable[[str], dict[str, Any]]
Lay = Callable[..., list[dict[str, Any]]]
EK: dict[str, object] = {"LastName": "Ek", "Company": "Ask", "Email": "ek@example.com"}
ALLOW_SAVE = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
CODE = "DUPLICATES_DETECTED"


@pytest.fixture
def lay(running: RunningOrgsim, anyone: httpx2.Client) -> Iterator[Lay]:
    """Lays a duplicate rule on leads through the side door, and takes it and all leads away afterwards."""
    path = f"/orgsim/orgs/{running.production.org_id}/duplicate-rules"

    def put(**wish: object) -> list[dict[str, Any]]:
        answer = anyone.post(path, json={"sobject": "Lead", "name": "Leads", **wish})
        assert answer.status_code == 200, answer.text
        rules: list[dict[str, Any]] = answer.json()
        return rules

    yield put
    for rule in anyone.get(path).json():
        anyone.delete(path, params={"sobject": rule["sobject"], "name": rule["name"]})
    for (lead,) in running.production.database.connect().execute('SELECT "Id" FROM "Lead"').fetchall():
        running.writer().purge("Lead", lead)


@pytest.fixture
def ek(running: RunningOrgsim) -> str:
    return running.writer().insert("Lead", EK)


@pytest.mark.conformance(
    area="Truth about data", feature="Duplicate rules refuse a match and name it", source="facts C.22"
)
def test_a_match_is_refused_and_named(client: httpx2.Client, lay: Lay, ek: str) -> None:
    lay()
    answer = client.post("/sobjects/Lead", json={**EK, "LastName": "Other", "Email": "EK@Example.com"})
    url = f"/services/data/v60.0/sobjects/Lead/{ek}"
    match = {
        "entityType": "Lead",
        "errors": [],
        "matchEngine": "ExactMatchEngine",
        "matchRecords": [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {"attributes": {"type": "Lead", "url": url}, "Id": ek},
            }
        ],
        "rule": "Leads_Match",
        "size": 1,
        "success": True,
    }
    result = {
        "allowSave": False,
        "duplicateRule": "Leads",
        "duplicateRuleEntityType": "Lead",
        "errorMessage": "Use one of these records?",
        "matchResults": [match],
    }
    assert answer.status_code == 400
    assert answer.json() == [{"duplicateResult": result, "message": "Use one of these records?", "errorCode": CODE}]
    assert client.post("/sobjects/Lead", json=EK, headers=ALLOW_SAVE).status_code == 400  # the action is Block


@pytest.mark.conformance(
    area="Truth about data",
    feature="The match is told as `duplicateResut` before v52, as recorded",
    source="facts C.22",
)
def test_old_versions_misspell_the_result(client: httpx2.Client, running: RunningOrgsim, lay: Lay, ek: str) -> None:
    lay(action="Allow")
    path = f"{running.url}/services/data/v51.0/sobjects/Lead"
    [error] = client.post(path, json=EK, headers=ALLOW_SAVE).json()  # the header comes with v52
    assert error["duplicateResut"]["matchResults"][0]["matchRecords"][0]["record"]["Id"] == ek
    assert error["duplicateResut"]["allowSave"] is True


@pytest.mark.conformance(
    area="Truth about data", feature="allowSave lets a match pass that is allowed with an alert", source="facts C.22"
)
@pytest.mark.usefixtures("ek")
def test_an_alert_is_acknowledged_by_the_header(client: httpx2.Client, lay: Lay, soql: Soql) -> None:
    lay(action="Allow", message="Seen before")
    [error] = client.post("/sobjects/Lead", json=EK).json()
    assert (error["errorCode"], error["message"]) == (CODE, "Seen before")
    assert client.post("/sobjects/Lead", json=EK, headers=ALLOW_SAVE).status_code == 201
    lay(action="Allow", alert=False)
    assert client.post("/sobjects/Lead", json=EK).status_code == 201
    lay(active=False)
    assert client.post("/sobjects/Lead", json=EK).status_code == 201
    assert len(soql("SELECT Id FROM Lead WHERE Email = 'ek@example.com'")) == 4


@pytest.mark.conformance(
    area="Truth about data", feature="includeRecordDetails shows the fields of the match", source="facts C.22"
)
@pytest.mark.usefixtures("ek")
def test_details_of_the_match_are_shown_when_asked_for(client: httpx2.Client, lay: Lay) -> None:
    lay()
    wanted = {"Sforce-Duplicate-Rule-Header": "allowSave=false; includeRecordDetails=true"}
    [error] = client.post("/sobjects/Lead", json=EK, headers=wanted).json()
    [found] = error["duplicateResult"]["matchResults"][0]["matchRecords"]
    assert (found["record"]["Company"], found["record"]["IsConverted"]) == ("Ask", False)


@pytest.mark.conformance(
    area="Truth about data",
    feature="An edit is looked at only when a matched field changes",
    source="facts C.22",
)
def test_edits_are_looked_at_when_a_matched_field_changes(client: httpx2.Client, lay: Lay, ek: str) -> None:
    other = client.post("/sobjects/Lead", json={**EK, "Email": "other@example.com"}).json()["id"]
    lay()
    path = f"/sobjects/Lead/{other}"
    assert client.patch(path, json={"Title": "Buyer"}).status_code == 204
    [error] = client.patch(path, json={"Email": "ek@example.com"}).json()
    assert error["errorCode"] == CODE
    client.delete(f"/sobjects/Lead/{ek}")
    assert client.patch(path, json={"Email": "ek@example.com"}).status_code == 204  # the bin matches nothing


def test_all_fields_of_a_way_to_match_must_be_equal_and_filled(client: httpx2.Client, lay: Lay, ek: str) -> None:
    lay(match=[["FirstName", "LastName", "Company"]])
    first = {**EK, "FirstName": "Siv"}
    assert client.patch(f"/sobjects/Lead/{ek}", json={"FirstName": "siv"}).status_code == 204
    assert client.post("/sobjects/Lead", json=first).json()[0]["errorCode"] == CODE
    assert client.post("/sobjects/Lead", json={**first, "Company": "Asp"}).status_code == 201
    assert client.post("/sobjects/Lead", json=EK).status_code == 201  # a blank matches nothing


@pytest.mark.conformance(
    area="REST", feature="Duplicate rules in collections and trees, record by record", source="facts C.22"
)
@pytest.mark.usefixtures("ek")
def test_records_of_one_save_are_not_compared_with_each_other(client: httpx2.Client, lay: Lay) -> None:
    lay()
    records = [
        {"attributes": {"type": "Lead", "referenceId": address}, **EK, "Email": f"{address}@example.com"}
        for address in ("new", "new", "ek")
    ]
    first, second, refused = client.post("/composite/sobjects", json={"records": records}).json()
    assert (first["success"], second["success"]) == (True, True)
    error = {"statusCode": CODE, "message": "Use one of these records?", "fields": []}
    assert refused == {"success": False, "errors": [error]}
    planted = client.post("/composite/tree/Lead", json={"records": records[2:]})
    assert (planted.status_code, planted.json()["results"]) == (400, [{"referenceId": "ek", "errors": [error]}])


@pytest.mark.conformance(
    area="REST", feature="Sforce-Duplicate-Rule-Header in the parts of a composite", source="facts C.22"
)
@pytest.mark.usefixtures("ek")
def test_a_part_of_a_composite_has_its_own_header(client: httpx2.Client, lay: Lay) -> None:
    lay(action="Allow")
    part = {"method": "POST", "url": "/services/data/v60.0/sobjects/Lead", "body": EK}
    body = {"compositeRequest": [{**part, "referenceId": "a"}, {**part, "referenceId": "b", "httpHeaders": ALLOW_SAVE}]}
    refused, kept = client.post("/composite", json=body).json()["compositeResponse"]
    assert (refused["httpStatusCode"], kept["httpStatusCode"]) == (400, 201)
    assert refused["body"][0]["duplicateResult"]["allowSave"] is True


@pytest.mark.conformance(area="Bulk API 2.0", feature="sf__Error of a duplicate", source="facts C.22")
@pytest.mark.conformance(area="Bulk API 1", feature="Error of a duplicate", source="facts C.22")
@pytest.mark.usefixtures("ek")
def test_rows_of_uploads_are_refused(
    client: httpx2.Client, finished: Finished, lay: Lay, running: RunningOrgsim
) -> None:
    lay(action="Allow")
    rows = "LastName,Company,Email\nA,B,ek@example.com\nA,B,two@example.com\nA,B,two@example.com\n"
    job = client.post("/jobs/ingest", json={"object": "Lead", "operation": "insert", "lineEnding": "LF"}).json()
    client.put(f"/jobs/ingest/{job['id']}/batches", content=rows, headers={"Content-Type": "text/csv"})
    client.patch(f"/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    assert finished(f"/jobs/ingest/{job['id']}")["numberRecordsFailed"] == 1
    text = f"{CODE}:Use one of these records?:--"
    assert f'"","{text}","A","B","ek@example.com"' in client.get(f"/jobs/ingest/{job['id']}/failedResults").text
    session = {"X-SFDC-Session": running.access_token(), "Content-Type": "application/json"}
    base = f"{running.url}/services/async/60.0/job"
    wish = {"operation": "insert", "object": "Lead", "contentType": "CSV"}
    old = client.post(base, json=wish, headers={**session, "Accept": "application/json"}).json()["id"]
    csv = {**session, "Content-Type": "text/csv"}
    client.post(f"{base}/{old}/batch", content=rows, headers=csv)
    [batch] = running.production.database.connect().execute("SELECT id FROM _batch WHERE job_id = ?", (old,))
    outcomes = client.get(f"{base}/{old}/batch/{batch[0]}/result", headers=csv).text.splitlines()
    assert outcomes[1:] == [f'"","false","false","{text}"'] * 3  # by now all of them match


@pytest.mark.conformance(
    area="Truth about data", feature="Conversions and merges pass duplicate rules by", source="facts C.22"
)
def test_conversions_and_merges_pass_by(running: RunningOrgsim, lay: Lay, ek: str) -> None:
    lay(sobject="Contact")
    lay()
    writer = running.writer()
    contact = writer.insert("Contact", {"LastName": "Ek", "Email": "ek@example.com"})
    converted = convert_lead(writer, ek)
    merge(writer, "Contact", contact, [converted.contact_id], {"LastName": "Eek"})
    writer.insert("Lead", EK)  # a converted lead matches nothing


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        ({"sobject": "Campaign"}, "Campaign has no duplicate rules"),
        ({"match": [["Nope"]]}, "No such column 'Nope'"),
        ({"match": [["Address"]]}, "Address cannot be matched by"),
        ({"match": [[]]}, "needs fields"),
        ({"action": "Report"}, "Block or Allow"),
        ({"name": "no good"}, "The Rule Name can only contain"),
        ({"sobject": "Nope"}, "There is no object Nope"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(
    running: RunningOrgsim, anyone: httpx2.Client, wish: dict[str, object], problem: str
) -> None:
    path = f"/orgsim/orgs/{running.production.org_id}/duplicate-rules"
    answer = anyone.post(path, json={"sobject": "Lead", "name": "Leads", **wish})
    assert answer.status_code in (400, 404)
    assert problem in answer.json()[0]["message"]
    assert anyone.get(path).json() == []


@pytest.mark.conformance(
    area="Levers",
    feature="Duplicate rules through the side door and the command",
    source="reference",
    endpoint="POST /orgsim/orgs/{org_id}/duplicate-rules",
)
@pytest.mark.usefixtures("lay")
def test_the_command_lays_and_removes_rules(running: RunningOrgsim) -> None:
    command = ["--state", str(running.state_folder), "--org", running.production.org_id, "--json"]
    named = ["Lead", "Named", "--match", "email", "--match", "lastname+company", "--action", "allow", "--no-alert"]
    assert CliRunner().invoke(app, ["duplicate-rule", "add", *named, *command]).exit_code == 0
    [rule] = running.production.catalog().get("Lead").duplicate_rules
    assert (rule.match, rule.action, rule.alert) == ((("Email",), ("LastName", "Company")), "Allow", False)
    removed = CliRunner().invoke(app, ["duplicate-rule", "remove", "Lead", "Named", *command])
    assert (removed.exit_code, removed.stdout.strip()) == (0, "[]")
    again = CliRunner().invoke(app, ["duplicate-rule", "remove", "Lead", "Named", *command])
    assert "has no duplicate rule Named" in str(again.exception)


@pytest.mark.usefixtures("ek")
def test_a_match_is_looked_up_by_an_index(running: RunningOrgsim, lay: Lay) -> None:
    lay(match=[["Email"], ["LastName", "Company"]])
    connection = running.production.database.connect()
    ran: list[str] = []
    connection.set_trace_callback(ran.append)
    with pytest.raises(ApiError):
        running.writer().insert("Lead", EK)
    connection.set_trace_callback(None)
    [search] = [statement for statement in ran if "json_each" in statement]
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {search}")]
    assert sum("Lead.match." in step for step in steps) == 2, steps
    assert not any(step.startswith("SCAN Lead") for step in steps), steps


@pytest.mark.conformance(
    area="Truth about data", feature="DuplicateRule, MatchingRule and MatchingRuleItem in SOQL", source="facts C.22"
)
def test_rules_are_rows(running: RunningOrgsim, lay: Lay, soql: Soql) -> None:
    def rules() -> list[dict[str, Any]]:
        return soql("SELECT Id, DeveloperName, IsActive, SobjectType FROM DuplicateRule ORDER BY SobjectType")

    def matching() -> list[dict[str, Any]]:
        items = "SELECT Field, SortOrder FROM MatchingRuleItems ORDER BY SortOrder"
        return soql(f"SELECT Id, BooleanFilter, RuleStatus, ({items}) FROM MatchingRule")

    [laid] = lay()
    assert rules() == [{"Id": laid["id"], "DeveloperName": "Leads", "IsActive": True, "SobjectType": "Lead"}]
    [before] = matching()
    assert [each["Field"] for each in before["MatchingRuleItems"]["records"]] == [
        "Email",
        "FirstName",
        "LastName",
        "Company",
    ]
    assert (before["BooleanFilter"], before["RuleStatus"]) == ("1 OR (2 AND 3 AND 4)", "Active")
    lay(sobject="Contact")
    lay(match=[["Email"]], active=False)
    assert [(each["SobjectType"], each["IsActive"]) for each in rules()] == [("Contact", True), ("Lead", False)]
    assert before["Id"] in [each["Id"] for each in matching() if each["BooleanFilter"] == "1"]


def test_an_org_that_is_older_than_these_objects_gets_them(tmp_path: Path) -> None:
    with closing(State(tmp_path)) as state:
        org = state.create_org(NewOrg(name="Old"))
        add_user(org, NewUser("admin@old.example", "password-1"))
        connection = org.database.connect()
        for name in ("DuplicateRule", "MatchingRule", "MatchingRuleItem"):
            connection.execute(f'DROP TABLE "{name}"')
            connection.execute("DELETE FROM _sobject WHERE name = ?", (name,))
        org.set("schema_version", "before")
        set_duplicate_rule(org, {"sobject": "Lead", "name": "Leads"})
        assert connection.execute('SELECT "DeveloperName" FROM "DuplicateRule"').fetchall() == [("Leads",)]
