"""`headwater preflight`: whether the connected user may do all that Headwater needs, and what to grant."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import EXIT_FIX, out, print_json, the_account, utc
from headwater.connections.preflight import as_text, count_of, findings_of, permission_set_zip, summary_of
from headwater.connections.preflight_rules import Finding, Level
from headwater.connections.services import connection_of
from headwater.connections.tokens import not_connected
from headwater.wiring import preflight as look

_SIGNS = {
    Level.MUST: "[red]✗[/] must   ",
    Level.UNKNOWN: "[yellow]?[/] unknown",
    Level.SHOULD: "[yellow]![/] should ",
    Level.WRITING: "[yellow]![/] writing",
    Level.FINE: "[green]✓[/] fine   ",
}


def preflight(
    text_to: Annotated[Path | None, typer.Option(help="Write what is missing here, for the org's admin.")] = None,
    permission_set_to: Annotated[
        Path | None, typer.Option(help="Write a zip here: a permission set that grants all that reading needs.")
    ] = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the org what the connected user may (2 credits) and tell what to grant."""
    tenant = the_account(account)
    row = connection_of(tenant)
    if row is None:
        raise not_connected()
    run = look(tenant, actor=actor_here())
    if text_to is not None:
        text_to.write_text(as_text(run, row.instance_url))
    if permission_set_to is not None:
        permission_set_to.write_bytes(permission_set_zip(run))
    if as_json:
        found = [asdict(finding) for finding in findings_of(run)]
        print_json({"username": run.username, "org_id": run.org_id, "ran_utc": utc(run.ran_utc), "findings": found})
    else:
        for finding in findings_of(run):
            _print(finding, row.instance_url)
        out.print(f"\n{summary_of(run).sentence}", highlight=False)
    if count_of(run, Level.MUST):
        raise typer.Exit(EXIT_FIX)


def _print(finding: Finding, instance_url: str) -> None:
    lines = [f"{_SIGNS[finding.level]} {finding.sentence}", finding.cost]
    lines += [f"Grant: {grant.label} ({grant.name})" for grant in finding.grants]
    lines += [f"Where: {finding.where}" if finding.where else ""]
    lines += [f"{instance_url}{finding.setup_path}" if finding.setup_path else ""]
    out.print("\n            ".join(line for line in lines if line), highlight=False, soft_wrap=True)
