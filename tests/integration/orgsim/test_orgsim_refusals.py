"""Why a record is refused, word for word, by every way of writing (facts C.6, C.25)."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from integration.orgsim.deploying import XMLNS, deploy, field, problems
from orgsim.testing import RunningOrgsim

Finished = Callable[[str], dict[str, Any]]
Values = dict[str, object]
READ_ONLY = (
    "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is "
    "read/write for your profile or permission set."
)
COLOURS = (
    "<valueSet><restricted>true</restricted><valueSetDefinition><value><fullName>Red</fullName></value>"
    "</valueSetDefinition></valueSet>"
)
BADGE = (
    f"<CustomObject {XMLNS}><label>Badge</label><pluralLabel>Badges</pluralLabel>"
    "<nameField><type>Text</type><label>Name</label></nameField>"
    + field("Code__c", "Text", length=20, unique="true", externalId="true")
    + field("Colour__c", "Picklist").replace("</fields>", f"{COLOURS}</fields>")
    + field("Holder__c", "Lookup", referenceTo="Contact", relationshipName="Badges", deleteConstraint="Restrict")
    + field("Seller__c", "Lookup", referenceTo="User", relationshipName="Sold")
    + "</CustomObject>"
)


@pytest.fixture(autouse=True)
def deployed(client: httpx2.Client, finished: Finished, running: RunningOrgsim) -> None:
    if running.production.catalog().find("Badge__c") is None:
        result = deploy(client, finished, {"objects/Badge__c.object": BADGE})
        assert result["status"] == "Succeeded", problems(result)


def refused(code: str, message: str, *fields: str) -> dict[str, object]:
    return {"message": message, "errorCode": code, "fields": list(fields)}


MISSING = refused("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]", "LastName", "Company")
TOO_LONG = f"Last Name: data value too large: {'x' * 81} (max length=80)"
NOWHERE = refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
WRONG_KIND = "Owner ID: id value of incorrect type: 001000000000000AAA"
LEAD: Values = {"LastName": "Ek", "Company": "Ask"}
CASES: list[tuple[str, Values, dict[str, object]]] = [
    ("Lead", {}, MISSING),
    ("Lead", {**LEAD, "LastName": "x" * 81}, refused("STRING_TOO_LONG", TOO_LONG, "LastName")),
    ("Lead", {**LEAD, "OwnerId": "005000000000000"}, NOWHERE),
    ("Lead", {**LEAD, "OwnerId": "001000000000000"}, refused("FIELD_INTEGRITY_EXCEPTION", WRONG_KIND, "OwnerId")),
    (
        "Lead",
        {**LEAD, "OwnerId": "nobody"},
        refused("MALFORMED_ID", "Owner ID: id value of incorrect type: nobody", "OwnerId"),
    ),
    (
        "Lead",
        {**LEAD, "Email": "nobody"},
        refused("INVALID_EMAIL_ADDRESS", "Email: invalid email address: nobody", "Email"),
    ),
    (
        "Lead",
        {**LEAD, "IsConverted": True, "CreatedDate": "2020-01-01T00:00:00Z"},
        refused(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            READ_ONLY.format("IsConverted, CreatedDate"),
            "IsConverted",
            "CreatedDate",
        ),
    ),
    (
        "Badge__c",
        {"Name": "One", "Colour__c": "Blue"},
        refused(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Colour__c: bad value for restricted picklist field: Blue",
            "Colour__c",
        ),
    ),
    (
        "Opportunity",
        {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2030-01-01", "Amount": 10**17},
        refused(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"Amount: value outside of valid range on numeric field: {10**17}",
            "Amount",
        ),
    ),
]
FEATURES = {
    "REQUIRED_FIELD_MISSING": "Required fields",
    "STRING_TOO_LONG": "Texts that are too long",
    "INVALID_CROSS_REFERENCE_KEY": "References that lead nowhere",
    "FIELD_INTEGRITY_EXCEPTION": "References to another object",
    "MALFORMED_ID": "Ids that are none",
    "INVALID_EMAIL_ADDRESS": "E-mails that are none",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "Read-only fields",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "Values outside a restricted picklist",
    "NUMBER_OUTSIDE_VALID_RANGE": "Numbers that do not fit",
}


def shown(code: str) -> pytest.MarkDecorator:
    return pytest.mark.conformance(
        area="Truth about data", feature=f"{FEATURES[code]} ({code})", source="facts C.6", refused=True
    )


@pytest.mark.parametrize(
    ("sobject", "values", "error"),
    [pytest.param(*case, marks=shown(str(case[2]["errorCode"])), id=str(case[2]["errorCode"])) for case in CASES],
)
def test_a_wrong_record_is_refused_word_for_word(
    client: httpx2.Client, sobject: str, values: Values, error: dict[str, object]
) -> None:
    answer = client.post(f"/sobjects/{sobject}", json=values)
    assert (answer.status_code, answer.json()) == (400, [error])
    record = {"attributes": {"type": sobject}, **values}
    [result] = client.post("/composite/sobjects", json={"records": [record]}).json()
    as_record = {"statusCode": error["errorCode"], "message": error["message"], "fields": error["fields"]}
    assert result == {"success": False, "errors": [as_record]}


@pytest.mark.conformance(
    area="Truth about data",
    feature="Unique values (DUPLICATE_VALUE) name the other record, and the bin holds none",
    source="facts C.6",
    refused=True,
)
def test_a_unique_value_is_held_by_one_living_record(client: httpx2.Client) -> None:
    first = client.post("/sobjects/Badge__c", json={"Name": "A", "Code__c": "one"}).json()["id"]
    second = client.post("/sobjects/Badge__c", json={"Name": "B"}).json()["id"]
    message = f"duplicate value found: Code__c duplicates value on record with id: {first[:15]}"
    answer = client.patch(f"/sobjects/Badge__c/{second}", json={"Code__c": "ONE"})
    assert (answer.status_code, answer.json()) == (400, [refused("DUPLICATE_VALUE", message)])
    client.delete(f"/sobjects/Badge__c/{first}")
    assert client.patch(f"/sobjects/Badge__c/{second}", json={"Code__c": "one"}).status_code == 204


@pytest.mark.conformance(
    area="Truth about data",
    feature="What a restricting lookup points at cannot be deleted (DELETE_FAILED)",
    source="facts C.25",
    refused=True,
)
@pytest.mark.conformance(area="Metadata", feature="deleteConstraint Restrict of a lookup", source="facts C.25")
def test_a_restricting_lookup_keeps_its_target(client: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    account = writer.insert("Account", {"Name": "Ask"})
    holder = writer.insert("Contact", {"FirstName": "Siv", "LastName": "Ek", "AccountId": account})
    badges = [writer.insert("Badge__c", {"Name": name, "Holder__c": holder}) for name in ("B-1", "B-2")]
    message = (
        "Your attempt to delete Siv Ek could not be completed because it is associated with the following badges.: "
        "B-1, B-2\n"
    )
    for path in (f"/sobjects/Contact/{holder}", f"/sobjects/Account/{account}"):  # the contact would go along
        answer = client.delete(path)
        assert (answer.status_code, answer.json()) == (400, [refused("DELETE_FAILED", message)])
    described = client.get("/sobjects/Contact/describe").json()["childRelationships"]
    assert [each["restrictedDelete"] for each in described if each["childSObject"] == "Badge__c"] == [True]
    for badge in badges:
        writer.delete("Badge__c", badge)
    assert client.delete(f"/sobjects/Account/{account}").status_code == 204


@pytest.mark.conformance(
    area="Truth about data",
    feature="Accounts and contacts with cases cannot be deleted (DELETE_FAILED)",
    source="facts C.25",
    refused=True,
)
def test_what_has_cases_cannot_be_deleted(client: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    account = writer.insert("Account", {"Name": "Ask"})
    contact = writer.insert("Contact", {"LastName": "Ek", "AccountId": account})
    case = writer.insert("Case", {"Subject": "Broken", "ContactId": contact})
    number = client.get(f"/sobjects/Case/{case}").json()["CaseNumber"]
    told = "Your attempt to delete {} could not be completed because it is associated with the following cases.: {}\n"
    for path, name in ((f"/sobjects/Contact/{contact}", "Ek"), (f"/sobjects/Account/{account}", "Ask")):
        assert client.delete(path).json() == [refused("DELETE_FAILED", told.format(name, number))]
    writer.delete("Case", case)
    assert client.delete(f"/sobjects/Account/{account}").status_code == 204


@pytest.mark.conformance(
    area="Truth about data", feature="Records in the bin (ENTITY_IS_DELETED)", source="facts C.6", refused=True
)
def test_a_deleted_record_can_be_neither_changed_nor_deleted(
    client: httpx2.Client, running: RunningOrgsim, finished: Finished
) -> None:
    gone = running.writer().insert("Lead", LEAD)
    running.writer().delete("Lead", gone)
    error = refused("ENTITY_IS_DELETED", "entity is deleted")
    for answer in (client.patch(f"/sobjects/Lead/{gone}", json=LEAD), client.delete(f"/sobjects/Lead/{gone}")):
        assert (answer.status_code, answer.json()) == (404, [error])
    [result] = client.delete("/composite/sobjects", params={"ids": gone}).json()
    assert result["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"
    job = client.post("/jobs/ingest", json={"object": "Lead", "operation": "update", "lineEnding": "LF"}).json()["id"]
    rows = f"Id,LastName\n{gone},Al\n"
    client.put(f"/jobs/ingest/{job}/batches", content=rows, headers={"Content-Type": "text/csv"})
    client.patch(f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
    assert finished(f"/jobs/ingest/{job}")["numberRecordsFailed"] == 1
    assert "ENTITY_IS_DELETED:entity is deleted:--" in client.get(f"/jobs/ingest/{job}/failedResults").text


@pytest.mark.conformance(
    area="Truth about data", feature="References to records in the bin", source="facts C.6", refused=True
)
def test_a_reference_to_a_deleted_record_is_refused(client: httpx2.Client, running: RunningOrgsim) -> None:
    account = running.writer().insert("Account", {"Name": "Gone"})
    running.writer().delete("Account", account)
    assert client.post("/sobjects/Contact", json={"LastName": "Ek", "AccountId": account}).json() == [NOWHERE]
