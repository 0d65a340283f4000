"""Headwater's side: a first import or a cycle by its own command, on an installation of its own.

Not here: what it is compared with (floor.py, peers.py).
"""

import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from benches.credits.objects import CONTACT
from benches.credits.ours import Headwater
from benches.credits.stage import Stage
from benches.running import run

_COMMAND = (sys.executable, "-m", "benches.sync.headwater")
_WAITING = "wait for Bulk jobs "


@dataclass(frozen=True, slots=True)
class Synced:
    """seconds   Of the whole command, less `waited_seconds`, in which the org was at work and Headwater was not.

    page_rows   Rows of the first fetched page; 0 where no Bulk job was made.
    """

    seconds: float
    cpu_seconds: float
    waited_seconds: float
    peak_memory_mb: float
    rows: int
    pages: int
    page_rows: int
    steps: dict[str, float]


class Installation:
    """A folder with an account, connected to the org."""

    def __init__(self, stage: Stage, name: str) -> None:
        folder = stage.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._ours = Headwater(stage)
        self._data = folder / "headwater"
        self._ours.environment["HEADWATER_DATA_DIR"] = str(self._data)
        self._ours.connect()

    def sync(self) -> Synced:
        ran = run((*_COMMAND, "sync", "--json"), self._ours.environment)
        told = orjson.loads(ran.told)
        began_utc, steps = self._steps()
        seconds, before = dict[str, float](), began_utc
        for name, done_utc, _ in steps:
            seconds[name] = (done_utc - before).total_seconds()
            before = done_utc
        waited = sum(taken for name, taken in seconds.items() if name.startswith(_WAITING))
        pages = [result["rows"] for name, _, result in steps if name.startswith("Bulk page ")]
        return Synced(
            seconds=ran.seconds - waited,
            cpu_seconds=ran.cpu_seconds,
            waited_seconds=waited,
            peak_memory_mb=ran.peak_memory_mb,
            rows=told["rows"][CONTACT],
            pages=len(pages),
            page_rows=pages[0] if pages else 0,
            steps=seconds,
        )

    def remove(self) -> None:
        shutil.rmtree(self._data.parent)

    def _steps(self) -> tuple[datetime, list[tuple[str, datetime, Any]]]:
        """When the latest job began, and its steps in order: name, when it was done, what it told."""
        [database] = self._data.glob("*.sqlite3")
        with closing(sqlite3.connect(database)) as connection:
            job, began = connection.execute("SELECT id, started_utc FROM jobs_job ORDER BY id DESC LIMIT 1").fetchone()
            rows = connection.execute(
                "SELECT name, done_utc, result FROM jobs_step WHERE job_id = ? ORDER BY id", (job,)
            )
            return _moment(began), [(name, _moment(done), orjson.loads(result)) for name, done, result in rows]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
