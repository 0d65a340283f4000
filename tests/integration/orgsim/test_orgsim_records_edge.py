"""What comes from before the org: edge statuses laid as faults, and heads that are too long."""

from collections.abc import Iterator

import httpx2
import pytest

from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults
from orgsim.store.org import Org
from orgsim.testing import RunningOrgsim


@pytest.fixture
def org(running: RunningOrgsim) -> Iterator[Org]:
    yield running.production
    clear_faults(running.production.usage)


@pytest.mark.parametrize(
    ("effect", "status", "beginning"),
    [
        (Effect.NOT_ACCEPTABLE, 406, ""),
        (Effect.ENHANCE_YOUR_CALM, 420, ""),
        (Effect.BAD_GATEWAY, 502, "<html>"),
    ],
)
@pytest.mark.conformance(area="Levers", feature="Edge statuses 406, 420 and 502 as faults", source="facts B.4")
def test_an_edge_answers_without_json(
    client: httpx2.Client, org: Org, effect: Effect, status: int, beginning: str
) -> None:
    add_fault(org.usage, Fault(effect, on_calls=(1,)))
    before = org.usage.total_credits()
    answer = client.get("/limits")
    assert (answer.status_code, answer.text[:6]) == (status, beginning)
    assert "json" not in answer.headers.get("content-type", "")
    assert "sforce-limit-info" not in answer.headers
    assert org.usage.total_credits() == before
    assert client.get("/limits").status_code == 200


@pytest.mark.parametrize(
    ("query_bytes", "header_bytes", "status"),
    [(15_000, 0, 400), (16_400, 0, 414), (60_000, 0, 414), (9_000, 8_000, 431)],
)
@pytest.mark.conformance(area="REST", feature="Heads over 16,384 bytes (414, 431)", source="facts B.4", refused=True)
def test_a_head_may_have_16_kib(
    client: httpx2.Client, org: Org, query_bytes: int, header_bytes: int, status: int
) -> None:
    before = org.usage.total_credits()
    answer = client.get(f"/query?q={'x' * query_bytes}", headers={"X-Long": "y" * header_bytes})
    assert answer.status_code == status
    assert org.usage.total_credits() - before == (1 if status == 400 else 0)


@pytest.mark.conformance(
    area="REST", feature="Long queries inside a composite", source="facts B.4", endpoint="POST /composite"
)
def test_a_long_query_goes_through_inside_a_composite(client: httpx2.Client) -> None:
    wanted = ",".join(f"'{number:020d}'" for number in range(1000))
    url = f"/services/data/v60.0/query?q=SELECT+Id+FROM+Lead+WHERE+Company+IN+({wanted})"
    body = {"compositeRequest": [{"method": "GET", "url": url, "referenceId": "long"}]}
    [answer] = client.post("/composite", json=body).json()["compositeResponse"]
    assert (answer["httpStatusCode"], answer["body"]["totalSize"]) == (200, 0)


@pytest.mark.conformance(area="REST", feature="Header names are spelled with capitals", source="facts C.6")
def test_header_names_have_capitals(client: httpx2.Client) -> None:
    names = [name for name, _ in client.get("/limits").headers.raw]
    assert {b"Content-Type", b"Sforce-Limit-Info", b"Cache-Control", b"Date"} <= set(names)
    assert b"ETag" in [name for name, _ in client.get("/sobjects/Lead/describe").headers.raw]
