"""/composite/graph: several graphs in one call, each of them all or nothing."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]


def node(method: str, path: str, reference: str, body: object = None) -> dict[str, object]:
    return {
        "method": method,
        "url": f"/services/data/v60.0/sobjects/{path}",
        "referenceId": reference,
        **({"body": body} if body is not None else {}),
    }


def graphs_of(client: httpx2.Client, *graphs: list[dict[str, object]]) -> list[dict[str, Any]]:
    body = {"graphs": [{"graphId": str(number), "compositeRequest": each} for number, each in enumerate(graphs)]}
    answer = client.post("/composite/graph", json=body)
    assert answer.status_code == 200, answer.text
    answers: list[dict[str, Any]] = answer.json()["graphs"]
    assert [each["graphId"] for each in answers] == [str(number) for number in range(len(graphs))]
    return answers


def refusal_of(client: httpx2.Client, *graphs: list[dict[str, object]]) -> str:
    body = {"graphs": [{"graphId": str(number), "compositeRequest": each} for number, each in enumerate(graphs)]}
    answer = client.post("/composite/graph", json=body)
    assert answer.status_code == 400
    code: str = answer.json()[0]["errorCode"]
    return code


@pytest.mark.conformance(
    area="REST",
    feature="Graphs, each of them all or nothing",
    source="rest-api/composite-graph",
    endpoint="POST /composite/graph",
)
def test_each_graph_stands_or_falls_alone(client: httpx2.Client, soql: Soql, running: RunningOrgsim) -> None:
    whole = [
        node("POST", "Account", "a", {"Name": "Graph whole"}),
        node("POST", "Contact", "c", {"LastName": "Leaf", "AccountId": "@{a.id}"}),
    ]
    broken = [
        node("POST", "Account", "a", {"Name": "Graph broken"}),
        node("POST", "Contact", "c", {"AccountId": "@{a.id}"}),
    ]
    before = running.production.usage.total_credits()
    first, second = graphs_of(client, whole, broken)
    assert running.production.usage.total_credits() - before == 1
    assert [each["httpStatusCode"] for each in first["graphResponse"]["compositeResponse"]] == [201, 201]
    assert (first["isSuccessful"], second["isSuccessful"]) == (True, False)
    codes = [each["body"][0]["errorCode"] for each in second["graphResponse"]["compositeResponse"]]
    assert codes == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING"]
    assert len(soql("SELECT Id FROM Contact WHERE Account.Name = 'Graph whole'")) == 1
    assert soql("SELECT Id FROM Account WHERE Name = 'Graph broken'") == []


@pytest.mark.conformance(
    area="REST", feature="Nodes of a graph that are no records", source="rest-api/composite-graph", refused=True
)
def test_only_records_may_be_nodes(client: httpx2.Client, soql: Soql) -> None:
    query: dict[str, object] = {
        "method": "GET",
        "url": "/services/data/v60.0/query?q=SELECT+Id+FROM+Lead",
        "referenceId": "q",
    }
    [answer] = graphs_of(client, [node("POST", "Account", "a", {"Name": "No node"}), query])
    codes = [each["body"][0]["errorCode"] for each in answer["graphResponse"]["compositeResponse"]]
    assert codes == ["PROCESSING_HALTED", "INVALID_INPUT"]
    assert soql("SELECT Id FROM Account WHERE Name = 'No node'") == []


@pytest.mark.conformance(area="REST", feature="Graphs after the 15th that failed", source="facts B.5", refused=True)
def test_the_rest_is_not_tried_after_too_many_failures(client: httpx2.Client, soql: Soql) -> None:
    broken = [[node("POST", "Account", "a", {})]] * 15
    answers = graphs_of(client, *broken, [node("POST", "Account", "a", {"Name": "Too late"})])
    assert [each["isSuccessful"] for each in answers] == [False] * 16
    assert soql("SELECT Id FROM Account WHERE Name = 'Too late'") == []


@pytest.mark.conformance(
    area="REST", feature="Graphs of too many nodes, levels or kinds", source="facts B.5", refused=True
)
def test_graphs_have_their_limits(client: httpx2.Client) -> None:
    one = [node("POST", "Account", "a", {"Name": "x"})]
    assert refusal_of(client, *[one] * 76) == "LIMIT_EXCEEDED"
    assert refusal_of(client, [node("POST", "Account", f"n{number}", {}) for number in range(501)]) == "LIMIT_EXCEEDED"
    chain = [node("PATCH", f"Account/@{{n{number}.id}}", f"n{number + 1}", {}) for number in range(16)]
    assert refusal_of(client, chain) == "LIMIT_EXCEEDED"
    kinds = [node("POST", f"Thing{number}__c", f"k{number}", {}) for number in range(16)]
    assert refusal_of(client, kinds) == "LIMIT_EXCEEDED"
    assert refusal_of(client, [*one, *one]) == "INVALID_INPUT"
    assert client.post("/composite/graph", json={}).json()[0]["errorCode"] == "INVALID_INPUT"


@pytest.mark.conformance(area="REST", feature="Graphs before v50", source="rest-api/composite-graph", refused=True)
def test_graphs_came_with_version_50(client: httpx2.Client, running: RunningOrgsim) -> None:
    body = {"graphs": [{"graphId": "1", "compositeRequest": [node("GET", "Account/x", "a")]}]}
    assert client.post(f"{running.url}/services/data/v49.0/composite/graph", json=body).status_code == 404
