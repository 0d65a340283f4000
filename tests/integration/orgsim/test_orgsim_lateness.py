"""Changes that are saved but seen late: what queries, reads by id and replication show of them meanwhile."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from orgsim.cli import app
from orgsim.clock import UTC, ClockSetting, datetime_text
from orgsim.edits.checksum import checksum
from orgsim.testing import RunningOrgsim

START = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)
Soql = Callable[[str], list[dict[str, Any]]]
Finished = Callable[[str], dict[str, Any]]


@pytest.fixture(autouse=True)
def _late(running: RunningOrgsim) -> Iterator[None]:
    """Changes are seen 30 seconds late; nothing is left of an earlier test, whose clock stood at the same moment."""
    connection = running.production.database.connect()
    for (record_id,) in connection.execute('SELECT "Id" FROM "Lead"').fetchall():
        running.writer().purge("Lead", record_id)
    connection.execute("DELETE FROM _held")
    connection.execute("DELETE FROM _deleted")
    at(running, 0)
    running.production.set("late_visible_seconds", 30)
    yield
    running.production.set("late_visible_seconds", 0)
    running.production.set("late_visible_share", 1.0)
    running.state.set_clock(ClockSetting())


def at(running: RunningOrgsim, seconds: float) -> None:
    running.state.set_clock(ClockSetting(frozen_at=START + timedelta(seconds=seconds)))


def new_lead(client: httpx2.Client, name: str = "Ek", **more: object) -> str:
    answer = client.post("/sobjects/Lead", json={"LastName": name, "Company": "Ask", **more})
    assert answer.status_code == 201
    return str(answer.json()["id"])


def query_all(client: httpx2.Client, soql: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = client.get("/queryAll", params={"q": soql}).json()["records"]
    return records


@pytest.mark.conformance(
    area="Levers", feature="New records are seen late, with the stamp of their write", source="facts C.1"
)
@pytest.mark.conformance(
    area="Truth about data", feature="A row appears after rows with a later stamp", source="facts C.1"
)
def test_a_new_record_is_answered_at_once_and_queried_late(
    client: httpx2.Client, running: RunningOrgsim, soql: Soql
) -> None:
    late = new_lead(client, "Late")
    assert client.get(f"/sobjects/Lead/{late}").json()["LastName"] == "Late"
    at(running, 10)
    running.production.set("late_visible_seconds", 0)
    prompt = new_lead(client, "Prompt")
    assert [row["Id"] for row in soql("SELECT Id FROM Lead")] == [prompt]
    assert client.get("/query", params={"q": "SELECT COUNT() FROM Lead"}).json()["totalSize"] == 1
    assert client.get("/limits/recordCount?sObjects=Lead").json()["sObjects"] == [{"count": 1, "name": "Lead"}]
    at(running, 30)
    rows = soql("SELECT Id, SystemModstamp FROM Lead ORDER BY SystemModstamp")
    assert [row["Id"] for row in rows] == [late, prompt]
    assert rows[0]["SystemModstamp"] == datetime_text(START)


def test_a_change_shows_old_values_until_it_is_due(client: httpx2.Client, running: RunningOrgsim, soql: Soql) -> None:
    lead = new_lead(client, "Before", Title="CEO", AnnualRevenue=12.34)
    at(running, 60)
    client.patch(f"/sobjects/Lead/{lead}", json={"LastName": "After", "Title": None, "AnnualRevenue": 5})
    at(running, 80)
    client.patch(f"/sobjects/Lead/{lead}", json={"LastName": "Last"})
    by_name = "SELECT LastName, Title, AnnualRevenue, SystemModstamp FROM Lead WHERE LastName LIKE '{}'"
    assert [list(row.values()) for row in soql(by_name.format("BEFORE"))] == [
        ["Before", "CEO", 12.34, datetime_text(START)]
    ]
    assert soql(by_name.format("after")) == []
    at(running, 90)  # the first change is due, the second is not
    assert [(row["LastName"], row["Title"], row["AnnualRevenue"]) for row in soql(by_name.format("%"))] == [
        ("After", None, 5.0)
    ]
    at(running, 110)
    assert [row["LastName"] for row in soql(by_name.format("%"))] == ["Last"]


def test_parents_children_and_bulk_are_seen_as_late(
    client: httpx2.Client, running: RunningOrgsim, soql: Soql, finished: Finished
) -> None:
    account = client.post("/sobjects/Account", json={"Name": "Old"}).json()["id"]
    client.post("/sobjects/Contact", json={"LastName": "Ek", "AccountId": account})
    at(running, 60)
    client.patch(f"/sobjects/Account/{account}", json={"Name": "New"})
    client.post("/sobjects/Contact", json={"LastName": "Late", "AccountId": account})
    nested = f"SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Id = '{account}'"
    paths = f"SELECT LastName, Account.Name FROM Contact WHERE AccountId = '{account}' ORDER BY LastName"

    def seen() -> tuple[list[str], list[str]]:
        [row] = soql(nested)
        children = [each["LastName"] for each in row["Contacts"]["records"]]
        return children, [each["Account"]["Name"] for each in soql(paths)]

    def in_bulk() -> list[list[str]]:
        job = client.post("/jobs/query", json={"operation": "query", "query": paths}).json()["id"]
        finished(f"/jobs/query/{job}")
        return list(csv.reader(io.StringIO(client.get(f"/jobs/query/{job}/results").text)))[1:]

    assert seen() == (["Ek"], ["Old"])
    assert in_bulk() == [["Ek", "Old"]]
    at(running, 90)
    assert seen() == (["Ek", "Late"], ["New", "New"])
    assert in_bulk() == [["Ek", "New"], ["Late", "New"]]


def test_deletes_undeletes_and_hard_deletes_are_seen_late(client: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    kept, gone = new_lead(client, "Kept"), new_lead(client, "Gone")
    window = {"start": datetime_text(START), "end": datetime_text(START + timedelta(hours=1))}

    def seen() -> tuple[list[tuple[str, bool]], list[str]]:
        rows = query_all(client, "SELECT LastName, IsDeleted FROM Lead ORDER BY LastName")
        listed = client.get("/sobjects/Lead/deleted", params=window).json()["deletedRecords"]
        return [(row["LastName"], row["IsDeleted"]) for row in rows], [each["id"] for each in listed]

    at(running, 60)
    client.delete(f"/sobjects/Lead/{kept}")
    assert client.get(f"/sobjects/Lead/{kept}").status_code == 404
    writer.purge("Lead", gone)
    assert seen() == ([("Gone", False), ("Kept", False)], [])
    at(running, 90)
    assert seen() == ([("Kept", True)], [kept, gone])
    writer.undelete("Lead", kept)
    assert seen() == ([("Kept", True)], [kept, gone])
    at(running, 120)
    assert seen() == ([("Kept", False)], [gone])


@pytest.mark.conformance(
    area="Truth about data",
    feature="latestDateCovered does not pass a change that cannot be seen yet",
    source="api/sforce_api_calls_getupdated_getupdatedresult",
)
def test_what_is_covered_ends_before_a_late_change(client: httpx2.Client, running: RunningOrgsim) -> None:
    running.production.set("late_visible_seconds", 300)
    lead = new_lead(client)
    at(running, 200)
    window = {"start": datetime_text(START), "end": datetime_text(START + timedelta(hours=1))}
    for kind in ("updated", "deleted"):
        answer = client.get(f"/sobjects/Lead/{kind}", params=window).json()
        assert answer["latestDateCovered"] == "2026-03-02T09:30:00.000+0000"
    assert client.get("/sobjects/Lead/updated", params=window).json()["ids"] == []
    at(running, 300)
    answer = client.get("/sobjects/Lead/updated", params=window).json()
    assert answer == {"ids": [lead], "latestDateCovered": "2026-03-02T09:35:00.000+0000"}


def test_pages_and_checksums_tell_what_they_should(client: httpx2.Client, running: RunningOrgsim) -> None:
    """Later pages show late values too; the checksum is always of what is saved."""
    records = [{"attributes": {"type": "Lead"}, "LastName": f"{n:03}", "Company": "Ask"} for n in range(400)]
    for first in (0, 200):
        client.post("/composite/sobjects", json={"records": records[first : first + 200]})
    before = checksum(running.production, "Lead", ["LastName"])
    at(running, 60)
    options = {"Sforce-Query-Options": "batchSize=200"}
    query = {"q": "SELECT Id, LastName FROM Lead ORDER BY LastName"}
    page = client.get("/query", params=query, headers=options).json()
    last = query_all(client, "SELECT Id FROM Lead WHERE LastName = '399'")[0]["Id"]
    client.patch(f"/sobjects/Lead/{last}", json={"LastName": "changed"})
    assert checksum(running.production, "Lead", ["LastName"]) != before
    address = f"{running.url}{page['nextRecordsUrl']}"
    assert client.get(address).json()["records"][-1]["LastName"] == "399"
    at(running, 90)
    assert client.get(address).json()["records"][-1]["LastName"] == "changed"


@pytest.mark.conformance(
    area="Levers", feature="A share of the changes is seen late, the same ones again", source="reference"
)
def test_a_share_is_late_by_id_and_number(client: httpx2.Client, running: RunningOrgsim, soql: Soql) -> None:
    place = ["--org", running.production.org_id, "--state", str(running.state_folder), "--json"]
    result = CliRunner().invoke(app, ["set", "late_visible_share", "0.5", *place])
    assert orjson.loads(result.stdout) == {"late_visible_share": 0.5}
    for number in range(100):
        new_lead(client, f"{number:03}")
    seen = [row["LastName"] for row in soql("SELECT LastName FROM Lead ORDER BY LastName")]
    assert 30 < len(seen) < 70
    at(running, 30)
    assert len(soql("SELECT Id FROM Lead")) == 100


def test_nothing_is_kept_while_the_lever_is_off(client: httpx2.Client, running: RunningOrgsim, soql: Soql) -> None:
    running.production.set("late_visible_seconds", 0)
    lead = new_lead(client)
    assert [row["Id"] for row in soql("SELECT Id FROM Lead")] == [lead]
    assert running.production.database.connect().execute("SELECT * FROM _held").fetchall() == []
