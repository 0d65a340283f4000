"""Several processes renew one log-in that rotates its refresh token: one request a time, and no token is ever lost.

Showing the org a refresh token that was rotated away ends the grant (facts A.3), so a second request would be seen.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from integration.stage import Stage, staged
from integration.test_connecting import live_grants
from orgsim.testing import PASSWORD, USERNAME
from postgres import Cluster

ROUNDS = {"sqlite": 1_000, "postgresql": 100}
RANDOM_KILLS = 10
LONGEST_RENEWAL_MS = 60


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def running(
    database: str, migrated: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Stage]:
    url = None
    if database == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        url = cluster.migrated_database("renewal")
    with staged(tmp_path_factory.mktemp("renewal"), migrated, url) as stage:
        yield stage


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
