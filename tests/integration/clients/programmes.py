"""Runs a client's own programme, and says what to do when it is not there."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TIMEOUT_SECONDS = 90


def installed(path: Path) -> Path:
    if not path.exists():
        pytest.fail(f"{path.relative_to(ROOT)} is not installed: run `make setup`.")
    return path


def run_client(command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> str:
    """What it printed. A programme that does not end well fails the test with what it complained about."""
    done = subprocess.run(
        command, check=False, env=environment, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
