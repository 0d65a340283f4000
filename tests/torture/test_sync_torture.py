"""An org that people never leave alone, an API that fails at every twentieth call, a worker that keeps being killed.

At the end the replica equals the org row by row, no window was overspent, and the ledger is what the org counted. Time
moves for all at once, between two lives of the worker, so that days pass: log-ins, locators and quotas end by
themselves. `make torture-sync MINUTES=30` makes it long.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import pytest

from integration.test_sync import more_contacts
from migrated import have_migrated
from orgsim.clock import ClockSetting
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults, list_faults
from orgsim.seed import load_history
from orgsim.store.state import State
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, RunningOrgsim
from torture.people import People
from torture.syncing import LIMIT_CALLS

MINUTES = float(os.environ.get("HEADWATER_TORTURE_SYNC_MINUTES", "3"))
SEED = int(os.environ.get("HEADWATER_TORTURE_SYNC_SEED", "11"))
RECORDS = 3_000
CONTACTS = 6_000  # besides: as many as are read by Bulk
EDITS_PER_SECOND = 15
LIFE_SECONDS = (1.5, 8.0)  # of a worker
JUMPS_SECONDS = (0, 0, 2, 30, 400, 1_000, 4 * 3600, 26 * 3600)  # of time, between two lives
DAY_SECONDS = 25 * 3600
ALLOWANCE_CALLS = 1_500
USED_UP_SHARE = 0.02  # of the lives before which other programs have used up the org's allowance
ARRIVAL_SECONDS = 0.2  # what a killed worker had sent already is let arrive before time moves on
SETTLING_DAYS = 12
PATIENCE_SECONDS = 120
TESTS = Path(__file__).parents[1]

# Of all calls, five in a hundred: half of them before the work, which costs nothing, half after it.
ANYWHERE = (
    *((effect, after) for effect in ("500", "502", "503", "401", "timeout", "drop") for after in (False, True)),
    *((effect, True) for effect in ("truncated", "malformed", "limit")),
)
RATE = 0.05 / len(ANYWHERE)
DATA = "/services/data/v64.0"
SOMEWHERE = (
    Fault(Effect.EXPIRED_LOCATOR, kind="query_more", rate=0.3, seed=101),
    Fault(Effect.EXPIRED_LOCATOR, path_prefix=f"{DATA}/jobs/query/750", rate=0.05, seed=102),
    Fault(Effect.FAILED_JOB, kind="bulk_query", rate=0.15, seed=103),
)


@dataclass
class Pit:
    """Where the worker works: its org, the clock that both share, and how often it was killed."""

    org: RunningOrgsim
    home: Path
    environment: dict[str, str]
    random: Random = field(default_factory=lambda: Random(SEED))  # noqa: S311  chance for a test, not for a secret
    ahead_seconds: int = 0
    kills: int = 0
    struck: Counter[str] = field(default_factory=Counter)

    def run(self, *part: str) -> Any:
        command = [sys.executable, "-m", "torture.syncing", *part]
        done = subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout) if done.stdout else None

    def let_time_pass(self, seconds: int) -> None:
        """For the worker that comes next, and for the org at once."""
        self.ahead_seconds += seconds
        self.org.state.set_clock(ClockSetting(offset_seconds=self.ahead_seconds))

    def lay_faults(self) -> None:
        for place, (effect, after) in enumerate(ANYWHERE):
            fault = Fault(
                Effect(effect), path_prefix=DATA, rate=RATE, seed=SEED * 100 + place, seconds=0.3, after=after
            )
            add_fault(self.org.production.usage, fault)
        for fault in SOMEWHERE:
            add_fault(self.org.production.usage, fault)

    def clear_faults(self) -> None:
        for laid in list_faults(self.org.production.usage):
            self.struck[f"{laid['effect']}{' after the work' if laid['after'] else ''}"] += int(str(laid["hits"]))
        clear_faults(self.org.production.usage)


@pytest.fixture
def pit(tmp_path: Path, migrated: Path) -> Iterator[Pit]:
    home = tmp_path / "home"
    have_migrated(migrated, home)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "headwater.settings",
        "PYTHONPATH": str(TESTS),
        "HEADWATER_DATA_DIR": str(home),
        "HEADWATER_DATABASE_URL": f"sqlite:///{home / migrated.name}",
        "HEADWATER_SALESFORCE_CLIENT_ID": CLIENT_ID,
        "HEADWATER_SALESFORCE_CLIENT_SECRET": CLIENT_SECRET,
        "HEADWATER_QUERY_PAGE_ROWS": "200",
        "HEADWATER_BULK_FILE_BYTES": "1000000",
    }
    with _served(tmp_path / "org", environment) as org:
        environment |= {
            "HEADWATER_SALESFORCE_LOGIN_URL": org.url,
            "HEADWATER_SALESFORCE_SANDBOX_LOGIN_URL": org.sandbox_url,
        }
        for name, value in (
            ("client_name_everywhere", True),
            ("allowance_calls", ALLOWANCE_CALLS),
            ("late_visible_seconds", 20),
            ("late_visible_share", 0.2),
        ):
            org.production.set(name, value)
        load_history(org.production, records=RECORDS, seed=SEED)
        more_contacts(org, CONTACTS)
        made = Pit(org, home, environment)
        made.run("prepare")
        yield made


@contextmanager
def _served(folder: Path, environment: dict[str, str]) -> Iterator[RunningOrgsim]:
    command = [sys.executable, "-m", "torture.syncing", "serve", str(folder)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())
        with closing(State(folder)) as state:
            production, sandbox = state.orgs()
            yield RunningOrgsim(told["url"], told["sandbox_url"], state, production, sandbox, *told["user_ids"])
        server.stdin.close()
        assert server.wait(PATIENCE_SECONDS) == 0


def test_the_replica_equals_the_org_and_no_credit_is_lost_or_spent_twice(pit: Pit) -> None:
    people = People(pit.org, pit.home / "wanted", SEED)
    _torture(pit, people)
    _settle(pit)
    rows = _assert_replica_equals(pit)
    told = pit.run("report", str(pit.ahead_seconds))
    credits = _assert_credits_agree(pit, told)
    _print("days of the clock", f"{pit.ahead_seconds / 86_400:.1f}")
    _print("cycles", told["cycles"], told["told"])
    _print("kills", pit.kills)
    _print("faults", pit.struck.total(), pit.struck)
    _print("edits", people.done.total() - people.done["refused"], people.done)
    _print("stops", len(_stops(pit)), Counter(code for code, _, _ in _stops(pit)))
    _print("rows compared", rows.total(), rows)
    _print("calls", len(told["entries"]), Counter(entry["call_kind"] for entry in told["entries"]))
    _print("how they ended", Counter(entry["state"] for entry in told["entries"]))
    _print("credits", *credits)
    assert told["cycles"] > 2
    assert "untold" not in told["told"]
    assert [stop for stop in _stops(pit) if stop[0] not in STOPS_THAT_MAY_BE] == []
    assert "unexpected" not in _logged_errors(pit)


STOPS_THAT_MAY_BE = frozenset({"jobs.workers_died", "sync.bulk_failed"})


def _torture(pit: Pit, people: People) -> None:
    stop, until = Event(), time.monotonic() + 60 * MINUTES
    crowd = Thread(target=people.work, args=(stop, EDITS_PER_SECOND))
    command = [sys.executable, "-m", "torture.syncing", "nurse", str(pit.home)]
    with subprocess.Popen(
        command, env=pit.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        pit.lay_faults()
        crowd.start()
        try:
            while time.monotonic() < until:
                nursery.stdin.write(f"worker-{pit.kills} {pit.ahead_seconds}\n")
                nursery.stdin.flush()
                pid = int(nursery.stdout.readline())
                time.sleep(pit.random.uniform(*LIFE_SECONDS))
                os.kill(pid, signal.SIGKILL)
                pit.kills += 1
                time.sleep(ARRIVAL_SECONDS)
                pit.let_time_pass(pit.random.choice(JUMPS_SECONDS))
                if pit.random.random() < USED_UP_SHARE:
                    pit.org.production.usage.use_elsewhere(ALLOWANCE_CALLS)
        finally:
            stop.set()
            crowd.join()
            nursery.stdin.close()
    pit.clear_faults()


def _settle(pit: Pit) -> None:
    """Nobody edits any more; the sync goes on, a day at a time, until nothing is left to do."""
    for _ in range(SETTLING_DAYS):
        pit.let_time_pass(DAY_SECONDS)
        told = pit.run("settle", str(pit.home), str(pit.ahead_seconds))
        if told["is_over"]:
            return
        _print("not over yet", told)
    raise AssertionError(f"The sync did not come to an end: {told}")


def _assert_replica_equals(pit: Pit) -> Counter[str]:
    compared = pit.run("compare", str(pit.org.state_folder))
    assert compared["shown"] == [], f"{compared['differences']} differences"
    return Counter(compared["rows"])


def _assert_credits_agree(pit: Pit, told: dict[str, Any]) -> tuple[str, ...]:
    """What the org counted is in the ledger, each call once; what is there besides, it did not count or not see."""
    counted = _counted_by_the_org(pit.org)
    costing = {entry["pk"]: entry for entry in told["entries"] if entry["state"] != "not_sent"}
    assert [entry for entry in told["entries"] if entry["state"] == "open"] == []
    assert [pk for pk, credits in counted.items() if credits and pk not in costing] == []
    assert max(counted.values()) == 1
    assert sum(counted.values()) == pit.org.production.usage.total_credits()

    used = Counter({row["pk"]: row["used_calls"] for row in told["windows"]})
    by_org = Counter(entry["window_id"] for pk, entry in costing.items() if counted[pk])
    free = [entry for pk, entry in costing.items() if not counted[pk]]
    assert [window for window, calls in used.items() if calls > LIMIT_CALLS] == []
    assert used == by_org + Counter(entry["window_id"] for entry in free)
    assert {entry["state"] for entry in free} <= {"refused", "lost", "abandoned"}

    never_came = [str(entry["pk"]) for entry in free if entry["state"] == "abandoned"]
    pit.run("give-back", *never_came)
    windows = pit.run("report", str(pit.ahead_seconds))["windows"]
    settled = sum(row["used_calls"] for row in windows)
    refused = sum(1 for entry in free if entry["state"] != "abandoned")
    assert settled == sum(counted.values()) + refused
    return (
        f"{used.total()} by the ledger in {len(used)} windows of at most {LIMIT_CALLS} (fullest {max(used.values())});",
        f"{sum(counted.values())} by the org; of the difference {len(never_came)} were given back, as their worker",
        f"died before the org saw them, {refused} stay spent that the org refused uncounted; {settled} in the end",
    )


def _counted_by_the_org(org: RunningOrgsim) -> Counter[int]:
    """Credits by the number of the ledger's entry, which each call bears."""
    journal = org.production.usage.database.connect()
    rows = journal.execute("SELECT name, credits FROM journal LEFT JOIN journal_client USING (number)").fetchall()
    counted: Counter[int] = Counter()
    for name, credits in rows:
        counted[int(name.removeprefix("headwater/"))] += credits
    return counted


def _stops(pit: Pit) -> list[list[Any]]:
    """Of jobs that went on only because somebody retried them: code, sentence, facts."""
    stops = pit.home / "stops"
    return [json.loads(line) for line in stops.read_text().splitlines()] if stops.exists() else []


def _logged_errors(pit: Pit) -> str:
    """What the workers had to say that is no wait, and no work of a person."""
    errors = pit.home / "errors"
    return errors.read_text() if errors.exists() else ""


def _print(what: str, *words: object) -> None:
    shown = (dict(word) if isinstance(word, Counter) else word for word in words)
    sys.stdout.write(f"{what}: {' '.join(str(word) for word in shown)}\n")
