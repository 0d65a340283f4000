"""The Tooling API: the schema as rows with the limits of their storage, and Apex triggers."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from orgsim.testing import RunningOrgsim

Ask = Callable[[str], list[dict[str, Any]]]
BODY = """// stamps what changed
trigger Stamp on Lead (before update, after insert) { /* nothing */ }"""


@pytest.fixture
def ask(client: httpx2.Client) -> Ask:
    def run(soql: str) -> list[dict[str, Any]]:
        answer = client.get("/tooling/query", params={"q": soql})
        assert answer.status_code == 200, answer.text
        assert answer.json()["totalSize"] == len(answer.json()["records"])
        records: list[dict[str, Any]] = answer.json()["records"]
        return records

    return run


@pytest.mark.conformance(
    area="REST",
    feature="EntityDefinition in Tooling queries",
    source="facts C.7",
    endpoint="GET /tooling/query",
)
def test_objects_are_rows(ask: Ask, client: httpx2.Client) -> None:
    known = {each["name"] for each in client.get("/sobjects").json()["sobjects"]}
    assert {each["QualifiedApiName"] for each in ask("SELECT QualifiedApiName FROM EntityDefinition")} == known
    [lead] = ask("SELECT Id, DurableId, KeyPrefix, PluralLabel, FullName FROM EntityDefinition WHERE KeyPrefix = '00Q'")
    assert lead == {
        "attributes": {
            "type": "EntityDefinition",
            "url": "/services/data/v60.0/tooling/sobjects/EntityDefinition/Lead",
        },
        "Id": "000000000000000AAA",
        "DurableId": "Lead",
        "KeyPrefix": "00Q",
        "PluralLabel": "Leads",
        "FullName": "Lead",
    }


@pytest.mark.conformance(
    area="REST",
    feature="FieldDefinition and EntityParticle in Tooling queries",
    source="facts C.7",
    endpoint="GET /tooling/query",
)
def test_fields_and_particles_tell_what_the_describe_tells(ask: Ask, client: httpx2.Client) -> None:
    described = {each["name"]: each for each in client.get("/sobjects/Contact/describe").json()["fields"]}
    particles = ask(
        "SELECT Name, DataType, Length, Scale, IsNillable, IsUpdatable FROM EntityParticle "
        "WHERE EntityDefinition.QualifiedApiName = 'Contact'"
    )
    assert {each["Name"] for each in particles} == {
        name for name, field in described.items() if field["type"] != "address"
    }
    for each in particles:
        field = described[each["Name"]]
        assert (each["DataType"], each["Length"], each["Scale"], each["IsNillable"], each["IsUpdatable"]) == (
            field["type"],
            field["length"],
            field["scale"],
            field["nillable"],
            field["updateable"],
        )
    fields = ask(
        "SELECT QualifiedApiName, DataType, EntityDefinition.Label FROM FieldDefinition "
        "WHERE EntityDefinitionId = 'Contact' AND QualifiedApiName IN ('Email', 'FirstName', 'AccountId')"
    )
    assert {each["QualifiedApiName"]: each["DataType"] for each in fields} == {
        "Email": "Email",
        "FirstName": "Text(40)",
        "AccountId": "Lookup(Account)",
    }
    assert fields[0]["EntityDefinition"]["Label"] == "Contact"


@pytest.mark.conformance(
    area="REST",
    feature="Compound fields and their particles",
    source="facts C.7",
)
def test_parts_of_an_address_belong_to_one_field(ask: Ask) -> None:
    field = "SELECT QualifiedApiName, IsCompound FROM FieldDefinition WHERE DurableId = 'Lead.Address'"
    assert [(each["QualifiedApiName"], each["IsCompound"]) for each in ask(field)] == [("Address", True)]
    parts = ask("SELECT Name FROM EntityParticle WHERE FieldDefinitionId = 'Lead.Address'")
    assert {"Street", "City", "PostalCode"} <= {each["Name"] for each in parts}


@pytest.mark.conformance(
    area="REST",
    feature="LIMIT and OFFSET are ignored on schema objects",
    source="facts C.7",
)
def test_limit_and_offset_are_ignored_without_a_word(ask: Ask) -> None:
    everything = ask("SELECT QualifiedApiName FROM EntityDefinition")
    assert ask("SELECT QualifiedApiName FROM EntityDefinition LIMIT 2 OFFSET 1") == everything


@pytest.mark.conformance(
    area="REST",
    feature="COUNT, GROUP BY, OR, NOT and comparisons on schema objects",
    source="facts C.7",
    refused=True,
)
@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT COUNT() FROM EntityDefinition", "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION", "not yet supported by this"),
        (
            "SELECT COUNT(DurableId) FROM EntityDefinition GROUP BY KeyPrefix",
            "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION",
            "not yet supported by this",
        ),
        (
            "SELECT Label FROM EntityDefinition WHERE Label = 'a' OR Label = 'b'",
            "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION",
            "Disjunctions not supported",
        ),
        (
            "SELECT Label FROM EntityDefinition WHERE Label != 'a'",
            "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION",
            "Only equals comparisons permitted",
        ),
        (
            "SELECT Label FROM EntityDefinition WHERE NOT (Label = 'a')",
            "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION",
            "Only equals comparisons permitted",
        ),
        (
            "SELECT Label FROM EntityDefinition WHERE Label INCLUDES ('a')",
            "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION",
            "Unsupported filter type",
        ),
        (
            "SELECT Label FROM FieldDefinition",
            "MALFORMED_QUERY",
            "FieldDefinition: a filter on a reified column is required [EntityDefinitionId,DurableId]",
        ),
        (
            "SELECT Label FROM EntityParticle WHERE DataType = 'phone'",
            "MALFORMED_QUERY",
            "a filter on a reified column is required [EntityDefinitionId,FieldDefinitionId,DurableId]",
        ),
        ("SELECT FullName FROM EntityDefinition", "MALFORMED_QUERY", "no more than one row for retrieval."),
        ("SELECT Nope FROM EntityDefinition", "INVALID_FIELD", "No such column 'Nope' on entity 'EntityDefinition'"),
    ],
)
def test_it_refuses_what_this_storage_cannot(client: httpx2.Client, soql: str, code: str, message: str) -> None:
    answer = client.get("/tooling/query", params={"q": soql})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)
    assert message in answer.json()[0]["message"]


@pytest.mark.conformance(
    area="REST",
    feature="EntityParticle is no object of the data API",
    source="facts C.7",
    refused=True,
)
def test_the_schemas_rows_are_no_data(client: httpx2.Client) -> None:
    answer = client.get("/query", params={"q": "SELECT Label FROM EntityParticle WHERE EntityDefinitionId = 'Lead'"})
    assert answer.json()[0]["errorCode"] == "INVALID_TYPE"


@pytest.mark.conformance(
    area="REST",
    feature="ApexTrigger: create, query, deactivate, delete",
    source="tooling-api/apextrigger",
    endpoint="POST /tooling/sobjects/ApexTrigger, PATCH /tooling/sobjects/ApexTrigger/{record_id}, "
    "DELETE /tooling/sobjects/ApexTrigger/{record_id}",
)
def test_a_trigger_is_told_by_its_body(client: httpx2.Client, ask: Ask, running: RunningOrgsim) -> None:
    before = running.production.usage.total_credits()
    path = "/tooling/sobjects/ApexTrigger"
    made = client.post(path, json={"TableEnumOrId": "Lead", "Body": BODY})
    assert made.status_code == 201
    [row] = ask(
        "SELECT Name, Status, EntityDefinitionId, EntityDefinition.QualifiedApiName, UsageBeforeUpdate, "
        "UsageAfterUpdate, UsageAfterInsert, UsageIsBulk FROM ApexTrigger WHERE Status = 'Active'"
    )
    assert {name: value for name, value in row.items() if name not in ("attributes", "EntityDefinition")} == {
        "Name": "Stamp",
        "Status": "Active",
        "EntityDefinitionId": "Lead",
        "UsageBeforeUpdate": True,
        "UsageAfterUpdate": False,
        "UsageAfterInsert": True,
        "UsageIsBulk": True,
    }
    assert row["EntityDefinition"]["QualifiedApiName"] == "Lead"
    data = client.get("/query", params={"q": "SELECT TableEnumOrId, LengthWithoutComments FROM ApexTrigger"}).json()
    assert data["records"][0]["TableEnumOrId"] == "Lead"
    assert 0 < data["records"][0]["LengthWithoutComments"] < len(BODY)
    trigger = f"{path}/{made.json()['id']}"
    assert client.patch(trigger, json={"Status": "Inactive"}).status_code == 204
    assert client.get("/tooling/query?q=SELECT+COUNT()+FROM+ApexTrigger").json()["totalSize"] == 1
    assert ask("SELECT Id FROM ApexTrigger WHERE Status = 'Active' OR Name = 'x'") == []
    assert client.delete(trigger).status_code == 204
    assert client.delete(trigger).status_code == 404
    assert running.production.usage.total_credits() - before == 8


@pytest.mark.conformance(
    area="REST",
    feature="Triggers whose body does not fit",
    source="tooling-api/apextrigger",
    refused=True,
)
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"TableEnumOrId": "Lead"}, "REQUIRED_FIELD_MISSING"),
        ({"TableEnumOrId": "Lead", "Body": "trigger"}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"TableEnumOrId": "Contact", "Body": BODY}, "FIELD_INTEGRITY_EXCEPTION"),
        (
            {"TableEnumOrId": "Lead", "Body": BODY.replace("before update", "before undelete")},
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        ({"TableEnumOrId": "Lead", "Body": BODY, "UsageIsBulk": True}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"TableEnumOrId": "Lead", "Body": BODY, "Foo": True}, "INVALID_FIELD"),
    ],
)
def test_it_refuses_a_wrong_trigger(client: httpx2.Client, values: dict[str, object], code: str) -> None:
    answer = client.post("/tooling/sobjects/ApexTrigger", json=values)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


@pytest.mark.conformance(
    area="REST",
    feature="Objects of the data API answer Tooling queries",
    source="facts C.7",
)
def test_other_objects_answer_as_in_the_data_api(ask: Ask) -> None:
    assert len(ask("SELECT Id FROM Organization")) == 1
