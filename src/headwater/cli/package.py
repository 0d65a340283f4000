"""`headwater package`: what of the package is in the org, what an installation changes, and the installation."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from headwater.accounts.models import Account
from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import EXIT_FIX, follow, out, print_json, print_table, the_account
from headwater.connections.package import (
    VERSION,
    Comparison,
    PackageState,
    choose_read_only,
    installed,
    is_read_only,
    price_of,
    save_to,
    total_calls,
    why_missing,
)
from headwater.credits.services import calls_of_job
from headwater.wiring import install_package

_SENTENCES: Mapping[PackageState, str] = {
    PackageState.NOT_INSTALLED: "[yellow]○[/] The package is not installed. Install with headwater package --install",
    PackageState.OLDER: "[yellow]○[/] The org has an older version. Update with headwater package --install",
    PackageState.CURRENT: "[green]✓[/] The package is installed and up to date.",
    PackageState.NEWER: "[red]✗[/] The org has a newer version than this Headwater knows. Nothing is deployed over it.",
    PackageState.DAMAGED: "[yellow]○[/] Something is missing or was changed. Mend it with headwater package --install",
    PackageState.NOT_GRANTED: "[yellow]○[/] Installed, but not granted to the connected user. headwater package "
    "--install assigns the permission set, or an administrator does in Setup > Permission Sets.",
    PackageState.CLASH: "[red]✗[/] The org has objects or fields of these names that are not Headwater's.",
}


def package(
    show_plan: Annotated[bool, typer.Option("--plan", help="Show each component and the price of installing.")] = False,
    do_install: Annotated[bool, typer.Option("--install", help="Install or update the package in the org.")] = False,
    save_files_to: Annotated[
        Path | None, typer.Option("--save-to", help="Write the files here, to deploy by hand.")
    ] = None,
    read_only: Annotated[
        bool | None,
        typer.Option("--read-only/--write-back", help="Choose whether anything is ever written to the org."),
    ] = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show, install or save Headwater's custom objects, fields and permission sets."""
    if save_files_to is not None:
        written = save_to(save_files_to)
        out.print(f"Wrote {len(written)} files to {save_files_to}; README.md says how to deploy them.")
        return
    tenant = the_account(account)
    if read_only is not None:
        _choose(tenant, read_only=read_only, as_json=as_json)
        return
    told = _install(tenant, quiet=as_json) if do_install else {}
    found = installed(tenant)
    if as_json:
        print_json(_as_json(found) | told | {"is_read_only": is_read_only(tenant)})
    else:
        _print(found, with_plan=show_plan, is_silent=is_read_only(tenant))
    if found.state is not PackageState.CURRENT:
        raise typer.Exit(EXIT_FIX)


def _choose(tenant: Account, *, read_only: bool, as_json: bool) -> None:
    choose_read_only(tenant, read_only=read_only, actor=actor_here())
    if as_json:
        print_json({"is_read_only": read_only})
    elif read_only:
        out.print("Read only: nothing is ever written to the org. What was written before stays there.")
    else:
        out.print("Write back: touchpoints are written to the org once the package is installed.")


def _install(tenant: Account, *, quiet: bool) -> dict[str, Any]:
    view = follow(install_package(tenant, actor=actor_here()), "Installing the package", quiet=quiet)
    spent = calls_of_job(tenant, str(view.id))
    if not quiet:
        created, changed = len(view.result["created"]), len(view.result["changed"])
        out.print(f"{created} components created, {changed} changed. Credits: {spent} spent.", highlight=False)
    return {"installation": {**view.result, "spent_calls": spent}}


def _as_json(found: Comparison) -> dict[str, Any]:
    price = price_of(found)
    return {
        **asdict(found),
        "is_complete": found.is_complete,
        "headwater_version": VERSION,
        "planned_calls": total_calls(price),
    }


def _print(found: Comparison, *, with_plan: bool, is_silent: bool) -> None:
    if is_silent:
        out.print("Read only: an Account Admin chose that nothing is ever written to this org.")
    there = f"version {found.version}" if found.version else "no version"
    out.print(f"{_SENTENCES[found.state]} [dim](in the org: {there}; this Headwater: version {VERSION})[/]")
    if not found.is_complete:
        out.print(why_missing(found))
    for each in found.clashes:
        out.print(f"  {each.name}: {', '.join(each.details)}", highlight=False)
    if with_plan:
        _print_plan(found)


def _print_plan(found: Comparison) -> None:
    rows = [(each.name, each.is_a, each.change.value, "; ".join(each.details)) for each in found.components]
    print_table("Components", ("Component", "Type", "In the org", "Difference"), rows, numbers=())
    out.print(f"{len(found.to_deploy)} of {len(found.components)} components would be deployed.", highlight=False)
    if found.left_alone:
        out.print(f"Left alone: {', '.join(found.left_alone)}", highlight=False)
    for each in price_of(found):
        about = "about " if each.is_about else ""
        out.print(f"  {about}{each.calls} to {each.purpose}", highlight=False)
    out.print(f"Credits: about {total_calls(price_of(found))}.", highlight=False)
