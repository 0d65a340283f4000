"""Singer's tap-salesforce, unmodified, behind the proxy: discovery and syncs over REST and Bulk API 1."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integration.clients.programmes import run_client
from orgsim.clock import ClockSetting
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, RunningOrgsim

LEADS = 40
HOUR_SECONDS, DAY_SECONDS = 3_600, 86_400
START = "2020-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Tap:
    """Calls of the tap in a folder of its own, all with the refresh token of one log-in."""

    programme: Path
    folder: Path
    environment: dict[str, str]
    refresh_token: str

    def call(self, api_type: str, *arguments: str) -> str:
        config = {
            "refresh_token": self.refresh_token,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "start_date": START,
            "api_type": api_type,
            "select_fields_by_default": "true",
        }
        path = self.write("config.json", config)
        command = [str(self.programme), "--config", str(path), *arguments]
        return run_client(command, self.environment)

    def discover(self, api_type: str, *selected: str) -> Path:
        """The catalogue with some streams chosen, to be read by their stamps."""
        catalogue = json.loads(self.call(api_type, "--discover"))
        for stream in catalogue["streams"]:
            [about] = [each["metadata"] for each in stream["metadata"] if each["breadcrumb"] == []]
            if stream["stream"] in selected:
                about |= {"selected": True, "replication-method": "INCREMENTAL", "replication-key": "SystemModstamp"}
        return self.write("catalogue.json", catalogue)

    def sync(self, api_type: str, catalogue: Path, state: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """What the tap wrote, in order."""
        path = self.write("state.json", state or {})
        written = self.call(api_type, "--properties", str(catalogue), "--state", str(path))
        return [json.loads(line) for line in written.splitlines()]

    def write(self, name: str, value: object) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(value))
        return path


@pytest.fixture
def tap(
    proxied: RunningOrgsim, environment: dict[str, str], tmp_path: Path, program: Callable[[str, str], Path]
) -> Tap:
    return Tap(program("tap-salesforce", "tap-salesforce"), tmp_path, environment, proxied.tokens()[1])


@pytest.fixture(scope="module", autouse=True)
def leads(proxied: RunningOrgsim) -> list[str]:
    """Made yesterday, the last of them deleted an hour later."""
    writer = proxied.writer()
    proxied.state.set_clock(ClockSetting(offset_seconds=-DAY_SECONDS))
    with proxied.production.database.write():
        made = [
            writer.insert(
                "Lead",
                {"LastName": f"L{n}", "Company": "In, c", "NumberOfEmployees": n, "Email": f"l{n}@example.com"},
            )
            for n in range(LEADS)
        ]
    proxied.state.set_clock(ClockSetting(offset_seconds=HOUR_SECONDS - DAY_SECONDS))
    writer.delete("Lead", made[-1])
    proxied.state.set_clock(ClockSetting())
    return made


def records(written: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By Id."""
    return {each["record"]["Id"]: each["record"] for each in written if each["type"] == "RECORD"}


def last_state(written: list[dict[str, Any]]) -> dict[str, Any]:
    state: dict[str, Any] = [each["value"] for each in written if each["type"] == "STATE"][-1]
    return state


def bulk1_calls(running: RunningOrgsim) -> int:
    return sum(each.calls for each in running.production.usage.totals() if each.kind == "bulk1")


@pytest.mark.parametrize("api_type", ["REST", "BULK"])
@pytest.mark.conformance(
    area="Real clients",
    feature="tap-salesforce: discovery, sync over REST and BULK, changes alone",
    source="tap-salesforce 2.8",
)
def test_it_syncs_all_and_then_only_what_changed(
    tap: Tap, proxied: RunningOrgsim, leads: list[str], api_type: str
) -> None:
    before = bulk1_calls(proxied)
    catalogue = tap.discover(api_type, "Lead")
    first = tap.sync(api_type, catalogue)
    found = records(first)
    assert found.keys() == set(leads)
    assert (found[leads[7]]["Company"], found[leads[7]]["NumberOfEmployees"]) == ("In, c", 7)
    assert [each["Id"] for each in found.values() if each["IsDeleted"]] == [leads[-1]]
    state = last_state(first)
    assert state["bookmarks"]["Lead"]["SystemModstamp"]

    changed = leads[3 if api_type == "REST" else 5]
    proxied.writer().update("Lead", changed, {"Company": f"Changed {api_type}"})
    made = proxied.writer().insert("Lead", {"LastName": "New", "Company": "C"})
    second = records(tap.sync(api_type, catalogue, state))
    latest = max(each["SystemModstamp"] for each in found.values())
    asked_again = {each for each, row in found.items() if row["SystemModstamp"] == latest}
    assert second.keys() == {changed, made, *asked_again}
    assert second[changed]["Company"] == f"Changed {api_type}"
    assert (bulk1_calls(proxied) > before) == (api_type == "BULK")
    proxied.writer().purge("Lead", made)


@pytest.mark.conformance(
    area="Real clients", feature="tap-salesforce: PK chunking after a time-out", source="tap-salesforce 2.8"
)
def test_it_chunks_by_primary_key_when_its_query_times_out(tap: Tap, proxied: RunningOrgsim, leads: list[str]) -> None:
    # The tap asks for chunks of 100,000 ids: two, when the org has given so many ids between two leads.
    proxied.production.next_number("00Q", 100_000)
    far = proxied.writer().insert("Lead", {"LastName": "Far", "Company": "Away"})
    catalogue = tap.discover("BULK", "Lead")
    proxied.production.set("bulk_query_timeout_rows", 10)
    time.sleep(1)  # its second try asks for what changed before the second in which it began
    try:
        written = tap.sync("BULK", catalogue)
    finally:
        proxied.production.set("bulk_query_timeout_rows", 0)
    assert records(written).keys() == {*leads, far}
    [[chunks]] = (
        proxied.production.database.connect()
        .execute(
            "SELECT count(*) FROM _batch WHERE json_extract(plain, '$._chunk') IS NOT NULL AND state = 'Completed'"
        )
        .fetchall()
    )
    assert chunks == 2
