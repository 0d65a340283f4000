"""One running org per test module, over real HTTP, and a client that speaks for its administrator."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from orgsim.testing import RunningOrgsim, running_orgsim

VERSION = "/services/data/v60.0"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOrgsim]:
    folder: Path = tmp_path_factory.mktemp("orgsim")
    with running_orgsim(folder) as started:
        yield started


@pytest.fixture(scope="module")
def client(running: RunningOrgsim) -> Iterator[httpx2.Client]:
    """Base URL is the data API of one version; the production org's administrator is logged in."""
    headers = {"Authorization": f"Bearer {running.access_token()}"}
    with httpx2.Client(base_url=f"{running.url}{VERSION}", headers=headers) as opened:
        yield opened


@pytest.fixture(scope="module")
def anyone(running: RunningOrgsim) -> Iterator[httpx2.Client]:
    """Nobody: no token, the production door, redirects not followed."""
    with httpx2.Client(base_url=running.url) as opened:
        yield opened


@pytest.fixture
def soql(client: httpx2.Client) -> Callable[[str], list[dict[str, Any]]]:
    """The records of a query, without their attributes."""

    def run(query: str) -> list[dict[str, Any]]:
        answer = client.get("/query", params={"q": query})
        assert answer.status_code == 200, answer.text
        return [
            {name: value for name, value in row.items() if name != "attributes"} for row in answer.json()["records"]
        ]

    return run


@pytest.fixture
def finished(client: httpx2.Client) -> Callable[[str], dict[str, Any]]:
    """Poll a job or deployment by its path until it has ended."""

    def wait(path: str) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            answer: dict[str, Any] = client.get(path).json()
            state = answer.get("state") or answer["deployResult"]["status"]
            if state not in ("Open", "UploadComplete", "InProgress", "Pending", "Canceling"):
                return answer
            time.sleep(0.01)
        raise AssertionError(f"{path} did not end in 20 s")

    return wait
