"""What the owner of the machine can do to a served state folder: keep it and put it back, look at it on a page."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from orgsim.cli import app
from orgsim.edits.checksum import checksum_all
from orgsim.edits.snapshots import restore_snapshot, take_snapshot
from orgsim.schema.model import Field
from orgsim.store.state import NewOrg
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]


def run_cli(running: RunningOrgsim, *arguments: str) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--state", str(running.state_folder), "--json"])
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout)


@pytest.mark.conformance(area="Levers", feature="Snapshots are restored under a running server", source="reference")
def test_a_running_server_sees_a_restored_snapshot_at_once(client: httpx2.Client, running: RunningOrgsim) -> None:
    client.post("/sobjects/Lead", json={"LastName": "Before", "Company": "A"})
    kept = running.production.usage.total_credits()
    rows = checksum_all(running.production)
    assert run_cli(running, "snapshot", "calm")["orgs"] == [running.production.org_id, running.sandbox.org_id]
    lead = running.production.catalog().get("Lead")
    running.production.add_field(lead, Field("Late__c", "string", "Late", length=10))
    for number in range(300):
        running.writer().insert("Lead", {"LastName": f"After {number}", "Company": "B", "Late__c": "x"})
    assert client.get("/query", params={"q": "SELECT COUNT() FROM Lead"}).json()["totalSize"] == 301
    run_cli(running, "restore", "calm")
    assert running.production.usage.total_credits() == kept
    names = client.get("/query", params={"q": "SELECT LastName FROM Lead"}).json()["records"]
    assert [each["LastName"] for each in names] == ["Before"]
    assert client.get("/query", params={"q": "SELECT Late__c FROM Lead"}).status_code == 400
    assert checksum_all(running.production) == rows
    assert client.post("/sobjects/Lead", json={"LastName": "Next", "Company": "A"}).status_code == 201


@pytest.mark.conformance(area="Levers", feature="Restores amid reads and writes break neither", source="reference")
def test_restores_amid_reads_and_writes_break_neither(client: httpx2.Client, running: RunningOrgsim) -> None:
    take_snapshot(running.state, "busy")
    over = threading.Event()
    refused: list[str] = []

    def work() -> None:
        while not over.is_set():
            answers = client.get("/sobjects/Lead/describe"), client.post("/sobjects/Account", json={"Name": "Ask"})
            refused.extend(answer.text for answer in answers if answer.is_error)

    with ThreadPoolExecutor(2) as pool:
        workers = [pool.submit(work) for _ in range(2)]
        for _ in range(5):
            restore_snapshot(running.state, "busy")
        over.set()
        for each in workers:
            each.result(timeout=20)
    assert refused == []
    restore_snapshot(running.state, "busy")
    for database in (running.production.database, running.production.usage.database):
        assert database.connect().execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.conformance(
    area="Levers", feature="Snapshots keep the clock too", source="reference", endpoint="POST /orgsim/snapshots"
)
@pytest.mark.conformance(
    area="Levers", feature="Snapshots keep the clock too", source="reference", endpoint="GET /orgsim/snapshots"
)
@pytest.mark.conformance(
    area="Levers",
    feature="Snapshots keep the clock too",
    source="reference",
    endpoint="POST /orgsim/snapshots/{name}/restore",
)
@pytest.mark.conformance(
    area="Levers", feature="The state of all orgs and the clock", source="reference", endpoint="GET /orgsim/status"
)
def test_the_side_door_takes_lists_and_restores_snapshots(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    anyone.post("/orgsim/clock", json={"freeze": "2025-01-02T03:04:05Z"})
    taken = anyone.post("/orgsim/snapshots", json={"name": "frozen"}).json()
    assert (taken["name"], taken["clock"]) == ("frozen", "2025-01-02T03:04:05.000+0000")
    anyone.post("/orgsim/clock", json={"offset_seconds": 0})
    assert "frozen" in anyone.get("/orgsim/snapshots").json()
    later = running.state.create_org(NewOrg(name="Later"))
    assert anyone.post("/orgsim/snapshots/frozen/restore", json={}).json() == taken
    assert anyone.get("/orgsim/status").json()["now"] == "2025-01-02T03:04:05+00:00"
    assert later.org_id in [org.org_id for org in running.state.orgs()]
    anyone.post("/orgsim/clock", json={"offset_seconds": 0})


@pytest.mark.conformance(
    area="Levers",
    feature="A snapshot needs a name of its own",
    source="reference",
    refused=True,
    endpoint="POST /orgsim/snapshots",
)
@pytest.mark.parametrize(("name", "status"), [("frozen-twice", 400), ("../out", 400), (".part", 400), ("", 400)])
def test_a_snapshot_needs_a_name_of_its_own(anyone: httpx2.Client, name: str, status: int) -> None:
    if name == "frozen-twice":
        assert anyone.post("/orgsim/snapshots", json={"name": name}).status_code == 200
    assert anyone.post("/orgsim/snapshots", json={"name": name}).status_code == status
    assert anyone.post("/orgsim/snapshots/none-such/restore", json={}).status_code == 404


@pytest.mark.conformance(area="Levers", feature="Results of jobs come back with the snapshot", source="reference")
def test_results_of_jobs_come_back_with_the_snapshot(
    client: httpx2.Client, running: RunningOrgsim, finished: Callable[[str], dict[str, Any]]
) -> None:
    running.writer().insert("Account", {"Name": "Ask"})
    wish = {"operation": "query", "query": "SELECT Id FROM Account"}
    job = client.post("/jobs/query", json=wish).json()["id"]
    finished(f"/jobs/query/{job}")
    results = client.get(f"/jobs/query/{job}/results").text
    run_cli(running, "snapshot", "with-a-job")
    assert client.delete(f"/jobs/query/{job}").status_code == 204
    run_cli(running, "restore", "with-a-job")
    assert client.get(f"/jobs/query/{job}/results").text == results
    assert "with-a-job" in run_cli(running, "snapshots")


@pytest.mark.conformance(
    area="Levers",
    feature="Other sites and machines cannot use the side door",
    source="reference",
    refused=True,
    endpoint="POST /orgsim/clock",
)
def test_pages_of_other_sites_cannot_use_the_door(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    foreign = {"Origin": "https://elsewhere.example"}
    before = anyone.get("/orgsim/status").json()["clock"]
    assert anyone.post("/orgsim/form/clock", data={"seconds": "60"}, headers=foreign).status_code == 403
    assert anyone.post("/orgsim/clock", json={"jump_seconds": 60}, headers=foreign).status_code == 403
    assert anyone.get("/orgsim/", headers=foreign).status_code == 403
    assert anyone.get("/orgsim/status").json()["clock"] == before
    assert running.production.allowance_calls() == 100_000
