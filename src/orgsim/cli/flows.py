"""Commands for flows that a saved record starts: flow add, list, remove."""

from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.cli.rules import Name, Object, add_list_and_remove
from orgsim.server.flows import ON, WHEN, describe_flows, remove_flow, set_flow

flows = typer.Typer(help="Flows of records: listed for those who ask, never run.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(flows, name="flow")


@flows.command("add")
def add(
    sobject: Object,
    name: Name,
    *,
    when: Annotated[str, typer.Option(help=f"One of: {', '.join(WHEN)}.")] = "after save",
    on: Annotated[str, typer.Option(help=f"One of: {', '.join(ON)}.")] = "update",
    label: Annotated[str, typer.Option(help="What people read. Else made from the name.")] = "",
    process: Annotated[bool, typer.Option("--process", help="As made with Process Builder.")] = False,
    active: Annotated[bool, typer.Option("--active/--inactive", help="Whether its latest version is active.")] = True,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Add a flow, or give the one of that name a new version."""
    with open_state(state) as opened:
        wish = {
            "sobject": sobject,
            "name": name,
            "when": when,
            "on": on,
            "label": label,
            "process": process,
            "active": active,
        }
        show(set_flow(choose_org(opened, org), wish), as_json=as_json)


add_list_and_remove(flows, describe_flows, remove_flow)
