"""Commands that hold records locked, as other transactions and approvals do: lock, unlock, locks."""

from enum import StrEnum
from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.server.locks import describe_locks, remove_locks, set_lock

RecordId = Annotated[str, typer.Argument(help="Id of the record.")]


class Kind(StrEnum):
    ROW = "row"
    CHILDREN = "children"
    APPROVAL = "approval"


def register(app: typer.Typer) -> None:
    app.command()(lock)
    app.command()(unlock)
    app.command()(locks)


def lock(
    record_id: RecordId,
    *,
    kind: Annotated[Kind, typer.Option(help="The record itself, what points at it, or as in an approval.")] = Kind.ROW,
    seconds: Annotated[float | None, typer.Option(help="End after so many seconds of the clock.")] = None,
    writes: Annotated[int | None, typer.Option(help="End after so many writes were refused.")] = None,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Hold a record locked, until `unlock` where neither an end by time nor by writes is given."""
    with open_state(state) as opened:
        wish = {"id": record_id, "kind": kind.value, "seconds": seconds, "writes": writes}
        show(set_lock(choose_org(opened, org), wish), as_json=as_json)


def unlock(
    record_id: RecordId, state: StateFolder = DEFAULT_FOLDER, org: OrgId = None, as_json: AsJson = False
) -> None:
    """Lift all locks of a record."""
    with open_state(state) as opened:
        show(remove_locks(choose_org(opened, org), record_id), as_json=as_json)


def locks(state: StateFolder = DEFAULT_FOLDER, org: OrgId = None, as_json: AsJson = False) -> None:
    """The locks that hold."""
    with open_state(state) as opened:
        show(describe_locks(choose_org(opened, org)), as_json=as_json)
