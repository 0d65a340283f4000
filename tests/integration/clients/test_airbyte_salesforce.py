"""Airbyte's source-salesforce, unmodified, behind the proxy: discovery and incremental reads over Bulk API 2.0."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integration.clients.programmes import run_client
from orgsim.clock import ClockSetting
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, RunningOrgsim

LEADS = 250
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Source:
    """Calls of the connector in a folder of its own."""

    programme: Path
    folder: Path
    environment: dict[str, str]

    def call(self, verb: str, **files: object) -> list[dict[str, Any]]:
        """The messages it wrote."""
        command = [str(self.programme), verb]
        for name, value in files.items():
            path = self.folder / f"{name}.json"
            path.write_text(json.dumps(value))
            command += [f"--{name}", str(path)]
        written = run_client(command, self.environment)
        messages: list[dict[str, Any]] = [json.loads(line) for line in written.splitlines()]
        troubles = [each for each in messages if each["type"] == "LOG" and each["log"]["level"] in ("ERROR", "FATAL")]
        assert not troubles
        return messages


def configured(catalogue: dict[str, Any]) -> dict[str, Any]:
    """Leads alone, incrementally."""
    [lead] = [each for each in catalogue["streams"] if each["name"] == "Lead"]
    chosen = {"stream": lead, "sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
    return {"streams": [{**chosen, "cursor_field": ["SystemModstamp"], "primary_key": [["Id"]]}]}


def records(messages: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["record"]["data"]["Id"]: each["record"]["data"] for each in messages if each["type"] == "RECORD"}


@pytest.mark.conformance(
    area="Real clients",
    feature="airbyte source-salesforce: discovery, Bulk API 2.0 reads, changes alone",
    source="airbyte-source-salesforce 2.10",
)
def test_it_reads_all_and_then_only_what_changed(
    proxied: RunningOrgsim, environment: dict[str, str], tmp_path: Path, program: Callable[[str, str], Path]
) -> None:
    writer = proxied.writer()
    proxied.state.set_clock(ClockSetting(offset_seconds=-DAY_SECONDS))
    with proxied.production.database.write():
        made = [writer.insert("Lead", {"LastName": f"L{n}", "Company": 'In, "c"'}) for n in range(LEADS)]
    writer.delete("Lead", made[0])
    proxied.state.set_clock(ClockSetting())
    proxied.production.set("bulk_page_rows", 100)

    source = Source(program("airbyte-source-salesforce", "source-salesforce"), tmp_path, environment)
    config = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": proxied.tokens()[1],
        "start_date": "2020-01-01T00:00:00Z",
        "is_sandbox": False,
        "force_use_bulk_api": True,
        "stream_slice_step": "P3650D",
        "streams_criteria": [{"criteria": "exacts", "value": "Lead"}],
    }
    discovered = source.call("discover", config=config)
    [catalogue] = [each["catalog"] for each in discovered if each["type"] == "CATALOG"]
    chosen = configured(catalogue)
    first = source.call("read", config=config, catalog=chosen)
    found = records(first)
    assert found.keys() == set(made)
    assert (found[made[0]]["IsDeleted"], found[made[1]]["Company"]) == (True, 'In, "c"')

    [state] = [each["state"] for each in first if each["type"] == "STATE"][-1:]
    writer.update("Lead", made[1], {"Company": "Changed"})
    added = writer.insert("Lead", {"LastName": "New", "Company": "C"})
    second = source.call("read", config=config, catalog=chosen, state=[state])
    assert records(second).keys() == {made[1], added}
    assert {each.kind for each in proxied.production.usage.totals()} >= {"describe", "bulk_query"}
