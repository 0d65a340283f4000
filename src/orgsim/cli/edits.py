"""Commands that edit records as an org's users would: edit, and record for a single one."""

from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.edits.everyday import EditPlan, make_edits
from orgsim.oauth.users import any_admin
from orgsim.server.admin import edit as edit_record
from orgsim.store.write import Writer


def register(app: typer.Typer) -> None:
    app.command()(edit)
    app.command()(record)


def edit(
    edits: Annotated[int, typer.Option(min=0, help="Records to change or add.")] = 0,
    deletes: Annotated[int, typer.Option(min=0, help="Records to delete.")] = 0,
    merges: Annotated[int, typer.Option(min=0, help="Pairs to merge.")] = 0,
    conversions: Annotated[int, typer.Option(min=0, help="Leads to convert.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed on the same org makes the same edits.")] = 0,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Make random but believable edits."""
    with open_state(state) as opened:
        chosen = choose_org(opened, org)
        plan = EditPlan(edits, deletes, merges, conversions, seed)
        show(asdict(make_edits(Writer(chosen, any_admin(chosen)), plan)), as_json=as_json)


def record(
    action: Annotated[str, typer.Argument(help="create, update, delete, undelete, hard-delete, merge or convert.")],
    sobject: Annotated[str, typer.Argument(help="The object, e.g. Lead.")],
    record_id: Annotated[str, typer.Option("--id", help="The record; for a merge the winner.")] = "",
    values: Annotated[str, typer.Option(help="Field values as a JSON object.")] = "{}",
    losers: Annotated[list[str] | None, typer.Option("--loser", help="Of a merge; once or twice.")] = None,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Do one thing to one record."""
    wish = {
        "action": action,
        "sobject": sobject,
        "id": record_id,
        "values": orjson.loads(values),
        "losers": losers or [],
    }
    with open_state(state) as opened:
        show(edit_record(choose_org(opened, org), wish), as_json=as_json)
