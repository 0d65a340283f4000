"""`headwater credits`: what was spent in this window, by job, and the Daily CRM API Limit."""

from dataclasses import asdict
from typing import Annotated

import typer

from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account, utc
from headwater.credits.services import Today, today
from headwater.wiring import change_daily_limit


def credits(
    limit: Annotated[str | None, typer.Option(help="Set the Daily CRM API Limit: 100,000 or more.")] = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the credits spent in this window by job, or change the Daily CRM API Limit."""
    tenant = the_account(account)
    if limit is not None:
        change_daily_limit(tenant, limit, actor=actor_here())
    now = today(tenant)
    if as_json:
        print_json({**asdict(now), "left_calls": now.left_calls})
    else:
        print_credits(now)


def print_credits(now: Today) -> None:
    rows = [(row.job_kind, row.call_kind, row.sobject or "several", f"{row.calls:,}") for row in now.spending]
    print_table("Credits spent in this window", ("Job", "Call", "Object", "Credits"), rows, numbers=(3,))
    out.print(
        f"{now.used_calls:,} of {now.limit_calls:,} used, {now.left_calls:,} left until {utc(now.ends_utc)}.",
        highlight=False,
    )
    if now.org_limit_calls is not None:
        out.print(f"The org itself says {now.org_used_calls:,} of {now.org_limit_calls:,} (all its users together).")
