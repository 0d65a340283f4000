"""A stream of edits: its rate, its mix, its seed, and its end."""

import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from orgsim.cli import app
from orgsim.edits.checksum import checksum_all
from orgsim.edits.live import LivePlan, Mix, live_edits
from orgsim.oauth.users import NewUser, any_admin
from orgsim.seed import Founding, found_org
from orgsim.store.org import Org
from orgsim.store.state import NewOrg, State
from orgsim.store.write import Writer
from orgsim.testing import RunningOrgsim

AT_ONCE = 1_000_000.0


def lived(org: Org, plan: LivePlan) -> dict[str, int]:
    return asdict(live_edits(Writer(org, any_admin(org)), plan, threading.Event()))


def founded(folder: Path) -> State:
    """A history as old as the clock shows, which stands still."""
    CliRunner().invoke(app, ["clock", "--freeze", "2025-06-01T12:00:00Z", "--state", str(folder)])
    state = State(folder)
    found_org(state, Founding(NewOrg(), NewUser("a@acme.example", "pw"), None, 1500, 3))
    return state


@pytest.mark.conformance(area="Levers", feature="Live edits of every kind, repeatable by seed", source="reference")
def test_every_deed_of_the_mix_happens_and_the_same_seed_repeats_it(tmp_path: Path) -> None:
    outcomes = []
    for name in ("one", "two"):
        state = founded(tmp_path / name)
        try:
            [org] = state.orgs()
            report = lived(org, LivePlan(AT_ONCE, seed=7, edits=300))
            outcomes.append((report, checksum_all(org, all_rows=True)))
        finally:
            state.close()
    assert outcomes[0] == outcomes[1]
    assert sum(outcomes[0][0].values()) == 300
    assert all(count for name, count in outcomes[0][0].items() if name != "refused")


@pytest.mark.conformance(area="Levers", feature="The mix of live edits is chosen", source="reference")
def test_a_mix_can_leave_deeds_out(running: RunningOrgsim) -> None:
    only = Mix(creates=1, updates=0, deletes=0, undeletes=0, merges=0, conversions=0)
    report = lived(running.production, LivePlan(AT_ONCE, only, edits=40))
    assert report["creates"] + report["refused"] == 40
    assert report["creates"] > 0


@pytest.mark.conformance(area="Levers", feature="Live edits cost nothing and are seen at once", source="reference")
def test_it_costs_no_credit_and_the_server_shows_the_edits(client: httpx2.Client, running: RunningOrgsim) -> None:
    before = running.production.usage.total_credits()
    lived(running.production, LivePlan(AT_ONCE, edits=60, seed=5))
    assert running.production.usage.total_credits() == before
    assert client.get("/query", params={"q": "SELECT COUNT() FROM Lead"}).json()["totalSize"] > 0


@pytest.mark.conformance(area="Levers", feature="Live edits come at a rate, for a time", source="reference")
def test_the_rate_and_the_seconds_bound_the_number_of_edits(running: RunningOrgsim) -> None:
    report = lived(running.production, LivePlan(600, seed=1, seconds=0.5))
    assert 0 < sum(report.values()) < 20


@pytest.mark.conformance(area="Levers", feature="Live edits end with a report", source="reference")
def test_stopping_it_ends_it_with_its_report(tmp_path: Path) -> None:
    with_state = founded(tmp_path)
    with_state.close()
    command = [sys.executable, "-c", "from orgsim.cli import main; main()", "live", "--per-minute", "60000"]
    with subprocess.Popen([*command, "--state", str(tmp_path), "--json"], stdout=subprocess.PIPE) as process:
        wait_for_edits(tmp_path)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert sum(orjson.loads(out).values()) > 0


def wait_for_edits(folder: Path) -> None:
    """Until a lead, a task, a campaign member or a contact has been added."""
    state = State(folder)
    try:
        [org] = state.orgs()
        first = next_numbers(org)
        for _ in range(1000):
            if next_numbers(org) != first:
                return
            threading.Event().wait(0.02)
        raise AssertionError("No edit was made in 20 s.")
    finally:
        state.close()


def next_numbers(org: Org) -> list[int]:
    return [org.peek_number(prefix) for prefix in ("00Q", "00T", "00v", "003")]


@pytest.mark.conformance(
    area="Levers", feature="A share of live edits that means nothing is refused", source="reference", refused=True
)
@pytest.mark.parametrize("share", ["updates", "nothing=3", "updates=-1"])
def test_a_share_that_means_nothing_is_refused(tmp_path: Path, share: str) -> None:
    result: Any = CliRunner().invoke(app, ["live", "--share", share, "--state", str(tmp_path)])
    assert result.exit_code == 2
