"""Headwater's side of the bench: its own commands, as people call them, on an installation of its own."""

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from benches.credits.objects import CONTACT
from benches.credits.peers import BULK, REST
from benches.credits.records import APP_KEY, APP_SECRET, PASSWORD, USERNAME
from benches.credits.stage import Stage
from benches.orgsim.processes import ORGSIM

_HEADWATER = str(Path(sys.executable).with_name("headwater"))


@dataclass
class Headwater:
    """`told` is what each job said of itself: the calls that were planned and those that its ledger booked."""

    stage: Stage
    name: str = "headwater"
    mode: str = ""
    writes: tuple[str, ...] = (BULK, REST)
    told: list[tuple[int, int]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "headwater.settings",
            "HEADWATER_DATA_DIR": str(self.stage.folder / "headwater"),
            "HEADWATER_SALESFORCE_LOGIN_URL": self.stage.url,
            "HEADWATER_SALESFORCE_CLIENT_ID": APP_KEY,
            "HEADWATER_SALESFORCE_CLIENT_SECRET": APP_SECRET,
        }

    def connect(self) -> None:
        """An account, connected to the org by a log-in."""
        self._run("setup", "--account", "Bench", "--email", "bench@example.com", "--password", "bench-password-1")
        self._log_in()

    def install_package(self) -> None:
        self._run("package", "--install", "--json")

    def prepare(self) -> None:
        """The first cycle describes the objects itself."""

    def read(self, objects: Iterable[str]) -> None:
        """A cycle, which is always of all objects: after that of the contacts, none of the others is needed."""
        if CONTACT in objects:
            self._note(self._run("sync", "--json"))

    def make_touchpoints(self, count: int, records: Path) -> None:
        """Attribute, then let the results hold `count` touchpoints of new content; peers get them as NDJSON."""
        self._run("attribute", "--json")
        command = [sys.executable, "-m", "benches.credits.touchpoints", str(count), str(records)]
        subprocess.run(command, env=self.environment, check=True)  # noqa: S603  our own module

    def write(self, way: str, _touchpoints: Path) -> None:
        told = self._run("export", "--json", *(["--without-bulk"] if way == REST else []))
        self._note(told)
        if told["failed"]:
            raise RuntimeError(f"The org refused {told['failed']:,} touchpoints.")

    def differences(self) -> dict[str, int]:
        """How far plan and ledger were apart at most, over all jobs."""
        return {"plan_differs_by_most_calls": max((abs(planned - spent) for planned, spent in self.told), default=0)}

    def _note(self, told: dict[str, Any]) -> None:
        self.told.append((told["planned_calls"], told["spent_calls"]))

    def _log_in(self) -> None:
        port = str(self.stage.callback_port)
        command = (_HEADWATER, "connect", "--yes", "--port", port)
        with subprocess.Popen(  # noqa: S603  our own command
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as connecting:
            address = next(line.strip() for line in connecting.stderr or () if line.startswith("http"))
            person = (*ORGSIM, "authorize", address, "--username", USERNAME, "--password", PASSWORD)
            subprocess.run(person, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  our own command
            trouble = connecting.stderr.read() if connecting.stderr else ""
        if connecting.returncode:
            raise RuntimeError(f"Headwater could not connect: {trouble}")

    def _run(self, *command: str) -> dict[str, Any]:
        done = subprocess.run((_HEADWATER, *command), env=self.environment, capture_output=True, text=True, check=False)  # noqa: S603  our own command
        if done.returncode:
            raise RuntimeError(f"headwater {command[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return orjson.loads(done.stdout) if "--json" in command else {}
