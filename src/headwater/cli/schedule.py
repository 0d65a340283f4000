"""`headwater schedule`: how often an account is read by itself."""

from enum import StrEnum
from typing import Annotated

import typer

from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account, utc
from headwater.common.errors import Facts, Fix
from headwater.sync.schedule import Cadence, cadence_of, change_schedule, formulas_sentence, in_words

EveryOption = Annotated[int | None, typer.Option("--every", metavar="MINUTES", help="Read every so many minutes.")]
OffOption = Annotated[bool, typer.Option("--off", help="Read only when somebody starts it.")]


class HowOften(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    NEVER = "never"


FormulasOption = Annotated[
    HowOften | None, typer.Option("--formulas", help="How often the values of formulas are read anew.")
]
_DAYS = {HowOften.DAILY: 1, HowOften.WEEKLY: 7, HowOften.NEVER: None}


def schedule(
    *,
    every: EveryOption = None,
    off: OffOption = False,
    formulas: FormulasOption = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show or set how often the org is read by itself, and what that costs. Workers do it (`serve`, `worker`)."""
    tenant = the_account(account)
    if off and every is not None:
        raise Fix("sync.bad_interval", "Both --every and --off were given.", Facts(you_can="give one of them"))
    wished = {"every_minutes": every} if off or every is not None else {}
    wished |= {"formulas_every_days": _DAYS[formulas]} if formulas else {}
    cadence = change_schedule(tenant, wished, actor=actor_here()) if wished else cadence_of(tenant)
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
    out.print(f"{formulas_sentence(cadence.formulas.every_days)} {_formulas(cadence)}")


def _formulas(cadence: Cadence) -> str:
    fields = cadence.formulas.fields
    if not fields:
        return "No formula is read, so it costs nothing."
    return f"Each time costs {cadence.formulas.calls:,} credits: {', '.join(fields)}."


def _as_object(cadence: Cadence) -> dict[str, object]:
    return {
        "every_minutes": cadence.every_minutes,
        "next_utc": cadence.next_utc,
        "idle_calls_a_day": {choice.minutes: choice.calls_a_day for choice in cadence.choices},
        "formulas_every_days": cadence.formulas.every_days,
        "formulas_calls": cadence.formulas.calls,
        "formula_fields": list(cadence.formulas.fields),
    }
