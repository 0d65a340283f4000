"""Unmodified clients that know only Salesforce's own host names, led here by the CONNECT proxy."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from simple_salesforce.api import Salesforce

from orgsim.proxy import names
from orgsim.server.run import Listening, ProxyListening
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, PASSWORD, SANDBOX_USERNAME, USERNAME, running_orgsim
from orgsim.tls import TlsFiles, ensure_proxy_tls_files, ensure_tls_files

PRODUCTION, SANDBOX = "https://login.salesforce.com", "https://test.salesforce.com"


@pytest.fixture(scope="module")
def proxy_port() -> int:
    """Free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return ensure_proxy_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module", autouse=True)
def served(tmp_path_factory: pytest.TempPathFactory, proxy_port: int, tls: TlsFiles) -> Iterator[None]:
    listening = Listening(port=0, sandbox_port=0, proxy=ProxyListening(proxy_port, tls))
    with running_orgsim(tmp_path_factory.mktemp("proxied"), listening=listening):
        yield


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, proxy_port: int, tls: TlsFiles) -> None:
    """All that a client needs to be told."""
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy_port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls.authority))


def log_in(door: str, username: str) -> requests.Response:
    wish = {"grant_type": "password", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return requests.post(
        f"{door}/services/oauth2/token", data={**wish, "username": username, "password": PASSWORD}, timeout=20
    )


@pytest.mark.conformance(
    area="Reaching it", feature="Salesforce's own names by a CONNECT proxy, over TLS", source="facts 0.9"
)
@pytest.mark.parametrize(
    "host",
    [
        "login.salesforce.com",
        "test.salesforce.com",
        "acme.my.salesforce.com",
        "acme--dev.sandbox.my.salesforce.com",
        "acme-dev-ed.develop.my.salesforce.com",
    ],
)
def test_salesforces_names_lead_here(host: str) -> None:
    versions = requests.get(f"https://{host}/services/data", timeout=20).json()
    assert versions[-1]["url"] == "/services/data/v67.0"


@pytest.mark.conformance(area="Reaching it", feature="Each name leads to its own door", source="facts A.1")
def test_each_name_leads_to_its_own_door() -> None:
    assert log_in(PRODUCTION, USERNAME).json()["instance_url"] == PRODUCTION
    assert log_in("https://a--b.sandbox.my.salesforce.com", SANDBOX_USERNAME).status_code == 200
    assert log_in(SANDBOX, SANDBOX_USERNAME).json()["instance_url"] == SANDBOX
    assert log_in(SANDBOX, USERNAME).json()["error"] == "invalid_grant"
    assert log_in(PRODUCTION, SANDBOX_USERNAME).json()["error"] == "invalid_grant"


@pytest.mark.conformance(area="Reaching it", feature="instance_url is the name the client used", source="facts 0.9")
def test_an_unmodified_simple_salesforce_works_by_the_instance_url() -> None:
    granted = log_in(PRODUCTION, USERNAME).json()
    with requests.Session() as session:
        client = Salesforce(instance_url=granted["instance_url"], session_id=granted["access_token"], session=session)
        made = client.Lead.create({"LastName": "Ek", "Company": "Ask"})  # type: ignore[operator]  # by attribute
        found = client.query("SELECT Id FROM Lead")["records"]
    assert [each["Id"] for each in found] == [made["id"]]


@pytest.mark.conformance(area="Reaching it", feature="The proxy leads nowhere else", source="reference", refused=True)
@pytest.mark.parametrize("host", ["example.com", "salesforce.com", "a.b.my.salesforce.com", "login.salesforce.com:444"])
def test_any_other_host_is_refused(host: str) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="403"):
        requests.get(f"https://{host}/", timeout=20)


def say(port: int, words: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(words)
        return client.recv(4096)


@pytest.mark.conformance(
    area="Reaching it", feature="The proxy takes nothing but CONNECT", source="reference", refused=True
)
def test_other_requests_and_nonsense_are_refused(proxy_port: int) -> None:
    plain = b"GET http://login.salesforce.com/ HTTP/1.1\r\nHost: login.salesforce.com\r\n\r\n"
    assert say(proxy_port, plain).startswith(b"HTTP/1.1 403")
    assert say(proxy_port, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
    bad_port = b"CONNECT login.salesforce.com:x HTTP/1.1\r\nHost: a\r\n\r\n"
    assert say(proxy_port, bad_port).startswith(b"HTTP/1.1 400")
    with socket.create_connection(("127.0.0.1", proxy_port)) as leaving:
        leaving.sendall(b"CONNECT login.sales")


@pytest.mark.conformance(area="Reaching it", feature="A wildcard stands for one label", source="reference")
def test_a_wildcard_stands_for_one_label() -> None:
    assert names("*.my.salesforce.com", "acme.my.salesforce.com")
    assert not names("*.my.salesforce.com", "a.b.my.salesforce.com")
    assert not names("*.my.salesforce.com", ".my.salesforce.com")
    assert not names("login.salesforce.com", "x.login.salesforce.com")


@pytest.mark.conformance(area="Reaching it", feature="No proxy unless it is asked for", source="reference")
def test_there_is_no_proxy_unless_it_is_asked_for(tmp_path: Path) -> None:
    with running_orgsim(tmp_path) as running:
        assert urlsplit(running.url).scheme == "http"
    assert not (tmp_path / "tls").exists()


@pytest.mark.conformance(
    area="Reaching it", feature="Both certificates are of one authority, whose key is thrown away", source="reference"
)
def test_both_certificates_are_of_one_authority(tmp_path: Path) -> None:
    first = ensure_proxy_tls_files(tmp_path)
    kept = first.authority.read_bytes()
    assert ensure_tls_files(tmp_path).authority.read_bytes() == kept
    assert ensure_proxy_tls_files(tmp_path).authority.read_bytes() == kept
    first.certificate.unlink()
    assert ensure_proxy_tls_files(tmp_path).authority.read_bytes() != kept
