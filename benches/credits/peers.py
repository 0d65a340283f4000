"""Other programmes that read or write Salesforce, unmodified and pinned, each in an environment of its own.

What they are told to do stands in benches/clients/; here is how they are called. Not here: counting (stage.py).
"""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import orjson

from benches.credits.objects import FIELDS, stamp_field
from benches.credits.records import APP_KEY, APP_SECRET, PASSWORD, USERNAME
from benches.credits.stage import Stage
from orgsim.oauth.grants import open_grant
from orgsim.oauth.users import any_admin
from orgsim.store.state import State

ROOT = Path(__file__).resolve().parents[2]
BULK, REST = "bulk", "rest"


class Peer(Protocol):
    """One way of one programme. `writes` are the ways it writes by; `cannot` says why not by the others."""

    name: str
    mode: str
    writes: tuple[str, ...]
    cannot: Mapping[str, str]

    def prepare(self) -> None: ...
    def read(self, objects: Iterable[str]) -> None: ...
    def write(self, way: str, touchpoints: Path) -> None: ...


@dataclass
class Scripted:
    """A library, driven by benches/clients/<name>/run.py. Reads the more by what it kept of the time before."""

    stage: Stage
    name: str
    mode: str
    writes: tuple[str, ...] = ()
    cannot: Mapping[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Nothing is to be found out before."""

    def read(self, objects: Iterable[str]) -> None:
        asked = {name: {"fields": FIELDS[name], "stamp": stamp_field(name)} for name in objects}
        self._run("read", {"objects": asked})

    def write(self, way: str, touchpoints: Path) -> None:
        self._run("write", {"way": way, "touchpoints": str(touchpoints)})

    def _run(self, job: str, wish: dict[str, Any]) -> None:
        folder = self.stage.folder / self.name
        folder.mkdir(exist_ok=True)
        script = ROOT / "benches" / "clients" / self.name / "run.py"
        command = (programme(self.name, "python"), str(script), job, self.mode, str(folder))
        _run(command, self.stage, {"username": USERNAME, "password": PASSWORD, **wish})


@dataclass
class Tap:
    """Singer's tap-salesforce with a catalogue that was discovered once, and the state it told at the end."""

    stage: Stage
    mode: str
    name: str = "tap-salesforce"
    writes: tuple[str, ...] = ()
    cannot: Mapping[str, str] = field(
        default_factory=lambda: dict.fromkeys(
            (BULK, REST), "a Singer tap reads; its target for Salesforce is another programme"
        )
    )

    @property
    def _folder(self) -> Path:
        folder = self.stage.folder / f"{self.name}-{self.mode}"
        folder.mkdir(exist_ok=True)
        return folder

    def prepare(self) -> None:
        """Discovery, which describes every object of the org."""
        self._write("config.json", {
            "refresh_token": _refresh_token(self.stage.state), "client_id": APP_KEY, "client_secret": APP_SECRET,
            "start_date": "2000-01-01T00:00:00Z", "api_type": self.mode, "select_fields_by_default": "false",
        })  # fmt: skip
        self._call("discovered.json", "--discover")
        self._write("state.json", {})

    def read(self, objects: Iterable[str]) -> None:
        catalogue = orjson.loads((self._folder / "discovered.json").read_bytes())
        streams = [_chosen(stream) for stream in catalogue["streams"] if stream["stream"] in set(objects)]
        self._write("catalogue.json", {"streams": streams})
        state = ("--state", str(self._folder / "state.json"))
        self._call("read.ndjson", "--properties", str(self._folder / "catalogue.json"), *state)
        with (self._folder / "read.ndjson").open("rb") as lines:
            last = orjson.loads([line for line in lines if line.startswith(b'{"type": "STATE"')][-1])["value"]
        before = orjson.loads((self._folder / "state.json").read_bytes())
        bookmarks = {**before.get("bookmarks", {}), **last["bookmarks"]}
        self._write("state.json", {**before, **last, "bookmarks": bookmarks})

    def write(self, way: str, touchpoints: Path) -> None:
        raise NotImplementedError(self.cannot[way])

    def _call(self, into: str, *arguments: str) -> None:
        command = (programme(self.name, self.name), "--config", str(self._folder / "config.json"), *arguments)
        with (self._folder / into).open("wb") as file:
            _run(command, self.stage, None, stdout=file.fileno())

    def _write(self, name: str, value: object) -> None:
        (self._folder / name).write_bytes(orjson.dumps(value))


def all_peers(stage: Stage) -> tuple[Peer, ...]:
    no_write = {REST: "this way writes by Bulk"}
    reads_only = dict.fromkeys((BULK, REST), "dlt has no destination for Salesforce")
    return (
        Scripted(stage, "simple-salesforce", "rest", (REST,), {BULK: "this way writes by collections"}),
        Scripted(stage, "simple-salesforce", "bulk2", (BULK,), no_write),
        Scripted(
            stage, "simple-salesforce", "bulk2-one-page", (), dict.fromkeys((BULK, REST), "a way of reading only")
        ),
        Tap(stage, "REST"),
        Tap(stage, "BULK"),
        Scripted(stage, "dlt", "bulk1", (), reads_only),
    )


def _chosen(stream: dict[str, Any]) -> dict[str, Any]:
    """The stream with the bench's fields, read by its stamps."""
    for part in stream["metadata"]:
        about = part["metadata"]
        if part["breadcrumb"]:
            about["selected"] = part["breadcrumb"][-1] in FIELDS[stream["stream"]]
        else:
            key = stamp_field(stream["stream"])
            about |= {"selected": True, "replication-method": "INCREMENTAL", "replication-key": key}
    return stream


def _refresh_token(state_folder: Path) -> str:
    """As a log-in would have given."""
    state = State(state_folder)
    try:
        org = state.orgs()[0]
        return open_grant(org, any_admin(org), APP_KEY, "api refresh_token", with_refresh=True).refresh_token or ""
    finally:
        state.close()


def programme(client: str, name: str) -> str:
    path = ROOT / ".venv-clients" / client / "bin" / name
    if not path.exists():
        raise SystemExit(f"{path.relative_to(ROOT)} is not installed: `make bench NAME=credits` installs it.")
    return str(path)


def _run(command: tuple[str, ...], stage: Stage, wish: dict[str, Any] | None, stdout: int = subprocess.DEVNULL) -> None:
    done = subprocess.run(  # noqa: S603  programmes of the clients' own environments
        command,
        env={**stage.environment_of_peers(), "RUNTIME__DLTHUB_TELEMETRY": "false"},
        input=orjson.dumps(wish) if wish is not None else None,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.decode()[-3000:]}")
