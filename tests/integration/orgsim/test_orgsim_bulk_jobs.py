"""The life of Bulk API 2.0 jobs: states that may follow each other, aborts at work, listings, ages, versions."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from orgsim.clock import ClockSetting
from orgsim.testing import RunningOrgsim

Finished = Callable[[str], dict[str, Any]]
HOUR_SECONDS = 3_600


@pytest.fixture(scope="module", autouse=True)
def long_sessions(running: RunningOrgsim) -> None:
    """So that the client stays logged in while the clock runs ahead."""
    running.production.set("access_token_seconds", 30 * 24 * HOUR_SECONDS)


def session_of(client: httpx2.Client) -> dict[str, str]:
    """The same session for Bulk API 1."""
    return {"X-SFDC-Session": client.headers["Authorization"].removeprefix("Bearer ")}


@pytest.fixture(autouse=True)
def defaults(running: RunningOrgsim) -> Iterator[None]:
    yield
    running.state.set_clock(ClockSetting())
    running.production.set("bulk_delay_seconds", 0.0)


def open_ingest(client: httpx2.Client) -> str:
    return f"/jobs/ingest/{client.post('/jobs/ingest', json={'object': 'Lead', 'operation': 'insert'}).json()['id']}"


def open_query(client: httpx2.Client, query: str = "SELECT Id FROM Lead", **headers: str) -> str:
    answer = client.post("/jobs/query", json={"operation": "query", "query": query}, headers=headers)
    return f"/jobs/query/{answer.json()['id']}"


def upload(client: httpx2.Client, path: str, text: str) -> None:
    assert client.put(f"{path}/batches", content=text.encode()).status_code == 201
    assert client.patch(path, json={"state": "UploadComplete"}).status_code == 200


def abort(client: httpx2.Client, path: str) -> httpx2.Response:
    return client.patch(path, json={"state": "Aborted"})


def told(answer: httpx2.Response) -> tuple[int, str, str]:
    [error] = answer.json()
    return answer.status_code, error["errorCode"], error["message"]


def rows(client: httpx2.Client, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(path).text, newline="")))


@pytest.mark.conformance(area="Bulk API 2.0", feature="Closing a job twice", source="facts C.5", refused=True)
@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="unprocessedRecords, as clients spell it too",
    source="facts C.5",
    endpoint="GET /jobs/ingest/{job_id}/unprocessedRecords",
)
@pytest.mark.conformance(area="Bulk API 2.0", feature="Abort in every state", source="api-asynch/abort-a-job")
def test_a_job_is_aborted_until_it_has_ended(client: httpx2.Client, running: RunningOrgsim, finished: Finished) -> None:
    path = open_ingest(client)
    assert abort(client, path).json()["state"] == "Aborted"
    assert told(abort(client, path)) == (400, "INVALIDJOBSTATE", "Aborting already Aborted Job not allowed")
    assert client.get(f"{path}/unprocessedrecords").status_code == 200
    running.production.set("bulk_delay_seconds", 60.0)
    waiting = open_ingest(client)
    upload(client, waiting, "LastName,Company\nNever,Inc\n")
    assert abort(client, waiting).json()["state"] == "Aborted"
    assert [row["LastName"] for row in rows(client, f"{waiting}/unprocessedRecords")] == ["Never"]
    running.production.set("bulk_delay_seconds", 0.0)
    ended = open_ingest(client)
    upload(client, ended, "LastName,Company\nA,B\n")
    finished(ended)
    completed = (400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
    assert told(abort(client, ended)) == completed
    query = open_query(client)
    finished(query)
    assert told(abort(client, query)) == completed
    again = client.patch(ended, json={"state": "UploadComplete"})
    assert told(again) == (400, "INVALIDJOBSTATE", "Closing already Completed Job not allowed")


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="Unprocessed records of a job aborted at work", source="facts C.5"
)
def test_a_job_is_aborted_at_work(client: httpx2.Client) -> None:
    count = 4000
    path = open_ingest(client)
    upload(client, path, "LastName,Company\n" + "".join(f"Row {n:04d},Aborted Inc\n" for n in range(count)))
    while not client.get(path).json()["numberRecordsProcessed"]:
        time.sleep(0.005)
    done = abort(client, path).json()["numberRecordsProcessed"]
    assert 0 < done < count
    assert done % 200 == 0
    assert client.get(path).json()["numberRecordsProcessed"] == done
    kept = [row["LastName"] for row in rows(client, f"{path}/successfulResults")]
    left = [row["LastName"] for row in rows(client, f"{path}/unprocessedrecords")]
    assert kept + left == [f"Row {n:04d}" for n in range(count)]
    query = {"q": "SELECT COUNT() FROM Lead WHERE Company = 'Aborted Inc'"}
    assert client.get("/query", params=query).json()["totalSize"] == len(kept) == done


@pytest.mark.conformance(area="Bulk API 2.0", feature="Delete jobs", source="api-asynch/delete-a-job")
def test_a_job_is_deleted_while_it_waits_or_after_its_end(
    client: httpx2.Client, running: RunningOrgsim, finished: Finished
) -> None:
    path = open_ingest(client)
    assert told(client.delete(path))[1] == "INVALIDJOBSTATE"
    running.production.set("bulk_delay_seconds", 0.4)
    upload(client, path, "LastName,Company\nDeleted,Inc\n")
    assert client.delete(path).status_code == 204
    running.production.set("bulk_delay_seconds", 0.0)
    time.sleep(0.5)
    missing = (404, "NOT_FOUND", "The requested resource does not exist")
    assert told(client.get(path)) == missing
    assert told(client.get("/jobs/query/750000000000001AAA/results")) == missing
    query = {"q": "SELECT COUNT() FROM Lead WHERE LastName = 'Deleted'"}
    assert client.get("/query", params=query).json()["totalSize"] == 0
    running.production.set("bulk_delay_seconds", 60.0)
    waiting = open_query(client)
    sentence = "Error encountered when deleting the job because the job is not terminated"
    assert told(client.delete(waiting)) == (400, "API_ERROR", sentence)
    assert abort(client, waiting).status_code == 200
    assert client.delete(waiting).status_code == 204


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="List ingest jobs", source="facts C.5", endpoint="GET /jobs/ingest"
)
@pytest.mark.conformance(
    area="Bulk API 2.0", feature="Listing jobs with filters", source="api-asynch/get-information-about-all-query-jobs"
)
def test_jobs_are_listed_with_filters(client: httpx2.Client, running: RunningOrgsim) -> None:
    ingest, query = open_ingest(client), open_query(client)
    headers = {**session_of(client), "Sforce-Enable-PKChunking": "true"}
    body = {"operation": "query", "object": "Lead", "contentType": "CSV", "concurrencyMode": "Serial"}
    classic = httpx2.post(f"{running.url}/services/async/60.0/job", json=body, headers=headers).json()["id"]

    def listed(resource: str, **filters: str) -> set[str]:
        answer = client.get(f"/jobs/{resource}", params=filters).json()
        assert answer["done"] is True
        assert answer["nextRecordsUrl"] is None
        return {f"{each['jobType']} {each['id']}" for each in answer["records"]}

    shown_query, shown_ingest = f"V2Query {query.rpartition('/')[2]}", f"V2Ingest {ingest.rpartition('/')[2]}"
    shown_classic = f"Classic {classic}"
    assert {shown_query, shown_classic} <= listed("query")
    assert shown_ingest not in listed("query")
    assert {shown_ingest, shown_classic} <= listed("ingest")
    assert shown_query in listed("query", jobType="V2Query")
    assert shown_classic not in listed("query", jobType="V2Query")
    assert shown_ingest in listed("query", jobType="V2Ingest")
    assert listed("query", isPkChunkingEnabled="true") == {shown_classic}
    assert listed("query", concurrencyMode="serial") == {shown_classic}
    assert shown_classic not in listed("query", concurrencyMode="parallel")
    assert client.get("/jobs/query", params={"jobType": "Nope"}).status_code == 400


@pytest.mark.conformance(area="Bulk API 2.0", feature="Listing goes on by queryLocator", source="facts C.4")
def test_a_listing_goes_on_by_its_locator(
    client: httpx2.Client, running: RunningOrgsim, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [open_ingest(client) for _ in range(5)]
    monkeypatch.setattr("orgsim.bulk.listing.LISTED_JOBS", 2)
    seen: list[str] = []
    url = f"{running.url}/services/data/v60.0/jobs/ingest?jobType=V2Ingest"
    while url:
        page = client.get(url).json()
        assert len(page["records"]) <= 2
        seen += [f"/jobs/ingest/{each['id']}" for each in page["records"]]
        assert page["done"] == (page["nextRecordsUrl"] is None)
        url = f"{running.url}{page['nextRecordsUrl']}" if page["nextRecordsUrl"] else ""
    assert seen[:5] == made[::-1]
    assert len(seen) == len(set(seen))
    assert told(client.get("/jobs/ingest", params={"queryLocator": "7"}))[1] == "INVALID_QUERY_LOCATOR"


@pytest.mark.conformance(area="Bulk API 2.0", feature="A job stays open for a day at most", source="facts C.5")
def test_a_job_stays_open_for_a_day(client: httpx2.Client, running: RunningOrgsim) -> None:
    path = open_ingest(client)
    body = {"operation": "insert", "object": "Lead", "contentType": "JSON"}
    classic = f"{running.url}/services/async/60.0/job"
    old = httpx2.post(classic, json=body, headers=session_of(client)).json()["id"]
    running.state.set_clock(ClockSetting(offset_seconds=23 * HOUR_SECONDS))
    assert client.get(path).json()["state"] == "Open"
    running.state.set_clock(ClockSetting(offset_seconds=25 * HOUR_SECONDS))
    job = client.get(path).json()
    assert (job["state"], job["errorMessage"]) == ("Failed", "The job was open for more than 24 hours")
    assert client.put(f"{path}/batches", content=b"LastName\n").status_code == 400
    assert httpx2.get(f"{classic}/{old}", headers=session_of(client)).json()["state"] == "Failed"


@pytest.mark.conformance(area="Bulk API 2.0", feature="Jobs and results are gone after a week", source="facts C.5")
def test_a_job_is_gone_after_a_week(client: httpx2.Client, running: RunningOrgsim, finished: Finished) -> None:
    query, ingest = open_query(client), open_ingest(client)
    upload(client, ingest, "LastName,Company\nWeek,Inc\n")
    finished(query)
    finished(ingest)
    results = client.get(f"{query}/results").text
    running.state.set_clock(ClockSetting(offset_seconds=6 * 24 * HOUR_SECONDS))
    assert client.get(f"{query}/results").text == results
    running.state.set_clock(ClockSetting(offset_seconds=8 * 24 * HOUR_SECONDS))
    for path in (query, f"{query}/results", ingest, f"{ingest}/successfulResults"):
        assert client.get(path).status_code == 404
    assert client.get("/jobs/query").json()["records"] == []
    kept = [each.name for each in running.production.job_folder.iterdir()]
    assert not [name for name in kept if name.startswith((query.rpartition("/")[2], ingest.rpartition("/")[2]))]


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="resultPages before version 58, and all before 47", source="facts C.4", refused=True
)
@pytest.mark.conformance(
    area="Bulk API 2.0", feature="Columns in the order of the alphabet before version 50", source="facts C.4"
)
def test_older_versions_answer_in_their_own_way(
    client: httpx2.Client, running: RunningOrgsim, finished: Finished
) -> None:
    soql = "SELECT LastName, Owner.Name, Id, Company FROM Lead LIMIT 1"
    for version, header in (("49.0", "Company,Id,LastName,Owner.Name"), ("50.0", "LastName,Owner.Name,Id,Company")):
        base = f"{running.url}/services/data/v{version}"
        made = client.post(f"{base}/jobs/query", json={"operation": "query", "query": soql}).json()["id"]
        finished(f"{base}/jobs/query/{made}")
        assert client.get(f"{base}/jobs/query/{made}/results").text.splitlines()[0].replace('"', "") == header
        assert client.get(f"{base}/jobs/query/{made}/resultPages").status_code == 404
    assert client.get(f"{running.url}/services/data/v46.0/jobs/query").status_code == 404


@pytest.mark.conformance(area="Bulk API 2.0", feature="A PK chunking header changes nothing", source="facts C.4")
def test_a_chunking_header_changes_nothing(client: httpx2.Client, finished: Finished) -> None:
    plain, chunked = open_query(client), open_query(client, **{"Sforce-Enable-PKChunking": "chunkSize=1"})
    for path in (plain, chunked):
        finished(path)
    assert client.get(f"{chunked}/results").text == client.get(f"{plain}/results").text
    assert client.get(chunked).json()["isPkChunkingSupported"] is True


@pytest.mark.conformance(area="Bulk API 2.0", feature="A wrong locator or maxRecords", source="facts C.4", refused=True)
@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"maxRecords": "0"}, "INVALIDJOB"),
        ({"maxRecords": "x"}, "INVALIDJOB"),
        ({"locator": "LTE"}, "INVALID_QUERY_LOCATOR"),
        ({"locator": "?"}, "INVALID_QUERY_LOCATOR"),
    ],
)
def test_wrong_pages_are_refused(client: httpx2.Client, finished: Finished, params: dict[str, str], code: str) -> None:
    path = open_query(client)
    finished(path)
    assert told(client.get(f"{path}/results", params=params))[:2] == (400, code)


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="Results compressed where the client accepts it", source="facts C.4"
)
def test_results_are_compressed(client: httpx2.Client, running: RunningOrgsim, finished: Finished) -> None:
    writer = running.writer()
    with running.production.database.write():
        for n in range(200):
            writer.insert("Lead", {"LastName": f"Zip {n}", "Company": "C"})
    path = open_query(client)
    finished(path)
    answer = client.get(f"{path}/results", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == client.get(f"{path}/results", headers={"Accept-Encoding": "identity"}).text
