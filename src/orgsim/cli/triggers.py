"""Commands for Apex triggers and the CPU time they take: trigger add, list, remove."""

from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.cli.rules import Name, Object, add_list_and_remove
from orgsim.server.triggers import DEFAULT_EVENTS, describe_triggers, remove_trigger, set_trigger

triggers = typer.Typer(help="Apex triggers: no code runs, but they take CPU time.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(triggers, name="trigger")


@triggers.command("add")
def add(
    sobject: Object,
    name: Name,
    *,
    cpu_ms_per_record: Annotated[int, typer.Option(help="Time of each run, for each record.")],
    event: Annotated[
        list[str] | None,
        typer.Option(help=f"When it runs, e.g. 'after delete'; may be repeated. Else {' and '.join(DEFAULT_EVENTS)}."),
    ] = None,
    active: Annotated[bool, typer.Option("--active/--inactive", help="An inactive trigger takes no time.")] = True,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Add a trigger, or change the one of that name."""
    with open_state(state) as opened:
        wish = {
            "sobject": sobject,
            "name": name,
            "cpu_ms_per_record": cpu_ms_per_record,
            "events": event,
            "active": active,
        }
        show(set_trigger(choose_org(opened, org), wish), as_json=as_json)


add_list_and_remove(triggers, describe_triggers, remove_trigger)
