"""The history of tracked fields: what changes leave, how it is read, what becomes of it, how it is deployed."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from integration.orgsim.deploying import NAME_FIELD, XMLNS, Finished, deploy, field, problems
from orgsim.clock import datetime_text
from orgsim.edits.checksum import checksum
from orgsim.edits.convert import Conversion, convert_lead
from orgsim.edits.merge import merge
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2030-06-30", "Amount": 1000}


def custom_object(inner: str, *, history: bool = True) -> str:
    head = "<label>Trip</label><pluralLabel>Trips</pluralLabel>"
    return f"<CustomObject {XMLNS}>{head}<enableHistory>{str(history).lower()}</enableHistory>{inner}</CustomObject>"


def rows_of(soql: Soql, history: str, link: str, record_id: str) -> list[tuple[object, ...]]:
    rows = soql(f"SELECT Field, DataType, OldValue, NewValue FROM {history} WHERE {link} = '{record_id}' ORDER BY Id")
    return [tuple(row.values()) for row in rows]


@pytest.mark.conformance(
    area="Truth about data", feature="A row of field history for each change of a tracked field", source="facts C.27"
)
def test_each_change_of_a_tracked_field_leaves_a_row(client: httpx2.Client, soql: Soql, running: RunningOrgsim) -> None:
    deal = client.post("/sobjects/Opportunity", json=DEAL).json()["id"]
    client.patch(
        f"/sobjects/Opportunity/{deal}", json={"Amount": 1250.5, "CloseDate": "2030-07-01", "NextStep": "Call"}
    )
    client.patch(f"/sobjects/Opportunity/{deal}", json={"NextStep": None, "TotalOpportunityQuantity": 3})
    assert rows_of(soql, "OpportunityFieldHistory", "OpportunityId", deal) == [
        ("created", "Text", None, None),
        ("Amount", "Currency", 1000.0, 1250.5),
        ("CloseDate", "DateOnly", "2030-06-30", "2030-07-01"),
        ("NextStep", "Text", None, "Call"),
        ("NextStep", "Text", "Call", None),
    ]
    [row] = soql("SELECT CreatedById, CreatedDate FROM OpportunityFieldHistory WHERE Field = 'CloseDate' LIMIT 1")
    assert row["CreatedById"] == running.production_user_id
    [parent] = soql(f"SELECT (SELECT Field FROM Histories WHERE Field = 'Amount') FROM Opportunity WHERE Id = '{deal}'")
    assert parent["Histories"]["totalSize"] == 1


@pytest.mark.conformance(
    area="Truth about data",
    feature="A changed lookup leaves the names and the ids",
    source="object-reference/entityhistory",
)
def test_a_lookup_leaves_two_rows(client: httpx2.Client, soql: Soql, running: RunningOrgsim) -> None:
    queue = running.writer().insert("Group", {"Name": "Queue", "DeveloperName": "Queue", "Type": "Queue"})
    case = client.post("/sobjects/Case", json={"Subject": "Broken", "OwnerId": queue}).json()["id"]
    client.patch(f"/sobjects/Case/{case}", json={"OwnerId": running.production_user_id, "IsEscalated": True})
    me = client.get(f"/sobjects/User/{running.production_user_id}?fields=Name").json()["Name"]
    assert rows_of(soql, "CaseHistory", "CaseId", case)[1:] == [
        ("IsEscalated", "Boolean", False, True),
        ("Owner", "Text", "Queue", me),
        ("Owner", "EntityId", queue, running.production_user_id),
        ("ownerAccepted", "Text", None, None),
    ]


def test_conversions_and_merges_leave_their_events(soql: Soql, running: RunningOrgsim) -> None:
    writer = running.writer()
    winner, loser = (writer.insert("Lead", {"LastName": name, "Company": "Ask"}) for name in ("Ek", "Alm"))
    merge(writer, "Lead", winner, [loser], {"Title": "CEO"})
    made = convert_lead(writer, winner, Conversion(opportunity_name="New"))
    assert rows_of(soql, "LeadHistory", "LeadId", winner) == [
        ("created", "Text", None, None),
        ("leadMerged", "Text", None, "Alm"),
        ("Title", "Text", None, "CEO"),
        ("Status", "DynamicEnum", "Open - Not Contacted", "Closed - Converted"),
        ("leadConverted", "Text", None, None),
    ]
    births = [
        rows_of(soql, "AccountHistory", "AccountId", made.account_id)[0][0],
        rows_of(soql, "ContactHistory", "ContactId", made.contact_id)[0][0],
        rows_of(soql, "OpportunityFieldHistory", "OpportunityId", str(made.opportunity_id))[0][0],
    ]
    assert births == ["accountCreatedFromLead", "contactCreatedFromLead", "opportunityCreatedFromLead"]


@pytest.mark.conformance(
    area="Truth about data", feature="History goes and comes back with its record", source="reference"
)
def test_history_goes_and_comes_back_with_its_record(client: httpx2.Client, soql: Soql, running: RunningOrgsim) -> None:
    writer = running.writer()
    account = client.post("/sobjects/Account", json={"Name": "Ask"}).json()["id"]
    client.patch(f"/sobjects/Account/{account}", json={"Name": "Alm"})
    query = f"SELECT Id, IsDeleted FROM AccountHistory WHERE AccountId = '{account}'"

    def all_rows() -> list[bool]:
        return [row["IsDeleted"] for row in client.get("/queryAll", params={"q": query}).json()["records"]]

    client.delete(f"/sobjects/Account/{account}")
    assert (soql(query), all_rows()) == ([], [True, True])
    writer.undelete("Account", account)
    assert len(soql(query)) == 2
    loser = client.post("/sobjects/Account", json={"Name": "Loser"}).json()["id"]
    merge(writer, "Account", account, [loser])
    assert [row[0] for row in rows_of(soql, "AccountHistory", "AccountId", account)] == [
        "created",
        "Name",
        "accountMerged",
    ]
    writer.purge("Account", account)
    assert all_rows() == []
    case = client.post("/sobjects/Case", json={"Subject": "Gone"}).json()["id"]
    [row] = soql(f"SELECT Id FROM CaseHistory WHERE CaseId = '{case}'")
    client.delete(f"/sobjects/Case/{case}")
    now = running.production.clock.now()
    window = {"start": datetime_text(now - timedelta(minutes=5)), "end": datetime_text(now)}
    listed = client.get("/sobjects/LeadHistory/deleted", params=window).json()["deletedRecords"]
    assert row["Id"] in [each["id"] for each in listed]  # of all history objects


@pytest.mark.conformance(
    area="REST", feature="History objects are read-only, and replicated by CreatedDate", source="facts C.27"
)
def test_history_objects_describe_themselves(client: httpx2.Client, running: RunningOrgsim) -> None:
    names = {each["name"] for each in client.get("/sobjects").json()["sobjects"]}
    assert {"AccountHistory", "ContactHistory", "LeadHistory", "CaseHistory", "OpportunityFieldHistory"} <= names
    told = client.get("/sobjects/LeadHistory/describe").json()
    flags = ("createable", "updateable", "deletable", "undeletable", "queryable", "replicateable", "retrieveable")
    assert [told[flag] for flag in flags] == [False, False, False, False, True, True, True]
    assert told["keyPrefix"] is None
    fields = {each["name"]: each for each in told["fields"]}
    assert list(fields) == [
        "Id", "IsDeleted", "LeadId", "CreatedById", "CreatedDate", "Field", "DataType", "OldValue", "NewValue",
    ]  # fmt: skip
    new = fields["NewValue"]
    assert (new["type"], new["length"], new["filterable"], new["soapType"]) == ("anyType", 255, False, "xsd:anyType")
    assert "leadConverted" in [value["value"] for value in fields["Field"]["picklistValues"]]
    lead = client.post("/sobjects/Lead", json={"LastName": "Ek", "Company": "Ask"}).json()["id"]
    [refusal] = client.post("/sobjects/LeadHistory", json={"LeadId": lead}).json()
    assert refusal["errorCode"] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    [refusal] = client.get("/query", params={"q": "SELECT Id FROM LeadHistory WHERE NewValue = 'x'"}).json()
    assert refusal["message"].endswith("field 'NewValue' can not be filtered in a query call")
    [row] = client.get("/query", params={"q": f"SELECT Id FROM LeadHistory WHERE LeadId = '{lead}'"}).json()["records"]
    now = running.production.now_text()
    window = {"start": f"{now[:10]}T00:00:00Z", "end": f"{now[:10]}T23:59:00Z"}
    assert row["Id"] in client.get("/sobjects/LeadHistory/updated", params=window).json()["ids"]
    assert client.get(f"/sobjects/LeadHistory/{row['Id']}").json()["Field"] == "created"
    counts = client.get("/limits/recordCount?sObjects=Lead,LeadHistory,OpportunityHistory").json()["sObjects"]
    assert [each["name"] for each in counts] == ["Lead"]


def test_values_are_plain_in_bulk_and_in_checksums(
    client: httpx2.Client, finished: Finished, running: RunningOrgsim
) -> None:
    case = client.post("/sobjects/Case", json={"Subject": 'A "b"'}).json()["id"]
    client.patch(f"/sobjects/Case/{case}", json={"Subject": "B", "IsEscalated": True})
    query = f"SELECT Field, OldValue, NewValue FROM CaseHistory WHERE CaseId = '{case}' AND Field != 'created'"
    job = client.post("/jobs/query", json={"operation": "query", "query": query}).json()["id"]
    finished(f"/jobs/query/{job}")
    lines = list(csv.reader(io.StringIO(client.get(f"/jobs/query/{job}/results").text)))
    assert sorted(lines[1:]) == [["IsEscalated", "false", "true"], ["Subject", 'A "b"', "B"]]
    assert checksum(running.production, "CaseHistory").rows >= 3


@pytest.mark.conformance(
    area="Metadata", feature="enableHistory and trackHistory of custom objects", source="facts C.27"
)
def test_a_custom_object_keeps_the_history_its_metadata_asks_for(
    client: httpx2.Client, finished: Finished, soql: Soql
) -> None:
    fields = (
        field("City__c", "Text", length=80, trackHistory="true")
        + field("Days__c", "Number", precision=4, scale=1, trackHistory="true")
        + field("Story__c", "LongTextArea", length=1000, visibleLines=3, trackHistory="true")
        + field("Silent__c", "Text", length=80)
        + field("Guide__c", "Lookup", referenceTo="Contact", relationshipName="Trips", trackHistory="true")
    )
    assert problems(deploy(client, finished, {"objects/Trip__c.object": custom_object(NAME_FIELD + fields)})) == []
    guide = client.post("/sobjects/Contact", json={"LastName": "Ek"}).json()["id"]
    trip = client.post("/sobjects/Trip__c", json={"Name": "First", "City__c": "Oslo"}).json()["id"]
    values = {"City__c": "Rom", "Days__c": 2.5, "Story__c": "Once", "Silent__c": "x", "Guide__c": guide}
    client.patch(f"/sobjects/Trip__c/{trip}", json=values)
    assert rows_of(soql, "Trip__History", "ParentId", trip) == [
        ("created", "Text", None, None),
        ("City__c", "Text", "Oslo", "Rom"),
        ("Days__c", "Double", None, 2.5),
        ("Story__c", "MultiLineText", None, None),
        ("Guide__c", "Text", None, "Ek"),
        ("Guide__c", "EntityId", None, guide),
    ]
    off = custom_object(NAME_FIELD, history=False)
    assert problems(deploy(client, finished, {"objects/Trip__c.object": off})) == []
    client.patch(f"/sobjects/Trip__c/{trip}", json={"City__c": "Bern"})
    assert len(rows_of(soql, "Trip__History", "ParentId", trip)) == 6


@pytest.mark.conformance(
    area="Metadata", feature="At most 20 tracked fields of an object", source="facts C.27", refused=True
)
def test_twenty_fields_can_be_tracked_and_no_more(client: httpx2.Client, finished: Finished, soql: Soql) -> None:
    inner = "".join(field(f"N{number}__c", "Checkbox", trackHistory="true") for number in range(21))
    formula = field("F__c", "Text", formula="Name", trackHistory="true")
    file = custom_object(NAME_FIELD + inner + formula).replace("Trip", "Many")
    result = deploy(client, finished, {"objects/Many__c.object": file}, rollbackOnError=True)
    assert problems(result) == [
        ("Many__c.N20__c", "exceeded the allowed number of fields to track on a given entity"),
        ("Many__c.F__c", "F__c: the history of this type of field cannot be tracked"),
    ]
    tracked = "<fields><fullName>{}</fullName><trackHistory>{}</trackHistory></fields>"
    change = tracked.format("Rating", "true") + tracked.format("Website", "false")
    file = f"<CustomObject {XMLNS}>{change}</CustomObject>"
    assert problems(deploy(client, finished, {"objects/Account.object": file})) == []
    account = client.post("/sobjects/Account", json={"Name": "Ask"}).json()["id"]
    client.patch(f"/sobjects/Account/{account}", json={"Rating": "Hot", "Website": "ask.example"})
    assert [row[0] for row in rows_of(soql, "AccountHistory", "AccountId", account)] == ["created", "Rating"]
    file = f"<CustomObject {XMLNS}><enableHistory>true</enableHistory></CustomObject>"
    assert problems(deploy(client, finished, {"objects/Campaign.object": file})) == []
    assert client.get("/sobjects/CampaignHistory/describe").status_code == 200
    assert problems(deploy(client, finished, {"objects/Task.object": file})) == [
        ("Task", "Task: this object cannot keep a field history")
    ]


@pytest.mark.conformance(
    area="Truth about data",
    feature="OpportunityHistory for stage, amount, probability and close date",
    source="facts C.7",
)
def test_stage_history_tells_what_was_before(client: httpx2.Client, soql: Soql) -> None:
    deal = client.post("/sobjects/Opportunity", json=DEAL).json()["id"]
    for change in ({"Amount": 2000}, {"CloseDate": "2030-07-01"}, {"Probability": 35}, {"NextStep": "Call"}):
        client.patch(f"/sobjects/Opportunity/{deal}", json=change)
    rows = soql(
        "SELECT Id, StageName, Amount, CloseDate, Probability, PrevAmount, PrevCloseDate FROM OpportunityHistory "
        f"WHERE OpportunityId = '{deal}' ORDER BY Id"
    )
    ids = [row.pop("Id") for row in rows]
    assert [tuple(row.values()) for row in rows] == [
        ("Prospecting", 1000.0, "2030-06-30", 10.0, None, None),
        ("Prospecting", 2000.0, "2030-06-30", 10.0, 1000.0, "2030-06-30"),
        ("Prospecting", 2000.0, "2030-07-01", 10.0, 2000.0, "2030-06-30"),
        ("Prospecting", 2000.0, "2030-07-01", 35.0, 2000.0, "2030-07-01"),
    ]
    [links] = soql(
        f"SELECT LastAmountChangedHistoryId, LastCloseDateChangedHistoryId FROM Opportunity WHERE Id = '{deal}'"
    )
    assert list(links.values()) == [ids[1], ids[2]]
