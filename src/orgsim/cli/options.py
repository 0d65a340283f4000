"""Options that many commands share, and how answers are printed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import orjson
import typer

from orgsim.store.org import Org
from orgsim.store.state import State

StateFolder = Annotated[
    Path, typer.Option("--state", envvar="ORGSIM_STATE", help="The folder that keeps the orgs.", file_okay=False)
]
OrgId = Annotated[
    str | None, typer.Option("--org", envvar="ORGSIM_ORG", help="Org id. Not needed when there is only one org.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
DEFAULT_FOLDER = Path("orgsim-state")


@contextmanager
def open_state(folder: Path) -> Iterator[State]:
    state = State(folder)
    try:
        yield state
    finally:
        state.close()


def choose_org(state: State, org_id: str | None) -> Org:
    """Raises LookupError when the choice is not clear."""
    if org_id is not None:
        return state.org(org_id)
    orgs = state.orgs()
    if len(orgs) != 1:
        known = ", ".join(org.org_id for org in orgs) or "none; make one with `orgsim seed`"
        raise LookupError(f"Say which org with --org. In {state.folder}: {known}.")
    return orgs[0]


def show(answer: object, *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    else:
        _show_plain(answer, "")


def _show_plain(answer: object, indent: str) -> None:
    if isinstance(answer, dict):
        for name, value in answer.items():
            if isinstance(value, (dict, list)) and value:
                typer.echo(f"{indent}{name}:")
                _show_plain(value, indent + "  ")
            else:
                typer.echo(f"{indent}{name}: {'' if value is None else value}")
    elif isinstance(answer, list):
        for each in answer:
            _show_plain(each, indent)
            if isinstance(each, dict):
                typer.echo("")
    else:
        typer.echo(f"{indent}{answer}")
