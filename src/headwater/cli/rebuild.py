"""`headwater rebuild`: has objects dropped and read anew by the next sync, once a person has seen the price."""

from typing import Annotated

import typer

from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account
from headwater.sync import rebuild as rebuilding


def rebuild(
    objects: Annotated[list[str] | None, typer.Argument(metavar="[OBJECT]...", help="As Contact or Lead.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All objects that were read.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have objects dropped from the local copy and read anew by the next sync. Until then the old rows are shown."""
    tenant, named = the_account(account), objects or []
    if everything == bool(named):
        raise typer.BadParameter("name the objects, or say --all")
    planned = rebuilding.plan_rebuild(tenant, named)
    if not as_json:
        rows = [(name, f"{count:,}") for name, count in planned.rows.items()]
        print_table("To be read anew", ("Object", "Rows, about"), rows, numbers=(1,))
        price = "1 credit" if planned.calls == 1 else f"{planned.calls:,} credits"
        out.print(f"About {price}, by the next sync that has room.", highlight=False)
    if not yes:
        typer.confirm("Read them anew?", abort=True, err=as_json)
    rebuilding.rebuild(tenant, named, actor=actor_here())
    if as_json:
        print_json({"objects": list(planned.rows), "rows": planned.rows, "planned_calls": planned.calls})
    else:
        out.print("[green]✓[/] The next sync reads them anew: run headwater sync, or wait for its turn.")
