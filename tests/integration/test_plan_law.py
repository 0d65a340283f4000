"""The law of the plan: what it says and what the org then counts differ by 5 % or 3 credits at most, whichever is more.

Random orgs and change sets over real HTTP. Pages and files are scaled down by the settings that installations have, so
that few rows take every way there is. `make plan-law` asks 200 of them, the suite as many as its time allows.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.connections.models import Connection
from headwater.jobs.services import run_here
from headwater.sync.objects import OBJECTS
from headwater.sync.plan import Mode
from headwater.sync.services import forget_replica, plan_against_actual, plan_sync, replica_counts, sync_cycle
from integration.conftest import result_of
from orgsim.clock import datetime_text
from orgsim.seed import load_rows
from orgsim.testing import RunningOrgsim

CASES = int(os.environ.get("HEADWATER_PLAN_LAW_CASES", "15"))
NAMES = ("Account", "Campaign", "Case", "Contact", "Event", "Lead", "Opportunity", "OpportunityHistory", "Task")
SIZES = (0, 1, 40, 200, 201, 350, 900, 2_500, 9_000)
SEED = 20_260_726


@dataclass
class World:
    """One simulated org, filled and changed at random, away from its counted API."""

    org: RunningOrgsim
    dice: random.Random
    ways: Counter[str] = field(default_factory=Counter)

    def found(self) -> dict[str, tuple[str, ...]]:
        """Another org: some of the objects, each with some rows."""
        names = sorted(self.dice.sample(NAMES, self.dice.choice((1, 1, 2, 4, len(NAMES)))))
        for name in names:
            self._fill(name, self.dice.choice(SIZES))
        return {name: OBJECTS[name] for name in names}

    def change(self, names: Iterator[str]) -> None:
        """Nobody touched anything for a while; then some rows of some objects change, a few go, new ones come."""
        self._age()
        for name in names:
            share = self.dice.choice((0, 0, 0.01, 0.2, 1))
            self._touch(name, share)
            if share and self.dice.random() < 0.5:
                self._add(name, self.dice.choice((1, 150, 800)))

    def live_rows(self, name: str) -> int:
        connection = self.org.production.database.connect()
        (count,) = connection.execute(f'SELECT count(*) FROM "{name}" WHERE "IsDeleted" = 0').fetchone()
        return int(count)

    def _fill(self, name: str, count: int) -> None:
        with self.org.production.database.write() as connection:
            connection.execute(f'DELETE FROM "{name}"')
        self._add(name, count)
        self._age()

    def _add(self, name: str, count: int) -> None:
        now = self.org.production.now_text()
        stamps: dict[str, object] = {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
        ids = self.org.production.new_ids(self.org.production.catalog().get(name).key_prefix, count)
        load_rows(self.org.production, [(name, [{"Id": each, **stamps} for each in ids])])

    def _touch(self, name: str, share: float) -> None:
        """A share of the rows, scattered or one after the other; a few of them are deleted."""
        now, order = self.org.production.now_text(), self.dice.choice(("random()", '"Id"', '"Id" DESC'))
        with self.org.production.database.write() as connection:
            (count,) = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()
            chosen = f'SELECT "Id" FROM "{name}" ORDER BY {order} LIMIT {int(count * share)}'
            connection.execute(
                f'UPDATE "{name}" SET "SystemModstamp" = ?, "IsDeleted" = abs(random()) % 20 = 0 '
                f'WHERE "Id" IN ({chosen})',
                (now,),
            )

    def _age(self) -> None:
        long_ago = datetime_text(self.org.production.clock.now() - timedelta(hours=5))
        with self.org.production.database.write() as connection:
            for name in NAMES:
                connection.execute(f'UPDATE "{name}" SET "SystemModstamp" = ?', (long_ago,))


@pytest.fixture
def world(org: RunningOrgsim, connected: Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> World:
    settings.QUERY_PAGE_ROWS, settings.BULK_FILE_BYTES = 200, 2_000_000
    monkeypatch.setattr("headwater.sync.bulk_jobs.bulk_poll_delay_seconds", lambda *_: 0.02)
    return World(org, random.Random(SEED))  # noqa: S311  repeatable on purpose


def test_plan_and_actual_agree_over_random_orgs_and_change_sets(
    world: World, connected: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, objects = connected.account, world.found()
    monkeypatch.setattr("headwater.sync.describe.BESIDES", {})  # as many objects as the case wants, and no more
    for case in range(CASES):
        if case % 3 == 0:
            forget_replica(account)
            objects = world.found()
            monkeypatch.setattr("headwater.sync.describe.OBJECTS", objects)
        else:
            world.change(iter(objects))
        _obey(world, account, case)
        assert replica_counts(account) == {name: world.live_rows(name) for name in objects}
    assert {way: count for way, count in world.ways.items() if count < CASES // 15} == {}
    assert set(world.ways) == {"pages", "composite", "ranges", "bulk"}


def _obey(world: World, account: Account, case: int) -> None:
    promised = plan_sync(account, count_changes=True)
    looked = 1 if any(read.mode is Mode.FULL for read in promised.reads) else 0
    before = world.org.production.usage.used_calls()
    job = run_here(sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.05)
    result, counted = result_of(job), world.org.production.usage.used_calls() - before
    told = f"case {case}: {promised.reading_calls} promised, {result}, {counted} by the org's count"
    assert result["spent_calls"] == counted, told
    for planned in (promised.reading_calls + looked, result["planned_again_calls"]):
        assert abs(planned - counted) <= max(3, counted * 0.05), told
    against = plan_against_actual(account, str(job.pk))
    assert against is not None
    world.ways.update(line.method for line in against.objects)
