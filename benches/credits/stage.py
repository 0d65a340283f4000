"""The measured org, served over HTTP, and its own count of calls, read through its side door, which costs none."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import httpx2

from benches.credits.records import seed
from benches.orgsim.processes import free_port, orgsim_serving
from benches.report import tell
from orgsim.tls import ensure_proxy_tls_files

_PEERS_DO_WITHOUT = ("no_proxy", "https_proxy")


@dataclass(frozen=True, slots=True)
class Stage:
    """`state` is the org's folder, `folder` has room for what the tools keep."""

    folder: Path
    state: Path
    url: str
    proxy_url: str
    org_id: str
    callback_port: int
    trust: Path

    def used_calls(self) -> int:
        """What the org itself has counted since it was founded."""
        answer = httpx2.get(f"{self.url}/orgsim/orgs/{self.org_id}/usage?journal=1").raise_for_status()
        return int(answer.json()["total_credits"])

    def calls_of(self, label: str, work: Callable[[], object]) -> int:
        """How many calls the org counted while the work was done."""
        tell(label)
        before, began = self.used_calls(), perf_counter()
        work()
        calls = self.used_calls() - before
        tell(f"{label}: {calls:,} calls in {perf_counter() - began:,.0f} s")
        return calls

    def environment_of_peers(self) -> dict[str, str]:
        """They ask Salesforce by its own host names, for which the org's proxy answers."""
        kept = {name: value for name, value in os.environ.items() if name.lower() not in _PEERS_DO_WITHOUT}
        trust = str(self.trust)
        return {**kept, "HTTPS_PROXY": self.proxy_url, "REQUESTS_CA_BUNDLE": trust, "SSL_CERT_FILE": trust}


@contextmanager
def staged(folder: Path, contacts: int) -> Iterator[Stage]:
    state, callback_port = folder / "org", free_port()
    tell(f"seeding an org of {contacts:,} contacts")
    seed(state, contacts, f"http://localhost:{callback_port}/OauthRedirect")
    with serving(folder, state, callback_port) as stage:
        yield stage


@contextmanager
def serving(folder: Path, state: Path, callback_port: int) -> Iterator[Stage]:
    trust = ensure_proxy_tls_files(state / "tls").authority
    with orgsim_serving(state, "--proxy-port", "0") as server:
        [org] = httpx2.get(f"{server.url}/orgsim/status").raise_for_status().json()["orgs"]
        yield Stage(folder, state, server.url, server.started["proxy"], org["org_id"], callback_port, trust)
