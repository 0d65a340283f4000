"""Commands for an org's record types: record-type add, list."""

from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.cli.rules import Name, Object, add_list
from orgsim.server.recordtypes import describe_record_types, set_record_type

record_types = typer.Typer(help="Record types of objects.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(record_types, name="record-type")


@record_types.command("add")
def add(
    sobject: Object,
    name: Name,
    *,
    label: Annotated[str, typer.Option(help="As people see it; else the name with spaces.")] = "",
    default: Annotated[
        bool | None, typer.Option("--default/--no-default", help="New records have it when they name none.")
    ] = None,
    active: Annotated[bool, typer.Option("--active/--inactive", help="No record can be given an inactive one.")] = True,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Add a record type, or change the one of that name."""
    with open_state(state) as opened:
        wish = {"sobject": sobject, "name": name, "active": active, "is_default": default}
        named = {"label": label} if label else {}
        show(set_record_type(choose_org(opened, org), {**wish, **named}), as_json=as_json)


add_list(record_types, describe_record_types)
