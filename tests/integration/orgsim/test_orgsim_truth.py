"""What a careful reader must know of rows: stamps that are shared, ids in two lengths, archived activities."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest

from integration.orgsim.deploying import Finished
from orgsim.clock import UTC, ClockSetting
from orgsim.server.admin import move_clock
from orgsim.testing import RunningOrgsim

START = datetime(2026, 3, 2, 9, 30, 15, 870_000, tzinfo=UTC)
Soql = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _clock(running: RunningOrgsim) -> Iterator[None]:
    running.state.set_clock(ClockSetting(frozen_at=START))
    yield
    running.state.set_clock(ClockSetting())


@pytest.mark.conformance(
    area="Truth about data",
    feature="Rows written together share a second; (SystemModstamp, Id) tells them apart",
    source="facts C.1",
)
def test_a_load_shares_a_second_and_a_key_set_finds_each_row(
    client: httpx2.Client, soql: Soql, finished: Finished
) -> None:
    records = [{"attributes": {"type": "Lead"}, "LastName": f"{n}", "Company": "Ask"} for n in range(120)]
    client.post("/composite/sobjects", json={"records": records})
    stamps = [row["SystemModstamp"] for row in soql("SELECT SystemModstamp FROM Lead")]
    assert stamps == ["2026-03-02T09:30:15.000+0000"] * 120
    found: list[str] = []
    last = ""
    while page := soql(
        f"SELECT Id FROM Lead WHERE (SystemModstamp = 2026-03-02T09:30:15Z AND Id > '{last}') "
        "OR SystemModstamp > 2026-03-02T09:30:15Z ORDER BY SystemModstamp, Id LIMIT 50"
    ):
        found += [row["Id"] for row in page]
        last = found[-1]
    assert (len(found), len(set(found))) == (120, 120)
    assert soql("SELECT Id FROM Lead WHERE SystemModstamp > 2026-03-02T09:30:15Z") == []
    query = "SELECT SystemModstamp FROM Lead WHERE LastName = '7'"
    job = client.post("/jobs/query", json={"operation": "query", "query": query}).json()["id"]
    finished(f"/jobs/query/{job}")
    results = client.get(f"/jobs/query/{job}/results").text
    assert list(csv.reader(io.StringIO(results)))[1:] == [["2026-03-02T09:30:15.000Z"]]


@pytest.mark.conformance(
    area="Truth about data",
    feature="Ids of 15 characters are answered with 18, in every way of reading and writing",
    source="facts C.7",
)
@pytest.mark.conformance(
    area="Truth about data", feature="Ids whose checksum does not fit their letters", source="facts C.7", refused=True
)
def test_ids_have_15_or_18_characters_and_a_mangled_one_is_refused(client: httpx2.Client, soql: Soql) -> None:
    account = client.post("/sobjects/Account", json={"Name": "Ask"}).json()["id"]
    short, mangled = account[:15], account[:15] + account[15:].lower()
    assert client.get(f"/sobjects/Account/{short}").json()["Id"] == account
    contact = client.post("/sobjects/Contact", json={"LastName": "Ek", "AccountId": short}).json()["id"]
    assert soql(f"SELECT AccountId FROM Contact WHERE AccountId = '{short}'") == [{"AccountId": account}]
    assert client.get(f"/sobjects/Contact/{contact}?fields=AccountId").json()["AccountId"] == account
    assert client.get(f"/sobjects/Account/{mangled}").status_code == 404
    [refusal] = client.post("/sobjects/Contact", json={"LastName": "Alm", "AccountId": mangled}).json()
    assert (refusal["errorCode"], refusal["fields"]) == ("MALFORMED_ID", ["AccountId"])
    [refusal] = client.get("/query", params={"q": f"SELECT Id FROM Contact WHERE AccountId = '{mangled}'"}).json()
    assert refusal["errorCode"] == "INVALID_QUERY_FILTER_OPERATOR"


@pytest.mark.conformance(
    area="Truth about data",
    feature="Archiving an activity hides it from queries and moves no stamp",
    source="facts C.2",
)
def test_activities_are_archived_by_the_clock(client: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    closed = writer.insert("Task", {"Subject": "Done", "Status": "Completed", "ActivityDate": "2026-03-02"})
    writer.insert("Task", {"Subject": "Open", "Status": "Not Started", "ActivityDate": "2026-03-02"})
    writer.insert("Event", {"Subject": "Fair", "StartDateTime": "2026-03-02T08:00:00Z", "DurationInMinutes": 60})
    move_clock(running.state, {"freeze": (START + timedelta(days=366)).isoformat()})
    headers = {"Authorization": f"Bearer {running.access_token()}"}

    def subjects(resource: str, soql: str) -> list[str]:
        answer = client.get(resource, params={"q": soql}, headers=headers)
        return sorted(row["Subject"] for row in answer.json()["records"])

    unmoved = "WHERE SystemModstamp = 2026-03-02T09:30:15Z"
    assert subjects("/query", f"SELECT Subject FROM Task {unmoved}") == ["Open"]
    assert subjects("/queryAll", f"SELECT Subject FROM Task {unmoved}") == ["Done", "Open"]
    assert subjects("/query", "SELECT Subject FROM Event") == []
    assert subjects("/queryAll", f"SELECT Subject FROM Event {unmoved} AND IsArchived = true") == ["Fair"]
    client.patch(f"/sobjects/Task/{closed}", json={"ActivityDate": "2027-03-02"}, headers=headers)
    assert subjects("/query", "SELECT Subject FROM Task") == ["Done", "Open"]
