"""`headwater client-app`: the External Client App that Headwater presents itself with; its files, its check."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from headwater.accounts.models import Account
from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import EXIT_FIX, out, print_json, the_account
from headwater.connections.client_app_check import Finding, check
from headwater.connections.client_app_files import metadata_files, source_files
from headwater.connections.client_apps import keep, present_wish, remove, renew_key, row_of, shown
from headwater.connections.models import LogIn
from headwater.connections.services import callback_address, client_app_files, login_url_for

SERVER_WAYS = {"jwt": LogIn.JWT, "client-credentials": LogIn.CLIENT_CREDENTIALS}
_WAYS = {"browser": LogIn.BROWSER, **SERVER_WAYS}
_WORDS = {True: "yes", False: "no", None: "not set"}

SecretFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="File that holds the consumer secret, and only it.")
]


def client_app(
    *,
    consumer_key: Annotated[str | None, typer.Option(help="Consumer key; empty for the installation's app.")] = None,
    secret_file: SecretFile = None,
    no_secret: Annotated[bool, typer.Option("--no-secret", help="The app has no secret (a public client).")] = False,
    log_in: Annotated[str | None, typer.Option(help=f"How to log in: {', '.join(_WAYS)}.")] = None,
    username: Annotated[str | None, typer.Option(help="Whom JWT bearer speaks for.")] = None,
    environment: Annotated[str | None, typer.Option(help="production, sandbox or my_domain")] = None,
    my_domain: Annotated[str, typer.Option(help="Host for my_domain: acme.my.salesforce.com")] = "",
    do_check: Annotated[bool, typer.Option("--check", help="Ask Salesforce whether the app answers. Free.")] = False,
    certificate: Annotated[Path | None, typer.Option(help="Write the certificate for JWT bearer here.")] = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="Make a new key pair for JWT bearer.")] = False,
    save_to: Annotated[Path | None, typer.Option(help="Write the app's metadata here, to deploy.")] = None,
    do_remove: Annotated[bool, typer.Option("--remove", help="Go back to the installation's app.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="A connection may need a new log-in afterwards.")] = False,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show, set or check the External Client App; write its metadata or certificate."""
    tenant, actor = the_account(account), actor_here()
    if save_to is not None:
        _save(tenant, save_to)
        return
    if do_remove:
        remove(tenant, actor=actor, accepts_new_log_in=yes)
    wish = present_wish(tenant)
    changed: dict[str, Any] = {
        "consumer_key": consumer_key,
        "consumer_secret": secret_file.read_text().strip() if secret_file else None,
        "has_no_secret": no_secret or (False if secret_file or consumer_key else None),
        "log_in": way_named(log_in, _WAYS) if log_in else None,
        "username": username,
        "login_url": login_url_for(environment or "my_domain", my_domain) if environment or my_domain else None,
    }
    given = {name: value for name, value in changed.items() if value is not None}
    if given:
        keep(tenant, replace(wish, **given, accepts_new_log_in=yes), actor=actor)
    if new_key:
        renew_key(tenant, actor=actor, accepts_new_log_in=yes)
    if certificate is not None:
        _write_certificate(tenant, certificate, actor)
    findings = check(tenant, present_wish(tenant), redirect_uri=callback_address()) if do_check else []
    _tell(tenant, findings, as_json=as_json)
    if any(finding.error for finding in findings):
        raise typer.Exit(EXIT_FIX)


def way_named(name: str, ways: dict[str, LogIn]) -> LogIn:
    if name not in ways:
        raise typer.BadParameter(f"One of {', '.join(ways)}.")
    return ways[name]


def _save(account: Account, folder: Path) -> None:
    filled = client_app_files(account)
    layouts = {"metadata": metadata_files(filled), "source": source_files(filled)}
    for layout, files in layouts.items():
        for name, content in files.items():
            path = folder / layout / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    out.print(
        f"Wrote the app to {folder}: deploy one of\n"
        f"  sf project deploy start --metadata-dir {folder / 'metadata'} --target-org ORG\n"
        f"  (cd {folder / 'source'} && sf project deploy start --manifest manifest/package.xml --target-org ORG)\n"
        "Consumer key and secret are made by the org: read them in Setup > External Client App Manager.",
        soft_wrap=True,
        highlight=False,
    )


def _write_certificate(account: Account, path: Path, actor: str) -> None:
    row = row_of(account)
    if row is None or not row.certificate:
        row = renew_key(account, actor=actor)
    path.write_text(row.certificate)
    out.print(f"Wrote the certificate to {path}: upload it to the app, under Enable JWT Bearer Flow.", highlight=False)


def _tell(account: Account, findings: list[Finding], *, as_json: bool) -> None:
    used, row = shown(account), row_of(account)
    facts: dict[str, Any] = {
        "consumer_key": used.consumer_key if used else None,
        "belongs_to": ("account" if used.is_own else "installation") if used else None,
        "log_in": used.log_in.value if used else None,
        "login_url": (used.login_url or None) if used else None,
        "username": (used.username or None) if used else None,
        "has_secret": bool(used and used.has_secret),
        "has_certificate": bool(row and row.certificate),
        "callback_address": callback_address(),
    }
    if as_json:
        answers = [{"asked": each.asked, "error": each.error and each.error.code} for each in findings]
        print_json({**facts, **({"check": answers} if findings else {})})
        return
    for name, value in facts.items():
        told = value if isinstance(value, str) else _WORDS[value]
        out.print(f"  [dim]{name.replace('_', ' '):<17}[/] {told}", highlight=False, soft_wrap=True)
    for finding in findings:
        if finding.error is None:
            out.print(f"[green]✓[/] {finding.asked}", highlight=False)
            continue
        out.print(f"[bold red]✗[/] [bold]{finding.error.sentence}[/]  [dim]{finding.error.code}[/]", highlight=False)
        for label, text in finding.error.lines():
            out.print(f"  [dim]{label:<8}[/] {text}", highlight=False)
