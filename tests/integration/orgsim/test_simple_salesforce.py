"""An unmodified simple-salesforce against a server of its own process, over TLS with the state folder's own CA."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from simple_salesforce.api import Salesforce

from orgsim.oauth.grants import open_grant
from orgsim.oauth.users import any_admin
from orgsim.store.state import State

CONTACTS = 450


@dataclass(frozen=True, slots=True)
class Served:
    client: Any  # simple-salesforce makes its objects by attribute, which its types do not tell
    state: State


def run_cli(folder: Path, *arguments: str) -> bytes:
    command = [sys.executable, "-c", "from orgsim.cli import main; main()", *arguments, "--state", str(folder)]
    return subprocess.run([*command, "--json"], check=True, capture_output=True, timeout=60).stdout


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    user = ("--user", "admin@acme.example", "--password", "pw-12345")
    run_cli(folder, "seed", "--records", "0", *user, "--app-key", "key", "--app-secret", "secret")
    command = [sys.executable, "-c", "from orgsim.cli import main; main()", "serve", "--tls"]
    ports = ("--port", "0", "--sandbox-port", "0")
    with subprocess.Popen([*command, *ports, "--state", str(folder), "--json"], stdout=subprocess.PIPE) as process:
        try:
            opened = open_client(process, folder)
            yield opened
            opened.client.session.close()
            opened.state.close()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


def open_client(process: "subprocess.Popen[bytes]", folder: Path) -> Served:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.rstrip() == b"}":
            break
    started = orjson.loads(b"".join(lines))
    state = State(folder)
    [org] = state.orgs()
    token = open_grant(org, any_admin(org), "key", "api", with_refresh=False).access_token
    session = requests.Session()
    session.trust_env = False  # the machine's own CA bundle does not know the state folder's
    session.verify = started["trust"]
    return Served(Salesforce(instance_url=started["production"], session_id=token, session=session), state)


def test_it_inserts_and_queries_everything(served: Served) -> None:
    client = served.client
    created = client.bulk2.Contact.insert(
        records=[{"LastName": f"Person {n}", "Email": f"person{n}@example.com"} for n in range(CONTACTS)],
        wait=1,
    )
    assert [(job["numberRecordsProcessed"], job["numberRecordsFailed"]) for job in created] == [(CONTACTS, 0)]
    rows = client.query_all("SELECT Id, LastName FROM Contact ORDER BY LastName")
    assert rows["totalSize"] == CONTACTS
    assert len({row["Id"] for row in rows["records"]}) == CONTACTS
    assert client.query("SELECT COUNT() FROM Contact")["totalSize"] == CONTACTS


def test_it_reads_by_bulk_query(served: Served, tmp_path: Path) -> None:
    pages = list(served.client.bulk2.Contact.query("SELECT Id, LastName FROM Contact", max_records=200, wait=1))
    assert len(pages) == 3
    assert sum(page.count("\n") - 1 for page in pages) == CONTACTS
    files = served.client.bulk2.Contact.download(
        "SELECT Id, LastName FROM Contact", path=str(tmp_path), max_records=1000, wait=1
    )
    assert [each["number_of_records"] for each in files] == [CONTACTS]


def test_it_describes_creates_updates_upserts_and_deletes(served: Served) -> None:
    client = served.client
    assert client.Lead.describe()["name"] == "Lead"
    lead = client.Lead.create({"LastName": "Moreau", "Company": "Silva Ltd", "Email": "m@example.com"})
    assert client.Lead.update(lead["id"], {"Status": "Working - Contacted"}) == 204
    assert client.Lead.upsert("Email/m@example.com", {"LastName": "Silva"}) == 200
    assert client.Lead.get(lead["id"])["LastName"] == "Silva"
    assert client.Lead.delete(lead["id"]) == 204
    assert client.query_all("SELECT Id FROM Lead", include_deleted=True)["totalSize"] == 1
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000


def test_the_command_sees_what_the_server_counted(served: Served) -> None:
    usage = orjson.loads(run_cli(served.state.folder, "usage", "--journal", "5"))
    assert usage["used_calls"] == usage["total_credits"] == sum(each["credits"] for each in usage["totals"])
    assert {"query", "record", "describe", "bulk_query", "bulk_ingest"} <= {each["kind"] for each in usage["totals"]}
    assert len(usage["journal"]) == 5
