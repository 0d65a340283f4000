"""`headwater demo`: the main job from end to end on a simulated org, through the same doors that people use.

Starts `orgsim` as a programme of its own, which it talks to over HTTP only. Not here: any of the work itself.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from django.conf import settings

from headwater.accounts.models import Account
from headwater.cli import attribute, credits, export, package, plan, serve, setup, sync
from headwater.cli.output import EXIT_BUG, money, out
from headwater.common.errors import Facts, Fix, Wait
from headwater.common.money import to_cents
from headwater.connections.package import installed
from headwater.connections.services import LOOPBACK, connection_of, session
from headwater.credits.services import today
from headwater.results.services import revenue_by_channel
from headwater.salesforce.oauth import probe
from headwater.salesforce.rest import Org
from headwater.sync.services import plan_sync

ACCOUNT_NAME = "Acme Demo"
LOGIN, PASSWORD = "demo@example.com", "headwater-demo"
ORG_USER, ORG_PASSWORD = "integration@acme.example", "org-password"
CALLBACK_PORT = 1717
_START_SECONDS = 30


def demo(
    records: Annotated[int, typer.Option(help="Size of the simulated org.")] = 50_000,
    seed: Annotated[int, typer.Option(help="Another number makes another org.")] = 1,
    once: Annotated[bool, typer.Option("--once", help="End after printing, without the web app.")] = False,
    port: Annotated[int, typer.Option(help="Port of the web app.")] = 8000,
) -> None:
    """Run the main job on a simulated org: connect, plan, import, attribute, write back; then serve the web app."""
    state = settings.DATA_DIR.parent / "org"
    with _org(state, records, seed):
        setup.setup(account=ACCOUNT_NAME, email=LOGIN, password=PASSWORD)
        account = Account.objects.get(name=ACCOUNT_NAME)
        _connect(account)
        _work(account)
        if not once:
            out.print(
                f"\nLog in at http://127.0.0.1:{port} as [bold]{LOGIN}[/] with [bold]{PASSWORD}[/]", highlight=False
            )
            serve.serve(port=port)


def _work(account: Account) -> None:
    _heading("Plan")
    planned = plan_sync(account)
    plan.print_plan(planned)
    _heading("Import")
    sync.sync()
    _heading("Attribute")
    attribute.attribute()
    _check_sums(account)
    _heading("Write back")
    package.package(do_install=not installed(account).is_complete)
    export.export()
    _heading("Credits")
    credits.print_credits(today(account))


def _check_sums(account: Account) -> None:
    """Ask the org itself what was won, and compare to the cent with the sum of every model."""
    with session(account, job_kind="demo") as transport:
        rows = Org(transport).query("SELECT SUM(Amount) won FROM Opportunity WHERE IsWon = true", "adding up won deals")
    won_cents = to_cents(Decimal(str(rows[0]["won"] or 0)))
    sums = revenue_by_channel(account).sums_cents
    wrong = {model: cents for model, cents in sums.items() if cents != won_cents}
    if wrong:
        out.print(f"[red]✗[/] The org says {money(won_cents)}, but: {wrong}")
        raise typer.Exit(EXIT_BUG)
    out.print(
        f"[green]✓[/] The org itself says {money(won_cents)}: every model adds up to it, to the cent.", highlight=False
    )


def _heading(text: str) -> None:
    out.print(f"\n[bold]── {text} ──[/]")


def _command(name: str) -> str:
    return str(Path(sys.argv[0]).with_name(name))


def _orgsim(*arguments: str) -> None:
    done = subprocess.run([_command("orgsim"), *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - commands of our own making
    if done.returncode:
        raise Fix("demo.orgsim_failed", f"orgsim {arguments[0]} failed.", Facts(why=done.stderr or done.stdout))


@contextmanager
def _org(state: Path, records: int, seed: int) -> Iterator[None]:
    """A simulated org, seeded the first time and edited a little at later times, as a living org would be."""
    ports = _ports()
    if state.exists():
        _heading("People work in the org: 200 edits, 20 deletes, 5 merges")
        _orgsim("edit", "--state", str(state), "--edits", "200", "--deletes", "20", "--merges", "5")
    else:
        _heading(f"Making a simulated org of {records:,} records")
        callbacks = [
            f"http://localhost:{CALLBACK_PORT}/OauthRedirect",
            f"{settings.BASE_URL}/settings/connections/callback/",
        ]
        _orgsim(
            "seed", "--state", str(state), "--records", str(records), "--seed", str(seed), "--name", "Acme Corporation",
            "--user", ORG_USER, "--password", ORG_PASSWORD,
            "--app-key", settings.SALESFORCE_CLIENT_ID, "--app-secret", settings.SALESFORCE_CLIENT_SECRET,
            *(part for callback in callbacks for part in ("--callback", callback)),
        )  # fmt: skip
    server = subprocess.Popen(  # noqa: S603 - commands of our own making
        [_command("orgsim"), "serve", "--state", str(state), "--port", ports[0], "--sandbox-port", ports[1]],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _await_org(server)
        yield
    finally:
        server.terminate()
        server.wait()


def _ports() -> tuple[str, str]:
    """Where the simulated org is to listen: read off the addresses that Headwater will ask."""
    parts = [urlsplit(url) for url in (settings.SALESFORCE_LOGIN_URL, settings.SALESFORCE_SANDBOX_LOGIN_URL)]
    if any(part.hostname not in LOOPBACK or part.port is None for part in parts):
        raise Fix(
            "demo.not_local",
            "The demo runs on this machine only.",
            Facts(
                why="The Salesforce log-in addresses in the environment are not of this machine.",
                left="Nothing was started.",
                you_can="run it as make demo, which sets them",
            ),
        )
    return str(parts[0].port), str(parts[1].port)


def _await_org(server: "subprocess.Popen[bytes]") -> None:
    for _ in range(_START_SECONDS * 10):
        if server.poll() is not None:
            break
        try:
            probe(settings.SALESFORCE_LOGIN_URL)
        except Wait:
            time.sleep(0.1)
        else:
            return
    raise Fix(
        "demo.org_not_started",
        "The simulated org did not start.",
        Facts(why=f"Nothing answers at {settings.SALESFORCE_LOGIN_URL}.", you_can="look whether its port is taken"),
    )


def _connect(account: Account) -> None:
    """`headwater connect`, with a person in a box who opens the address, logs in and allows."""
    if connection_of(account) is not None:
        return
    _heading("Connect")
    with subprocess.Popen(  # noqa: S603 - commands of our own making
        [_command("headwater"), "connect", "--yes", "--port", str(CALLBACK_PORT)], stderr=subprocess.PIPE, text=True
    ) as command:
        address = next(line.strip() for line in command.stderr or () if line.startswith("http"))
        _orgsim("authorize", address, "--username", ORG_USER, "--password", ORG_PASSWORD)
        trouble = command.stderr.read() if command.stderr else ""
    if command.returncode:
        raise Fix("demo.not_connected", "The demo could not connect.", Facts(why=trouble))
