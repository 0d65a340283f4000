"""Two processes that renew one log-in to a simulated org (renewals.py), which rotates its refresh tokens."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration.callbacks import REDIRECT_URI
from migrated import have_migrated
from orgsim.oauth.apps import AppOptions
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, RunningOrgsim, running_orgsim


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
    environment: dict[str, str]
    first: Process
    second: Process

    def refreshes(self) -> int:
        """How often the org renewed, by its own count: each makes one refresh token, as each log-in does."""
        [(count,)] = self.org.production.database.connect().execute("SELECT count(*) FROM _refresh").fetchall()
        return int(count)


@contextmanager
def staged(folder: Path, migrated: Path, database_url: str | None = None) -> Iterator[Stage]:
    """With a database that is prepared, and nobody logged in yet."""
    options = AppOptions(rotate_refresh_token=True)
    with ExitStack() as stack:
        org = stack.enter_context(running_orgsim(folder / "org", options=options, callbacks=(REDIRECT_URI,)))
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "DJANGO_SETTINGS_MODULE": "headwater.settings",
            "HEADWATER_DATA_DIR": str(folder / "data"),
            "HEADWATER_SALESFORCE_LOGIN_URL": org.url,
            "HEADWATER_SALESFORCE_CLIENT_ID": CLIENT_ID,
            "HEADWATER_SALESFORCE_CLIENT_SECRET": CLIENT_SECRET,
        }
        have_migrated(migrated, folder / "data")
        if database_url:
            environment["HEADWATER_DATABASE_URL"] = database_url
        first, second = (stack.enter_context(Process(environment)) for _ in range(2))
        first.do("prepare")
        yield Stage(org, environment, first, second)
