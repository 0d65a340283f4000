"""Eight processes spend one account's credits at a simulated org, and are killed at random, over hundreds of windows.

The org's own count is never above the quota in any window, and the ledger equals it exactly once all is settled, also
what the dead left, by the log in which the org tells each call from another. One clock is moved for all processes and
the org; it stands still while a call is under way.
`make torture` makes it five times as long, `make torture TIMES=n` n times.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from migrated import FILE_NAME, have_migrated
from orgsim.clock import ClockSetting, datetime_text
from orgsim.testing import RunningOrgsim, running_orgsim
from postgres import Cluster
from torture.spending import END, LOOK_SECONDS, SENDER

TIMES = float(os.environ.get("HEADWATER_TORTURE_TIMES", "1"))
WINDOWS = {"sqlite": int(200 * TIMES), "postgresql": int(50 * TIMES)}  # the server costs more time a call
WINDOWS_A_KILL = 10
SPENDERS = 8
LIMITS = (1, 2, 3)
FIRST = datetime(2026, 1, 1, 2, tzinfo=UTC)
MINUTES = 22 * 60  # of a day, from 02:00 UTC, that lie in one window: the reset is at 02:30 in Berlin
STOPS = (1, 1, 1, 1, 2)  # of time in a window, each with a limit of its own
PATIENCE_SECONDS = 60
ARRIVAL_SECONDS = 0.1  # what a killed process had sent already is let arrive before time moves on
AIM_SECONDS = 0.001
SEED = 7
TESTS = Path(__file__).parents[1]

Ask = Callable[[str], list[tuple[Any, ...]]]


@contextmanager
def asking(url: str) -> Iterator[Ask]:
    """The ledger's database, read and changed past the product."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30, isolation_level=None)) as lite:
            yield lambda text: lite.execute(text).fetchall()
    else:
        with psycopg.connect(url, autocommit=True) as server:

            def ask(text: str) -> list[tuple[Any, ...]]:
                cursor = server.execute(text.encode())
                return cursor.fetchall() if cursor.description else []

            yield ask


@dataclass
class Mine:
    """Where the spenders work: their processes by slot, the clock they share with the org, the quotas they met."""

    org: RunningOrgsim
    home: Path
    environment: dict[str, str]
    ask: Ask
    random: Random = field(default_factory=lambda: Random(SEED))  # noqa: S311  chance for a test, not for a secret
    moment: datetime = FIRST
    pids: dict[int, int] = field(default_factory=dict)
    fences: Counter[int] = field(default_factory=Counter)
    limits: dict[str, int] = field(default_factory=dict)
    windows: int = 0
    is_sqlite: bool = True

    @property
    def clock(self) -> Path:
        return self.home / "clock"

    def run(self, *part: str) -> str:
        return subprocess.run(
            self.command(*part), env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def command(self, *part: str) -> list[str]:
        return [sys.executable, "-m", "torture.spending", *part]

    def start(self, nursery: subprocess.Popen[str], slot: int) -> None:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        self.fences[slot] += 1
        nursery.stdin.write(f"{slot} {self.fences[slot]}\n")
        nursery.stdin.flush()
        self.pids[slot] = int(nursery.stdout.readline())

    def set_time(self, moment: datetime, limit: int) -> None:
        """Let time jump while no call is under way, and a quota be in force from then on."""
        with self.clock.open() as shared:
            fcntl.flock(shared, fcntl.LOCK_EX)
            self.ask(f"UPDATE credits_quota SET daily_limit_calls = {limit}")
            self.org.state.set_clock(ClockSetting(frozen_at=moment))
            self.clock.write_text(moment.isoformat())
        self.moment, self.limits[moment.isoformat()] = moment, limit

    def end(self) -> None:
        with self.clock.open() as shared:
            fcntl.flock(shared, fcntl.LOCK_EX)
            time.sleep(ARRIVAL_SECONDS)
            self.clock.write_text(END)

    def wait_for(self, is_so: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, f"{what} did not come, at {self.moment}"
            time.sleep(LOOK_SECONDS)

    def is_full(self) -> bool:
        now = self.moment.strftime("%Y-%m-%d %H:%M:%S" if self.is_sqlite else "%Y-%m-%d %H:%M:%S+00")
        rows = self.ask(f"SELECT used_calls FROM credits_window WHERE starts_utc <= '{now}' AND ends_utc > '{now}'")
        return bool(rows) and rows[0][0] >= self.limits[self.moment.isoformat()]

    def kill_one(self, nursery: subprocess.Popen[str], *, under_way: bool) -> None:
        """One at random; with `under_way`, one between reserving and settling, where there is any before the end."""
        slot = self._caught() if under_way else None
        slot = self.random.choice(list(self.pids)) if slot is None else slot
        os.kill(self.pids[slot], signal.SIGKILL)
        time.sleep(ARRIVAL_SECONDS)
        self.start(nursery, slot)

    def _caught(self) -> int | None:
        """A spender that is stopped in the middle of a call."""
        open_ones = "SELECT job_id FROM credits_entry WHERE settled_utc IS NULL AND state = 'open'"
        while (under_way := self.ask(open_ones)) or not self.is_full():
            for (job_id,) in under_way:
                os.kill(self.pids[int(job_id)], signal.SIGSTOP)
                if (job_id,) in self.ask(open_ones):
                    return int(job_id)
                os.kill(self.pids[int(job_id)], signal.SIGCONT)
            time.sleep(AIM_SECONDS)
        return None


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def mine(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[Mine]:
    have_migrated(migrated, tmp_path)
    url = f"sqlite:///{tmp_path / FILE_NAME}"
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        url = cluster.migrated_database("ledger")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "headwater.settings",
        "HEADWATER_DATA_DIR": str(tmp_path),
        "HEADWATER_DATABASE_URL": url,
        "PYTHONPATH": str(TESTS),
    }
    with running_orgsim(tmp_path / "org") as org:
        org.production.set("client_name_everywhere", True)
        org.production.set("access_token_seconds", 100 * 365 * 24 * 3600)
        made = Mine(
            org,
            tmp_path,
            environment,
            ask=lambda _: [],
            windows=WINDOWS[request.param],
            is_sqlite=request.param == "sqlite",
        )
        made.run("prepare")
        with asking(url) as made.ask:
            yield made


def test_no_window_is_overspent_and_the_ledger_is_what_the_org_counted(mine: Mine) -> None:
    _torture(mine)
    told = json.loads(mine.run("report", mine.moment.isoformat()))
    windows, entries = told["windows"], told["entries"]
    assert len(windows) > mine.windows
    assert not [entry for entry in entries if entry["state"] == "open"]

    counted = _counted_by_the_org(mine.org, windows)
    limits = _limits_of(windows, mine.limits)
    assert [pk for pk in limits if counted[pk] > limits[pk]] == []
    assert [row["pk"] for row in windows if row["used_calls"] > limits[row["pk"]]] == []
    assert [row["pk"] for row in windows if row["backfill_calls"] > limits[row["pk"]] // 2] == []

    costing = [entry for entry in entries if entry["state"] != "not_sent"]
    assert _used(windows) == Counter(entry["window_id"] for entry in costing)
    never_came = _never_came(costing, _arrived(mine.org))
    assert [entry for entry in costing if entry["state"] == "abandoned"], "nobody was killed between the two"
    assert _used(windows) == counted + Counter(entry["window_id"] for entry in never_came)
    mine.run("give-back", *(entry["sobject"] for entry in never_came))
    settled = json.loads(mine.run("report", mine.moment.isoformat()))["windows"]
    assert _used(settled) == counted


def _used(windows: list[dict[str, Any]]) -> Counter[int]:
    return Counter({row["pk"]: row["used_calls"] for row in windows})


def _torture(mine: Mine) -> None:
    """Fill window after window, killing a spender now and then and starting its successor."""
    killing_at = set(mine.random.sample(range(mine.windows), mine.windows // WINDOWS_A_KILL))
    mine.clock.write_text(END)
    mine.set_time(FIRST, 1)
    command = mine.command("nurse", mine.org.url, mine.org.access_token(), str(mine.clock))
    with subprocess.Popen(
        command, env=mine.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as nursery:
        assert nursery.stdin is not None
        for slot in range(SPENDERS):
            mine.start(nursery, slot)
        for number in range(mine.windows):
            if number in killing_at:
                mine.kill_one(nursery, under_way=number % 3 > 0)
            for minutes in sorted(mine.random.sample(range(MINUTES), mine.random.choice(STOPS))):
                mine.wait_for(mine.is_full, "the end of the quota")
                mine.set_time(FIRST + timedelta(days=number + 1, minutes=minutes), mine.random.choice(LIMITS))
        mine.wait_for(mine.is_full, "the end of the last quota")
        mine.end()
        nursery.stdin.close()
        assert nursery.wait(PATIENCE_SECONDS) == 0


def _limits_of(windows: list[dict[str, Any]], limits: dict[str, int]) -> dict[int, int]:
    """The largest limit that was in force in each window."""
    found: dict[int, int] = {}
    for row in windows:
        spans = [limit for moment, limit in limits.items() if row["starts_utc"] <= moment < row["ends_utc"]]
        found[row["pk"]] = max(spans)
    return found


def _counted_by_the_org(org: RunningOrgsim, windows: list[dict[str, Any]]) -> Counter[int]:
    journal = org.production.usage.database.connect()
    counted: Counter[int] = Counter()
    for row in windows:
        span = [datetime_text(datetime.fromisoformat(row[name])) for name in ("starts_utc", "ends_utc")]
        (calls,) = journal.execute(
            "SELECT coalesce(sum(credits), 0) FROM journal WHERE at >= ? AND at < ?", span
        ).fetchone()
        counted[row["pk"]] = calls
    return counted


def _arrived(org: RunningOrgsim) -> set[str]:
    """The marks of the calls that the org counted, each once."""
    journal = org.production.usage.database.connect()
    rows = journal.execute("SELECT name, credits FROM journal LEFT JOIN journal_client USING (number)").fetchall()
    assert {credits for _, credits in rows} == {1}
    marks = {name.removeprefix(SENDER) for name, _ in rows}
    assert len(marks) == len(rows)
    return marks


def _never_came(costing: list[dict[str, Any]], arrived: set[str]) -> list[dict[str, Any]]:
    """The calls whose process died before it sent them; every other is in the org's own account."""
    missing = [entry for entry in costing if entry["sobject"] not in arrived]
    assert {entry["state"] for entry in missing} <= {"abandoned"}
    assert arrived <= {entry["sobject"] for entry in costing}
    return missing
