"""aiosalesforce, unmodified, behind the proxy at a My Domain: flows without a person, records, composites, loads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.clients.programmes import ROOT, run_client
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME

SCRIPT = ROOT / "tests" / "clients" / "aiosalesforce" / "run.py"
VERSION = "aiosalesforce 0.6"
Run = Callable[[str], dict[str, Any]]


@pytest.fixture
def run(environment: dict[str, str], private_key: Path, program: Callable[[str, str], Path]) -> Run:
    """What one topic of the script saw."""
    told = {
        **environment,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "LOGIN": USERNAME,
        "PASSWORD": PASSWORD,
        "PRIVATE_KEY": str(private_key),
    }

    def call(topic: str) -> dict[str, Any]:
        command = [str(program("aiosalesforce", "python")), str(SCRIPT), topic]
        seen: dict[str, Any] = json.loads(run_client(command, told))
        return seen

    return call


@pytest.mark.conformance(
    area="Real clients", feature="aiosalesforce: client credentials, JWT bearer and SOAP logins", source=VERSION
)
def test_it_logs_in_without_a_person(run: Run) -> None:
    assert run("log_in") == {"client credentials": USERNAME, "jwt": USERNAME, "soap": USERNAME}


@pytest.mark.conformance(area="Real clients", feature="aiosalesforce: records and queries", source=VERSION)
def test_it_writes_and_reads(run: Run) -> None:
    assert run("records") == {
        "upserted": [True, False],
        "read": ["Alm", "CTO"],
        "found": True,
        "kept": 1,
        "gone": "NOT_FOUND",
        "limit": 100_000,
    }


@pytest.mark.conformance(area="Real clients", feature="aiosalesforce: composite and composite batch", source=VERSION)
def test_it_composes(run: Run) -> None:
    assert run("composite") == {"parent": "Parent", "counted": 1, "child": "Child"}


@pytest.mark.conformance(area="Real clients", feature="aiosalesforce: Bulk API 2.0 ingest", source=VERSION)
def test_it_loads_in_bulk(run: Run) -> None:
    assert run("bulk") == {
        "state": "JobComplete",
        "good": 29,
        "bad": ["REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --"],
        "listed": True,
    }
