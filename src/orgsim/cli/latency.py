"""Commands that make an org's API slow: latency set, list, clear."""

from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.rest.latency import EVERY_KIND, Latency, clear_latencies, list_latencies, set_latency

latencies = typer.Typer(help="How long calls of the data API take.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(latencies, name="latency")


@latencies.command("set")
def set_one(
    *,
    kind: Annotated[str, typer.Option(help="Only this kind of call, e.g. query. Default: all that have none.")] = (
        EVERY_KIND
    ),
    seconds: Annotated[float, typer.Option(min=0, help="What every call takes.")] = 0.0,
    spread: Annotated[float, typer.Option(min=0, help="Up to this many seconds more, by chance.")] = 0.0,
    seed: Annotated[int, typer.Option(help="For --spread: the same seed draws the same times.")] = 0,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Let calls take time, instead of what was set for their kind."""
    with open_state(state) as opened:
        usage = choose_org(opened, org).usage
        set_latency(usage, Latency(kind, seconds, spread, seed))
        show(list_latencies(usage), as_json=as_json)


@latencies.command("list")
def show_all(state: StateFolder = DEFAULT_FOLDER, org: OrgId = None, as_json: AsJson = False) -> None:
    """What is set, and how many calls have met it."""
    with open_state(state) as opened:
        show(list_latencies(choose_org(opened, org).usage), as_json=as_json)


@latencies.command("clear")
def clear(state: StateFolder = DEFAULT_FOLDER, org: OrgId = None, as_json: AsJson = False) -> None:
    """Let every call be answered at once again."""
    with open_state(state) as opened:
        clear_latencies(choose_org(opened, org).usage)
        show([], as_json=as_json)
