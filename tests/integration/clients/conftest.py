"""Real clients, unmodified, against orgsim: one that answers on loopback, one behind the CONNECT proxy."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which

import pytest

from integration.certificates import certificate_of, key_text, new_key
from integration.clients.programmes import ROOT, installed
from orgsim.oauth.apps import change_options
from orgsim.server.run import Listening, ProxyListening
from orgsim.testing import CLIENT_ID, USERNAME, RunningOrgsim, running_orgsim
from orgsim.tls import TlsFiles, ensure_proxy_tls_files

CONTACTS = 450


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOrgsim]:
    """On loopback, by plain HTTP, with 450 contacts."""
    with running_orgsim(tmp_path_factory.mktemp("orgsim")) as started:
        add_contacts(started)
        yield started


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return ensure_proxy_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory, tls: TlsFiles) -> Iterator[RunningOrgsim]:
    """Behind the proxy that answers for Salesforce's own host names."""
    listening = Listening(port=0, sandbox_port=0, proxy=ProxyListening(0, tls))
    with running_orgsim(tmp_path_factory.mktemp("proxied"), listening=listening) as started:
        yield started


@pytest.fixture(scope="module")
def environment(proxied: RunningOrgsim, tls: TlsFiles) -> dict[str, str]:
    """All that a client needs to be told to reach `proxied`."""
    kept = {name: value for name, value in os.environ.items() if name.lower() not in ("no_proxy", "https_proxy")}
    bundle = str(tls.authority)
    return {**kept, "HTTPS_PROXY": proxied.proxy_url or "", "REQUESTS_CA_BUNDLE": bundle, "SSL_CERT_FILE": bundle}


@pytest.fixture(scope="module")
def private_key(proxied: RunningOrgsim, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Opens the flows without a person, of an app that the user has allowed; assertions are signed with this key."""
    proxied.tokens()
    key = new_key()
    changes = {"certificate": certificate_of(key), "run_as": USERNAME}
    change_options(proxied.production, CLIENT_ID, changes)
    path = tmp_path_factory.mktemp("key") / "app.pem"
    path.write_bytes(key_text(key))
    return path


@pytest.fixture(scope="session")
def program() -> Callable[[str, str], Path]:
    """A programme of a client's own environment."""

    def find(client: str, name: str) -> Path:
        return installed(ROOT / ".venv-clients" / client / "bin" / name)

    return find


@pytest.fixture(scope="session")
def jsforce() -> Path:
    """The folder of the scripts, beside which jsforce is installed."""
    folder = ROOT / "tests" / "clients" / "jsforce"
    installed(folder / "node_modules" / "jsforce" / "package.json")
    if which("node") is None:
        pytest.fail("Node.js is not installed: run `make setup`.")
    return folder


def add_contacts(running: RunningOrgsim) -> None:
    writer = running.writer()
    with running.production.database.write():
        for number in range(CONTACTS):
            writer.insert("Contact", {"LastName": f"Person {number:04d}", "Email": f"person{number}@example.com"})
