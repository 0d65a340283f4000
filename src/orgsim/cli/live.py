"""`orgsim live`: people at work in an org, until stopped."""

import signal
import threading
from dataclasses import asdict, fields
from typing import Annotated

import typer

from orgsim.cli.options import DEFAULT_FOLDER, AsJson, OrgId, StateFolder, choose_org, open_state, show
from orgsim.edits.live import LivePlan, Mix, live_edits
from orgsim.oauth.users import any_admin
from orgsim.store.write import Writer

_MIX_HELP = f"Shares of the deeds: {', '.join(f'{each.name}={each.default}' for each in fields(Mix))}. May be repeated."


def register(app: typer.Typer) -> None:
    app.command()(live)


def live(
    *,
    per_minute: Annotated[float, typer.Option(min=0.01, help="Edits per minute, on average.")] = 60.0,
    share: Annotated[list[str] | None, typer.Option(help=_MIX_HELP)] = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop after this time.")] = None,
    edits: Annotated[int | None, typer.Option(min=0, help="Stop after this many.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed on the same org makes the same edits.")] = 0,
    state: StateFolder = DEFAULT_FOLDER,
    org: OrgId = None,
    as_json: AsJson = False,
) -> None:
    """Make believable edits at a rate until stopped; then say how many of each."""
    plan = LivePlan(per_minute, _read_mix(share or []), seed, seconds, edits)
    stop = threading.Event()
    before = {each: signal.signal(each, lambda *_: stop.set()) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with open_state(state) as opened:
            chosen = choose_org(opened, org)
            show(asdict(live_edits(Writer(chosen, any_admin(chosen)), plan, stop)), as_json=as_json)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _read_mix(shares: list[str]) -> Mix:
    """`updates=80`; deeds that are not named keep their share."""
    known = {each.name for each in fields(Mix)}
    mix: dict[str, int] = {}
    for each in shares:
        name, _, number = each.partition("=")
        if name not in known or not number.isdigit():
            raise typer.BadParameter(f"{each!r} is not like updates=80; known are {', '.join(sorted(known))}.")
        mix[name] = int(number)
    chosen = Mix(**mix)
    if not any(getattr(chosen, name) for name in known):
        raise typer.BadParameter("At least one share must be more than 0.")
    return chosen
