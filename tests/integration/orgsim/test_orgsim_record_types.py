"""Record types: deployed or laid, described, given to records, refused where they do not fit (facts C.26)."""

from collections.abc import Callable
from typing import Any

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from integration.orgsim.deploying import XMLNS, Finished, deploy, problems
from orgsim.cli import app
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]
MASTER = "012000000000000AAA"
DEAL: dict[str, object] = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2030-01-01"}


def record_type(name: str, label: str, *, active: bool = True) -> str:
    return (
        f"<recordTypes><fullName>{name}</fullName><active>{str(active).lower()}</active><label>{label}</label>"
        "</recordTypes>"
    )


def package(sobject: str, *elements: str) -> dict[str, str]:
    return {f"objects/{sobject}.object": f"<CustomObject {XMLNS}>{''.join(elements)}</CustomObject>"}


BADGE = (
    "<label>Badge</label><pluralLabel>Badges</pluralLabel><nameField><type>Text</type><label>Name</label></nameField>"
)
DEALS = package(
    "Opportunity",
    record_type("New_Business", "New Business"),
    record_type("Renewal", "Renewal"),
    record_type("Upsell", "Upsell", active=False),
    "<validationRules><fullName>Sized</fullName><active>true</active><errorConditionFormula>"
    'RecordType.DeveloperName = "Renewal" &amp;&amp; ISBLANK(Amount)</errorConditionFormula>'
    "<errorMessage>A renewal has an amount</errorMessage></validationRules>",
)


@pytest.fixture
def ids(client: httpx2.Client, finished: Finished, soql: Soql) -> dict[str, str]:
    """Ids of the deployed record types by their name."""
    if not soql("SELECT Id FROM RecordType WHERE SobjectType = 'Opportunity'"):
        result = deploy(client, finished, DEALS)
        assert result["status"] == "Succeeded", problems(result)
    rows = soql("SELECT Id, DeveloperName FROM RecordType WHERE SobjectType = 'Opportunity'")
    return {row["DeveloperName"]: row["Id"] for row in rows}


def infos(client: httpx2.Client, sobject: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/sobjects/{sobject}/describe").json()["recordTypeInfos"]
    return found


@pytest.mark.conformance(
    area="Truth about data", feature="A custom object's first record type brings RecordTypeId", source="facts C.26"
)
@pytest.mark.conformance(area="Metadata", feature="Record types in .object files", source="facts C.26")
def test_a_custom_object_has_the_field_from_its_first_record_type_on(
    client: httpx2.Client, finished: Finished, soql: Soql
) -> None:
    deploy(client, finished, package("Badge__c", BADGE))
    path = "/sobjects/Badge__c/describe"
    assert "RecordTypeId" not in {each["name"] for each in client.get(path).json()["fields"]}
    named = package("Badge__c", BADGE, record_type("Gold", "Golden"))
    result = deploy(client, finished, named)
    shown = {each["fullName"]: each for each in result["details"]["componentSuccesses"]}["Badge__c.Gold"]
    assert (shown["componentType"], shown["created"]) == ("RecordType", True)
    again = deploy(client, finished, named)["details"]["componentSuccesses"]
    assert [each["created"] for each in again if each["componentType"] == "RecordType"] == [False]
    field = next(each for each in client.get(path).json()["fields"] if each["name"] == "RecordTypeId")
    assert (field["referenceTo"], field["relationshipName"], field["nillable"]) == (["RecordType"], "RecordType", True)
    assert soql("SELECT Name FROM RecordType WHERE SobjectType = 'Badge__c'") == [{"Name": "Golden"}]


@pytest.mark.conformance(area="REST", feature="recordTypeInfos with the master of every object", source="facts C.26")
def test_a_describe_tells_the_record_types(client: httpx2.Client, ids: dict[str, str], running: RunningOrgsim) -> None:
    layouts = "/services/data/v60.0/sobjects/{}/describe/layouts/{}"
    master = {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": MASTER,
        "urls": {"layout": layouts.format("Task", MASTER)},
    }
    assert infos(client, "Task") == [master]
    names = [each["name"] for each in infos(client, "Opportunity")]
    assert names == ["New Business", "Renewal", "Upsell", "Master"]
    upsell = infos(client, "Opportunity")[2]
    assert (upsell["active"], upsell["available"], upsell["recordTypeId"]) == (False, False, ids["Upsell"])
    old = client.get(f"{running.url}/services/data/v42.0/sobjects/Opportunity/describe").json()["recordTypeInfos"]
    assert {"active", "developerName"}.isdisjoint(old[0])


@pytest.mark.conformance(
    area="Truth about data", feature="Record types of records, in SOQL and in rules", source="facts C.26"
)
def test_records_have_a_record_type(client: httpx2.Client, ids: dict[str, str], soql: Soql) -> None:
    renewal = {**DEAL, "RecordTypeId": ids["Renewal"]}
    assert client.post("/sobjects/Opportunity", json=renewal).json()[0]["message"] == "A renewal has an amount"
    deal = client.post("/sobjects/Opportunity", json={**renewal, "Amount": 5}).json()["id"]
    query = f"SELECT RecordType.Name, RecordType.DeveloperName FROM Opportunity WHERE Id = '{deal}'"
    assert soql(query)[0]["RecordType"]["Name"] == "Renewal"
    assert client.patch(f"/sobjects/Opportunity/{deal}", json={"RecordTypeId": MASTER}).status_code == 204
    assert client.get(f"/sobjects/Opportunity/{deal}").json()["RecordTypeId"] is None


@pytest.mark.conformance(
    area="Truth about data",
    feature="Record types of another object, or inactive ones (INVALID_CROSS_REFERENCE_KEY)",
    source="facts C.26",
    refused=True,
)
def test_a_record_type_that_does_not_fit_is_refused(
    client: httpx2.Client, ids: dict[str, str], running: RunningOrgsim
) -> None:
    named = {"DeveloperName": "Partner", "Name": "Partner", "SobjectType": "Account"}
    foreign = client.post("/sobjects/RecordType", json=named).json()["id"]
    for wrong in (foreign, ids["Upsell"], "012000000000001AAA"):
        answer = client.post("/sobjects/Opportunity", json={**DEAL, "RecordTypeId": wrong})
        message = f"Record Type ID: this ID value isn't valid for the user: {wrong}"
        error = {"message": message, "errorCode": "INVALID_CROSS_REFERENCE_KEY", "fields": ["RecordTypeId"]}
        assert (answer.status_code, answer.json()) == (400, [error])
    [error] = client.post("/sobjects/Opportunity", json={**DEAL, "RecordTypeId": running.production_user_id}).json()
    assert error["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    deal = running.writer().insert("Opportunity", {**DEAL, "RecordTypeId": ids["New_Business"]})
    running.writer().update("RecordType", ids["New_Business"], {"IsActive": False})
    assert client.patch(f"/sobjects/Opportunity/{deal}", json={"NextStep": "Call"}).status_code == 204
    running.writer().update("RecordType", ids["New_Business"], {"IsActive": True})


@pytest.mark.parametrize("sobject", ["User", "Nope"])
def test_objects_without_record_types_get_none(client: httpx2.Client, sobject: str) -> None:
    named = {"DeveloperName": "Odd", "Name": "Odd", "SobjectType": sobject}
    [error] = client.post("/sobjects/RecordType", json=named).json()
    assert (error["errorCode"], error["fields"]) == ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["SobjectType"])


@pytest.mark.conformance(
    area="Levers",
    feature="Record types and the default of an object",
    source="reference",
    endpoint="POST /orgsim/orgs/{org_id}/record-types",
)
def test_a_lever_sets_the_default(
    client: httpx2.Client, anyone: httpx2.Client, running: RunningOrgsim, ids: dict[str, str]
) -> None:
    where = ["--state", str(running.state_folder), "--org", running.production.org_id, "--json"]
    named = ["record-type", "add", "Opportunity", "New_Business", "--default"]
    known_since = client.get("/sobjects/Opportunity/describe").headers["etag"]
    assert CliRunner().invoke(app, [*named, *where]).exit_code == 0
    deal = client.post("/sobjects/Opportunity", json=DEAL).json()["id"]
    assert client.get(f"/sobjects/Opportunity/{deal}").json()["RecordTypeId"] == ids["New_Business"]
    described = client.get("/sobjects/Opportunity/describe", headers={"If-None-Match": known_since})
    defaults = [each["name"] for each in described.json()["recordTypeInfos"] if each["defaultRecordTypeMapping"]]
    assert defaults == ["New Business"]
    path = f"/orgsim/orgs/{running.production.org_id}/record-types"
    listed = anyone.get(path).json()
    assert {"New_Business": True, "Renewal": False}.items() <= {
        each["developer_name"]: each["is_default"] for each in listed
    }.items()
    assert listed == orjson.loads(CliRunner().invoke(app, ["record-type", "list", *where]).stdout)
    wish = {"sobject": "Opportunity", "name": "New_Business", "is_default": False}
    assert not any(each["is_default"] for each in anyone.post(path, json=wish).json())
    assert anyone.post(path, json={"sobject": "Opportunity", "name": "Odd__Name"}).status_code == 400
