"""`headwater package`: what of Headwater's objects is in the org, and their installation."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import EXIT_FIX, out, print_json, the_account
from headwater.connections.package import FIELDS, files, install, installed, why_missing


def package(
    do_install: Annotated[bool, typer.Option("--install", help="Install or update the objects in the org.")] = False,
    save_to: Annotated[Path | None, typer.Option(help="Write the metadata files here, to deploy by hand.")] = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show, install or save Headwater's custom objects, fields and permission set."""
    if save_to is not None:
        for name, content in files().items():
            path = save_to / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        out.print(f"Wrote {len(files())} files to {save_to}")
        return
    tenant = the_account(account)
    if do_install:
        install(tenant, actor=f"{getpass.getuser()} (command line)")
    state = installed(tenant)
    if as_json:
        print_json({"is_complete": state.is_complete, "is_ungranted": state.is_ungranted, "missing": state.missing})
    elif state.is_complete:
        out.print(f"[green]✓[/] {' and '.join(FIELDS)} are installed.")
    elif state.is_ungranted:
        out.print(
            f"Installed, but not granted to the connected user. {why_missing(state)}\n"
            "headwater package --install assigns it, or an administrator does in Setup > Permission Sets."
        )
    else:
        out.print(f"Missing or not readable: {', '.join(state.missing)}. Install with headwater package --install")
    if not state.is_complete:
        raise typer.Exit(EXIT_FIX)
