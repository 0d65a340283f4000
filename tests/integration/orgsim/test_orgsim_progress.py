"""Seeding shows its progress to people at a terminal, and to nobody else."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from orgsim.oauth.users import NewUser
from orgsim.seed import Founding, found_org
from orgsim.store.state import NewOrg, State

SEED = (
    Path(sys.executable).with_name("orgsim"),
    "seed",
    "--records",
    "300",
    "--user",
    "a@b.example",
    "--password",
    "pw",
)


def seed_at_a_terminal(folder: Path, *options: str) -> tuple[str, str]:
    """(standard output, what the terminal got as standard error)."""
    master, slave = pty.openpty()
    try:
        done = subprocess.run(
            [*SEED, *options], cwd=folder, stdout=subprocess.PIPE, stderr=slave, text=True, check=True
        )
    finally:
        os.close(slave)
    shown = b""
    try:
        while piece := os.read(master, 65_536):
            shown += piece
    except OSError:  # Linux: the other end is closed and all is read
        pass
    finally:
        os.close(master)
    return done.stdout, shown.decode()


@pytest.mark.conformance(area="Levers", feature="Seeding shows its progress at a terminal", source="reference")
def test_a_terminal_sees_bars_beside_the_answer(tmp_path: Path) -> None:
    answer, shown = seed_at_a_terminal(tmp_path)
    assert "org_id: 00D" in answer
    assert "300/300" in shown
    assert "indexes" in shown


def test_with_json_nothing_is_shown_beside_the_answer(tmp_path: Path) -> None:
    answer, shown = seed_at_a_terminal(tmp_path, "--json")
    assert answer.startswith("{")
    assert shown == ""


def test_what_is_no_terminal_stays_free_of_bars(tmp_path: Path) -> None:
    done = subprocess.run(SEED, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_each_step_is_told_to_its_end(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    state = State(tmp_path)
    try:
        wish = Founding(NewOrg(), NewUser("a@b.example", "pw"), None, 300, 1)
        found_org(state, wish, lambda step, done, total: told.append((step, done, total)))
    finally:
        state.close()
    records = [done for step, done, _ in told if step == "records"]
    indexes = [(done, total) for step, done, total in told if step == "indexes"]
    assert records == sorted(set(records))
    assert records[-1] == 300
    assert indexes == [(number, len(indexes)) for number in range(1, len(indexes) + 1)]
