"""Snapshots of a state folder, taken and put back while it is served.

A snapshot is a state folder itself, `<state>/snapshots/NAME`, so it can also be served. SQLite's backup copies each
file as one transaction: whoever reads sees all of the old rows or all of the new ones.
"""

import re
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from orgsim.clock import datetime_text
from orgsim.errors import ApiError, not_found
from orgsim.store.database import Database, open_file
from orgsim.store.org import Org
from orgsim.store.state import State

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`clock` is what the orgs' clock showed when their rows are the snapshot's: at the taking, or after a restore."""

    name: str
    orgs: tuple[str, ...]
    clock: str


def take_snapshot(state: State, name: str) -> Snapshot:
    """Raises ApiError when the name is taken or is not one."""
    folder = _folder(state, name)
    if folder.exists():
        raise ApiError("DUPLICATE_VALUE", f"There is already a snapshot called {name}.")
    # A dot first: no snapshot's name, so an unfinished copy is never listed or restored.
    unfinished = folder.with_name(f".{name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    _copy_file(state.database, unfinished / state.database.path.name)
    for org in state.orgs():
        _copy_org(org, unfinished)
    unfinished.rename(folder)
    return Snapshot(name, tuple(org.org_id for org in state.orgs()), datetime_text(state.clock.now()))


def restore_snapshot(state: State, name: str) -> Snapshot:
    """Put the snapshot's orgs and clock back. Orgs founded since stay as they are."""
    folder = _folder(state, name)
    if not folder.is_dir():
        raise not_found(f"There is no snapshot called {name}.")
    with closing(State(folder)) as kept:
        for org in kept.orgs():
            _copy_org(org, state.folder)
        state.set_clock(kept.clock_setting())
        return Snapshot(name, tuple(org.org_id for org in kept.orgs()), datetime_text(state.clock.now()))


def list_snapshots(state: State) -> list[str]:
    folder = _root(state)
    return sorted(each.name for each in folder.iterdir() if _NAME.fullmatch(each.name)) if folder.exists() else []


def _copy_org(org: Org, target: Path) -> None:
    for database in (org.database, org.usage.database):
        _copy_file(database, target / database.path.name)
    results = target / org.job_folder.name
    if results.exists():
        shutil.rmtree(results)
    if org.job_folder.exists():
        shutil.copytree(org.job_folder, results)


def _copy_file(source: Database, target: Path) -> None:
    with closing(open_file(source.path)) as reading, closing(open_file(target)) as writing:
        reading.backup(writing)


def _root(state: State) -> Path:
    return state.folder / "snapshots"


def _folder(state: State, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ApiError("INVALID_INPUT", "A snapshot's name is 1 to 64 letters, digits, - and _.")
    return _root(state) / name
