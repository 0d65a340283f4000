"""Single records, describes and replication over REST. Several records in one call: test_orgsim_composite.py."""

import datetime as dt
import gzip
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from orgsim.clock import ClockSetting, datetime_text
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]


@pytest.mark.conformance(
    area="REST",
    feature="Records are created",
    source="rest-api/sobject-basic-info",
    endpoint="POST /sobjects/{sobject}",
)
@pytest.mark.conformance(
    area="REST",
    feature="Records are read, whole or some fields",
    source="rest-api/sobject-retrieve",
    endpoint="GET /sobjects/{sobject}/{record_id}",
)
@pytest.mark.conformance(
    area="REST",
    feature="Records are changed",
    source="rest-api/sobject-retrieve",
    endpoint="PATCH /sobjects/{sobject}/{record_id}",
)
@pytest.mark.conformance(
    area="REST",
    feature="Records are deleted",
    source="rest-api/sobject-retrieve",
    endpoint="DELETE /sobjects/{sobject}/{record_id}",
)
def test_it_creates_reads_updates_and_deletes(client: httpx2.Client) -> None:
    created = client.post("/sobjects/Lead", json={"LastName": "Ek", "Company": "Ask", "AnnualRevenue": 12.345})
    record_id = created.json()["id"]
    assert (created.status_code, created.json()) == (201, {"id": record_id, "success": True, "errors": []})
    assert created.headers["location"] == f"/services/data/v60.0/sobjects/Lead/{record_id}"
    path = f"/sobjects/Lead/{record_id}"
    read = client.get(path).json()
    assert (read["Name"], read["AnnualRevenue"], read["IsConverted"], read["Address"]) == ("Ek", 12.35, False, None)
    assert client.patch(path, json={"FirstName": "Siv", "Company": "Alm"}).status_code == 204
    some = client.get(path, params={"fields": "Name,company"}).json()
    assert {name: some[name] for name in ("Name", "Company")} == {"Name": "Siv Ek", "Company": "Alm"}
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.delete(path).json()[0]["errorCode"] == "ENTITY_IS_DELETED"


@pytest.mark.parametrize(
    ("values", "code", "fields"),
    [
        ({"LastName": "x"}, "REQUIRED_FIELD_MISSING", ["Company"]),
        ({"LastName": "x", "Company": "y", "Foo": 1}, "INVALID_FIELD", None),
        ({"LastName": "x", "Company": "y", "Email": "nobody"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        ({"LastName": "x" * 81, "Company": "y"}, "STRING_TOO_LONG", ["LastName"]),
        ({"LastName": "x", "Company": "y", "IsConverted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["IsConverted"]),
        ({"LastName": "x", "Company": "y", "NumberOfEmployees": "z"}, "INVALID_TYPE_ON_FIELD_IN_RECORD", None),
        ({"LastName": "x", "Company": "y", "OwnerId": "005000000000000"}, "INVALID_CROSS_REFERENCE_KEY", []),
        ({"LastName": "x", "Company": "y", "OwnerId": "nope"}, "MALFORMED_ID", ["OwnerId"]),
    ],
)
@pytest.mark.conformance(
    area="Truth about data",
    feature="A wrong record is refused with a code and the fields concerned",
    source="facts C.6",
    refused=True,
)
def test_it_refuses_a_wrong_record(
    client: httpx2.Client, values: dict[str, object], code: str, fields: list[str] | None
) -> None:
    answer = client.post("/sobjects/Lead", json=values)
    [error] = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, code)
    assert fields is None or error["fields"] == fields


@pytest.mark.conformance(
    area="REST", feature="Broken bodies, unknown paths and wrong methods", source="facts C.6", refused=True
)
def test_it_answers_broken_bodies_and_unknown_paths(client: httpx2.Client) -> None:
    assert client.post("/sobjects/Lead", content=b"{").json()[0]["errorCode"] == "JSON_PARSER_ERROR"
    assert client.post("/sobjects/Nope", json={}).json() == [
        {"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}
    ]
    assert client.put("/limits").status_code == 405
    assert client.get("/nothing/here").status_code == 404


@pytest.mark.conformance(
    area="REST",
    feature="Versions 31.0 to 67.0, listed without a login",
    source="rest-api/versions",
    endpoint="GET /services/data",
)
@pytest.mark.conformance(
    area="REST", feature="Versions before 31.0 and after 67.0", source="rest-api/versions", refused=True
)
def test_it_serves_versions_31_to_67(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    versions = [each["version"] for each in anyone.get("/services/data").json()]
    assert (versions[0], versions[-1], len(versions)) == ("31.0", "67.0", 37)
    headers = {"Authorization": f"Bearer {running.access_token()}"}
    statuses = [
        anyone.get(f"/services/data/v{version}/limits", headers=headers).status_code
        for version in ("30.0", "31.0", "67.0", "68.0")
    ]
    assert statuses == [410, 200, 200, 404]


@pytest.mark.conformance(
    area="REST",
    feature="Upsert by an external id or a lookup field; 300 where several match",
    source="rest-api/sobject-upsert",
    endpoint="PATCH /sobjects/{sobject}/{field}/{value}",
)
@pytest.mark.conformance(
    area="REST",
    feature="Records are read by an external id",
    source="rest-api/sobject-upsert",
    endpoint="GET /sobjects/{sobject}/{field}/{value}",
)
def test_it_upserts_by_a_lookup_key(client: httpx2.Client, running: RunningOrgsim) -> None:
    path = "/sobjects/Lead/Email/key@example.com"
    created = client.patch(path, json={"LastName": "Key", "Company": "Ring"})
    assert (created.status_code, created.json()["created"]) == (201, True)
    updated = client.patch(path, json={"LastName": "Keys"})
    assert (updated.status_code, updated.json()["created"]) == (200, False)
    assert client.get(path).json()["LastName"] == "Keys"
    old = client.patch(f"{running.url}/services/data/v45.0{path}", json={"LastName": "Key"})
    assert (old.status_code, old.content) == (204, b"")
    running.writer().insert("Lead", {"LastName": "Twin", "Company": "Ring", "Email": "key@example.com"})
    several = client.patch(path, json={"LastName": "Keys"})
    assert (several.status_code, len(several.json())) == (300, 2)
    assert client.patch("/sobjects/Lead/Namez/x", json={}).json()[0]["message"] == (
        "Provided external ID field does not exist or is not accessible: Namez"
    )


@pytest.mark.conformance(
    area="REST",
    feature="Records are deleted by an external id",
    source="rest-api/sobject-upsert",
    endpoint="DELETE /sobjects/{sobject}/{field}/{value}",
)
def test_it_deletes_by_a_lookup_key(client: httpx2.Client, running: RunningOrgsim) -> None:
    running.writer().insert("Lead", {"LastName": "Key", "Company": "Ring", "Email": "gone@example.com"})
    path = "/sobjects/Lead/Email/gone@example.com"
    assert client.delete(path).status_code == 204
    assert (client.delete(path).status_code, client.get(path).status_code) == (404, 404)


@pytest.mark.conformance(
    area="REST", feature="The list of resources", source="rest-api/discoveryresource", endpoint="GET /"
)
def test_it_lists_its_resources(client: httpx2.Client, running: RunningOrgsim) -> None:
    resources = client.get("/").json()
    assert resources["sobjects"] == "/services/data/v60.0/sobjects"
    assert resources["identity"].endswith(f"/id/{running.production.org_id}/{running.production_user_id}")


@pytest.mark.conformance(
    area="REST",
    feature="Saving the same values again",
    source="rest-api/sobject-retrieve",
    endpoint="PATCH /sobjects/{sobject}/{record_id}",
)
def test_saving_the_same_again_changes_nothing(client: httpx2.Client, running: RunningOrgsim) -> None:
    running.state.set_clock(ClockSetting(frozen_at=running.production.clock.now()))
    try:
        lead = client.post("/sobjects/Lead", json={"LastName": "Same", "Company": "Co"}).json()["id"]
        for _ in range(2):
            assert client.patch(f"/sobjects/Lead/{lead}", json={"Company": "Co"}).status_code == 204
    finally:
        running.state.set_clock(ClockSetting())


@pytest.mark.conformance(
    area="Truth about data", feature="OpportunityHistory and what follows from a stage", source="facts C.7"
)
def test_it_writes_stage_history(client: httpx2.Client, soql: Soql) -> None:
    values = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2030-06-30", "Amount": 1000}
    opportunity = client.post("/sobjects/Opportunity", json=values).json()["id"]
    client.patch(f"/sobjects/Opportunity/{opportunity}", json={"StageName": "Closed Won"})
    client.patch(f"/sobjects/Opportunity/{opportunity}", json={"NextStep": "Party"})
    history = soql(
        "SELECT StageName, Amount, Probability, ExpectedRevenue FROM OpportunityHistory "
        f"WHERE OpportunityId = '{opportunity}' ORDER BY Id"
    )
    assert [list(row.values()) for row in history] == [
        ["Prospecting", 1000.0, 10.0, 100.0],
        ["Closed Won", 1000.0, 100.0, 1000.0],
    ]
    [row] = soql(f"SELECT IsWon, IsClosed, FiscalYear, FiscalQuarter FROM Opportunity WHERE Id = '{opportunity}'")
    assert row == {"IsWon": True, "IsClosed": True, "FiscalYear": 2030, "FiscalQuarter": 2}


@pytest.mark.conformance(
    area="Truth about data",
    feature="Campaign members with copied names and responses",
    source="object-reference/campaignmember",
)
def test_it_keeps_campaign_members(client: httpx2.Client, soql: Soql, running: RunningOrgsim) -> None:
    campaign = client.post("/sobjects/Campaign", json={"Name": "Fair"}).json()["id"]
    lead = client.post("/sobjects/Lead", json={"LastName": "Berg", "Company": "Dal"}).json()["id"]
    member = client.post("/sobjects/CampaignMember", json={"CampaignId": campaign, "LeadId": lead}).json()["id"]
    query = "SELECT Status, HasResponded, FirstRespondedDate, Name, CompanyOrAccount, Type FROM CampaignMember"
    [row] = soql(query)
    assert list(row.values()) == ["Sent", False, None, "Berg", "Dal", "Lead"]
    client.patch(f"/sobjects/CampaignMember/{member}", json={"Status": "Responded"})
    [row] = soql(query)
    assert row["HasResponded"] is True
    assert row["FirstRespondedDate"] == running.production.now_text()[:10]
    again = client.post("/sobjects/CampaignMember", json={"CampaignId": campaign, "LeadId": lead})
    assert again.json()[0]["errorCode"] == "DUPLICATE_VALUE"
    assert client.delete(f"/sobjects/Campaign/{campaign}").status_code == 204
    assert soql("SELECT Id FROM CampaignMember") == []


@pytest.mark.conformance(area="REST", feature="The global describe", source="facts C.7", endpoint="GET /sobjects")
@pytest.mark.conformance(
    area="REST",
    feature="Describes of objects in recorded order",
    source="facts C.7",
    endpoint="GET /sobjects/{sobject}/describe",
)
def test_it_describes_itself(client: httpx2.Client) -> None:
    everything = client.get("/sobjects").json()
    assert {"Lead", "OpportunityContactRole", "CampaignMember"} <= {each["name"] for each in everything["sobjects"]}
    assert {len(each) for each in everything["sobjects"]} == {28}
    contact = client.get("/sobjects/Contact/describe").json()
    fields = {each["name"]: each for each in contact["fields"]}
    assert (fields["AccountId"]["referenceTo"], fields["AccountId"]["relationshipName"]) == (["Account"], "Account")
    assert (fields["MailingCity"]["compoundFieldName"], fields["MailingAddress"]["type"]) == (
        "MailingAddress",
        "address",
    )
    assert fields["Email"]["length"] == 80
    children = {each["relationshipName"] for each in contact["childRelationships"]}
    assert {"OpportunityContactRoles", "CampaignMembers", "Tasks"} <= children
    lead = client.get("/sobjects/Lead/describe").json()
    status = next(each for each in lead["fields"] if each["name"] == "Status")
    assert "Closed - Converted" in [value["value"] for value in status["picklistValues"]]


@pytest.mark.conformance(
    area="REST", feature="Ids of what was updated", source="facts C.2", endpoint="GET /sobjects/{sobject}/updated"
)
@pytest.mark.conformance(
    area="REST", feature="Ids of what was deleted", source="facts C.2", endpoint="GET /sobjects/{sobject}/deleted"
)
@pytest.mark.conformance(
    area="REST", feature="Windows that are too long, turned round or unreadable", source="facts C.2", refused=True
)
def test_it_tells_what_was_updated_and_deleted(client: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    kept, gone = (writer.insert("Case", {"Subject": subject}) for subject in ("kept", "gone"))
    writer.delete("Case", gone)
    now = running.production.clock.now()
    window = {"start": datetime_text(now - dt.timedelta(minutes=5)), "end": datetime_text(now)}
    assert client.get("/sobjects/Case/updated/", params=window).json()["ids"] == [kept]
    deleted = client.get("/sobjects/Case/deleted/", params=window).json()
    assert [each["id"] for each in deleted["deletedRecords"]] == [gone]
    for wrong in ({"start": window["end"]}, {"start": datetime_text(now - dt.timedelta(days=31))}, {"end": "soon"}):
        answer = client.get("/sobjects/Case/updated", params={**window, **wrong})
        assert answer.json()[0]["errorCode"] == "INVALID_REPLICATION_DATE"


@pytest.mark.conformance(area="REST", feature="gzip and X-PrettyPrint", source="rest-api/intro-rest-compression")
def test_it_compresses_and_prints_prettily(client: httpx2.Client) -> None:
    plain = client.get("/sobjects/Lead/describe", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with client.stream("GET", "/sobjects/Lead/describe", headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content
    assert "\n" in client.get("/limits", headers={"X-PrettyPrint": "1"}).text
    assert "\n" not in client.get("/limits").text


@pytest.mark.conformance(area="Truth about data", feature="The Date header follows the org's clock", source="facts C.1")
def test_the_date_header_shows_the_orgs_clock(client: httpx2.Client, running: RunningOrgsim) -> None:
    running.state.set_clock(ClockSetting(offset_seconds=86_400 * 40))
    try:
        shown = running.production.clock.now().strftime("%d %b %Y")
        assert shown in client.get(f"{running.url}/services/data").headers["date"]
    finally:
        running.state.set_clock(ClockSetting())
