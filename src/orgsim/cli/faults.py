"""Commands that lay faults on an org's API: fault add, list, clear."""

from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults, list_faults

faults = typer.Typer(help="Faults of the data API, for trying out how a client bears them.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(faults, name="fault")


@faults.command("add")
def add(
    effect: Annotated[Effect, typer.Argument(help="What the client meets.")],
    *,
    on_call: Annotated[
        list[int] | None, typer.Option(help="Strike the n-th matching call, from 1; may be repeated.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0, max=1, help="Strike this share of the matching calls.")] = 0.0,
    kind: Annotated[str, typer.Option(help="Only this kind of call, e.g. bulk_query.")] = "",
    path_prefix: Annotated[str, typer.Option(help="Only paths that begin so.")] = "",
    after: Annotated[bool, typer.Option("--after", help="Do the work and count it, then lose the answer.")] = False,
    seconds: Annotated[float, typer.Option(help="How long a timeout is silent.")] = 30.0,
    hits: Annotated[int | None, typer.Option(help="Stop after this many.")] = None,
    seed: Annotated[int, typer.Option(help="For --rate.")] = 0,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Lay a fault on the org's data API."""
    fault = Fault(effect, kind, path_prefix, tuple(on_call or ()), rate, seed, seconds, after, hits)
    with open_state(state) as opened:
        show({"id": add_fault(choose_org(opened, org).usage, fault)}, as_json=as_json)


@faults.command("list")
def show_all(state: StateFolder = DEFAULT_FOLDER, org: OrgId = None, as_json: AsJson = False) -> None:
    """The faults laid, with how often they were met and struck."""
    with open_state(state) as opened:
        show(list_faults(choose_org(opened, org).usage), as_json=as_json)


@faults.command("clear")
def clear(state: StateFolder = DEFAULT_FOLDER, org: OrgId = None, as_json: AsJson = False) -> None:
    """Take every fault away."""
    with open_state(state) as opened:
        clear_faults(choose_org(opened, org).usage)
        show([], as_json=as_json)
