"""`headwater connect`: the log-in of Settings > Connections, with the callback caught on this machine."""

from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import typer

from headwater.accounts.models import Account
from headwater.cli.actor import actor_here
from headwater.cli.client_app import SERVER_WAYS, way_named
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import EXIT_FIX, err, out, print_json, the_account, utc
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, Wait
from headwater.connections import lifecycle
from headwater.connections.client_apps import keep, present_wish
from headwater.connections.models import Connection, LogIn, Status
from headwater.connections.parity_verdict import Level
from headwater.connections.services import Callback, begin, login_url_for
from headwater.connections.snapshot import latest_of_others
from headwater.wiring import (
    compare_snapshots,
    confirm_connection,
    connect_by_server,
    finish_connecting,
    look_before_confirming,
)

CALLBACK_PATH = "/OauthRedirect"
_PAGE = b"<!doctype html><title>Headwater</title><p>Headwater has the answer. You can close this page."


class _CallbackServer(HTTPServer):
    callback: Callback | None = None


class _Handler(BaseHTTPRequestHandler):
    server: _CallbackServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path != CALLBACK_PATH:
            self.send_error(404)
            return
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.callback = Callback(
            state=query.get("state", ""),
            code=query.get("code", ""),
            error=query.get("error", ""),
            error_description=query.get("error_description", ""),
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(_PAGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the address holds the authorisation code."""


def connect(
    *,
    environment: Annotated[str | None, typer.Option(help="production (default), sandbox or my_domain")] = None,
    my_domain: Annotated[str, typer.Option(help="Host for my_domain: acme.my.salesforce.com")] = "",
    server: Annotated[
        str | None, typer.Option(help="Without a browser: jwt or client-credentials (see headwater client-app).")
    ] = None,
    username: Annotated[str | None, typer.Option(help="Whom jwt speaks for: the integration user.")] = None,
    port: Annotated[int, typer.Option(help="Port of this machine that catches the callback.")] = 1717,
    wait_seconds: Annotated[int, typer.Option(help="How long to wait for the log-in.")] = 300,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm whichever org and user logged in.")] = False,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Connect the account to its Salesforce org: prints an address to open, waits for the log-in there.

    With --server no browser is needed.
    """
    tenant, actor = the_account(account), actor_here()
    if server is not None:
        row = _connect_server(tenant, actor, way_named(server, SERVER_WAYS), environment, my_domain, username)
    else:
        row = _connect_by_browser(
            tenant,
            actor,
            login_url_for(environment or ("my_domain" if my_domain else "production"), my_domain),
            port,
            wait_seconds,
        )
    if row.status == Status.AWAITING_CONFIRMATION and (yes or not as_json):
        row = _confirm(tenant, row, actor, yes=yes)
    if as_json:
        print_json(connection_json(row))
    else:
        out.print(
            f"[green]✓[/] Connected to [bold]{row.org_name}[/] ({row.org_kind}, {row.org_id}) as {row.username}",
            highlight=False,
        )


def _connect_by_browser(account: Account, actor: str, login_url: str, port: int, wait_seconds: int) -> Connection:
    redirect_uri = f"http://localhost:{port}{CALLBACK_PATH}"
    with _CallbackServer(("localhost", port), _Handler) as server:
        address = begin(account, login_url=login_url, redirect_uri=redirect_uri, actor=actor)
        err.print("Open this address, log in to Salesforce and choose Allow:")
        err.print(address, soft_wrap=True, highlight=False)
        return finish_connecting(account, _await_callback(server, wait_seconds), actor=actor)


def _connect_server(
    account: Account, actor: str, way: LogIn, environment: str | None, my_domain: str, username: str | None
) -> Connection:
    """Sets the way to log in, where it is another than the stored one, and logs in by it."""
    wish = replace(present_wish(account), log_in=way)
    if username is not None:
        wish = replace(wish, username=username)
    if environment is not None or my_domain:
        wish = replace(wish, login_url=login_url_for(environment or "my_domain", my_domain))
    if wish != present_wish(account):
        keep(account, wish, actor=actor)
    return connect_by_server(account, actor=actor)


def _confirm(account: Account, row: Connection, actor: str, *, yes: bool) -> Connection:
    """The look at org and user before the first record is read (row A6)."""
    shown = f"{row.org_name} ({row.org_kind}, {row.org_id}), as {row.username}"
    _tell_parity(account, actor)
    if not yes and not typer.confirm(f"Read records of {shown}?"):
        lifecycle.decline(account, actor=actor)
        out.print(f"Left {row.org_name}: the log-in is revoked and nothing was read.")
        raise typer.Exit(EXIT_FIX)
    return confirm_connection(account, org_id=row.org_id, actor=actor)


def _tell_parity(account: Account, actor: str) -> None:
    """What differs from the org that was tried before (row A10). A look that fails is told and stops nobody."""
    try:
        arriving = look_before_confirming(account, actor=actor)
    except (Fix, Wait) as error:
        err.print(f"[yellow]![/] Not compared with the org before: {error.sentence}", highlight=False)
        return
    before = latest_of_others(account, arriving.org_id) if arriving else None
    if arriving is None or before is None:
        return
    found = compare_snapshots(before, arriving)
    err.print(
        f"Compared with {before.org_name} ({before.org_kind}): {found.counts[Level.MATTERS]} differences that matter, "
        f"{len(found.not_compared)} parts that could not be compared. headwater parity tells them.",
        highlight=False,
    )


def connection_json(row: Connection) -> dict[str, str]:
    return {
        "status": row.status,
        "org_id": row.org_id,
        "org_name": row.org_name,
        "org_kind": row.org_kind,
        "username": row.username,
        "connected_utc": utc(row.connected_utc),
    }


def _await_callback(server: _CallbackServer, wait_seconds: int) -> Callback:
    server.timeout = wait_seconds
    server.handle_timeout = lambda: None  # type: ignore[method-assign]  # the loop below tells the time-out
    while server.callback is None:
        started = now_utc()
        server.handle_request()
        if server.callback is None and (now_utc() - started).total_seconds() >= wait_seconds:
            raise Wait(
                "cli.no_callback",
                f"Nobody completed the log-in within {wait_seconds} seconds.",
                retry_utc=now_utc(),
                facts=Facts(left="Nothing was changed.", you_can="run headwater connect again"),
            )
    return server.callback
