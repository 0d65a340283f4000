"""simple-salesforce, unmodified: a server of its own process over TLS with its own CA, and behind the proxy."""

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
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from integration.clients.conftest import CONTACTS, add_contacts
from orgsim.oauth.grants import open_grant
from orgsim.oauth.users import any_admin
from orgsim.store.state import State
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, PASSWORD, SANDBOX_USERNAME, USERNAME, RunningOrgsim

VERSION = "simple-salesforce 1.12"


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


@pytest.mark.conformance(
    area="Real clients", feature="simple-salesforce: Bulk API 2.0 insert, query_all, COUNT()", source=VERSION
)
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


@pytest.mark.conformance(
    area="Real clients", feature="simple-salesforce: Bulk API 2.0 query and download", source=VERSION
)
def test_it_reads_by_bulk_query(served: Served, tmp_path: Path) -> None:
    pages = list(served.client.bulk2.Contact.query("SELECT Id, LastName FROM Contact", max_records=200, wait=1))
    assert len(pages) == 3
    assert sum(page.count("\n") - 1 for page in pages) == CONTACTS
    files = served.client.bulk2.Contact.download(
        "SELECT Id, LastName FROM Contact", path=str(tmp_path), max_records=1000, wait=1
    )
    assert [each["number_of_records"] for each in files] == [CONTACTS]


@pytest.mark.conformance(
    area="Real clients", feature="simple-salesforce: records by instance URL and session", source=VERSION
)
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


# Behind the proxy, under the names that simple-salesforce has written into it


@pytest.fixture
def session(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[requests.Session]:
    for name in ("HTTPS_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, environment[name])
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with requests.Session() as opened:
        yield opened


def log_in(session: requests.Session, **how: Any) -> Any:
    return Salesforce(session=session, **how)


@pytest.mark.conformance(area="Real clients", feature="simple-salesforce: SOAP login", source=VERSION)
def test_it_logs_in_by_soap(session: requests.Session, proxied: RunningOrgsim) -> None:
    client = log_in(session, username=USERNAME, password=PASSWORD, security_token="")
    assert client.sf_instance == "login.salesforce.com"
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 0
    sandbox = log_in(session, username=SANDBOX_USERNAME, password=PASSWORD, security_token="", domain="test")
    assert sandbox.is_sandbox()
    with pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        log_in(session, username=USERNAME, password="wrong", security_token="")


@pytest.mark.conformance(
    area="Real clients", feature="simple-salesforce: client credentials, JWT bearer, password grant", source=VERSION
)
def test_it_logs_in_by_oauth(session: requests.Session, proxied: RunningOrgsim, private_key: Path) -> None:
    app = {"consumer_key": CLIENT_ID, "consumer_secret": CLIENT_SECRET}
    own = log_in(session, **app, domain="acme.my")
    signed = log_in(session, username=USERNAME, consumer_key=CLIENT_ID, privatekey_file=str(private_key))
    typed = log_in(session, username=USERNAME, password=PASSWORD, **app)
    for client in (own, signed, typed):
        assert client.oauth2("userinfo")["preferred_username"] == USERNAME
    assert own.sf_instance == "acme.my.salesforce.com"


@pytest.fixture
def client(session: requests.Session, proxied: RunningOrgsim) -> Any:
    return log_in(session, username=USERNAME, password=PASSWORD, security_token="")


@pytest.mark.conformance(area="Real clients", feature="simple-salesforce: Bulk API 1", source=VERSION)
def test_it_loads_and_queries_by_bulk1(client: Any) -> None:
    rows = [{"LastName": f"B{n}", "Company": "One", "Email": f"b{n}@example.com"} for n in range(250)]
    made = client.bulk.Lead.insert([*rows, {"LastName": "Bad"}], batch_size=100)
    assert [each["success"] for each in made] == [True] * 250 + [False]
    assert made[-1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    found = client.bulk.Lead.query("SELECT Id, LastName, CreatedDate FROM Lead WHERE Company = 'One'")
    assert {each["LastName"] for each in found} == {each["LastName"] for each in rows}
    assert all(each["CreatedDate"] % 1000 == 0 for each in found)
    [again] = client.bulk.Lead.upsert([{**rows[0], "Title": "T"}], "Email", include_detailed_results=True)
    assert (again["created"], again["id"], again["Title"]) == (False, made[0]["id"], "T")
    gone = client.bulk.Lead.delete([{"Id": each["id"]} for each in made[:-1]])
    assert all(each["success"] for each in gone)
    assert client.query_all("SELECT Id FROM Lead WHERE Company = 'One'")["totalSize"] == 0
    assert len(client.bulk.Lead.query_all("SELECT Id FROM Lead WHERE Company = 'One'")) == 250


@pytest.mark.conformance(
    area="Real clients", feature="simple-salesforce: pages, composite by restful, describes", source=VERSION
)
def test_it_pages_composes_and_describes(client: Any, proxied: RunningOrgsim) -> None:
    add_contacts(proxied)
    pages = client.query_all_iter("SELECT Id FROM Contact", headers={"Sforce-Query-Options": "batchSize=200"})
    assert len({each["Id"] for each in pages}) == CONTACTS
    parts = [
        {"method": "POST", "url": f"/services/data/v{client.sf_version}/sobjects/Account", "referenceId": "a",
         "body": {"Name": "Parent"}},
        {"method": "GET", "url": f"/services/data/v{client.sf_version}/sobjects/Account/@{{a.id}}", "referenceId": "b"},
    ]  # fmt: skip
    answer = client.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": parts})
    assert [each["httpStatusCode"] for each in answer["compositeResponse"]] == [201, 200]
    assert "Lead" in {each["name"] for each in client.describe()["sobjects"]}
    assert client.Lead.metadata()["objectDescribe"]["label"] == "Lead"
    assert client.api_usage["api-usage"].total == 100_000


@pytest.mark.conformance(
    area="Real clients", feature="simple-salesforce: Bulk API 2.0 upsert and results", source=VERSION
)
def test_it_upserts_by_bulk2(client: Any) -> None:
    rows = [
        {"Email": "two@example.com", "LastName": "Two", "Company": "B2"},
        {"Email": "bad", "LastName": "X", "Company": "B2"},
    ]
    [job] = client.bulk2.Lead.upsert(records=rows, external_id_field="Email", wait=0)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)
    assert "INVALID_EMAIL_ADDRESS" in client.bulk2.Lead.get_failed_records(job["job_id"])
    assert "two@example.com" in client.bulk2.Lead.get_successful_records(job["job_id"])
    assert len(client.bulk2.Lead.get_unprocessed_records(job["job_id"]).splitlines()) == 1
