"""The daily quotas that both Bulk APIs draw on, what is left of them, and the refusals when nothing is."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from orgsim.clock import ClockSetting
from orgsim.store.org import Org
from orgsim.store.quotas import Quota
from orgsim.store.settings import DEFAULTS
from orgsim.testing import RunningOrgsim

_QUOTAS = ("bulk_query_jobs_per_day", "bulk_result_mb_per_day", "bulk_batches_per_day", "bulk_records_per_day")
QUERY_JOB = {"operation": "query", "query": "SELECT Id FROM Account"}

Finish = Callable[[str], dict[str, Any]]


@pytest.fixture
def org(running: RunningOrgsim) -> Iterator[Org]:
    yield running.production
    for name in _QUOTAS:
        running.production.set(name, DEFAULTS[name])
    running.state.set_clock(ClockSetting())


def left(client: httpx2.Client, name: str) -> int:
    remaining: int = client.get("/limits").json()[name]["Remaining"]
    return remaining


def refusal(answer: httpx2.Response) -> tuple[int, str, str]:
    [told] = answer.json()
    return answer.status_code, told["errorCode"], told["message"]


def ingest(client: httpx2.Client, rows: int) -> str:
    """The id of a job that has been handed its rows."""
    job = client.post("/jobs/ingest", json={"operation": "insert", "object": "Account"}).json()["id"]
    csv = "Name\n" + "".join(f"Row {number}\n" for number in range(rows))
    client.put(f"/jobs/ingest/{job}/batches", content=csv, headers={"Content-Type": "text/csv"})
    client.patch(f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
    return str(job)


@pytest.mark.conformance(area="Limits", feature="Bulk API 2.0: query jobs of a day", source="facts B.4", refused=True)
def test_query_jobs_of_a_day_are_counted(
    running: RunningOrgsim, client: httpx2.Client, org: Org, finished: Finish
) -> None:
    before = left(client, "DailyBulkV2QueryJobs")
    job = client.post("/jobs/query", json=QUERY_JOB).json()["id"]
    finished(f"/jobs/query/{job}")
    assert client.post("/jobs/query", json={**QUERY_JOB, "query": "nonsense"}).status_code == 400
    client.delete(f"/jobs/query/{job}")
    assert left(client, "DailyBulkV2QueryJobs") == before - 1
    used = org.quotas.used(Quota.QUERY_JOBS)
    org.set("bulk_query_jobs_per_day", used)
    text = f"Max bulk v2 query jobs ({used}) per 24 hrs has been reached ({used})"
    assert refusal(client.post("/jobs/query", json=QUERY_JOB)) == (400, "LIMIT_EXCEEDED", text)
    running.state.set_clock(ClockSetting(offset_seconds=24 * 3600 + 60))
    headers = {"Authorization": f"Bearer {running.access_token()}"}
    assert client.post("/jobs/query", json=QUERY_JOB, headers=headers).status_code == 200


@pytest.mark.conformance(area="Limits", feature="Bulk API 2.0: results of a day", source="facts B.4", refused=True)
def test_results_of_a_day_are_counted(
    running: RunningOrgsim, client: httpx2.Client, org: Org, finished: Finish
) -> None:
    running.writer().insert("Account", {"Name": "Ask"})
    before = org.quotas.used(Quota.RESULT_BYTES)
    job = client.post("/jobs/query", json=QUERY_JOB).json()["id"]
    finished(f"/jobs/query/{job}")
    assert org.quotas.used(Quota.RESULT_BYTES) > before
    assert left(client, "DailyBulkV2QueryFileStorageMB") == 976_561
    org.quotas.use(Quota.RESULT_BYTES, 1024 * 1024)
    org.set("bulk_result_mb_per_day", 1)
    text = "Max bulk v2 query result size stored (1024) kb per 24 hrs has been exceeded"
    assert refusal(client.post("/jobs/query", json=QUERY_JOB)) == (400, "LIMIT_EXCEEDED", text)


@pytest.mark.conformance(
    area="Limits",
    feature="Both Bulk APIs draw on the same batches",
    source="facts B.4",
)
def test_both_bulk_apis_draw_on_the_same_batches(
    running: RunningOrgsim, client: httpx2.Client, org: Org, finished: Finish
) -> None:
    before = org.quotas.used(Quota.BATCHES)
    finished(f"/jobs/ingest/{ingest(client, 3)}")
    assert org.quotas.used(Quota.BATCHES) == before + 1
    add_classic_batch(running)
    assert org.quotas.used(Quota.BATCHES) == before + 2
    assert left(client, "DailyBulkApiBatches") == 15_000 - before - 2


@pytest.mark.conformance(area="Limits", feature="Bulk API 2.0: batches of a day", source="facts B.4", refused=True)
@pytest.mark.conformance(area="Limits", feature="Bulk API 1: batches of a day", source="facts B.4", refused=True)
def test_no_upload_begins_without_a_batch(
    running: RunningOrgsim, client: httpx2.Client, org: Org, finished: Finish
) -> None:
    job = client.post("/jobs/ingest", json={"operation": "insert", "object": "Account"}).json()["id"]
    org.set("bulk_batches_per_day", org.quotas.used(Quota.BATCHES))
    refused = client.post("/jobs/ingest", json={"operation": "insert", "object": "Account"})
    assert refusal(refused) == (400, "LIMIT_EXCEEDED", "ApiBatchItems Limit exceeded.")
    classic = add_classic_batch(running)
    assert (classic.status_code, "ExceededQuota" in classic.text) == (400, True)
    client.put(f"/jobs/ingest/{job}/batches", content="Name\nLate\n", headers={"Content-Type": "text/csv"})
    client.patch(f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
    ended = finished(f"/jobs/ingest/{job}")
    assert (ended["state"], ended["errorMessage"]) == ("Failed", "LIMIT_EXCEEDED : ApiBatchItems Limit exceeded.")
    assert "Late" in client.get(f"/jobs/ingest/{job}/unprocessedrecords").text


@pytest.mark.conformance(area="Limits", feature="Bulk: records uploaded in a day", source="facts B.4", refused=True)
def test_a_job_ends_where_the_records_of_the_day_end(client: httpx2.Client, org: Org, finished: Finish) -> None:
    org.set("bulk_records_per_day", org.quotas.used(Quota.RECORDS) + 450)
    ended = finished(f"/jobs/ingest/{ingest(client, 600)}")
    assert (ended["state"], ended["numberRecordsProcessed"]) == ("Failed", 400)  # written 200 at a time
    org.set("bulk_records_per_day", org.quotas.used(Quota.RECORDS))
    refused = client.post("/jobs/ingest", json={"operation": "insert", "object": "Account"})
    assert refusal(refused)[1] == "LIMIT_EXCEEDED"


def add_classic_batch(running: RunningOrgsim) -> httpx2.Response:
    """A batch of one row for a new job of Bulk API 1."""
    headers = {"X-SFDC-Session": running.access_token()}
    with httpx2.Client(base_url=f"{running.url}/services/async/60.0", headers=headers) as client:
        info = {"operation": "insert", "object": "Account", "contentType": "CSV"}
        job = client.post("/job", json=info, headers={"Content-Type": "application/json"}).json()["id"]
        return client.post(f"/job/{job}/batch", content="Name\nClassic\n", headers={"Content-Type": "text/csv"})
