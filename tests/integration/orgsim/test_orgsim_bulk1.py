"""Bulk API 1: jobs and batches in XML and JSON, loads, queries, chunks by primary key, refusals, credits."""

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import httpx2
import pytest

from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults
from orgsim.server.run import Listening, serving
from orgsim.store.state import State
from orgsim.testing import RunningOrgsim, running_orgsim

NAMESPACE = "{http://www.force.com/2009/06/asyncapi/dataload}"
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}
XML = {"Content-Type": "application/xml; charset=utf-8"}


@pytest.fixture(scope="module")
def bulk(running: RunningOrgsim) -> Iterator[httpx2.Client]:
    """Base URL is Bulk API 1 of one version."""
    headers = {"X-SFDC-Session": running.access_token()}
    with httpx2.Client(base_url=f"{running.url}/services/async/60.0", headers=headers) as opened:
        yield opened


def tree(answer: httpx2.Response) -> ET.Element:
    return ET.fromstring(answer.content)  # noqa: S314  our own answer


def info(answer: httpx2.Response) -> dict[str, str]:
    """The values of an XML description."""
    assert answer.headers["content-type"] == "application/xml"
    return {each.tag.removeprefix(NAMESPACE): each.text or "" for each in tree(answer)}


def result_of(bulk: httpx2.Client, path: str) -> httpx2.Response:
    """The only result of a query's batch."""
    [result] = [each.text for each in tree(bulk.get(f"{path}/result"))]
    return bulk.get(f"{path}/result/{result}")


def batches(answer: httpx2.Response) -> list[dict[str, str]]:
    return [{each.tag.removeprefix(NAMESPACE): each.text or "" for each in one} for one in tree(answer)]


def open_job(bulk: httpx2.Client, operation: str, **more: Any) -> str:
    """The path of a new job, described in JSON."""
    headers = more.pop("headers", {})
    body = {"operation": operation, "object": "Lead", "contentType": "CSV", **more}
    answer = bulk.post("/job", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return f"/job/{answer.json()['id']}"


def ask(bulk: httpx2.Client, soql: str, operation: str = "query", **more: Any) -> str:
    """The path of a query's only batch."""
    job = open_job(bulk, operation, **more)
    return f"{job}/batch/{info(bulk.post(f'{job}/batch', content=soql, headers=CSV))['id']}"


def refusal(answer: httpx2.Response) -> tuple[int, str, str]:
    told = answer.json() if answer.headers["content-type"] == "application/json" else info(answer)
    return answer.status_code, told["exceptionCode"], told["exceptionMessage"]


@pytest.mark.conformance(
    area="Bulk API 1",
    feature="Create a job",
    source="facts C.9",
    endpoint="POST /services/async/{version}/job",
)
@pytest.mark.conformance(
    area="Bulk API 1",
    feature="Add a batch",
    source="facts C.9",
    endpoint="POST /services/async/{version}/job/{job_id}/batch",
)
@pytest.mark.conformance(
    area="Bulk API 1",
    feature="Information about a batch",
    source="facts C.9",
    endpoint="GET /services/async/{version}/job/{job_id}/batch/{batch_id}",
)
@pytest.mark.conformance(
    area="Bulk API 1",
    feature="Results of a batch in the order of its rows",
    source="facts C.9",
    endpoint="GET /services/async/{version}/job/{job_id}/batch/{batch_id}/result",
)
@pytest.mark.conformance(
    area="Bulk API 1",
    feature="What was sent for a batch",
    source="facts C.9",
    endpoint="GET /services/async/{version}/job/{job_id}/batch/{batch_id}/request",
)
@pytest.mark.conformance(
    area="Bulk API 1",
    feature="Close a job",
    source="facts C.9",
    endpoint="POST /services/async/{version}/job/{job_id}",
)
@pytest.mark.conformance(
    area="Bulk API 1",
    feature="Jobs, batches and results in XML, with CSV data",
    source="api-asynch/quick-start-bulk-api",
)
def test_a_job_in_xml_loads_csv(bulk: httpx2.Client) -> None:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="http://www.force.com/2009/06/asyncapi/dataload">'
        "<operation>insert</operation><object>Lead</object><contentType>CSV</contentType></jobInfo>"
    )
    created = bulk.post("/job", content=text, headers=XML)
    assert created.status_code == 201
    job = info(created)
    assert (job["state"], job["concurrencyMode"], job["apiVersion"]) == ("Open", "Parallel", "60.0")
    assert job["createdDate"].endswith(".000Z")
    added = bulk.post(f"/job/{job['id']}/batch", content='LastName,Company\nA,"In, c"\nB,\n', headers=CSV)
    assert (added.status_code, info(added)["state"]) == (201, "Queued")
    path = f"/job/{job['id']}/batch/{info(added)['id']}"
    batch = info(bulk.get(path))
    assert (batch["state"], batch["numberRecordsProcessed"], batch["numberRecordsFailed"]) == ("Completed", "2", "1")
    lines = bulk.get(f"{path}/result").text.splitlines()
    assert lines[0] == '"Id","Success","Created","Error"'
    assert lines[1].startswith('"00Q')
    assert lines[1].endswith('","true","true",""')
    assert lines[2] == '"","false","false","REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --"'
    assert bulk.get(f"{path}/request").text == 'LastName,Company\nA,"In, c"\nB,\n'
    closing = "<jobInfo xmlns='http://www.force.com/2009/06/asyncapi/dataload'><state>Closed</state></jobInfo>"
    closed = info(bulk.post(f"/job/{job['id']}", content=closing, headers=CSV))
    assert (closed["state"], closed["numberBatchesCompleted"], closed["numberRecordsProcessed"]) == ("Closed", "1", "2")


@pytest.mark.conformance(
    area="Bulk API 1",
    feature="Batches of a job",
    source="facts C.9",
    endpoint="GET /services/async/{version}/job/{job_id}/batch",
)
@pytest.mark.conformance(area="Bulk API 1", feature="JSON batches", source="api-asynch/prepare-xml-and-json-files")
def test_a_job_in_json_loads_json(bulk: httpx2.Client, running: RunningOrgsim) -> None:
    running.writer().insert("Contact", {"LastName": "Boss", "Email": "boss1@example.com"})
    job = open_job(bulk, "insert", object="Contact", contentType="JSON", concurrencyMode=1)
    rows = [{"LastName": "Hand", "ReportsTo": {"Email": "boss1@example.com"}}, {"FirstName": "Nobody"}]
    batch = bulk.post(f"{job}/batch", json=rows).json()
    path = f"{job}/batch/{batch['id']}"
    good, bad = bulk.get(f"{path}/result").json()
    assert (good["success"], good["created"], good["errors"]) == (True, True, [])
    assert (bad["success"], bad["id"], bad["errors"][0]["statusCode"]) == (False, None, "REQUIRED_FIELD_MISSING")
    assert bulk.get(f"{path}/request").json() == rows
    listed = bulk.get(f"{job}/batch", headers=JSON).json()["batchInfo"]
    assert [(each["id"], each["state"]) for each in listed] == [(batch["id"], "Completed")]
    described = bulk.post(job, json={"state": "Closed"}).json()
    assert (described["state"], described["concurrencyMode"], described["apiVersion"]) == ("Closed", "Serial", 60.0)
    assert described["createdDate"].endswith(".000+0000")


@pytest.mark.conformance(
    area="Bulk API 1", feature="update, upsert, delete and hardDelete", source="api-asynch/jobinfo"
)
def test_it_updates_upserts_and_deletes(bulk: httpx2.Client, running: RunningOrgsim, client: httpx2.Client) -> None:
    writer = running.writer()
    first, second = (writer.insert("Lead", {"LastName": "U", "Company": "C", "Title": "T"}) for _ in range(2))

    def load(operation: str, text: str, **more: str) -> list[str]:
        job = open_job(bulk, operation, **more)
        batch = info(bulk.post(f"{job}/batch", content=text, headers=CSV))["id"]
        return bulk.get(f"{job}/batch/{batch}/result").text.splitlines()[1:]

    assert load("update", f"Id,Title,Rating\n{first},#N/A,\n") == [f'"{first}","true","false",""']
    assert client.get(f"/sobjects/Lead/{first}").json()["Title"] is None
    text = "Email,LastName,Company\nu@example.com,U,C\n"
    for created in ("true", "false"):
        [line] = load("upsert", text, externalIdFieldName="Email")
        assert line.endswith(f'"true","{created}",""')
    [made] = load("upsert", "Id,LastName,Company\n,Without,Id\n", externalIdFieldName="Id")
    assert made.endswith('"true","true",""')
    load("delete", f"Id\n{first}\n")
    load("hardDelete", f"Id\n{second}\n")
    query = {"q": f"SELECT Id, IsDeleted FROM Lead WHERE Id IN ('{first}', '{second}')"}
    assert [(each["Id"], each["IsDeleted"]) for each in client.get("/queryAll", params=query).json()["records"]] == [
        (first, True)
    ]


@pytest.mark.conformance(
    area="Bulk API 1", feature="Rows of one chunk that share a key are all refused", source="facts C.5", refused=True
)
def test_a_key_may_stand_on_one_row_only(bulk: httpx2.Client) -> None:
    job = open_job(bulk, "upsert", externalIdFieldName="Email")
    text = "Email,LastName,Company\nd@example.com,One,C\nD@example.com,Two,C\ne@example.com,Three,C\n"
    batch = info(bulk.post(f"{job}/batch", content=text, headers=CSV))["id"]
    lines = bulk.get(f"{job}/batch/{batch}/result").text.splitlines()
    assert ["DUPLICATE_VALUE:Duplicate external id specified" in line for line in lines[1:]] == [True, True, False]


@pytest.mark.conformance(
    area="Bulk API 1",
    feature="Result of a query",
    source="facts C.9",
    endpoint="GET /services/async/{version}/job/{job_id}/batch/{batch_id}/result/{result_id}",
)
@pytest.mark.conformance(
    area="Bulk API 1", feature="query and queryAll with results in CSV", source="api-asynch/use-bulk-query"
)
def test_a_query_has_one_result(bulk: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    kept, gone = (writer.insert("Lead", {"LastName": name, "Company": "Query Inc"}) for name in ('Q "x"', "Gone"))
    writer.delete("Lead", gone)
    where = "FROM Lead WHERE Company = 'Query Inc'"
    path = ask(bulk, f"SELECT Id, LastName, CreatedDate {where}")
    assert tree(bulk.get(f"{path}/result")).tag == f"{NAMESPACE}result-list"
    answer = result_of(bulk, path)
    assert answer.headers["content-type"] == "text/csv"
    header, row = answer.text.splitlines()
    assert header == '"Id","LastName","CreatedDate"'
    assert row.startswith(f'"{kept}","Q ""x""","')
    assert row.endswith('.000Z"')
    assert bulk.get(f"{path}/request").text == f"SELECT Id, LastName, CreatedDate {where}"
    everything = ask(bulk, f"SELECT Id {where}", "queryAll")
    assert info(bulk.get(everything))["numberRecordsProcessed"] == "2"


@pytest.mark.conformance(
    area="Bulk API 1", feature="JSON query results, with moments in milliseconds", source="facts C.9"
)
def test_json_results_have_milliseconds(bulk: httpx2.Client, running: RunningOrgsim) -> None:
    made = running.writer().insert("Task", {"Subject": "Call", "ActivityDate": "2024-02-29"})
    job = open_job(bulk, "query", object="Task", contentType="JSON")
    soql = f"SELECT Id, ActivityDate, CreatedDate, CompletedDateTime, Owner.Name FROM Task WHERE Id = '{made}'"
    batch = bulk.post(f"{job}/batch", content=soql, headers=JSON).json()["id"]
    [result] = bulk.get(f"{job}/batch/{batch}/result").json()
    [row] = bulk.get(f"{job}/batch/{batch}/result/{result}").json()
    assert row["attributes"] == {"type": "Task", "url": f"/services/data/v60.0/sobjects/Task/{made}"}
    assert (row["ActivityDate"], row["CompletedDateTime"]) == (1709164800000, None)
    assert row["CreatedDate"] % 1000 == 0
    assert row["Owner"]["Name"] == "Ada Admin"


@pytest.mark.conformance(area="Bulk API 1", feature="A query without rows answers one sentence", source="facts C.9")
def test_no_rows_are_told_by_a_sentence(bulk: httpx2.Client) -> None:
    path = ask(bulk, "SELECT Id FROM Lead WHERE LastName = 'nobody at all'")
    assert result_of(bulk, path).text == "Records not found for this query"


@pytest.mark.conformance(
    area="Bulk API 1",
    feature="Information about a job",
    source="facts C.9",
    endpoint="GET /services/async/{version}/job/{job_id}",
)
@pytest.mark.conformance(area="Bulk API 1", feature="PK chunking", source="api-asynch/pk-chunking")
def test_a_query_is_chunked_by_primary_key(bulk: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    made = [writer.insert("Campaign", {"Name": f"Chunk {n}"}) for n in range(25)]
    writer.delete("Campaign", made[0])
    wish: dict[str, Any] = {"object": "Campaign", "headers": {"Sforce-Enable-PKChunking": "chunkSize=10"}}
    original = ask(bulk, "SELECT Id FROM Campaign WHERE Name LIKE 'Chunk%' OR Name = 'x'", **wish)
    assert info(bulk.get(original))["state"] == "NotProcessed"
    job = original.partition("/batch/")[0]
    [_, *chunks] = batches(bulk.get(f"{job}/batch"))
    assert [(each["state"], each["numberRecordsProcessed"]) for each in chunks] == [
        ("Completed", "9"),
        ("Completed", "10"),
        ("Completed", "5"),
    ]
    first = bulk.get(f"{job}/batch/{chunks[0]['id']}/request").text
    assert first.startswith("SELECT Id FROM Campaign WHERE (Name LIKE 'Chunk%' OR Name = 'x') AND Id >= '701")
    assert bulk.get(f"{job}/batch/{chunks[1]['id']}/request").text.partition("Id >= ")[2][:20] in first
    found = []
    for each in chunks:
        lines = result_of(bulk, f"{job}/batch/{each['id']}").text.splitlines()
        found += [line.strip('"') for line in lines[1:]]
    assert found == made[1:]
    described = info(bulk.get(job))
    assert (described["numberBatchesTotal"], described["numberBatchesCompleted"]) == ("3", "3")


@pytest.mark.conformance(
    area="Bulk API 1", feature="Queries with ORDER BY, LIMIT or NOT are not chunked", source="api-asynch/pk-chunking"
)
@pytest.mark.parametrize(
    ("header", "query"),
    [
        ("false", "SELECT Id FROM Lead"),
        ("true", "SELECT Id FROM Lead ORDER BY Id"),
        ("true", "SELECT Id FROM Lead LIMIT 1"),
        ("true", "SELECT Id FROM Lead WHERE NOT (OwnerId = null)"),
    ],
)
def test_some_queries_are_never_chunked(bulk: httpx2.Client, header: str, query: str) -> None:
    assert info(bulk.get(ask(bulk, query, headers={"Sforce-Enable-PKChunking": header})))["state"] == "Completed"


@pytest.mark.conformance(
    area="Bulk API 1", feature="PK chunking with startRow and parent", source="api-asynch/pk-chunking"
)
def test_chunks_start_where_they_are_told_and_may_follow_a_parent(bulk: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    accounts = [writer.insert("Account", {"Name": f"P{n}"}) for n in range(4)]
    for account in accounts:
        writer.insert("Contact", {"LastName": "Child", "AccountId": account})
    header = f"chunkSize=2; startRow={accounts[1]}; parent=Account"
    original = ask(
        bulk,
        "SELECT AccountId FROM Contact WHERE LastName = 'Child'",
        object="Contact",
        headers={"Sforce-Enable-PKChunking": header},
    )
    [_, *chunks] = batches(bulk.get(f"{original.partition('/batch/')[0]}/batch"))
    assert [each["numberRecordsProcessed"] for each in chunks] == ["2", "1"]


@pytest.mark.conformance(
    area="Bulk API 1", feature="A query over many rows times out unless it is chunked", source="facts C.9"
)
def test_a_long_query_times_out(bulk: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    for n in range(3):
        writer.insert("Case", {"Subject": f"Slow {n}"})
    running.production.set("bulk_query_timeout_rows", 2)
    try:
        batch = info(bulk.get(ask(bulk, "SELECT Id FROM Case", object="Case")))
        chunked = ask(bulk, "SELECT Id FROM Case", object="Case", headers={"Sforce-Enable-PKChunking": "true"})
    finally:
        running.production.set("bulk_query_timeout_rows", 0)
    assert batch["state"] == "Failed"
    assert batch["stateMessage"] == (
        "InvalidBatch : Failed to process query: QUERY_TIMEOUT: Your query request was running for too long."
    )
    assert [each["state"] for each in batches(bulk.get(f"{chunked.partition('/batch/')[0]}/batch"))] == [
        "NotProcessed",
        "Completed",
    ]


@pytest.mark.conformance(
    area="Bulk API 1", feature="A query that Bulk cannot answer fails its batch", source="facts C.9", refused=True
)
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT Nope FROM Lead", "INVALID_FIELD"),
        ("SELECT COUNT(Id) FROM Lead", "API_ERROR: Implementation restriction"),
        ("SELECT Address FROM Lead", "API_ERROR: Selecting compound data not supported in Bulk Query"),
        ("SELECT", "MALFORMED_QUERY"),
    ],
)
def test_a_wrong_query_fails_its_batch(bulk: httpx2.Client, query: str, told: str) -> None:
    batch = info(bulk.get(ask(bulk, query)))
    assert batch["state"] == "Failed"
    assert batch["stateMessage"].startswith(f"InvalidBatch : Failed to process query: {told}")


@pytest.mark.conformance(
    area="Bulk API 1", feature="Content that is wrong as a whole fails its batch", source="facts C.9", refused=True
)
@pytest.mark.parametrize(
    ("content_type", "content", "told"),
    [
        ("CSV", b"LastName,Nope__c\nx,y\n", "Field name not found : Nope__c"),
        ("CSV", b"LastName,Nope.Email\nx,y\n", "Unable to find relationship: Nope"),
        ("CSV", b'LastName\n"x" ,y\n', ""),
        ("CSV", b"LastName\nx,y\n", "a row has more cells"),
        ("CSV", b"LastName\n" + b"x\n" * 10_001, "Maximum number of records exceeded: 10000"),
        ("JSON", b'[{"Nope": 1}]', "Field name not found : Nope"),
        ("JSON", b'{"LastName": "x"}', "The batch must be a JSON array"),
        ("JSON", b"[", ""),
    ],
)
def test_content_that_is_wrong_as_a_whole_fails_its_batch(
    bulk: httpx2.Client, content_type: str, content: bytes, told: str
) -> None:
    job = open_job(bulk, "insert", contentType=content_type)
    bulk.post(f"{job}/batch", content=content, headers=JSON if content_type == "JSON" else CSV)
    answer = bulk.get(f"{job}/batch")
    [batch] = answer.json()["batchInfo"] if content_type == "JSON" else batches(answer)
    assert (batch["state"], int(batch["numberRecordsProcessed"])) == ("Failed", 0)
    assert batch["stateMessage"].startswith(f"InvalidBatch : {told}")


@pytest.mark.conformance(
    area="Bulk API 1",
    feature="Refusals as exceptionCode and exceptionMessage",
    source="api-asynch/errors",
    refused=True,
)
def test_refusals_speak_the_job_s_format(bulk: httpx2.Client, running: RunningOrgsim) -> None:
    nobody = {"X-SFDC-Session": "00D!no"}
    expired = (400, "InvalidSessionId", "Invalid session id")
    assert refusal(bulk.get("/job/750000000000001", headers=nobody)) == expired
    assert refusal(bulk.get("/job/750000000000001", headers={**nobody, **JSON})) == expired
    unknown = bulk.get("/job/750000000000001", headers=JSON)
    assert (unknown.headers["content-type"], refusal(unknown)[:2]) == ("application/json", (400, "InvalidJob"))
    assert refusal(bulk.get(f"{running.url}/services/async/20.0/job"))[1:] == ("InvalidUrl", "unknown version: 20.0")
    job = open_job(bulk, "insert")
    other = f"{running.url}/services/async/61.0{job}"
    assert refusal(bulk.get(other))[1] == "InvalidVersion"
    assert refusal(bulk.get(f"{job}/batch/751000000000001"))[1] == "InvalidBatch"
    assert refusal(bulk.post(job, json={"state": "Nope"}))[1] == "InvalidJobState"
    assert refusal(bulk.delete(job))[0] == 405
    assert refusal(bulk.get("/jobs"))[:2] == (404, "InvalidUrl")
    assert refusal(bulk.post(f"{job}/batch", content=b"x" * 10_000_001, headers=CSV))[1] == "ClientInputError"


@pytest.mark.conformance(area="Bulk API 1", feature="A job that makes no sense", source="facts C.9", refused=True)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "INSERT", "object": "Lead", "contentType": "CSV"}, "InvalidJob"),
        ({"operation": "insert", "object": "Nope", "contentType": "CSV"}, "InvalidJob"),
        ({"operation": "insert", "object": "Lead"}, "UnsupportedContentType"),
        ({"operation": "upsert", "object": "Lead", "contentType": "CSV"}, "InvalidJob"),
        ({"operation": "insert", "object": "Lead", "contentType": "CSV", "concurrencyMode": "x"}, "InvalidJob"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(bulk: httpx2.Client, body: dict[str, str], code: str) -> None:
    assert refusal(bulk.post("/job", json=body))[:2] == (400, code)


@pytest.mark.conformance(
    area="Bulk API 1", feature="XML, JSON or a chunking header that cannot be read", source="facts C.9", refused=True
)
def test_what_cannot_be_read_is_refused(bulk: httpx2.Client) -> None:
    assert refusal(bulk.post("/job", content="<jobInfo", headers=XML))[:2] == (400, "InvalidXml")
    assert refusal(bulk.post("/job", content="{", headers=JSON))[:2] == (400, "ClientInputError")
    for header in ("chunkSize=250001", "chunkSize=x", "startRow=x"):
        answer = bulk.post(
            "/job",
            json={"operation": "query", "object": "Lead", "contentType": "CSV"},
            headers={"Sforce-Enable-PKChunking": header},
        )
        assert refusal(answer)[:2] == (400, "InvalidJob")


@pytest.mark.conformance(
    area="Bulk API 1", feature="Closing and aborting jobs", source="api-asynch/step-five-abort-a-job"
)
def test_an_aborted_job_drops_what_is_queued(bulk: httpx2.Client, running: RunningOrgsim) -> None:
    job = open_job(bulk, "query")
    running.production.set("bulk_delay_seconds", 60.0)
    try:
        batch = info(bulk.post(f"{job}/batch", content="SELECT Id FROM Lead", headers=CSV))
    finally:
        running.production.set("bulk_delay_seconds", 0.0)
    path = f"{job}/batch/{batch['id']}"
    assert info(bulk.get(path))["state"] == "Queued"
    assert refusal(bulk.get(f"{path}/result"))[1:] == ("InvalidBatch", "Batch not completed")
    assert info(bulk.post(job, json={"state": "Closed"}))["numberBatchesQueued"] == "1"
    closed = refusal(bulk.post(job, json={"state": "Closed"}))
    assert closed[1:] == ("InvalidJobState", "Closing already closed Job not allowed")
    late = refusal(bulk.post(f"{job}/batch", content="SELECT Id FROM Lead", headers=CSV))
    assert late[2] == "Failed to create batch, since the Job is not Open. Current job state is 'Closed'"
    assert info(bulk.post(job, json={"state": "Aborted"}))["state"] == "Aborted"
    assert info(bulk.get(path))["state"] == "NotProcessed"
    aborted = refusal(bulk.post(job, json={"state": "Aborted"}))
    assert aborted[2] == "Aborting already aborted Job not allowed"


@pytest.mark.conformance(area="Bulk API 1", feature="Each request costs one credit", source="facts B.5")
def test_each_request_costs_a_credit(bulk: httpx2.Client, running: RunningOrgsim, client: httpx2.Client) -> None:
    usage = running.production.usage
    before = usage.total_credits()
    batches_before = client.get("/limits").json()["DailyBulkApiBatches"]["Remaining"]
    path = ask(bulk, "SELECT Id FROM Lead")
    bulk.get(path)
    bulk.get("/nowhere")
    assert usage.total_credits() == before + 5
    assert [each["kind"] for each in usage.journal(4)] == ["bulk1", "bulk1", "bulk1", "unknown"]
    assert client.get("/limits").json()["DailyBulkApiBatches"]["Remaining"] == batches_before - 1
    running.production.set("allowance_calls", usage.used_calls())
    try:
        assert refusal(bulk.get(path))[1:] == ("ExceededQuota", "TotalRequests Limit exceeded.")
    finally:
        running.production.set("allowance_calls", 100_000)


@pytest.mark.conformance(area="Levers", feature="Faults strike Bulk API 1, in its own words", source="facts C.9")
def test_faults_strike_here_too(bulk: httpx2.Client, running: RunningOrgsim) -> None:
    add_fault(running.production.usage, Fault(Effect.UNAUTHORIZED, kind="bulk1", on_calls=(1,)))
    try:
        assert refusal(bulk.get("/job/750000000000001"))[:2] == (400, "InvalidSessionId")
    finally:
        clear_faults(running.production.usage)


@pytest.mark.conformance(area="Bulk API 1", feature="Batches go on after a restart", source="reference")
def test_batches_that_were_cut_off_are_carried_out_at_the_next_start(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("resumed")
    with running_orgsim(folder, bulk_delay_seconds=60.0) as running:
        token = running.access_token()
        headers = {"X-SFDC-Session": token}
        with httpx2.Client(base_url=f"{running.url}/services/async/60.0", headers=headers) as bulk:
            job = open_job(bulk, "insert")
            bulk.post(f"{job}/batch", content="LastName,Company\nLate,Inc\n", headers=CSV)
        running.production.set("bulk_delay_seconds", 0.0)
    state = State(folder)
    with serving(state, Listening(port=0, sandbox_port=0)) as addresses:
        answer = httpx2.get(f"{addresses.url}/services/async/60.0{job}", headers=headers)
        assert info(answer)["numberBatchesCompleted"] == "1"
    state.close()
