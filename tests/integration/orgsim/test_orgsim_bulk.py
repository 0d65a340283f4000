"""Bulk API 2.0: query jobs with their pages, refusals and dialects; ingest jobs with their three results."""

import csv
import io
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from orgsim.testing import RunningOrgsim

Finished = Callable[[str], dict[str, Any]]
LEADS = 25
ODD_NAME = 'Q "quoted", comma\nline'


@pytest.fixture(scope="module", autouse=True)
def leads(running: RunningOrgsim) -> list[str]:
    writer = running.writer()
    with running.production.database.write():
        made = [writer.insert("Lead", {"LastName": f"L{n:02d}", "Company": "C"}) for n in range(LEADS)]
    writer.update("Lead", made[0], {"Company": ODD_NAME, "AnnualRevenue": 1234.5})
    writer.delete("Lead", made[-1])
    return made


def start(client: httpx2.Client, query: str, **more: str) -> str:
    answer = client.post("/jobs/query", json={"operation": "query", "query": query, **more})
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "UploadComplete"
    return f"/jobs/query/{answer.json()['id']}"


def read_csv(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Create a query job",
    source="facts C.4",
    endpoint="POST /jobs/query",
)
@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Information about a query job",
    source="facts C.4",
    endpoint="GET /jobs/query/{job_id}",
)
@pytest.mark.conformance(area="Bulk API 2.0", feature="A query job and its result", source="facts C.4")
def test_it_answers_a_bulk_query(client: httpx2.Client, finished: Finished) -> None:
    path = start(client, "SELECT Id, Company, AnnualRevenue, IsDeleted, CreatedDate, Owner.Name FROM Lead")
    job = finished(path)
    assert (job["state"], job["numberRecordsProcessed"], job["jobType"]) == ("JobComplete", LEADS - 1, "V2Query")
    results = client.get(f"{path}/results")
    assert results.headers["sforce-locator"] == "null"
    assert results.headers["sforce-numberofrecords"] == str(LEADS - 1)
    assert results.text.startswith('"Id","Company","AnnualRevenue","IsDeleted","CreatedDate","Owner.Name"\n')
    rows = read_csv(results.text)
    odd = next(row for row in rows if row["Company"] == ODD_NAME)
    assert (odd["AnnualRevenue"], odd["IsDeleted"], odd["Owner.Name"]) == ("1234.5", "false", "Ada Admin")
    assert odd["CreatedDate"].endswith(".000Z")
    assert {row["AnnualRevenue"] for row in rows} == {"", "1234.5"}


@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Sforce-NumberOfRecords on each page",
    source="facts C.4",
    endpoint="GET /jobs/query/{job_id}/results",
)
@pytest.mark.conformance(
    area="Bulk API 2.0", feature="Results in pages by Sforce-Locator and maxRecords", source="facts C.4"
)
def test_it_gives_pages_by_locator(client: httpx2.Client, finished: Finished) -> None:
    path = start(client, "SELECT Id FROM Lead ORDER BY Id")
    finished(path)
    found, locator, sizes = [], "", []
    while locator != "null":
        params = {"maxRecords": "10", **({"locator": locator} if locator else {})}
        page = client.get(f"{path}/results", params=params)
        locator = page.headers["sforce-locator"]
        sizes.append(int(page.headers["sforce-numberofrecords"]))
        found += [row["Id"] for row in read_csv(page.text)]
    assert sizes == [10, 10, 4]
    assert found == sorted(set(found))


@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Up to five pages named to fetch side by side",
    source="api-asynch/query-get-parallel-job-results",
    endpoint="GET /jobs/query/{job_id}/resultPages",
)
@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="resultpages, as clients spell it too",
    source="facts C.4",
    endpoint="GET /jobs/query/{job_id}/resultpages",
)
@pytest.mark.conformance(area="Bulk API 2.0", feature="resultPages", source="facts C.4")
def test_result_pages_can_be_fetched_side_by_side(
    client: httpx2.Client, finished: Finished, running: RunningOrgsim
) -> None:
    path = start(client, "SELECT Id FROM Lead")
    finished(path)
    running.production.set("bulk_page_rows", 4)
    try:
        first = client.get(f"{path}/resultPages").json()
        rest = client.get(running.url + first["nextRecordsUrl"].replace("resultPages", "resultpages")).json()
        urls = [each["resultUrl"] for each in first["resultPages"] + rest["resultPages"]]
        rows = [row["Id"] for url in urls for row in read_csv(client.get(running.url + url).text)]
    finally:
        running.production.set("bulk_page_rows", 100_000)
    assert (len(first["resultPages"]), first["done"], rest["done"], len(urls)) == (5, False, True, 6)
    assert len(set(rows)) == LEADS - 1


@pytest.mark.conformance(area="Bulk API 2.0", feature="queryAll; an empty result is a header", source="facts C.4")
def test_query_all_brings_deleted_rows_and_an_empty_result_only_a_header(
    client: httpx2.Client, finished: Finished
) -> None:
    path = start(client, "SELECT Id, IsDeleted FROM Lead", operation="queryAll")
    assert finished(path)["numberRecordsProcessed"] == LEADS
    empty = start(client, "SELECT Id FROM Lead WHERE LastName = 'nobody'")
    finished(empty)
    assert client.get(f"{empty}/results").text == '"Id"\n'


@pytest.mark.conformance(area="Bulk API 2.0", feature="CSV dialects of results", source="facts C.4")
def test_it_speaks_csv_dialects(client: httpx2.Client, finished: Finished) -> None:
    path = start(client, "SELECT LastName, Company FROM Lead LIMIT 1", columnDelimiter="PIPE", lineEnding="CRLF")
    finished(path)
    assert client.get(f"{path}/results").text.startswith('"LastName"|"Company"\r\n')


def refused(query: str, code: str, feature: str) -> Any:
    mark = pytest.mark.conformance(area="Bulk API 2.0", feature=feature, source="facts C.4", refused=True)
    return pytest.param(query, code, marks=mark, id=feature)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        refused("SELECT COUNT(Id) FROM Lead", "API_ERROR", "Aggregates in a bulk query"),
        refused("SELECT Status, COUNT(Id) FROM Lead GROUP BY Status", "API_ERROR", "GROUP BY in a bulk query"),
        refused("SELECT Id, (SELECT Id FROM Tasks) FROM Lead", "API_ERROR", "Child subqueries in a bulk query"),
        refused("SELECT TYPEOF Who WHEN Lead THEN Company END FROM Task", "API_ERROR", "TYPEOF in a bulk query"),
        refused("SELECT Id FROM Lead LIMIT 5 OFFSET 5", "API_ERROR", "OFFSET in a bulk query"),
        refused("SELECT Address FROM Lead", "API_ERROR", "Compound fields in a bulk query"),
        refused("SELECT Id FROM Organization", "INVALIDENTITY", "Objects that the Bulk API does not support"),
        refused("SELECT Nope FROM Lead", "INVALID_FIELD", "Fields and objects that do not exist in a bulk query"),
        refused("SELECT Id FROM Nope", "INVALID_TYPE", "Fields and objects that do not exist in a bulk query"),
        refused("SELECT", "MALFORMED_QUERY", "Malformed bulk queries"),
    ],
)
def test_it_refuses_what_bulk_cannot_answer(client: httpx2.Client, query: str, code: str) -> None:
    answer = client.post("/jobs/query", json={"operation": "query", "query": query})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Delete a query job",
    source="api-asynch/delete-a-query-job",
    endpoint="DELETE /jobs/query/{job_id}",
)
@pytest.mark.conformance(area="Bulk API 2.0", feature="409 for results in another version", source="facts C.4")
def test_results_keep_to_their_version_and_their_job(
    client: httpx2.Client, finished: Finished, running: RunningOrgsim
) -> None:
    path = start(client, "SELECT Id FROM Lead")
    finished(path)
    assert client.get(f"{running.url}/services/data/v61.0{path}/results").status_code == 409
    assert client.delete(path).status_code == 204
    assert client.get(path).json()[0]["errorCode"] == "NOT_FOUND"


@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="No results before the job has ended",
    source="facts C.4",
    refused=True,
    endpoint="PATCH /jobs/query/{job_id}",
)
@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="List query jobs",
    source="api-asynch/get-information-about-all-query-jobs",
    endpoint="GET /jobs/query",
)
@pytest.mark.conformance(area="Bulk API 2.0", feature="Abort a query job", source="facts C.4")
def test_a_job_can_be_aborted_and_listed(client: httpx2.Client, running: RunningOrgsim, finished: Finished) -> None:
    running.production.set("bulk_delay_seconds", 60.0)
    try:
        path = start(client, "SELECT Id FROM Lead")
    finally:
        running.production.set("bulk_delay_seconds", 0.0)
    assert client.get(f"{path}/results").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert client.delete(path).json()[0]["errorCode"] == "API_ERROR"
    assert client.patch(path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    listing = client.get("/jobs/query", params={"jobType": "V2Query"}).json()
    assert listing["done"] is True
    assert path.rpartition("/")[2] in [job["id"] for job in listing["records"] if job["state"] == "Aborted"]


def ingest(
    client: httpx2.Client, finished: Finished, text: str, operation: str, sobject: str = "Lead", **more: str
) -> str:
    """The path of a finished job."""
    job = client.post("/jobs/ingest", json={"object": sobject, "operation": operation, **more}).json()
    path = f"/jobs/ingest/{job['id']}"
    assert (job["state"], job["contentUrl"]) == ("Open", f"services/data/v60.0{path}/batches")
    headers = {"Content-Type": "text/csv"}
    assert client.put(f"{path}/batches", content=text.encode(), headers=headers).status_code == 201
    assert client.patch(path, json={"state": "UploadComplete"}).json()["state"] == "UploadComplete"
    assert finished(path)["state"] == "JobComplete"
    return path


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="Create an ingest job", source="api-asynch/create-a-job", endpoint="POST /jobs/ingest"
)
@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Upload data",
    source="api-asynch/upload-job-data",
    endpoint="PUT /jobs/ingest/{job_id}/batches",
)
@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Close a job by UploadComplete",
    source="facts C.5",
    endpoint="PATCH /jobs/ingest/{job_id}",
)
@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Information about an ingest job",
    source="facts C.5",
    endpoint="GET /jobs/ingest/{job_id}",
)
@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Successful records with sf__Id and sf__Created",
    source="facts C.5",
    endpoint="GET /jobs/ingest/{job_id}/successfulResults",
)
@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Failed records with sf__Id and sf__Error",
    source="facts C.5",
    endpoint="GET /jobs/ingest/{job_id}/failedResults",
)
@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Unprocessed records",
    source="facts C.5",
    endpoint="GET /jobs/ingest/{job_id}/unprocessedrecords",
)
@pytest.mark.conformance(
    area="Bulk API 2.0", feature="insert, with successful, failed and unprocessed results", source="facts C.5"
)
def test_it_inserts_and_reports_each_row(client: httpx2.Client, finished: Finished) -> None:
    path = ingest(client, finished, 'LastName,Company\nA,"In, c"\nB,\nC,Inc\n', "insert")
    job = client.get(path).json()
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"], job["jobType"]) == (3, 1, "V2Ingest")
    good = read_csv(client.get(f"{path}/successfulResults").text)
    assert [(row["LastName"], row["Company"], row["sf__Created"]) for row in good] == [
        ("A", "In, c", "true"),
        ("C", "Inc", "true"),
    ]
    failed = client.get(f"{path}/failedResults").text
    assert failed == (
        '"sf__Id","sf__Error","LastName","Company"\n'
        '"","REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --","B",""\n'
    )
    assert client.get(f"{path}/unprocessedrecords").text == '"LastName","Company"\n'


@pytest.mark.conformance(area="Bulk API 2.0", feature="update", source="api-asynch/create-a-job")
@pytest.mark.conformance(area="Bulk API 2.0", feature="Empty cells and #N/A", source="facts C.5")
def test_empty_cells_change_nothing_and_na_empties(
    client: httpx2.Client, finished: Finished, running: RunningOrgsim
) -> None:
    lead = running.writer().insert("Lead", {"LastName": "X", "Company": "Y", "Title": "Z", "Rating": "Hot"})
    ingest(client, finished, f"Id,Title,Rating,Company\n{lead},,#N/A,New\n", "update")
    row = client.get(f"/sobjects/Lead/{lead}").json()
    assert (row["Title"], row["Rating"], row["Company"]) == ("Z", None, "New")


@pytest.mark.conformance(area="Bulk API 2.0", feature="upsert by a key", source="facts C.5")
def test_it_upserts_by_a_key(client: httpx2.Client, finished: Finished) -> None:
    text = "Email,LastName,Company\nu1@example.com,One,U\nu2@example.com,Two,U\n"
    for created in ("true", "false"):
        path = ingest(client, finished, text, "upsert", externalIdFieldName="Email")
        rows = read_csv(client.get(f"{path}/successfulResults").text)
        assert [row["sf__Created"] for row in rows] == [created, created]


@pytest.mark.conformance(area="Bulk API 2.0", feature="delete and hardDelete", source="facts C.5")
def test_it_deletes_softly_and_hard(client: httpx2.Client, finished: Finished, running: RunningOrgsim) -> None:
    writer = running.writer()
    soft, hard = (writer.insert("Lead", {"LastName": name, "Company": "D"}) for name in ("Soft", "Hard"))
    ingest(client, finished, f"Id\n{soft}\n", "delete")
    ingest(client, finished, f"Id\n{hard}\n", "hardDelete")
    query = {"q": f"SELECT Id, IsDeleted FROM Lead WHERE Id IN ('{soft}', '{hard}')"}
    [row] = client.get("/queryAll", params=query).json()["records"]
    assert (row["Id"], row["IsDeleted"]) == (soft, True)


@pytest.mark.conformance(area="Bulk API 2.0", feature="Relationship columns", source="facts C.5")
def test_it_links_parents_by_key(client: httpx2.Client, finished: Finished, running: RunningOrgsim) -> None:
    running.writer().insert("Contact", {"LastName": "Boss", "Email": "boss@example.com"})
    ingest(client, finished, "LastName,ReportsTo.Email\nHand,boss@example.com\n", "insert", "Contact")
    query = {"q": "SELECT ReportsTo.LastName FROM Contact WHERE LastName = 'Hand'"}
    assert client.get("/query", params=query).json()["records"][0]["ReportsTo"]["LastName"] == "Boss"


@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Results, closing and a second upload where the state does not allow them",
    source="facts C.5",
    refused=True,
    endpoint="DELETE /jobs/ingest/{job_id}",
)
@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="upsert without a key, or an object that does not exist",
    source="facts C.5",
    refused=True,
)
def test_an_ingest_job_keeps_to_its_states(client: httpx2.Client) -> None:
    job = client.post("/jobs/ingest", json={"object": "Lead", "operation": "insert"}).json()
    path = f"/jobs/ingest/{job['id']}"
    assert client.patch(path, json={"state": "UploadComplete"}).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert client.get(f"{path}/failedResults").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    client.put(f"{path}/batches", content=b"LastName\nx\n")
    assert client.put(f"{path}/batches", content=b"LastName\nx\n").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert client.patch(path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert client.get(f"{path}/unprocessedrecords").text == '"LastName"\n"x"\n'
    assert client.delete(path).status_code == 204
    wrong = client.post("/jobs/ingest", json={"object": "Lead", "operation": "upsert"})
    assert wrong.json()[0]["errorCode"] == "INVALIDJOB"
    unknown = client.post("/jobs/ingest", json={"object": "Nope", "operation": "insert"})
    assert unknown.json()[0]["errorCode"] == "INVALIDENTITY"


@pytest.mark.conformance(area="Bulk API 2.0", feature="Rows in chunks of 200", source="facts C.5")
def test_it_goes_on_in_chunks(client: httpx2.Client, finished: Finished) -> None:
    lines = "".join(f"N{n},Chunk\n" for n in range(450))
    path = ingest(client, finished, "LastName,Company\n" + lines, "insert")
    rows = read_csv(client.get(f"{path}/successfulResults").text)
    assert len({row["sf__Id"] for row in rows}) == 450
