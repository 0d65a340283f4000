"""Many callers at once, another process's edits, and work that a stopped server left behind."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from orgsim.server.run import Listening, serving
from orgsim.store.state import State
from orgsim.testing import RunningOrgsim, running_orgsim

THREADS = 8
CALLS = 20


@pytest.mark.conformance(area="Limits", feature="The account is exact when many call at once", source="facts B.2")
def test_the_account_is_exact_when_many_call_at_once(client: httpx2.Client, running: RunningOrgsim) -> None:
    usage = running.production.usage
    before, room = usage.used_calls(), 100
    running.production.set("allowance_calls", before + room)

    def call(number: int) -> int:
        lead = {"LastName": f"L{number}", "Company": "Rush"}
        return client.post("/sobjects/Lead", json=lead).status_code

    try:
        with ThreadPoolExecutor(THREADS) as threads:
            statuses = list(threads.map(call, range(THREADS * CALLS)))
    finally:
        running.production.set("allowance_calls", 100_000)
    assert (statuses.count(201), statuses.count(403)) == (room, THREADS * CALLS - room)
    assert usage.used_calls() == before + room
    found = client.get("/query", params={"q": "SELECT COUNT() FROM Lead WHERE Company = 'Rush'"}).json()
    assert found["totalSize"] == room


@pytest.mark.conformance(area="Levers", feature="A running server shows what commands edit", source="reference")
def test_the_server_shows_what_another_program_edits(client: httpx2.Client, running: RunningOrgsim) -> None:
    other = State(running.state_folder)
    try:
        org = other.org(running.production.org_id)
        lead = running.writer(running.production).insert("Lead", {"LastName": "Before", "Company": "x"})
        with org.database.write() as connection:
            connection.execute('UPDATE "Lead" SET "LastName" = ? WHERE "Id" = ?', ("After", lead))
        assert client.get(f"/sobjects/Lead/{lead}").json()["LastName"] == "After"
    finally:
        other.close()


@pytest.mark.conformance(area="Levers", feature="A new server finishes the jobs of the old", source="reference")
def test_a_new_server_finishes_the_jobs_of_the_old(tmp_path: Path) -> None:
    with running_orgsim(tmp_path, bulk_delay_seconds=60) as running:
        token = running.access_token()
        with open_client(running.url, token) as client:
            job = client.post("/jobs/ingest", json={"object": "Lead", "operation": "insert"}).json()["id"]
            client.put(f"/jobs/ingest/{job}/batches", content=b"LastName,Company\nA,B\nC,D\n")
            client.patch(f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
            query = {"operation": "query", "query": "SELECT Id FROM User"}
            asked = client.post("/jobs/query", json=query).json()["id"]
        running.production.set("bulk_delay_seconds", 0)
    state = State(tmp_path)
    with serving(state, Listening(port=0, sandbox_port=0)) as addresses, open_client(addresses.url, token) as client:
        for path in (f"/jobs/ingest/{job}", f"/jobs/query/{asked}"):
            assert wait_for_end(client, path) == "JobComplete"
        assert client.get(f"/jobs/ingest/{job}").json()["numberRecordsProcessed"] == 2
    state.close()


def open_client(url: str, token: str) -> httpx2.Client:
    return httpx2.Client(base_url=f"{url}/services/data/v60.0", headers={"Authorization": f"Bearer {token}"})


def wait_for_end(client: httpx2.Client, path: str) -> str:
    deadline = time.monotonic() + 20
    state = ""
    while state not in ("JobComplete", "Failed") and time.monotonic() < deadline:
        state = client.get(path).json()["state"]
        time.sleep(0.01)
    return state
