"""What is told of the replica is what is in it, after full reads, changes and deletes; counted once per state of it."""

from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

import duckdb
import pytest

from headwater.accounts.models import Account
from headwater.connections.models import Connection
from headwater.jobs.services import run_here
from headwater.lake import TableParts, open_snapshot
from headwater.sync.extras import name_field
from headwater.sync.inventory import ObjectCopy, copies_of, next_read, replica_of
from headwater.sync.models import ManifestPart
from headwater.sync.services import audit, open_replica, replica_counts, sync_cycle
from integration.conftest import ACTOR, result_of
from orgsim.edits.everyday import EditPlan, make_edits
from orgsim.seed import load_history
from orgsim.server.admin import move_clock
from orgsim.testing import RunningOrgsim


@pytest.fixture
def seeded(org: RunningOrgsim, connected: Connection) -> Account:
    load_history(org.production, records=600, seed=3)
    return connected.account


def sync(account: Account) -> dict[str, Any]:
    return result_of(run_here(sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.05))


def copies(account: Account) -> dict[str, ObjectCopy]:
    return {copy.sobject: copy for copy in copies_of(account)}


def assert_it_is_so(account: Account) -> None:
    """Against the replica itself, asked another way."""
    found = copies(account)
    for sobject, rows in replica_counts(account).items():
        assert found[sobject].live_rows == rows, sobject
    with open_replica(account) as connection:
        for sobject in ("Contact", "Lead", "Task", "LeadHistory"):
            stamp = "CreatedDate" if sobject == "LeadHistory" else "SystemModstamp"
            kept, newest = connection.execute(f'SELECT count(*), max({stamp}) FROM "{sobject}__all"').fetchall()[0]
            copy = found[sobject]
            assert copy.live_rows is not None
            assert copy.deleted_rows == kept - copy.live_rows, sobject
            assert copy.newest_utc == (newest.replace(tzinfo=UTC) if newest else None), sobject
    listed = ManifestPart.of(account).filter(table__sobject="Contact", is_retired=False)
    assert found["Contact"].size_bytes == sum(part.size_bytes for part in listed)
    assert found["Contact"].parts == len(listed)


def test_it_tells_what_is_there(org: RunningOrgsim, seeded: Account) -> None:
    before = copies(seeded)["Contact"]
    assert (before.state, before.live_rows, before.next_read) == ("waiting", None, "full")
    assert next_read(seeded).expected_calls is None, "what a first read costs only its plan tells"
    sync(seeded)
    assert_it_is_so(seeded)
    first = copies(seeded)["Contact"]
    assert (first.state, first.next_read, first.deleted_rows) == ("read", "changes", 0)
    assert first.full_read_utc is not None
    move_clock(org.state, {"jump_seconds": 2})  # its clock tells whole seconds, and two reads may share one
    make_edits(org.writer(), EditPlan(edits=100, deletes=60, seed=11))
    expected = next_read(seeded).expected_calls
    assert sync(seeded)["planned_calls"] == expected
    assert_it_is_so(seeded)
    second = copies(seeded)
    assert sum(copy.deleted_rows or 0 for copy in second.values()) > 0
    assert second["Contact"].full_read_utc == first.full_read_utc
    assert second["Contact"].read_until_utc > first.read_until_utc  # type: ignore[operator]  # both were read
    assert second["Contact"].columns > 10
    assert second["RecordType"].is_daily


def test_rows_are_counted_once_for_each_state_of_the_parts(
    org: RunningOrgsim, seeded: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(seeded)
    opened: list[list[str]] = []

    def look(tables: Mapping[str, TableParts], directory: Path) -> duckdb.DuckDBPyConnection:
        opened.append(sorted(tables))
        return open_snapshot(tables, directory)

    monkeypatch.setattr("headwater.sync.inventory.open_snapshot", look)
    assert copies(seeded) == copies(seeded)
    assert len(opened) == 1, "the second look reads no file"
    org.writer().update("Contact", one_contact(seeded), {"LastName": "Ek"})
    sync(seeded)
    assert_it_is_so(seeded)
    assert len(opened) == 2
    assert "Contact" in opened[1]
    assert "Opportunity" not in opened[1], "what did not change is not counted anew"


def one_contact(account: Account) -> str:
    with open_replica(account) as connection:
        return str(connection.execute('SELECT min(Id) FROM "Contact"').fetchall()[0][0])


def test_fields_that_come_are_told_until_all_rows_have_them(seeded: Account) -> None:
    sync(seeded)
    name_field(seeded, "Contact", "MailingCity", actor=ACTOR)
    coming = copies(seeded)["Contact"]
    assert (coming.new_fields, coming.lost_fields) == (("MailingCity",), ())
    sync(seeded)
    there = copies(seeded)["Contact"]
    assert (there.new_fields, there.is_reload_due, there.columns) == ((), False, coming.columns + 1)


def test_what_the_last_audit_found_stands_at_each_object(seeded: Account) -> None:
    sync(seeded)
    assert copies(seeded)["Contact"].audit_finding == ""
    result_of(run_here(audit.enqueue(tenant=str(seeded.pk), account_id=seeded.pk), poll_seconds=0.05))
    contact = copies(seeded)["Contact"]
    assert (contact.audit_finding, contact.audited_utc is not None) == ("equal", True)


def test_the_cycle_that_readers_see_is_told_with_its_credits(seeded: Account) -> None:
    result = sync(seeded)
    found = replica_of(seeded)
    assert found.shown is not None
    assert (found.shown.cycle, found.shown.spent_calls) == (1, result["spent_calls"])
    assert found.now is None
