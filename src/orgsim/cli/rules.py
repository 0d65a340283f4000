"""Commands for an org's validation rules: rule add, list, remove."""

from collections.abc import Callable
from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.server.rules import describe_rules, remove_rule, set_rule
from orgsim.store.org import Org

rules = typer.Typer(help="Validation rules: formulas that refuse records.", no_args_is_help=True)
Object = Annotated[str, typer.Argument(help="API name of the object.")]
Name = Annotated[str, typer.Argument(help="Its name.")]


def register(app: typer.Typer) -> None:
    app.add_typer(rules, name="rule")


def add_list(group: typer.Typer, describe: Callable[[Org], object]) -> None:
    """The command that shows all of the org."""

    @group.command("list")
    def show_all(state: StateFolder = DEFAULT_FOLDER, org: OrgId = None, as_json: AsJson = False) -> None:
        """All of the org."""
        with open_state(state) as opened:
            show(describe(choose_org(opened, org)), as_json=as_json)


def add_list_and_remove(
    group: typer.Typer, describe: Callable[[Org], object], take_away: Callable[[Org, str, str], object]
) -> None:
    """The two commands that every kind of rule has: all of the org, and one away by its object and name."""
    add_list(group, describe)

    @group.command("remove")
    def remove(
        sobject: Object, name: Name, state: StateFolder = DEFAULT_FOLDER, org: OrgId = None, as_json: AsJson = False
    ) -> None:
        """Take one away."""
        with open_state(state) as opened:
            show(take_away(choose_org(opened, org), sobject, name), as_json=as_json)


@rules.command("add")
def add(
    sobject: Object,
    name: Name,
    *,
    formula: Annotated[str, typer.Option(help="Refuses the records for which it is true.")],
    message: Annotated[str, typer.Option(help="What the refusal says.")],
    field: Annotated[str, typer.Option(help="The field the refusal names.")] = "",
    active: Annotated[bool, typer.Option("--active/--inactive", help="An inactive rule refuses nothing.")] = True,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Add a rule, or change the one of that name."""
    with open_state(state) as opened:
        wish = {
            "sobject": sobject,
            "name": name,
            "formula": formula,
            "message": message,
            "display_field": field,
            "active": active,
        }
        show(set_rule(choose_org(opened, org), wish), as_json=as_json)


add_list_and_remove(rules, describe_rules, remove_rule)
