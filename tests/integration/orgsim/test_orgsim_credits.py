"""What calls cost, what the header says, what happens when the allowance is used up, and faults."""

from collections.abc import Iterator

import httpx2
import pytest

from orgsim.clock import ClockSetting
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults
from orgsim.store.org import Org
from orgsim.testing import RunningOrgsim

QUERY = "/query?q=SELECT+Id+FROM+Lead"


@pytest.fixture
def org(running: RunningOrgsim) -> Iterator[Org]:
    yield running.production
    running.production.set("allowance_calls", None)
    running.production.set("may_overshoot", False)
    clear_faults(running.production.usage)
    running.state.set_clock(ClockSetting())


def cost_of(client: httpx2.Client, org: Org, method: str, url: str, body: object = None) -> int:
    """Credits of one request, by the account; the header must tell the same."""
    before = org.usage.total_credits()
    answer = client.request(method, url, json=body)
    spent = org.usage.total_credits() - before
    assert answer.headers["sforce-limit-info"] == f"api-usage={org.usage.used_calls()}/100000"
    return spent


@pytest.mark.conformance(
    area="Limits",
    feature="Each request costs what facts B.5 says",
    source="facts B.5",
    endpoint="GET /limits/recordCount",
)
@pytest.mark.parametrize(
    ("method", "url", "body", "expected_credits"),
    [
        ("GET", QUERY, None, 1),
        ("GET", "/query?q=nonsense", None, 1),
        ("GET", "/sobjects/Nope/describe", None, 1),
        ("GET", "/no/such/path", None, 1),
        ("GET", "/limits", None, 1),
        ("GET", "/limits/recordCount?sObjects=Lead,Contact,Nope", None, 1),
        ("GET", "/sobjects/Lead/describe", None, 1),
        ("POST", "/composite/sobjects", {"records": [{"attributes": {"type": "Account"}, "Name": "x"}] * 200}, 1),
        ("POST", "/composite/batch", {"batchRequests": [{"method": "GET", "url": "v60.0/limits"}] * 7}, 7),
        ("POST", "/composite/batch", {}, 1),
        ("POST", "/jobs/query", {"operation": "query", "query": "SELECT Id FROM Lead"}, 1),
        ("GET", "/jobs/query", None, 1),
    ],
)
def test_calls_cost_what_the_table_says(
    client: httpx2.Client, org: Org, method: str, url: str, body: object, expected_credits: int
) -> None:
    assert cost_of(client, org, method, url, body) == expected_credits


@pytest.mark.conformance(area="Limits", feature="A composite costs one call whatever it carries", source="facts B.5")
def test_a_composite_of_five_queries_costs_one(client: httpx2.Client, org: Org) -> None:
    requests = [
        {"method": "GET", "url": f"/services/data/v60.0{QUERY}", "referenceId": f"q{number}"} for number in range(5)
    ]
    assert cost_of(client, org, "POST", "/composite", {"compositeRequest": requests}) == 1


@pytest.mark.conformance(area="Limits", feature="A request without a session costs nothing", source="facts B.5")
def test_nobody_is_counted_without_a_session(client: httpx2.Client, org: Org, running: RunningOrgsim) -> None:
    before = org.usage.total_credits()
    answer = httpx2.get(f"{running.url}/services/data/v60.0/limits")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
    assert "sforce-limit-info" not in answer.headers
    assert org.usage.total_credits() == before


@pytest.mark.conformance(
    area="Limits", feature="REQUEST_LIMIT_EXCEEDED when the allowance is used up", source="facts B.4", refused=True
)
def test_it_refuses_when_the_allowance_is_used_up(client: httpx2.Client, org: Org) -> None:
    client.get("/limits")
    used = org.usage.used_calls()
    org.set("allowance_calls", used + 1)
    assert client.get("/limits").status_code == 200
    refused = client.get("/limits")
    assert refused.status_code == 403
    assert refused.json() == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert refused.headers["sforce-limit-info"] == f"api-usage={used + 1}/{used + 1}"
    assert org.usage.used_calls() == used + 1
    assert org.usage.journal(1)[0]["status"] == 403
    org.set("may_overshoot", True)
    assert client.get("/limits").json()["DailyApiRequests"] == {"Max": used + 1, "Remaining": 0}


@pytest.mark.conformance(area="Limits", feature="The window of 24 hours rolls", source="facts B.2")
def test_calls_leave_the_window_after_24_hours(running: RunningOrgsim, client: httpx2.Client, org: Org) -> None:
    client.get("/limits")
    org.usage.use_elsewhere(500)
    assert org.usage.used_calls() > 500
    running.state.set_clock(ClockSetting(offset_seconds=24 * 3600 - 120))
    assert org.usage.used_calls() > 500
    running.state.set_clock(ClockSetting(offset_seconds=24 * 3600 + 60))
    assert org.usage.used_calls() == 0


@pytest.mark.conformance(area="Levers", feature="An exact account of calls by user, app and kind", source="reference")
def test_the_account_names_user_app_and_kind(client: httpx2.Client, org: Org, running: RunningOrgsim) -> None:
    client.get("/limits")
    [limits] = [each for each in org.usage.totals() if each.kind == "limits"]
    assert (limits.user_id, limits.client_id) == (running.production_user_id, "3MVG9.test.consumer.key")
    assert sum(each.credits for each in org.usage.totals()) == org.usage.total_credits()
    journal = org.usage.journal(1)[0]
    assert (journal["path"], journal["credits"], journal["status"]) == ("/services/data/v60.0/limits", 1, 200)


@pytest.mark.conformance(area="Levers", feature="Faults strike calls by number: 500, 503, 401", source="facts B.4")
@pytest.mark.parametrize(
    ("effect", "status", "code"),
    [
        (Effect.SERVER_ERROR, 500, "UNKNOWN_EXCEPTION"),
        (Effect.UNAVAILABLE, 503, "SERVER_UNAVAILABLE"),
        (Effect.UNAUTHORIZED, 401, "INVALID_SESSION_ID"),
    ],
)
def test_a_fault_strikes_the_nth_call(client: httpx2.Client, org: Org, effect: Effect, status: int, code: str) -> None:
    add_fault(org.usage, Fault(effect, kind="query", on_calls=(2,)))
    before = org.usage.total_credits()
    answers = [client.get(url) for url in (QUERY, "/limits", QUERY, QUERY)]
    assert [each.status_code for each in answers] == [200, 200, status, 200]
    assert answers[2].json()[0]["errorCode"] == code
    assert org.usage.total_credits() - before == 3


@pytest.mark.conformance(area="Levers", feature="A connection is cut before or after the work", source="reference")
def test_a_dropped_connection_may_come_before_or_after_the_work(client: httpx2.Client, org: Org) -> None:
    body = {"LastName": "Dropped", "Company": "x"}
    for after, made in ((False, 0), (True, 1)):
        add_fault(org.usage, Fault(Effect.DROP, kind="record", on_calls=(1,), after=after))
        before = org.usage.total_credits()
        with pytest.raises(httpx2.TransportError):
            client.post("/sobjects/Lead", json=body)
        assert org.usage.total_credits() - before == made
        found = client.get("/query?q=SELECT+Id+FROM+Lead+WHERE+LastName='Dropped'").json()["totalSize"]
        assert found == made
        clear_faults(org.usage)


@pytest.mark.conformance(area="Levers", feature="Silence, then a cut connection", source="reference")
def test_a_timeout_is_silence(client: httpx2.Client, org: Org) -> None:
    add_fault(org.usage, Fault(Effect.TIMEOUT, rate=1.0, seconds=0.05, hits_left=1))
    with pytest.raises(httpx2.TransportError):
        client.get("/limits")
    assert client.get("/limits").status_code == 200
