"""`headwater schedule`: how often an account is read by itself."""

from typing import Annotated

import typer

from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account, utc
from headwater.common.errors import Facts, Fix
from headwater.sync.schedule import Cadence, cadence_of, change_cadence, in_words

EveryOption = Annotated[int | None, typer.Option("--every", metavar="MINUTES", help="Read every so many minutes.")]
OffOption = Annotated[bool, typer.Option("--off", help="Read only when somebody starts it.")]


def schedule(
    *, every: EveryOption = None, off: OffOption = False, account: AccountOption = None, as_json: JsonOption = False
) -> None:
    """Show or set how often the org is read by itself, and what that costs. Workers do it (`serve`, `worker`)."""
    tenant = the_account(account)
    if off and every is not None:
        raise Fix("sync.bad_interval", "Both --every and --off were given.", Facts(you_can="give one of them"))
    is_change = off or every is not None
    cadence = change_cadence(tenant, every, actor=actor_here()) if is_change else cadence_of(tenant)
    if as_json:
        print_json(_as_object(cadence))
        return
    out.print(f"The org is read {in_words(cadence.every_minutes)}.")
    out.print(f"Next read: {utc(cadence.next_utc)}" if cadence.next_utc else "No read is due by itself.")
    rows = [
        (in_words(choice.minutes), f"{choice.calls_a_day:,}" if choice.calls_a_day else "not known yet")
        for choice in cadence.choices
    ]
    print_table("What it costs", ("Interval", "Credits a day while nothing changes"), rows, numbers=(1,))


def _as_object(cadence: Cadence) -> dict[str, object]:
    return {
        "every_minutes": cadence.every_minutes,
        "next_utc": cadence.next_utc,
        "idle_calls_a_day": {choice.minutes: choice.calls_a_day for choice in cadence.choices},
    }
