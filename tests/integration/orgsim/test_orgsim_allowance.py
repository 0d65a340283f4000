"""How many calls an org has, how far it may go beyond, what it says of it, and what stands in the way besides."""

import datetime as dt
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from orgsim.cli import app
from orgsim.clock import ClockSetting
from orgsim.oauth.apps import App, add_app
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults
from orgsim.rest.latency import Latency, clear_latencies, draw_latency, set_latency
from orgsim.store.org import Org
from orgsim.store.settings import DEFAULTS
from orgsim.testing import CALLBACK, CLIENT_ID, RunningOrgsim, running_orgsim

QUERY = "/query?q=SELECT+Id+FROM+Lead"
CROWDED = {
    "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    "errorCode": "REQUEST_LIMIT_EXCEEDED",
}
_CHANGED = (
    "edition", "is_sandbox", "is_trial", "licences", "allowance_calls", "app_allowances", "may_overshoot",
    "overshoot_percent", "header_noise", "long_request_seconds", "long_requests_at_once", "request_timeout_seconds",
)  # fmt: skip


@pytest.fixture
def org(running: RunningOrgsim) -> Iterator[Org]:
    """The production org, with everything as it was before afterwards."""
    yield running.production
    for name in _CHANGED:
        running.production.set(name, DEFAULTS[name])
    clear_latencies(running.production.usage)
    clear_faults(running.production.usage)
    running.state.set_clock(ClockSetting())


def said_allowance(client: httpx2.Client) -> int:
    answer = client.get("/limits")
    most: int = answer.json()["DailyApiRequests"]["Max"]
    assert answer.headers["sforce-limit-info"].endswith(f"/{most}")
    return most


@pytest.mark.conformance(
    area="Limits",
    feature="The daily allowance follows from edition and licences",
    source="facts B.1",
    endpoint="GET /limits",
)
@pytest.mark.parametrize(
    ("edition", "licences", "calls"),
    [
        ("Developer Edition", {"Salesforce": 2}, 15_000),
        ("Enterprise Edition", {}, 100_000),
        ("Enterprise Edition", {"Salesforce": 15}, 115_000),
        ("Professional Edition", {"Salesforce": 205}, 305_000),
        ("Unlimited Edition", {"Salesforce": 15}, 175_000),
        ("Performance Edition", {"Salesforce Platform": 1, "Partner Community": 3}, 105_600),
        ("Enterprise Edition", {"Customer Community Plus Login": 7, "Customer Community": 900}, 100_070),
    ],
)
def test_the_allowance_follows_from_edition_and_licences(
    client: httpx2.Client, org: Org, edition: str, licences: dict[str, int], calls: int
) -> None:
    org.set("edition", edition)
    org.set("licences", licences)
    assert said_allowance(client) == calls
    org.set("allowance_calls", 321)
    assert said_allowance(client) == 321


@pytest.mark.conformance(area="Limits", feature="A full sandbox has 5,000,000 calls a day", source="facts B.1")
def test_a_sandbox_has_five_million(running: RunningOrgsim) -> None:
    headers = {"Authorization": f"Bearer {running.access_token(running.sandbox)}"}
    answer = httpx2.get(f"{running.sandbox_url}/services/data/v60.0/limits", headers=headers)
    assert answer.headers["sforce-limit-info"] == "api-usage=1/5000000"


@pytest.mark.parametrize("licences", [{"Saleforce": 1}, {"Salesforce": -1}, {"Salesforce": "many"}, ["Salesforce"]])
def test_licences_that_do_not_exist_are_refused(anyone: httpx2.Client, org: Org, licences: object) -> None:
    answer = anyone.post(f"/orgsim/orgs/{org.org_id}/settings", json={"licences": licences})
    assert answer.status_code == 400
    assert org.setting("licences") == {}


@pytest.mark.conformance(
    area="Limits", feature="A paid production org may overshoot, up to a hard cap", source="facts B.2"
)
def test_a_paid_production_org_may_overshoot_up_to_a_hard_cap(client: httpx2.Client, org: Org) -> None:
    client.get("/limits")
    used = org.usage.used_calls()
    org.set("allowance_calls", used)
    org.set("may_overshoot", True)
    org.set("overshoot_percent", -(-300 // used))  # at least three calls
    room = used * org.setting("overshoot_percent") // 100
    beyond = [client.get("/limits") for _ in range(room)]
    assert {each.status_code for each in beyond} == {200}
    assert beyond[-1].json()["DailyApiRequests"] == {"Max": used, "Remaining": 0}
    assert beyond[-1].headers["sforce-limit-info"] == f"api-usage={used + room}/{used}"
    assert client.get("/limits").status_code == 403


@pytest.mark.conformance(
    area="Limits", feature="Sandboxes, trials and Developer Edition stop at their allowance", source="facts B.2"
)
@pytest.mark.parametrize("kind", [{"is_sandbox": True}, {"is_trial": True}, {"edition": "Developer Edition"}])
def test_other_orgs_stop_at_their_allowance(client: httpx2.Client, org: Org, kind: dict[str, Any]) -> None:
    client.get("/limits")
    for name, value in {**kind, "may_overshoot": True, "allowance_calls": org.usage.used_calls()}.items():
        org.set(name, value)
    assert client.get("/limits").json()[0]["message"] == "TotalRequests Limit exceeded."


def said_used(client: httpx2.Client, calls: int) -> list[int]:
    headers = [client.get("/limits").headers["sforce-limit-info"] for _ in range(calls)]
    return [int(each.removeprefix("api-usage=").partition("/")[0]) for each in headers]


@pytest.mark.conformance(
    area="Limits", feature="Sforce-Limit-Info wavers as measured, the same way for the same call", source="facts B.3"
)
def test_the_header_wavers_as_measured_and_is_repeatable(tmp_path: Path) -> None:
    with running_orgsim(tmp_path) as running:
        seen = []
        for org in (running.production, running.sandbox):
            org.set("header_noise", True)
            headers = {"Authorization": f"Bearer {running.access_token(org)}"}
            with httpx2.Client(base_url=f"{running.url}/services/data/v60.0", headers=headers) as client:
                seen.append(said_used(client, 300))
    assert seen[0] == seen[1]
    assert all(number - 13 <= said <= number for number, said in enumerate(seen[0], start=1))
    steps = [after - before for before, after in itertools.pairwise(seen[0])]
    assert -11 <= min(steps) < -3
    assert 4 < max(steps) <= 13
    assert 0.15 < sum(step < 0 for step in steps) / len(steps) < 0.35
    assert 0.18 < sum(step == 0 for step in steps) / len(steps) < 0.35


@pytest.mark.conformance(area="Limits", feature="A good answer may lack Sforce-Limit-Info", source="facts B.3")
def test_a_good_answer_may_lack_the_header(client: httpx2.Client, org: Org) -> None:
    with org.usage.database.write() as connection:
        connection.execute(
            "INSERT INTO journal (number, at, user_id, client_id, kind, method, path, credits) "
            "VALUES (17569, '', '', '', '', '', '', 0)"
        )
    assert "sforce-limit-info" in client.get("/limits").headers  # number 17,570, a multiple of 1,757
    org.set("header_noise", True)
    with org.usage.database.write() as connection:
        connection.execute("UPDATE journal SET number = 19326 WHERE number = 17570")
    answers = [client.get("/limits") for _ in range(2)]
    assert [("sforce-limit-info" in each.headers, each.status_code) for each in answers] == [(False, 200), (True, 200)]


@pytest.mark.conformance(area="Limits", feature="/limits is up to five minutes old", source="facts B.3")
def test_limits_may_be_five_minutes_old(running: RunningOrgsim, client: httpx2.Client, org: Org) -> None:
    later = running.state.clock.now() + dt.timedelta(hours=1)  # after whatever other tests have called
    start = later.replace(minute=30, second=0, microsecond=0)
    org.set("header_noise", True)

    def remaining(after_minutes: int) -> int:
        moment = start.replace(minute=30 + after_minutes)
        running.state.set_clock(ClockSetting(frozen_at=moment))
        left: int = client.get("/limits").json()["DailyApiRequests"]["Remaining"]
        return left

    before = remaining(0)
    org.usage.use_elsewhere(500)
    assert [remaining(minutes) for minutes in (0, 1, 4)] == [before] * 3
    assert before - remaining(5) in range(500, 510)


@pytest.mark.conformance(
    area="Limits", feature="Apps with an allowance of their own, in the header and in /limits", source="facts B.3"
)
def test_an_app_may_have_an_allowance_of_its_own(running: RunningOrgsim, client: httpx2.Client, org: Org) -> None:
    add_app(org, App("another-key", "Loader", "s", (CALLBACK,)))
    client.get("/limits")
    used = org.usage.used_by_app(CLIENT_ID)
    org.set("app_allowances", {CLIENT_ID: used + 250})
    answer = client.get("/limits")
    part = f"; per-app-api-usage={used + 1}/{used + 250}(appName=Headwater)"
    assert answer.headers["sforce-limit-info"] == f"api-usage={org.usage.used_calls()}/100000{part}"
    told = answer.json()["DailyApiRequests"]
    assert told["Headwater"] == {"Max": used + 250, "Remaining": 249}
    assert told["Loader"] == {"Max": 0, "Remaining": 0}
    running.state.set_clock(ClockSetting(offset_seconds=26 * 3600))  # other tests have moved the clock on
    assert org.usage.used_by_app(CLIENT_ID) == 0


@pytest.mark.conformance(area="Limits", feature="Every limit of the version is told", source="rest-api/list-org-limits")
def test_every_limit_of_the_version_is_told(running: RunningOrgsim, client: httpx2.Client) -> None:
    def names(version: str) -> set[str]:
        return set(client.get(f"{running.url}/services/data/v{version}/limits").json())

    latest = names("66.0")
    assert len(latest) > 50
    assert {"ActiveScratchOrgs", "DailyAsyncApexExecutions", "FileStorageMB", "StreamingApiConcurrentClients"} < latest
    assert latest - names("60.0") == {"DailyMetadataRetrievesWithDependencies"}
    assert names("48.0") - names("46.0") == {"DailyBulkV2QueryFileStorageMB", "DailyBulkV2QueryJobs"}
    assert names("60.0") ^ names("48.0") == {"DailyBulkApiBatches", "DailyBulkApiRequests"}


@pytest.mark.conformance(
    area="Limits", feature="Storage and permission sets in /limits are those of the org", source="rest-api/limits"
)
def test_storage_and_permission_sets_are_counted(running: RunningOrgsim, client: httpx2.Client, org: Org) -> None:
    org.set("edition", "Developer Edition")
    before = client.get("/limits").json()
    with org.database.write():
        for number in range(600):
            running.writer().insert("Account", {"Name": f"Stored {number}"})
        running.writer().insert("PermissionSet", {"Name": "Counted", "Label": "Counted"})
    after = client.get("/limits").json()
    assert before["DataStorageMB"]["Max"] == 5
    assert before["DataStorageMB"]["Remaining"] - after["DataStorageMB"]["Remaining"] in (1, 2)
    assert before["PermissionSets"]["Remaining"] - after["PermissionSets"]["Remaining"] == 1
    assert after["PermissionSets"]["CreateCustom"]["Max"] == 1000


@pytest.mark.conformance(
    area="Limits", feature="Of long requests 25 run at once, or 5 in trials and Developer Edition", source="facts B.4"
)
@pytest.mark.parametrize(
    ("kind", "most"),
    [({}, 25), ({"is_sandbox": True}, 25), ({"is_trial": True}, 5), ({"edition": "Developer Edition"}, 5)],
)
def test_so_many_long_requests_run_at_once(client: httpx2.Client, org: Org, kind: dict[str, Any], most: int) -> None:
    for name, value in {**kind, "long_request_seconds": 0}.items():
        org.set(name, value)
    tickets = [org.running.enter() for _ in range(most - 1)]
    try:
        assert client.get(QUERY).status_code == 200
        tickets.append(org.running.enter())
        before = org.usage.total_credits()
        refused = client.get(QUERY)
    finally:
        for ticket in tickets:
            org.running.leave(ticket)
    assert (refused.status_code, refused.json()) == (403, [CROWDED])
    assert org.usage.total_credits() == before
    assert client.get(QUERY).status_code == 200


@pytest.mark.conformance(area="Levers", feature="Number and seconds of long requests can be set", source="facts B.4")
def test_a_request_is_long_while_its_answer_is_awaited(client: httpx2.Client, org: Org) -> None:
    org.set("long_request_seconds", 0.05)
    org.set("long_requests_at_once", 1)
    set_latency(org.usage, Latency("limits", seconds=2.0))
    slow: list[httpx2.Response] = []
    thread = threading.Thread(target=lambda: slow.append(client.get("/limits")))
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not org.running.longer_than(0.05):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert client.get(QUERY).json() == [CROWDED]
    finally:
        thread.join()
    assert slow[0].status_code == 200
    assert client.get(QUERY).status_code == 200


@pytest.mark.conformance(area="Limits", feature="A request that takes ten minutes is given up", source="facts B.4")
def test_a_request_that_takes_too_long_is_given_up(client: httpx2.Client, org: Org) -> None:
    org.set("request_timeout_seconds", 0.1)
    set_latency(org.usage, Latency("record", seconds=3600))
    started, before = time.monotonic(), org.usage.total_credits()
    answer = client.post("/sobjects/Lead", json={"LastName": "Late", "Company": "x"})
    assert 0.1 <= time.monotonic() - started < 20
    assert (answer.status_code, answer.json()) == (
        400,
        [{"message": "Your query request was running for too long.", "errorCode": "QUERY_TIMEOUT"}],
    )
    assert client.get("/query?q=SELECT+Id+FROM+Lead+WHERE+LastName='Late'").json()["totalSize"] == 0
    assert org.usage.total_credits() == before + 2


@pytest.mark.conformance(
    area="Levers",
    feature="Calls of a kind take a fixed and a random time",
    source="reference",
    endpoint="POST /orgsim/orgs/{org_id}/latency",
)
@pytest.mark.conformance(
    area="Levers",
    feature="Calls of a kind take a fixed and a random time",
    source="reference",
    endpoint="DELETE /orgsim/orgs/{org_id}/latency",
)
@pytest.mark.conformance(
    area="Levers",
    feature="Calls of a kind take a fixed and a random time",
    source="reference",
    endpoint="GET /orgsim/orgs/{org_id}/latency",
)
def test_calls_take_the_time_that_is_set(anyone: httpx2.Client, client: httpx2.Client, org: Org) -> None:
    door = f"/orgsim/orgs/{org.org_id}/latency"
    anyone.post(door, json={"kind": "query", "seconds": 0.15, "spread_seconds": 0.1})
    shown = anyone.post(door, json={"seconds": 0.01}).json()
    assert [(each["kind"], each["seconds"]) for each in shown] == [("", 0.01), ("query", 0.15)]

    def took(path: str) -> float:
        started = time.monotonic()
        assert client.get(path).status_code == 200
        return time.monotonic() - started

    assert took(QUERY) >= 0.15
    assert took("/limits") >= 0.01
    assert [each["seen"] for each in anyone.get(door).json()] == [1, 1]
    assert anyone.post(door, json={"seconds": -1}).status_code == 400
    assert anyone.delete(door).json() == []
    assert draw_latency(org.usage, "query") == 0


@pytest.mark.conformance(area="Levers", feature="The same seed draws the same latencies", source="reference")
def test_latencies_are_repeatable(running: RunningOrgsim, org: Org) -> None:
    def drawn(seed: int) -> list[float]:
        where = ["--state", str(running.state_folder), "--org", org.org_id, "--json"]
        options = ["--kind", "query", "--seconds", "1", "--spread", "2", "--seed", str(seed)]
        result = CliRunner().invoke(app, ["latency", "set", *options, *where])
        assert orjson.loads(result.stdout)[0]["spread_seconds"] == 2.0, result.output
        return [draw_latency(org.usage, "query") for _ in range(20)]

    first = drawn(7)
    assert all(1 <= each <= 3 for each in first)
    assert len(set(first)) == 20
    assert drawn(7) == first != drawn(8)


@pytest.mark.conformance(
    area="Levers",
    feature="The account tells for user, app and kind how calls ended",
    source="reference",
    endpoint="GET /orgsim/orgs/{org_id}/usage",
)
def test_the_account_tells_how_calls_ended(tmp_path: Path) -> None:
    with running_orgsim(tmp_path) as running:
        org = running.production
        headers = {"Authorization": f"Bearer {running.access_token()}"}
        with httpx2.Client(base_url=f"{running.url}/services/data/v60.0", headers=headers) as client:
            client.get(QUERY)
            client.get("/query?q=nonsense")
            client.get("/sobjects", headers={"If-Modified-Since": "Thu, 31 Dec 2998 00:00:00 GMT"})
            add_fault(org.usage, Fault(Effect.UNAVAILABLE, kind="query", on_calls=(1,)))
            add_fault(org.usage, Fault(Effect.DROP, kind="query", on_calls=(2,), after=True))
            client.get(QUERY)
            with pytest.raises(httpx2.TransportError):
                client.get(QUERY)
            org.set("allowance_calls", org.usage.used_calls())
            client.get(QUERY)
        where = ["--state", str(running.state_folder), "--org", org.org_id, "--json"]
        shown = orjson.loads(CliRunner().invoke(app, ["usage", *where]).stdout)
        ended = {each["kind"]: each["outcomes"] for each in shown["totals"]}
        assert ended == {"query": {"2xx": 1, "4xx": 1, "fault": 2, "refused": 1}, "describe": {"3xx": 1}}
        assert all(sum(each["outcomes"].values()) == each["calls"] for each in shown["totals"])
        assert httpx2.get(f"{running.url}/orgsim/orgs/{org.org_id}/usage").json()["totals"] == shown["totals"]
