"""Several records or requests in one call: collections, composite, batch and tree. Not here: graphs."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]


@pytest.mark.conformance(
    area="REST",
    feature="Collections retrieve by an address",
    source="rest-api/composite-sobjects-collections-retrieve",
    endpoint="GET /composite/sobjects/{sobject}",
)
def test_collections_are_read_by_an_address(client: httpx2.Client, running: RunningOrgsim) -> None:
    ids = [running.writer().insert("Account", {"Name": name}) for name in ("Elm", "Fir")]
    wanted = {"ids": ",".join([*reversed(ids), "001000000000000AAA"]), "fields": "Name"}
    found = client.get("/composite/sobjects/Account", params=wanted).json()
    assert [each and each["Name"] for each in found] == ["Fir", "Elm", None]
    unknown = client.get("/composite/sobjects/Account", params={**wanted, "fields": "Nope"})
    assert unknown.json()[0]["errorCode"] == "INVALID_FIELD"


@pytest.mark.conformance(
    area="REST",
    feature="Collections create, record by record or all or none",
    source="rest-api/composite-sobjects-collections-create",
    endpoint="POST /composite/sobjects",
)
@pytest.mark.conformance(
    area="REST",
    feature="Collections update",
    source="rest-api/composite-sobjects-collections-update",
    endpoint="PATCH /composite/sobjects",
)
@pytest.mark.conformance(
    area="REST",
    feature="Collections delete",
    source="rest-api/composite-sobjects-collections-delete",
    endpoint="DELETE /composite/sobjects",
)
@pytest.mark.conformance(
    area="REST",
    feature="Collections retrieve, null for what is not there",
    source="rest-api/composite-sobjects-collections-retrieve",
    endpoint="POST /composite/sobjects/{sobject}",
)
def test_collections_answer_record_by_record(client: httpx2.Client, soql: Soql) -> None:
    records: list[dict[str, object]] = [
        {"attributes": {"type": "Account"}, "Name": "One"},
        {"attributes": {"type": "Account"}},
        {"attributes": {"type": "Contact"}, "LastName": "Two"},
    ]
    good, bad, other = client.post("/composite/sobjects", json={"records": records}).json()
    assert (good["success"], other["success"]) == (True, True)
    assert bad == {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [Name]",
                "fields": ["Name"],
            }
        ],
    }
    halted = client.post("/composite/sobjects", json={"allOrNone": True, "records": records}).json()
    assert [each["errors"][0]["statusCode"] for each in halted] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    ]
    assert len(soql("SELECT Id FROM Account WHERE Name = 'One'")) == 1
    changes = [{"attributes": {"type": "Account"}, "id": good["id"], "Name": "Uno"}]
    assert client.patch("/composite/sobjects", json={"records": changes}).json()[0]["success"] is True
    body = {"ids": [good["id"], "001000000000000"], "fields": ["Name"]}
    found = client.post("/composite/sobjects/Account", json=body).json()
    assert (found[0]["Name"], found[1]) == ("Uno", None)
    deleted = client.delete("/composite/sobjects", params={"ids": f"{good['id']},001000000000000AAA"}).json()
    assert [each["success"] for each in deleted] == [True, False]


@pytest.mark.conformance(
    area="REST",
    feature="Collections upsert by an external id",
    source="rest-api/composite-sobjects-collections-upsert",
    endpoint="PATCH /composite/sobjects/{sobject}/{field}",
)
@pytest.mark.conformance(area="REST", feature="Collections of more than 200 records", source="facts C.6", refused=True)
def test_collections_upsert_with_per_record_results(client: httpx2.Client) -> None:
    records = [
        {"attributes": {"type": "Lead"}, "Email": f"up{n}@example.com", "LastName": "Up", "Company": "Set"}
        for n in (1, 2)
    ]
    path = "/composite/sobjects/Lead/Email"
    assert [each["created"] for each in client.patch(path, json={"records": records}).json()] == [True, True]
    assert [each["created"] for each in client.patch(path, json={"records": records}).json()] == [False, False]
    too_many = {"records": records * 101}
    assert client.patch(path, json=too_many).json()[0]["errorCode"] == "EXCEEDED_MAX_SIZE_REQUEST"


def sub(method: str, url: str, reference: str, body: object = None) -> dict[str, object]:
    request: dict[str, object] = {"method": method, "url": f"/services/data/v60.0{url}", "referenceId": reference}
    return request if body is None else {**request, "body": body}


@pytest.mark.conformance(
    area="REST",
    feature="Composite with references between its parts",
    source="rest-api/composite-composite",
    endpoint="POST /composite",
)
def test_composite_fills_references(client: httpx2.Client) -> None:
    requests = [
        sub("POST", "/sobjects/Account", "acc", {"Name": "Ref & Co"}),
        sub("POST", "/sobjects/Contact", "con", {"LastName": "Ref", "AccountId": "@{acc.id}"}),
        sub("GET", "/query?q=SELECT+Id,Name+FROM+Account+WHERE+Id='@{acc.id}'", "found"),
        sub("GET", "/sobjects/Account/@{found.records[0].Id}?fields=Name", "read"),
        sub("GET", "/sobjects/Account/@{nothing.id}", "halted"),
    ]
    answers = client.post("/composite", json={"compositeRequest": requests}).json()["compositeResponse"]
    assert [each["httpStatusCode"] for each in answers] == [201, 201, 200, 200, 400]
    assert answers[0]["httpHeaders"]["Location"].endswith(answers[0]["body"]["id"])
    assert answers[3]["body"]["Name"] == "Ref & Co"
    assert answers[4]["body"][0]["errorCode"] == "PROCESSING_HALTED"


@pytest.mark.conformance(
    area="REST", feature="Composite all or none", source="rest-api/composite-composite", endpoint="POST /composite"
)
def test_composite_can_be_all_or_none(client: httpx2.Client, soql: Soql) -> None:
    requests = [
        sub("POST", "/sobjects/Account", "a", {"Name": "Undone"}),
        sub("POST", "/sobjects/Account", "b", {}),
        sub("POST", "/sobjects/Account", "c", {"Name": "Undone"}),
    ]
    body = {"allOrNone": True, "compositeRequest": requests}
    answers = client.post("/composite", json=body).json()["compositeResponse"]
    codes = [each["body"][0]["errorCode"] for each in answers]
    assert codes == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]
    assert soql("SELECT Id FROM Account WHERE Name = 'Undone'") == []


@pytest.mark.conformance(
    area="REST", feature="Composites of more than 25 parts or 5 queries", source="facts B.5", refused=True
)
def test_composite_has_its_limits(client: httpx2.Client) -> None:
    query = "/query?q=SELECT+Id+FROM+Account"
    for count, url in ((26, "/limits"), (6, query)):
        body = {"compositeRequest": [sub("GET", url, f"r{n}") for n in range(count)]}
        assert client.post("/composite", json=body).json()[0]["errorCode"] == "LIMIT_EXCEEDED"
    five = {"compositeRequest": [sub("GET", query, f"r{n}") for n in range(5)]}
    assert len(client.post("/composite", json=five).json()["compositeResponse"]) == 5


@pytest.mark.conformance(
    area="REST",
    feature="Batches of independent requests",
    source="rest-api/composite-batch",
    endpoint="POST /composite/batch",
)
@pytest.mark.conformance(
    area="REST",
    feature="Trees of records with their children",
    source="rest-api/composite-sobject-tree",
    endpoint="POST /composite/tree/{sobject}",
)
def test_batch_and_tree_work(client: httpx2.Client, soql: Soql) -> None:
    requests = [{"method": "GET", "url": "v60.0/limits"}, {"method": "GET", "url": "v60.0/sobjects/Nope/describe"}]
    answer = client.post("/composite/batch", json={"batchRequests": requests}).json()
    assert (answer["hasErrors"], [each["statusCode"] for each in answer["results"]]) == (True, [200, 404])
    child = {"attributes": {"type": "Contact", "referenceId": "c1"}, "LastName": "Twig"}
    tree = {"attributes": {"type": "Account", "referenceId": "a1"}, "Name": "Stem", "Contacts": {"records": [child]}}
    planted = client.post("/composite/tree/Account", json={"records": [tree]})
    assert (planted.status_code, [each["referenceId"] for each in planted.json()["results"]]) == (201, ["a1", "c1"])
    assert len(soql("SELECT Id FROM Contact WHERE Account.Name = 'Stem'")) == 1
