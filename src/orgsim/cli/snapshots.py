"""Commands that keep a state folder as it is and put it back: snapshot, snapshots, restore."""

from dataclasses import asdict
from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, StateFolder, open_state, show
from orgsim.edits.snapshots import list_snapshots, restore_snapshot, take_snapshot

Name = Annotated[str, typer.Argument(help="Letters, digits, - and _.")]


def register(app: typer.Typer) -> None:
    app.command()(snapshot)
    app.command()(snapshots)
    app.command()(restore)


def snapshot(name: Name, state: StateFolder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Keep all orgs and their clock as they are now, also while they are served."""
    with open_state(state) as opened:
        show(asdict(take_snapshot(opened, name)), as_json=as_json)


def snapshots(state: StateFolder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """The names of the snapshots there are."""
    with open_state(state) as opened:
        show(list_snapshots(opened), as_json=as_json)


def restore(name: Name, state: StateFolder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Put all orgs of a snapshot and their clock back; a running server goes on with them at once."""
    with open_state(state) as opened:
        show(asdict(restore_snapshot(opened, name)), as_json=as_json)
