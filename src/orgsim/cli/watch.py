"""Commands that only look: status, usage, journal, checksum."""

from dataclasses import asdict
from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.edits.checksum import checksum as compute_checksum
from orgsim.edits.checksum import checksum_all
from orgsim.server.admin import describe_state, describe_usage


def register(app: typer.Typer) -> None:
    app.command()(status)
    app.command()(usage)
    app.command()(checksum)


def status(state: StateFolder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """The orgs of the state folder, their settings, and the clock."""
    with open_state(state) as opened:
        show(describe_state(opened), as_json=as_json)


def usage(
    journal: Annotated[int, typer.Option(min=0, help="Show this many of the newest calls.")] = 0,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """The exact account of API calls: per user, app and kind."""
    with open_state(state) as opened:
        show(describe_usage(choose_org(opened, org), journal), as_json=as_json)


def checksum(
    sobject: Annotated[str | None, typer.Option(help="Only this object.")] = None,
    fields: Annotated[str | None, typer.Option(help="Fields to cover, comma separated, in this order.")] = None,
    all_rows: Annotated[bool, typer.Option("--all", help="Deleted rows too.")] = False,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Row counts and checksums that another program can compute from its own copy (docs/orgsim/reference.md)."""
    with open_state(state) as opened:
        chosen = choose_org(opened, org)
        if sobject is None:
            found = checksum_all(chosen, all_rows=all_rows)
        else:
            names = fields.split(",") if fields else None
            found = [compute_checksum(chosen, sobject, names, all_rows=all_rows)]
        if as_json:
            show([asdict(each) for each in found], as_json=True)
        else:
            show([f"{each.sobject:<28}{each.rows:>12,}  {each.checksum}" for each in found], as_json=False)
