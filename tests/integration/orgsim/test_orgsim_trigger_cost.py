"""Apex triggers that take CPU time: too much of it fails a chunk of 200 records as a whole (facts C.24)."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from orgsim.cli import app
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]
Finished = Callable[[str], dict[str, Any]]
Lay = Callable[..., list[dict[str, Any]]]
CODE = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
TOO_LONG = "LeadTrigger: System.LimitException: Apex CPU time limit exceeded"
LEAD: dict[str, object] = {"LastName": "Ek", "Company": "Ask"}


@pytest.fixture
def path(running: RunningOrgsim) -> str:
    return f"/orgsim/orgs/{running.production.org_id}/triggers"


@pytest.fixture
def lay(running: RunningOrgsim, anyone: httpx2.Client, path: str) -> Iterator[Lay]:
    """Adds a trigger on leads through the side door; takes all triggers and leads away afterwards."""

    def put(cpu_ms_per_record: int, **wish: object) -> list[dict[str, Any]]:
        whole = {"sobject": "Lead", "name": "LeadTrigger", "cpu_ms_per_record": cpu_ms_per_record, **wish}
        answer = anyone.post(path, json=whole)
        assert answer.status_code == 200, answer.text
        triggers: list[dict[str, Any]] = answer.json()
        return triggers

    yield put
    for each in anyone.get(path).json():
        anyone.delete(path, params={"sobject": each["TableEnumOrId"], "name": each["Name"]})
    for (lead,) in running.production.database.connect().execute('SELECT "Id" FROM "Lead"').fetchall():
        running.writer().purge("Lead", lead)


@pytest.mark.conformance(
    area="Truth about data", feature="Apex CPU time limit exceeded by one record", source="facts C.24"
)
def test_a_record_over_the_limit_is_refused(client: httpx2.Client, lay: Lay, soql: Soql) -> None:
    lay(10_001, events=["after insert"])
    answer = client.post("/sobjects/Lead", json=LEAD)
    assert (answer.status_code, answer.json()) == (400, [{"message": TOO_LONG, "errorCode": CODE, "fields": []}])
    assert soql("SELECT Id FROM Lead") == []
    lay(10_000)
    created = client.post("/sobjects/Lead", json=LEAD)
    assert created.status_code == 201
    lay(5_001, events=["before update", "after update"])  # it runs twice
    lead = f"/sobjects/Lead/{created.json()['id']}"
    assert client.patch(lead, json={"Company": "Asp"}).json()[0]["message"] == TOO_LONG
    lay(5_001, active=False)
    assert client.patch(lead, json={"Company": "Asp"}).status_code == 204
    lay(10_001, events=["before delete"])
    assert client.delete(lead).json()[0]["errorCode"] == CODE


@pytest.mark.conformance(area="REST", feature="A collection over the CPU limit fails wholly", source="facts C.24")
def test_records_of_a_collection_fail_together(client: httpx2.Client, lay: Lay, soql: Soql) -> None:
    lay(3_000)
    records = [{"attributes": {"type": "Lead", "referenceId": f"r{n}"}, **LEAD} for n in range(4)]
    error = {"statusCode": CODE, "message": TOO_LONG, "fields": []}
    refused = client.post("/composite/sobjects", json={"records": records}).json()
    assert refused == [{"success": False, "errors": [error]}] * 4
    planted = client.post("/composite/tree/Lead", json={"records": records})
    assert planted.status_code == 400
    assert planted.json()["results"] == [{"referenceId": f"r{n}", "errors": [error]} for n in range(4)]
    assert soql("SELECT Id FROM Lead") == []
    assert all(each["success"] for each in client.post("/composite/sobjects", json={"records": records[:3]}).json())


@pytest.mark.conformance(
    area="Bulk API 2.0", feature="A chunk of 200 rows over the CPU limit fails, the others pass", source="facts C.24"
)
@pytest.mark.conformance(
    area="Bulk API 2.0", feature="apexProcessingTime shows what triggers took", source="api-asynch/jobinfo"
)
def test_chunks_of_an_upload_fail_by_themselves(
    client: httpx2.Client, lay: Lay, soql: Soql, finished: Finished
) -> None:
    lay(60)
    rows = "LastName,Company\n" + "Ek,Ask\n" * 250
    job = client.post("/jobs/ingest", json={"object": "Lead", "operation": "insert", "lineEnding": "LF"}).json()["id"]
    client.put(f"/jobs/ingest/{job}/batches", content=rows, headers={"Content-Type": "text/csv"})
    client.patch(f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
    done = finished(f"/jobs/ingest/{job}")
    assert (done["state"], done["numberRecordsProcessed"], done["numberRecordsFailed"]) == ("JobComplete", 250, 200)
    assert (done["apexProcessingTime"], done["apiActiveProcessingTime"]) == (13_000, 13_000)  # 10,000 and 50 times 60
    assert done["totalProcessingTime"] >= 13_000
    failed = client.get(f"/jobs/ingest/{job}/failedResults").text.splitlines()
    assert failed[1:] == [f'"","{CODE}:{TOO_LONG}:--","Ek","Ask"'] * 200
    assert len(soql("SELECT Id FROM Lead")) == 50


@pytest.mark.conformance(
    area="Bulk API 1", feature="A chunk over the CPU limit fails, and batches show the time", source="facts C.24"
)
def test_batches_of_bulk_api_1_show_the_time(client: httpx2.Client, lay: Lay, running: RunningOrgsim) -> None:
    lay(60)
    headers = {"X-SFDC-Session": running.access_token(), "Content-Type": "application/json"}
    base = f"{running.url}/services/async/60.0/job"
    wish = {"operation": "insert", "object": "Lead", "contentType": "JSON"}
    job = client.post(base, json=wish, headers=headers).json()["id"]
    batch = client.post(f"{base}/{job}/batch", json=[LEAD] * 250, headers=headers).json()["id"]
    info = client.get(f"{base}/{job}/batch/{batch}", headers=headers).json()
    assert (info["numberRecordsFailed"], info["apexProcessingTime"]) == (200, 13_000)
    assert client.get(f"{base}/{job}", headers=headers).json()["apexProcessingTime"] == 13_000
    first = client.get(f"{base}/{job}/batch/{batch}/result", headers=headers).json()[0]
    assert (first["success"], first["errors"][0]["message"]) == (False, TOO_LONG)


@pytest.mark.conformance(
    area="Levers",
    feature="Apex triggers that take CPU time",
    source="reference",
    endpoint="POST /orgsim/orgs/{org_id}/triggers",
)
@pytest.mark.usefixtures("lay")
def test_the_command_adds_triggers_that_tooling_shows(client: httpx2.Client, running: RunningOrgsim) -> None:
    where = ["--state", str(running.state_folder), "--org", running.production.org_id, "--json"]
    added = ["trigger", "add", "Lead", "Slow", "--cpu-ms-per-record", "200", "--event", "after delete"]
    assert CliRunner().invoke(app, [*added, *where]).exit_code == 0
    query = "SELECT Name, Status, UsageAfterDelete, UsageBeforeInsert FROM ApexTrigger WHERE TableEnumOrId = 'Lead'"
    [row] = client.get("/tooling/query", params={"q": query}).json()["records"]
    assert [row[name] for name in ("Name", "Status", "UsageAfterDelete", "UsageBeforeInsert")] == [
        "Slow",
        "Active",
        True,
        False,
    ]
    assert '"cpu_ms_per_record": 200' in CliRunner().invoke(app, ["trigger", "list", *where]).stdout
    assert CliRunner().invoke(app, ["trigger", "remove", "Lead", "Slow", *where]).stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        ({"sobject": "Nope"}, "There is no object Nope"),
        ({"cpu_ms_per_record": -1}, "cannot cost less"),
        ({"events": ["sometimes"]}, "Unexpected token"),
    ],
)
def test_a_trigger_that_makes_no_sense_is_refused(
    anyone: httpx2.Client, path: str, wish: dict[str, object], problem: str
) -> None:
    answer = anyone.post(path, json={"sobject": "Lead", "name": "Bad", "cpu_ms_per_record": 1, **wish})
    assert answer.status_code in (400, 404)
    assert problem in answer.json()[0]["message"]
    assert anyone.get(path).json() == []
