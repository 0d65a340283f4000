"""Several processes renew one log-in that rotates its refresh token: one request a time, and no token is ever lost.

Showing the org a refresh token that was rotated away ends the grant (facts A.3), so a second request would be seen.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from integration.callbacks import REDIRECT_URI
from integration.test_connecting import live_grants
from orgsim.oauth.apps import AppOptions
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME, RunningOrgsim, running_orgsim
from postgres import Cluster

ROUNDS = {"sqlite": 1_000, "postgresql": 100}
RANDOM_KILLS = 10
LONGEST_RENEWAL_MS = 60


class Process:
    """A renewer (renewals.py) with its two pipes."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "integration.renewals"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)

    def send(self, *command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(command) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def do(self, *command: str) -> Any:
        self.send(*command)
        return self.answer()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)
        assert self._process.returncode == 0


@dataclass(frozen=True)
class Stage:
    org: RunningOrgsim
    first: Process
    second: Process

    def refreshes(self) -> int:
        """How often the org renewed, by its own count: each makes one refresh token, as each log-in does."""
        [(count,)] = self.org.production.database.connect().execute("SELECT count(*) FROM _refresh").fetchall()
        return int(count)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def running(database: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Stage]:
    tmp_path = tmp_path_factory.mktemp("renewal")
    options = AppOptions(rotate_refresh_token=True)
    with ExitStack() as stack:
        org = stack.enter_context(running_orgsim(tmp_path / "org", options=options, callbacks=(REDIRECT_URI,)))
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "DJANGO_SETTINGS_MODULE": "headwater.settings",
            "HEADWATER_DATA_DIR": str(tmp_path / "data"),
            "HEADWATER_SALESFORCE_LOGIN_URL": org.url,
            "HEADWATER_SALESFORCE_CLIENT_ID": CLIENT_ID,
            "HEADWATER_SALESFORCE_CLIENT_SECRET": CLIENT_SECRET,
        }
        if database == "postgresql":
            cluster: Cluster = request.getfixturevalue("postgres_cluster")
            environment["HEADWATER_DATABASE_URL"] = cluster.new_database("renewal")
        first, second = (stack.enter_context(Process(environment)) for _ in range(2))
        first.do("prepare")
        yield Stage(org, first, second)


@pytest.fixture
def stage(running: Stage) -> Stage:
    """With a log-in of its own, which both processes know."""
    running.first.do("connect", USERNAME, PASSWORD)
    for process in (running.first, running.second):
        process.do("remember")
    return running


def test_two_processes_renew_a_thousand_times_with_one_request_each_time(stage: Stage, database: str) -> None:
    processes, tokens = (stage.first, stage.second), set()
    before = stage.refreshes()
    for number in range(1, ROUNDS[database] + 1):
        for process in processes:
            process.send("renew")
        answers = [process.answer() for process in processes]
        assert answers[0]["token"] == answers[1]["token"]  # both have the new one
        assert sorted(answer["asked"] for answer in answers) == [0, 1]
        assert stage.refreshes() == before + number
        tokens.add(answers[0]["token"])
    assert len(tokens) == ROUNDS[database]
    assert live_grants(stage.org.production) == 1


def test_threads_of_one_process_renew_with_one_request_too(stage: Stage) -> None:
    before = stage.refreshes()
    for number in range(1, 11):
        assert len(set(stage.first.do("renew_in_threads", "4")["tokens"])) == 1
        assert stage.refreshes() == before + number


def test_a_process_that_dies_before_its_request_costs_a_wait_and_nothing_else(stage: Stage) -> None:
    before = stage.refreshes()
    stage.first.do("kill", "before")
    assert stage.first.do("look")["marked"]  # the dead one's lease
    assert "token" in stage.second.do("renew")
    assert stage.refreshes() == before + 1
    assert not stage.first.do("look")["marked"]


def test_an_answer_that_dies_with_its_process_is_told_and_a_new_log_in_heals_it(stage: Stage) -> None:
    """The org rotated and nobody here knows the new refresh token: it cannot be had again (facts A.3)."""
    stage.first.do("kill", "after")
    refused = stage.second.do("renew")
    assert (refused["refused"], refused["asked"]) == ("salesforce.authorization_dead", 1)
    assert "An earlier renewal was cut off" in refused["why"]
    assert stage.second.do("look")["status"] == "authorization_required"
    for process in (stage.first, stage.second):  # nobody asks the org again and again
        assert process.do("renew") | {"why": ""} == {
            "refused": "connections.authorization_required", "why": "", "asked": 0,
        }  # fmt: skip
    stage.first.do("connect", USERNAME, PASSWORD)
    stage.first.do("remember")
    assert "token" in stage.first.do("renew")


def test_killed_at_any_moment_the_log_in_goes_on_or_says_what_it_needs(stage: Stage) -> None:
    random = Random(4)  # noqa: S311  chance for a test, not for a secret
    for _ in range(RANDOM_KILLS):
        stage.first.do("remember")
        stage.second.do("remember")
        rotated, version = stage.refreshes(), stage.first.do("look")["version"]
        stage.first.do("kill", str(random.uniform(0, LONGEST_RENEWAL_MS)))
        answer = stage.second.do("renew")
        stored = stage.second.do("look")["version"] - version
        unheard = stage.refreshes() - rotated - stored  # renewals of which the database does not know
        assert unheard == (1 if "refused" in answer else 0), answer
        if "refused" in answer:
            assert "An earlier renewal was cut off" in answer["why"]
            stage.first.do("connect", USERNAME, PASSWORD)
