"""`headwater disconnect`: takes the log-in away, or deletes the connection with everything that was read through it."""

from typing import Annotated

import typer

from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import follow, out, print_json, the_account
from headwater.connections import lifecycle
from headwater.wiring import delete_connection


def disconnect(
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete what was read from a test org, for good, and the connection.")
    ] = False,
    name: Annotated[str, typer.Option(help="With --delete: the account's name, which confirms it.")] = "",
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take Headwater's log-in away and keep what was read; `headwater connect` brings it back."""
    tenant, actor = the_account(account), actor_here()
    if delete:
        typed = name or typer.prompt(f"Everything read from the org is deleted. Type the account's name ({tenant})")
        view = follow(delete_connection(tenant, typed_name=typed, actor=actor), "Deleting", quiet=as_json)
        if as_json:
            print_json({"deleted": view.result})
        else:
            out.print("[green]✓[/] The connection and everything that was read through it are deleted")
        return
    row = lifecycle.disconnect(tenant, actor=actor)
    if as_json:
        print_json({"status": row.status, "org_id": row.org_id})
    else:
        out.print(f"[green]✓[/] Disconnected from [bold]{row.org_name}[/]; what was read stays", highlight=False)
