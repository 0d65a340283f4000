"""Faults of the data API: refusals, spoiled answers, jobs that fail; and the headers that every answer carries."""

import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from orgsim.cli import app
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults
from orgsim.rest.latency import Latency, clear_latencies, set_latency
from orgsim.server.run import Listening
from orgsim.store.org import Org
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME, RunningOrgsim, running_orgsim
from orgsim.tls import ensure_tls_files

Finish = Callable[[str], dict[str, Any]]
QUERY = "/query?q=SELECT+Id,Name+FROM+Account"
QUERY_JOB = {"operation": "query", "query": "SELECT Id, Name FROM Account"}


@pytest.fixture(scope="module", autouse=True)
def rows(running: RunningOrgsim) -> None:
    with running.production.database.write():
        for number in range(300):
            running.writer().insert("Account", {"Name": f"Account {number}"})


@pytest.fixture
def org(running: RunningOrgsim) -> Iterator[Org]:
    yield running.production
    clear_faults(running.production.usage)


def lay(org: Org, effect: Effect, **more: Any) -> None:
    add_fault(org.usage, Fault(effect, **{"on_calls": (1,), **more}))


@pytest.mark.conformance(
    area="Levers",
    feature="Faults refuse in Salesforce's words: limit, concurrent, metering, expired locator",
    source="facts B.4",
    endpoint="POST /orgsim/orgs/{org_id}/faults",
)
@pytest.mark.parametrize(
    ("effect", "status", "code", "message"),
    [
        ("limit", 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        ("concurrent", 403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
        (
            "metering",
            400,
            "TXN_SECURITY_METERING_ERROR",
            "We can't complete the action because enabled transaction security policies took too long to complete.",
        ),
        ("expired-locator", 400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
        ("503", 503, "SERVER_UNAVAILABLE", "Server unavailable"),
    ],
)
def test_a_fault_refuses_in_salesforces_words(
    anyone: httpx2.Client, client: httpx2.Client, org: Org, effect: str, status: int, code: str, message: str
) -> None:
    page = client.get(QUERY, headers={"Sforce-Query-Options": "batchSize=200"}).json()["nextRecordsUrl"]
    before = org.usage.total_credits()
    laid = anyone.post(
        f"/orgsim/orgs/{org.org_id}/faults", json={"effect": effect, "kind": "query_more", "on_calls": [1]}
    )
    assert laid.status_code == 200
    refused = client.get(str(client.base_url.join(page)))
    assert (refused.status_code, refused.json()) == (status, [{"message": message, "errorCode": code}])
    assert org.usage.total_credits() == before
    assert len(client.get(str(client.base_url.join(page))).json()["records"]) == 100


@pytest.mark.conformance(area="Levers", feature="Answers of the edge: 406, 420 and 502", source="facts B.4")
@pytest.mark.parametrize(
    ("effect", "status", "body"),
    [(Effect.NOT_ACCEPTABLE, 406, ""), (Effect.ENHANCE_YOUR_CALM, 420, ""), (Effect.BAD_GATEWAY, 502, "<html>")],
)
def test_the_edge_answers_without_the_org(
    client: httpx2.Client, org: Org, effect: Effect, status: int, body: str
) -> None:
    lay(org, effect)
    answer = client.get("/limits")
    assert (answer.status_code, answer.text[:6]) == (status, body)
    assert "sforce-limit-info" not in answer.headers


@pytest.mark.conformance(area="Levers", feature="JSON and CSV that do not end", source="reference")
def test_a_malformed_document_lacks_its_last_character(client: httpx2.Client, org: Org, finished: Finish) -> None:
    job = client.post("/jobs/query", json=QUERY_JOB).json()["id"]
    finished(f"/jobs/query/{job}")
    whole = [client.get(path) for path in (QUERY, f"/jobs/query/{job}/results")]
    lay(org, Effect.MALFORMED, rate=1.0)
    before = org.usage.total_credits()
    broken = [client.get(path) for path in (QUERY, f"/jobs/query/{job}/results")]
    assert org.usage.total_credits() == before + 2
    assert [each.status_code for each in broken] == [200, 200]
    assert [each.text for each in broken] == [each.text.rstrip()[:-1] for each in whole]
    assert broken[1].text.count('"') % 2 == 1
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(broken[0].content)


@pytest.mark.conformance(area="Levers", feature="A body that ends in the middle", source="reference")
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_truncated_body_ends_in_the_middle(client: httpx2.Client, org: Org, encoding: str) -> None:
    lay(org, Effect.TRUNCATED, kind="query")
    with client.stream("GET", QUERY, headers={"Accept-Encoding": encoding}) as answer:
        parts = answer.iter_raw()
        got = next(parts)
        with pytest.raises(httpx2.TransportError):
            got += b"".join(parts)
    assert answer.status_code == 200
    assert 0 < len(got) < int(answer.headers["content-length"])
    assert client.get(QUERY).json()["totalSize"] == 300
    assert [each["note"] for each in org.usage.journal(2)] == ["fault truncated after the work", None]


@pytest.mark.conformance(area="Levers", feature="A body drips slowly", source="reference")
def test_a_slow_body_comes_in_drops(client: httpx2.Client, org: Org) -> None:
    whole = client.get(QUERY).content
    lay(org, Effect.SLOW, kind="query", seconds=0.5)
    with client.stream("GET", QUERY) as answer:
        begun = time.monotonic()
        parts = list(answer.iter_raw())
    assert time.monotonic() - begun > 0.3
    assert len(parts) > 1
    assert client.get(QUERY).content == whole


@pytest.mark.conformance(area="Levers", feature="The work of a spoiled answer is done and counted", source="reference")
def test_the_work_of_a_spoiled_answer_is_done(client: httpx2.Client, org: Org) -> None:
    lay(org, Effect.TRUNCATED, kind="record")
    with pytest.raises(httpx2.TransportError):
        client.post("/sobjects/Lead", json={"LastName": "Spoiled", "Company": "x"})
    assert client.get("/query?q=SELECT+Id+FROM+Lead+WHERE+LastName='Spoiled'").json()["totalSize"] == 1


@pytest.mark.conformance(area="Levers", feature="Bulk jobs and batches that fail", source="reference")
def test_bulk_jobs_fail_by_number(running: RunningOrgsim, client: httpx2.Client, org: Org, finished: Finish) -> None:
    where = ["--state", str(running.state_folder), "--org", org.org_id, "--json"]
    assert CliRunner().invoke(app, ["fault", "add", "failed-job", "--on-call", "2", *where]).exit_code == 0

    def query() -> dict[str, Any]:
        return finished(f"/jobs/query/{client.post('/jobs/query', json=QUERY_JOB).json()['id']}")

    ended = [query() for _ in range(3)]
    assert [each["state"] for each in ended] == ["JobComplete", "Failed", "JobComplete"]
    assert "UNKNOWN_EXCEPTION" in ended[1]["errorMessage"]
    clear_faults(org.usage)
    lay(org, Effect.FAILED_JOB, kind="bulk_ingest")
    job = client.post("/jobs/ingest", json={"operation": "insert", "object": "Account"}).json()["id"]
    client.put(f"/jobs/ingest/{job}/batches", content="Name\nNever\n", headers={"Content-Type": "text/csv"})
    client.patch(f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
    assert finished(f"/jobs/ingest/{job}")["state"] == "Failed"
    assert client.get("/query?q=SELECT+Id+FROM+Account+WHERE+Name='Never'").json()["totalSize"] == 0
    shown = orjson.loads(CliRunner().invoke(app, ["fault", "list", *where]).stdout)
    assert [(each["effect"], each["seen"], each["hits"]) for each in shown] == [("failed-job", 1, 1)]


@pytest.mark.conformance(area="Levers", feature="Bulk jobs and batches that fail", source="reference")
def test_a_batch_of_bulk_api_1_fails(running: RunningOrgsim, org: Org) -> None:
    lay(org, Effect.FAILED_JOB, kind="bulk1")
    headers = {"X-SFDC-Session": running.access_token()}
    with httpx2.Client(base_url=f"{running.url}/services/async/60.0", headers=headers) as classic:
        info = {"operation": "query", "object": "Account", "contentType": "JSON"}
        job = classic.post("/job", json=info).json()["id"]
        batch = classic.post(
            f"/job/{job}/batch", content="SELECT Id FROM Account", headers={"Content-Type": "application/json"}
        ).json()["id"]
        ended = classic.get(f"/job/{job}/batch/{batch}").json()
    assert (ended["state"], "UNKNOWN_EXCEPTION" in ended["stateMessage"]) == ("Failed", True)


@pytest.mark.conformance(
    area="Levers",
    feature="Faults are listed and cleared",
    source="reference",
    endpoint="GET /orgsim/orgs/{org_id}/faults",
)
@pytest.mark.conformance(
    area="Levers",
    feature="Faults are listed and cleared",
    source="reference",
    endpoint="DELETE /orgsim/orgs/{org_id}/faults",
)
def test_faults_are_listed_and_cleared(anyone: httpx2.Client, client: httpx2.Client, org: Org) -> None:
    door = f"/orgsim/orgs/{org.org_id}/faults"
    lay(org, Effect.SERVER_ERROR, kind="limits", on_calls=(), rate=1.0, hits_left=1)
    assert [client.get("/limits").status_code for _ in range(2)] == [500, 200]
    [shown] = anyone.get(door).json()
    assert (shown["effect"], shown["seen"], shown["hits"], shown["hits_left"]) == ("500", 2, 1, 0)
    assert anyone.delete(door).json() == []
    assert anyone.get(door).json() == []


def log_in_by_password(anyone: httpx2.Client) -> httpx2.Response:
    body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "password"}
    return anyone.post("/services/oauth2/token", data={**body, "username": USERNAME, "password": PASSWORD})


@pytest.mark.conformance(area="Levers", feature="Faults and latency of logging in", source="reference")
def test_logging_in_has_faults_of_its_own(anyone: httpx2.Client, org: Org) -> None:
    lay(org, Effect.SERVER_ERROR, on_calls=(), rate=1.0)
    assert log_in_by_password(anyone).status_code == 200  # which a fault that does not name it leaves alone
    lay(org, Effect.UNAVAILABLE, kind="login", on_calls=(1, 5), path_prefix="/services/")
    lay(org, Effect.DROP, kind="login", on_calls=(2,), after=True)
    lay(org, Effect.MALFORMED, kind="login", on_calls=(3,))
    refused = log_in_by_password(anyone)
    assert (refused.status_code, refused.json()) == (
        503,
        {"error": "server_unavailable", "error_description": "Server unavailable"},
    )
    with pytest.raises(httpx2.TransportError):
        log_in_by_password(anyone)
    assert not log_in_by_password(anyone).text.endswith("}")
    set_latency(org.usage, Latency("login", seconds=0.1))
    started = time.monotonic()
    assert log_in_by_password(anyone).status_code == 200
    assert time.monotonic() - started >= 0.1
    clear_latencies(org.usage)
    soap = anyone.post("/services/Soap/u/59.0", content="<x/>")
    assert (soap.status_code, "sf:SERVER_UNAVAILABLE" in soap.text) == (500, True)


@pytest.mark.conformance(area="REST", feature="Headers of every answer, as recorded", source="facts C.6")
def test_every_answer_carries_the_headers_of_the_edge(client: httpx2.Client, anyone: httpx2.Client) -> None:
    for answer in (client.get(QUERY), client.get("/query?q=x"), anyone.post("/services/oauth2/token")):
        told = answer.headers
        assert told["content-type"] == "application/json;charset=UTF-8"
        assert told["cache-control"] == "no-cache,must-revalidate,max-age=0,no-store,private"
        assert (told["server"], told["x-content-type-options"], told["x-robots-tag"]) == ("sfdcedge", "nosniff", "none")
        assert told["date"].endswith("GMT")
        assert told["vary"] == "Accept-Encoding"
        assert "strict-transport-security" not in told
    ids = {client.get("/limits").headers["x-sfdc-request-id"] for _ in range(3)}
    assert {len(each) for each in ids} == {32}
    assert len(ids) == 3


@pytest.mark.conformance(area="Reaching it", feature="HTTPS with a local authority", source="reference")
def test_https_says_that_it_is_to_stay(tmp_path: Any) -> None:
    tls = ensure_tls_files(tmp_path / "tls")
    listening = Listening(port=0, sandbox_port=0, certificate=tls.certificate, key=tls.key)
    with running_orgsim(tmp_path, listening=listening) as running:
        context = ssl.create_default_context(cafile=str(tls.authority))
        answer = httpx2.get(f"{running.url}/services/data", verify=context)
    assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"


def test_a_client_that_went_before_its_connection_is_cut_leaves_no_error(
    org: Org, client: httpx2.Client, caplog: pytest.LogCaptureFixture
) -> None:
    lay(org, Effect.TIMEOUT, seconds=0.4)
    with pytest.raises(httpx2.ReadTimeout):
        client.get(QUERY, timeout=0.1)
    time.sleep(0.6)
    assert client.get(QUERY).status_code == 200
    assert caplog.records == []
