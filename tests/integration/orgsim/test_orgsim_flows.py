"""Flows that a saved record starts, as an org lists them; and what of automation a user without Setup sees."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from integration.orgsim.conftest import VERSION
from orgsim.cli import app
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]
ASKED = (
    "SELECT ApiName, Label, ProcessType, TriggerType, RecordTriggerType, TriggerObjectOrEventId, "
    "TriggerObjectOrEventLabel, IsActive, VersionNumber FROM FlowDefinitionView"
)


@pytest.fixture
def path(running: RunningOrgsim, anyone: httpx2.Client) -> Iterator[str]:
    """Of the side door; all flows are taken away afterwards."""
    flows = f"/orgsim/orgs/{running.production.org_id}/flows"
    yield flows
    for each in anyone.get(flows).json():
        anyone.delete(flows, params={"sobject": each["TriggerObjectOrEventId"] or "Lead", "name": each["ApiName"]})
    assert anyone.get(flows).json() == []


@pytest.mark.conformance(
    area="REST",
    feature="FlowDefinitionView lists record-triggered flows and processes",
    source="object-reference/flowdefinitionview",
)
@pytest.mark.conformance(
    area="Levers",
    feature="Flows of records, listed and never run",
    source="reference",
    endpoint="POST /orgsim/orgs/{org_id}/flows, GET /orgsim/orgs/{org_id}/flows, DELETE /orgsim/orgs/{org_id}/flows",
)
def test_flows_are_listed_with_what_starts_them(anyone: httpx2.Client, path: str, soql: Soql) -> None:
    wish = {"sobject": "lead", "name": "Stamp_Lead", "when": "before save", "on": "create or update"}
    assert anyone.post(path, json=wish).status_code == 200
    assert soql(ASKED) == [
        {
            "ApiName": "Stamp_Lead",
            "Label": "Stamp Lead",
            "ProcessType": "AutoLaunchedFlow",
            "TriggerType": "RecordBeforeSave",
            "RecordTriggerType": "CreateAndUpdate",
            "TriggerObjectOrEventId": "Lead",
            "TriggerObjectOrEventLabel": "Lead",
            "IsActive": True,
            "VersionNumber": 1,
        }
    ]
    anyone.post(path, json={**wish, "active": False})
    [row] = soql(f"{ASKED} WHERE TriggerObjectOrEventId IN ('Lead', 'Contact')")
    assert (row["IsActive"], row["VersionNumber"]) == (False, 2)
    assert soql(f"{ASKED} WHERE IsActive = true") == []
    anyone.post(path, json={"sobject": "Case", "name": "Old_Process", "process": True})
    [process] = soql(f"{ASKED} WHERE ProcessType = 'Workflow' AND IsActive = true")
    assert (process["TriggerObjectOrEventId"], process["TriggerType"]) == (None, None)


@pytest.mark.conformance(
    area="REST", feature="Flows are described and cannot be written", source="object-reference/flowdefinitionview"
)
def test_flows_cannot_be_written(client: httpx2.Client, path: str) -> None:
    described = client.get("/sobjects/FlowDefinitionView/describe").json()
    assert [described[right] for right in ("createable", "updateable", "deletable")] == [False] * 3
    assert client.post("/sobjects/FlowDefinitionView", json={"ApiName": "Mine"}).status_code == 400


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        ({"sobject": "Nope"}, "There is no object Nope"),
        ({"when": "sometimes"}, "cannot run sometimes"),
        ({"when": "after save", "on": "delete"}, "cannot run after save on delete"),
        ({"name": "1st"}, "must begin with a letter"),
    ],
)
def test_a_flow_that_makes_no_sense_is_refused(
    anyone: httpx2.Client, path: str, wish: dict[str, object], problem: str
) -> None:
    answer = anyone.post(path, json={"sobject": "Lead", "name": "Bad", **wish})
    assert answer.status_code in (400, 404)
    assert problem in answer.json()[0]["message"]


def test_the_command_adds_and_removes_flows(path: str, soql: Soql, running: RunningOrgsim) -> None:
    where = ["--state", str(running.state_folder), "--org", running.production.org_id, "--json"]
    added = ["flow", "add", "Contact", "Tidy", "--when", "after save", "--on", "create", "--label", "Tidy up"]
    assert CliRunner().invoke(app, [*added, *where]).exit_code == 0
    assert [row["Label"] for row in soql(ASKED)] == ["Tidy up"]
    assert '"RecordTriggerType": "Create"' in CliRunner().invoke(app, ["flow", "list", *where]).stdout
    assert CliRunner().invoke(app, ["flow", "remove", "Lead", "Tidy", *where]).exit_code == 1
    assert CliRunner().invoke(app, ["flow", "remove", "Contact", "Tidy", *where]).stdout.strip() == "[]"


@pytest.mark.conformance(
    area="Truth about data",
    feature="Triggers, flows and validation rules do not exist without View Setup",
    source="facts C.28",
    refused=True,
)
@pytest.mark.parametrize(
    ("address", "sobject"),
    [
        ("/query", "ApexTrigger"),
        ("/query", "FlowDefinitionView"),
        ("/tooling/query", "ApexTrigger"),
        ("/tooling/query", "ValidationRule"),
    ],
)
def test_automation_is_hidden_without_setup(running: RunningOrgsim, address: str, sobject: str) -> None:
    profile = "No Setup"
    user_id = running.add_user(f"{sobject}{address.count('/')}@acme.example", profile=profile)
    headers = {"Authorization": f"Bearer {running.access_token(user_id=user_id)}"}
    with httpx2.Client(base_url=f"{running.url}{VERSION}", headers=headers) as limited:
        answer = limited.get(address, params={"q": f"SELECT Id FROM {sobject}"})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_TYPE")
        assert f"sObject type '{sobject}' is not supported" in answer.json()[0]["message"]
        running.grant("ViewSetup", "read", profile=profile)
        assert limited.get(address, params={"q": f"SELECT Id FROM {sobject}"}).status_code == 200
        running.revoke("ViewSetup", profile=profile)
