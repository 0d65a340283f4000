"""Three workers, killed at random and under jumping clocks, on both databases: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from postgres import Cluster
from torture.process import JOBS

STEPS = 8
WORKERS = 3
KILLS = 10
PATIENCE_SECONDS = 120
START_SECONDS = 20
TESTS = Path(__file__).parents[1]


@dataclass
class Pit:
    """The processes, and the names of those that were killed."""

    home: Path
    database: str
    environment: dict[str, str]
    seed: int
    alive: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed: set[str] = field(default_factory=set)

    def start_worker(self, part: str, *arguments: str) -> None:
        name = f"worker-{len(self.alive) + len(self.killed)}"
        with (self.home / f"{name}.log").open("wb") as log:
            command = self._command(part, name, *arguments)
            self.alive[name] = subprocess.Popen(command, env=self.environment, stderr=log)

    def start_tortured_worker(self) -> None:
        self.start_worker("work", str(self.seed + len(self.alive) + len(self.killed)))

    def wait_for_all(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        for name, process in self.alive.items():
            assert process.wait(deadline - time.monotonic()) == 0, self.log_of(name)

    def report(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.run("report"))
        assert facts["database"] == self.database
        return facts

    def kill(self, name: str) -> None:
        process = self.alive.pop(name)
        process.kill()
        process.wait()
        self.killed.add(name)

    def wait_for_busy(self) -> list[str]:
        """The workers that have taken a job already, rather than still starting up; any, once none comes any more."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and any(process.poll() is None for process in self.alive.values()):
            busy = sorted(name for name, process in self.alive.items() if self.log_of(name) and process.poll() is None)
            if busy:
                return busy
            time.sleep(0.05)
        return sorted(self.alive)

    def run(self, part: str) -> str:
        return subprocess.run(
            self._command(part), env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def log_of(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text()

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "torture.process", *arguments]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'torture.sqlite3'}"
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    return cluster.new_database("torture")


@pytest.fixture
def pit(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Pit]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "torture.settings",
        "TORTURE_DATABASE_URL": database_url,
        "PYTHONPATH": str(TESTS),
    }
    made = Pit(tmp_path, request.node.callspec.params["database_url"], environment, seed=20)
    yield made
    for process in made.alive.values():
        process.kill()
        process.wait()


def test_it_neither_loses_nor_doubles_a_step_when_workers_die_and_clocks_jump(pit: Pit) -> None:
    pit.run("prepare")
    _torture(pit)
    facts = pit.report()

    assert [(job["state"], job["reason_facts"]) for job in facts["jobs"]] == [("done", _NO_FACTS)] * JOBS
    assert [job["result"] for job in facts["jobs"]] == facts["expected"]
    effects = Counter((effect["job_id"], effect["step"]) for effect in facts["effects"])
    assert set(effects.values()) == {1}
    assert len(effects) == facts["steps"] == JOBS * STEPS
    assert {effect["running_of_tenant"] for effect in facts["effects"]} == {1}
    _assert_one_holder_at_a_time(facts["effects"])
    assert _taken_over(facts["attempts"], pit.killed) >= 3


def test_a_long_step_keeps_its_lease_while_its_worker_lives(pit: Pit) -> None:
    pit.run("prepare-one-long-step")
    for _ in range(2):
        pit.start_worker("work-calmly")
    pit.wait_for_all()
    assert [attempt["fence"] for attempt in pit.report()["attempts"]] == [1]


_NO_FACTS = {"why": "", "left": "", "next": "", "you_can": ""}


def _torture(pit: Pit) -> None:
    """Kill a worker every second or so and start another, then let the last three finish what is left."""
    random = Random(pit.seed)  # noqa: S311  chance for a test, not for a secret
    for _ in range(WORKERS):
        pit.start_tortured_worker()
    for _ in range(KILLS):
        time.sleep(random.uniform(0.6, 1.4))
        pit.kill(random.choice(pit.wait_for_busy()))
        pit.start_tortured_worker()
    pit.wait_for_all()


def _assert_one_holder_at_a_time(effects: list[dict[str, Any]]) -> None:
    """Between a holder's first and last record, nobody else records anything of that tenant."""
    by_tenant = sorted(effects, key=lambda effect: effect["tenant"])  # stable: stays in order of writing
    for _tenant, rows in groupby(by_tenant, key=lambda effect: effect["tenant"]):
        holders = [holder for holder, _ in groupby((row["job_id"], row["fence"]) for row in rows)]
        assert len(holders) == len(set(holders))


def _taken_over(attempts: list[dict[str, Any]], killed: set[str]) -> int:
    """How many jobs died with a killed worker in their hands; each must have a later holder."""
    last_of_worker = {row["worker"]: (row["job_id"], row["fence"]) for row in attempts if row["worker"] in killed}
    by_job = sorted(attempts, key=lambda row: (row["job_id"], row["fence"]))
    successions = {
        (before["job_id"], before["fence"]): after["worker"]
        for before, after in pairwise(by_job)
        if before["job_id"] == after["job_id"]
    }
    return sum(1 for held in last_of_worker.values() if held in successions)
