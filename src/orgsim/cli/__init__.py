"""The command `orgsim`: one module per group of commands, `--help` and `--json` on all."""

import typer

from orgsim.cli import (
    access,
    authorize,
    currencies,
    duplicates,
    edits,
    faults,
    flows,
    latency,
    live,
    locks,
    orgs,
    policies,
    recordtypes,
    rules,
    serve,
    snapshots,
    triggers,
    watch,
)
from orgsim.errors import ApiError

app = typer.Typer(
    name="orgsim",
    help="A Salesforce org on this machine: its logins, its APIs, its limits, its people's edits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for module in (
    serve,
    orgs,
    policies,
    watch,
    edits,
    live,
    snapshots,
    faults,
    latency,
    rules,
    duplicates,
    access,
    locks,
    triggers,
    flows,
    recordtypes,
    currencies,
    authorize,
):
    module.register(app)


def main() -> None:
    try:
        app()
    except ApiError as error:
        typer.echo(f"orgsim: {error.message}", err=True)
        raise SystemExit(1) from error
    except LookupError as error:
        typer.echo(f"orgsim: {error.args[0] if error.args else error}", err=True)
        raise SystemExit(1) from error
