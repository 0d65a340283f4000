"""jsforce, unmodified, by plain HTTP on loopback: one script a topic, each of which prints what it saw."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from integration.clients.conftest import CONTACTS
from integration.clients.programmes import TIMEOUT_SECONDS, run_client
from orgsim.person import answer_login
from orgsim.testing import CALLBACK, CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME, RunningOrgsim


def run(folder: Path, running: RunningOrgsim, topic: str) -> dict[str, Any]:
    environment = {**os.environ, "ORGSIM_URL": running.url, "ORGSIM_TOKEN": running.access_token()}
    seen: dict[str, Any] = json.loads(run_client(["node", f"{topic}.mjs"], environment, folder))
    return seen


@pytest.mark.conformance(
    area="Real clients", feature="jsforce: query, autoFetch, queryMore, find", source="jsforce 3.10"
)
def test_it_queries(jsforce: Path, running: RunningOrgsim) -> None:
    assert run(jsforce, running, "query") == {
        "total": CONTACTS,
        "pages": [200, 200, 50],
        "all": CONTACTS,
        "found": ["Person 0000", "Person 0001", "Person 0002"],
        "refused": "INVALID_FIELD",
    }


@pytest.mark.conformance(area="Real clients", feature="jsforce: records, upsert, describe", source="jsforce 3.10")
def test_it_writes_single_records(jsforce: Path, running: RunningOrgsim) -> None:
    assert run(jsforce, running, "records") == {
        "created": True,
        "updated": True,
        "title": "CTO",
        "upserted": True,
        "lastName": "Alm",
        "added": True,
        "deleted": True,
        "gone": "NOT_FOUND",
        "label": "Lead",
        "email": "email",
        "objects": True,
    }


@pytest.mark.conformance(area="Real clients", feature="jsforce: collections and composite", source="jsforce 3.10")
def test_it_writes_many_at_once(jsforce: Path, running: RunningOrgsim) -> None:
    assert run(jsforce, running, "composite") == {
        "made": [True, True, False],
        "refused": "REQUIRED_FIELD_MISSING",
        "changed": [True, True],
        "industries": ["Energy", "Energy"],
        "strict": ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"],
        "removed": [True, True],
        "composite": [201, 201],
    }


@pytest.mark.conformance(area="Real clients", feature="jsforce: Bulk API 2.0 load and query", source="jsforce 3.10")
def test_it_loads_and_queries_by_bulk2(jsforce: Path, running: RunningOrgsim) -> None:
    assert run(jsforce, running, "bulk2") == {
        "good": ["Good"],
        "bad": ["REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --"],
        "unprocessed": 0,
        "rows": CONTACTS,
        "keyed": ["true"],
        "aborted": "Aborted",
    }


@pytest.mark.conformance(area="Real clients", feature="jsforce: Bulk API 1 load and query", source="jsforce 3.10")
def test_it_loads_and_queries_by_bulk1(jsforce: Path, running: RunningOrgsim) -> None:
    assert run(jsforce, running, "bulk1") == {
        "results": [
            [True, True, []],
            [False, False, ["REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --"]],
        ],
        "lines": CONTACTS + 1,
        "opened": ["Open", "Serial", "Email"],
        "listed": 0,
        "aborted": "Aborted",
        "refused": "Invalid session id",
    }


@pytest.mark.conformance(
    area="Real clients", feature="jsforce: identity, limits, limitInfo, tooling query", source="jsforce 3.10"
)
def test_it_asks_about_the_org(jsforce: Path, running: RunningOrgsim) -> None:
    seen = run(jsforce, running, "about")
    assert seen.pop("usage")["limit"] == 100_000
    assert seen == {
        "username": USERNAME,
        "organization": running.production.org_id,
        "limit": 100_000,
        "tooling": ["Lead"],
    }


@pytest.mark.conformance(
    area="Real clients", feature="jsforce: web server flow with PKCE, refresh, revoke", source="jsforce 3.10"
)
def test_it_logs_in_and_refreshes(jsforce: Path, running: RunningOrgsim) -> None:
    environment = {
        **os.environ,
        "ORGSIM_URL": running.url,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "CALLBACK": CALLBACK,
    }
    with subprocess.Popen(
        ["node", "oauth.mjs"], cwd=jsforce, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as script:
        assert script.stdin is not None
        assert script.stdout is not None
        address = json.loads(script.stdout.readline())["address"]
        out, _ = script.communicate(answer_login(address, USERNAME, PASSWORD) + "\n", timeout=TIMEOUT_SECONDS)
    assert script.returncode == 0
    assert json.loads(out) == {
        "state": "kept",
        "user": running.production_user_id,
        "organization": running.production.org_id,
        "refreshes": 1,
        "counted": CONTACTS,
        "username": USERNAME,
        "revoked": True,
    }
