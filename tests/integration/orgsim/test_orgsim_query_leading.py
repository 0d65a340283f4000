"""What SQLite is told of a query, so that a large org answers as quickly as one whose optimizer counts rows would."""

import httpx2
import pytest

from orgsim.oauth.users import any_admin
from orgsim.soql import leading
from orgsim.soql.compile import compile_records
from orgsim.soql.parse import parse
from orgsim.soql.plan import Asker
from orgsim.store.org import Org
from orgsim.testing import RunningOrgsim

CHANGED = (
    "SELECT Id, LastName FROM Contact "
    "WHERE SystemModstamp >= 2026-01-01T00:00:00Z AND Id > '003000000000000AAA' ORDER BY Id"
)


@pytest.fixture(scope="module", autouse=True)
def contacts(running: RunningOrgsim) -> None:
    writer = running.writer()
    with running.production.database.write():
        for number in range(20):
            writer.insert("Contact", {"LastName": f"C{number}"})


def steps_of(org: Org, soql: str) -> str:
    """How SQLite goes about it."""
    question = Asker(org, any_admin(org), "64.0").query(soql, all_rows=True)
    connection = org.database.connect()
    parts = leading.led(compile_records(question, parse(soql)), connection)
    rows = connection.execute(f"EXPLAIN QUERY PLAN {parts.sql}", question.params)
    return "; ".join(row[3] for row in rows)


@pytest.mark.parametrize("end", ["", " LIMIT 5", " DESC LIMIT 5", " LIMIT 5 OFFSET 3"])
def test_few_changed_records_are_found_by_their_stamp_and_then_sorted(running: RunningOrgsim, end: str) -> None:
    assert "USING INDEX Contact.SystemModstamp (SystemModstamp>?)" in steps_of(running.production, CHANGED + end)


def test_many_are_read_in_the_order_that_was_asked_for(running: RunningOrgsim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leading, "MOST_ROWS", 10)
    assert "sqlite_autoindex_Contact_1 (Id>?)" in steps_of(running.production, CHANGED)


def test_what_leads_changes_no_answer(client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"q": f"{CHANGED} DESC LIMIT 7 OFFSET 2"}
    led = client.get("/query", params=asked).json()
    monkeypatch.setattr(leading, "MOST_ROWS", 0)
    assert client.get("/query", params=asked).json() == led
    assert led["totalSize"] == 7


def test_those_in_sight_are_counted_without_being_read(running: RunningOrgsim) -> None:
    connection = running.production.database.connect()
    sql = 'SELECT count(*) FROM "Task" WHERE "IsDeleted" = 1 OR "IsArchived" = 1'
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert not any(step.startswith("SCAN") for step in steps)
