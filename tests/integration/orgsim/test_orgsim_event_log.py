"""ApiTotalUsageEventLog: the org's own log of API calls, which says of each whether it counted."""

from collections.abc import Iterator

import httpx2
import pytest

from integration.orgsim.conftest import VERSION
from orgsim.clock import ClockSetting
from orgsim.store.usage import Outcome
from orgsim.testing import RunningOrgsim

SELECT = (
    "SELECT ApiFamily, ApiResource, ClientName, ConnectedAppIdentifier, HttpMethod, IsApiLimitCounted, StatusCode, "
    "Timestamp, UserIdentifier FROM ApiTotalUsageEventLog"
)


@pytest.fixture(autouse=True)
def _as_it_was(running: RunningOrgsim) -> Iterator[None]:
    yield
    running.state.set_clock(ClockSetting())
    for name, value in (("event_log_lag_seconds", 0), ("client_name_everywhere", False), ("allowance_calls", None)):
        running.production.set(name, value)


def named(name: str) -> dict[str, str]:
    return {"Sforce-Call-Options": f"client={name}; defaultNamespace=battle"}


def logged(client: httpx2.Client, name: str) -> list[dict[str, object]]:
    rows = client.get("/query", params={"q": f"{SELECT} WHERE ClientName = '{name}' ORDER BY Timestamp"}).json()
    return [{key: value for key, value in row.items() if key != "attributes"} for row in rows["records"]]


@pytest.mark.conformance(
    area="Limits",
    feature="ApiTotalUsageEventLog has each call with its client's name, its status and whether it counted",
    source="facts B.3, object-reference/apitotalusageeventlog, rest-api/headers-calloptions",
)
def test_a_call_is_logged_under_the_name_its_client_gave(client: httpx2.Client, running: RunningOrgsim) -> None:
    client.get("/query", params={"q": "SELECT Id FROM Lead"}, headers=named("mine/1"))
    client.get("/query", params={"q": "SELECT Nope FROM Lead"}, headers=named("mine/2"))
    [good], [bad] = logged(client, "mine/1"), logged(client, "mine/2")
    assert (good["ApiFamily"], good["HttpMethod"], good["StatusCode"], good["IsApiLimitCounted"]) == (
        "REST", "GET", 200, True,
    )  # fmt: skip
    assert (bad["StatusCode"], bad["IsApiLimitCounted"]) == (400, True)
    assert good["ApiResource"] == "/v60.0/query"
    assert str(good["UserIdentifier"]).startswith("005")
    assert str(good["ConnectedAppIdentifier"]).startswith("0H4")
    counted = client.get(
        "/query", params={"q": "SELECT COUNT() FROM ApiTotalUsageEventLog WHERE IsApiLimitCounted = true"}
    ).json()["totalSize"]
    assert counted == running.production.usage.total_credits() - 1  # that question itself had not ended


@pytest.mark.conformance(
    area="Limits",
    feature="A call that the org refuses for want of allowance is logged as not counted",
    source="facts B.3, reference",
)
def test_a_call_that_cost_nothing_is_logged_as_not_counted(client: httpx2.Client, running: RunningOrgsim) -> None:
    running.production.set("allowance_calls", 0)
    assert client.get("/query", params={"q": "SELECT Id FROM Lead"}, headers=named("mine/3")).status_code == 403
    running.production.set("allowance_calls", None)
    [row] = logged(client, "mine/3")
    assert (row["StatusCode"], row["IsApiLimitCounted"]) == (403, False)


@pytest.mark.conformance(
    area="Limits",
    feature="Only calls that Call Options is documented for are logged under their client's name",
    source="rest-api/headers-calloptions",
)
def test_a_composite_is_logged_without_a_name(client: httpx2.Client, running: RunningOrgsim) -> None:
    url = f"{VERSION}/sobjects/Lead/describe"
    body = {"compositeRequest": [{"method": "GET", "url": url, "referenceId": "one"}]}
    client.post("/composite", json=body, headers=named("mine/4"))
    assert logged(client, "mine/4") == []
    running.production.set("client_name_everywhere", True)
    client.post("/composite", json=body, headers=named("mine/5"))
    [row] = logged(client, "mine/5")
    assert (row["HttpMethod"], row["StatusCode"]) == ("POST", 200)


@pytest.mark.conformance(area="Levers", feature="The event log shows a call so many seconds later", source="reference")
def test_the_log_is_as_late_as_it_is_told_to_be(client: httpx2.Client, running: RunningOrgsim) -> None:
    running.production.set("event_log_lag_seconds", 3600)
    client.get("/query", params={"q": "SELECT Id FROM Lead"}, headers=named("mine/6"))
    assert logged(client, "mine/6") == []
    running.state.set_clock(ClockSetting(offset_seconds=3601))
    assert len(logged(client, "mine/6")) == 1


def test_a_call_whose_server_died_is_logged_without_a_status(client: httpx2.Client, running: RunningOrgsim) -> None:
    usage = running.production.usage
    with usage.database.write() as connection:
        (number,) = connection.execute(
            "INSERT INTO journal (at, user_id, client_id, kind, method, path, credits) "
            "VALUES (?, '', '', 'query', 'GET', '/services/data/v60.0/query', 1) RETURNING number",
            (running.production.now_text(),),
        ).fetchone()
        connection.execute("INSERT INTO journal_client VALUES (?, 'mine/7')", (number,))
    assert logged(client, "mine/7") == []
    running.state.set_clock(ClockSetting(offset_seconds=700))
    assert [row["StatusCode"] for row in logged(client, "mine/7")] == [None]
    usage.finish(number, Outcome.GOOD, 200)


@pytest.mark.conformance(
    area="Truth about data",
    feature="ApiTotalUsageEventLog does not exist without View Event Log Object Data, and is never written",
    source="object-reference/apitotalusageeventlog",
    refused=True,
)
def test_the_log_is_kept_from_who_may_not_see_it(client: httpx2.Client, running: RunningOrgsim) -> None:
    profile = "No Log"
    user_id = running.add_user("nolog@acme.example", profile=profile)
    headers = {"Authorization": f"Bearer {running.access_token(user_id=user_id)}"}
    with httpx2.Client(base_url=f"{running.url}{VERSION}", headers=headers) as limited:
        answer = limited.get("/query", params={"q": SELECT})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_TYPE")
        running.grant("ViewEventLogObjectData", "read", profile=profile)
        assert limited.get("/query", params={"q": SELECT}).status_code == 200
    described = client.get("/sobjects/ApiTotalUsageEventLog/describe").json()
    assert [described[right] for right in ("createable", "updateable", "deletable")] == [False] * 3
