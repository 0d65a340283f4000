"""`headwater check`: numbered checks of this installation, each with a hint; spends no credit."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import typer
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from headwater.accounts.keys import survey
from headwater.accounts.models import Account
from headwater.cli.options import JsonOption
from headwater.cli.output import EXIT_FIX, out, print_json
from headwater.common.errors import HeadwaterError
from headwater.connections.client_apps import shown
from headwater.connections.models import Status
from headwater.connections.services import connection_of
from headwater.connections.tokens import StoredTokens

_SHOWN_PLACES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` has its section in docs/reference/checks.md."""

    code: str
    level: Literal["error", "warning"]
    finding: str
    hint: str


def check(as_json: JsonOption = False) -> None:
    """Check the database, the settings and each account's connection."""
    findings = list(_findings())
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            sign = "[red]✗[/]" if finding.level == "error" else "[yellow]![/]"
            out.print(f"{sign} {finding.code}  {finding.finding}\n    {finding.hint}", highlight=False)
        if not findings:
            out.print("[green]✓[/] Nothing to mend.")
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(EXIT_FIX)


def _findings() -> Iterator[Finding]:
    missing = _unapplied_migrations()
    if missing:
        yield Finding("database.E001", "error", missing, "Run headwater setup, or headwater serve, which migrates.")
        return
    yield from _key_findings()
    accounts = list(Account.objects.order_by("slug"))
    if not accounts:
        yield Finding("accounts.W001", "warning", "There is no account yet.", "Run headwater setup.")
    for account in accounts:
        yield from _connection_findings(account)


def _key_findings() -> Iterator[Finding]:
    found = survey()
    if found.unopenable:
        places = "; ".join(map(str, found.unopenable[:_SHOWN_PLACES]))
        yield Finding(
            "keys.E001",
            "error",
            f"No encryption key opens {len(found.unopenable):,} stored secrets: {places}",
            "Restore the key that is missing, or authorise anew: headwater keys",
        )
    if found.behind:
        yield Finding(
            "keys.W001",
            "warning",
            f"{found.behind:,} stored secrets are sealed with an older key.",
            "A rotation was not finished: headwater keys --rotate",
        )


def _unapplied_migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return f"The database cannot be read: {error}"
    return f"{len(plan)} migrations are not applied." if plan else ""


def _connection_findings(account: Account) -> Iterator[Finding]:
    if shown(account) is None:
        yield Finding(
            "connections.W001",
            "warning",
            f"{account.slug} has no External Client App: it cannot be connected.",
            "Settings > Connections > Set up the External Client App (docs/howto/connect.md).",
        )
    row = connection_of(account)
    if row is None:
        yield Finding(
            "connections.W002",
            "warning",
            f"{account.slug} is not connected.",
            "Settings > Connections, or headwater connect.",
        )
        return
    if row.status == Status.AUTHORIZATION_REQUIRED:
        yield Finding(
            "connections.E001",
            "error",
            f"{account.slug}: Authorization Required.",
            "Click the key, or headwater connect.",
        )
        return
    try:
        StoredTokens(account).access_token()
    except HeadwaterError as error:
        yield Finding("connections.E002", "error", f"{account.slug}: {error.sentence}", error.facts.you_can)
