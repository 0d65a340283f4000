"""Commands for an org's duplicate rules: duplicate-rule add, list, remove."""

from enum import StrEnum
from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.cli.rules import Name, Object, add_list_and_remove
from orgsim.server.duplicaterules import describe_duplicate_rules, remove_duplicate_rule, set_duplicate_rule

duplicate_rules = typer.Typer(help="Duplicate rules: refuse records that match others.", no_args_is_help=True)


class Action(StrEnum):
    BLOCK = "block"
    ALLOW = "allow"


def register(app: typer.Typer) -> None:
    app.add_typer(duplicate_rules, name="duplicate-rule")


@duplicate_rules.command("add")
def add(
    sobject: Object,
    name: Name,
    *,
    match: Annotated[
        list[str] | None, typer.Option(help="Fields that are equal, e.g. FirstName+LastName; may be repeated.")
    ] = None,
    action: Annotated[Action, typer.Option(help="What becomes of a match.")] = Action.BLOCK,
    alert: Annotated[bool, typer.Option(help="An allowed match needs allowSave=true.")] = True,
    message: Annotated[str, typer.Option(help="What the refusal says.")] = "Use one of these records?",
    active: Annotated[bool, typer.Option("--active/--inactive", help="An inactive rule refuses nothing.")] = True,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Add a rule, or change the one of that name. Without --match it matches as the standard rules do."""
    with open_state(state) as opened:
        wish = {
            "sobject": sobject,
            "name": name,
            "match": [each.split("+") for each in match or ()],
            "action": action.value.capitalize(),
            "alert": alert,
            "message": message,
            "active": active,
        }
        show(set_duplicate_rule(choose_org(opened, org), wish), as_json=as_json)


add_list_and_remove(duplicate_rules, describe_duplicate_rules, remove_duplicate_rule)
