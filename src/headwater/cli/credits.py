"""`headwater credits`: the credits page in a terminal, and what is set about credits."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from headwater.accounts.models import Account
from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account, utc
from headwater.common.errors import Facts, Fix
from headwater.credits.budget import Budget, budget_of
from headwater.credits.forecast import forecast
from headwater.credits.quota_settings import QuotaSettings, TypedSettings, settings_of
from headwater.credits.reconcile import drift
from headwater.credits.services import Today, today
from headwater.credits.sheets import SHEETS, Span
from headwater.credits.spending import By, WindowSpent, history, spending
from headwater.operating import account_states
from headwater.watch import waiting_for_room
from headwater.wiring import change_credit_settings


class Grouping(StrEnum):
    HOUR = "hour"
    JOB_KIND = "job-kind"
    JOB = "job"
    OBJECT = "object"
    CALL = "call"


class SheetName(StrEnum):
    SPLIT = "split"
    HOURS = "hours"
    HISTORY = "history"


GROUPS: Mapping[Grouping, tuple[By, str]] = {
    Grouping.HOUR: ("hour", "Hour, UTC"),
    Grouping.JOB_KIND: ("job_kind", "Kind of job"),
    Grouping.JOB: ("job_id", "Job"),
    Grouping.OBJECT: ("sobject", "Object"),
    Grouping.CALL: ("call_kind", "Kind of call"),
}
_WINDOWS_BACK = 90

ByOption = Annotated[Grouping | None, typer.Option("--by", help="Split the window's credits by this.")]
DayOption = Annotated[
    str | None,
    typer.Option("--day", metavar="YYYY-MM-DD", help="Another window than the running one, by its day there."),
]
HistoryOption = Annotated[int | None, typer.Option("--history", metavar="N", min=1, help="The last N windows.")]
SheetOption = Annotated[SheetName | None, typer.Option("--csv", help="Print a table for a spreadsheet.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every account of this installation.")]
SettingsOption = Annotated[bool, typer.Option("--settings", help="What is set, and what it comes to.")]
LimitOption = Annotated[str | None, typer.Option(help="Set the Daily CRM API Limit: 100,000 or more.")]
ResetOption = Annotated[str | None, typer.Option(metavar="HH:MM", help="Set the time of the daily reset.")]
ZoneOption = Annotated[str | None, typer.Option(metavar="ZONE", help="Set its time zone, as Europe/Berlin.")]
FloorOption = Annotated[
    str | None, typer.Option(metavar="PERCENT", help="Set how much of the org's allowance is left to its other users.")
]
BackfillOption = Annotated[
    str | None, typer.Option(metavar="PERCENT", help="Set how much of the limit reading history may take.")
]


def credits(
    *,
    limit: LimitOption = None,
    reset_time: ResetOption = None,
    time_zone: ZoneOption = None,
    floor: FloorOption = None,
    backfill_share: BackfillOption = None,
    by: ByOption = None,
    day: DayOption = None,
    windows: HistoryOption = None,
    sheet: SheetOption = None,
    everybody: AllOption = False,
    settings: SettingsOption = False,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show where credits went and where today is going, or change what is set about them. Spends no credits."""
    if everybody:
        _show_all(as_json=as_json)
        return
    tenant = the_account(account)
    typed = TypedSettings(limit, reset_time, time_zone, floor, backfill_share)
    is_change = typed != TypedSettings()
    if is_change:
        change_credit_settings(tenant, typed, actor=actor_here())
    if sheet is not None:
        SHEETS[sheet.value](tenant, _span(tenant, day)).write(sys.stdout)
    elif windows is not None:
        _show_history(history(tenant, windows=windows), as_json=as_json)
    elif by is not None:
        _show_split(tenant, by, _span(tenant, day), as_json=as_json)
    elif settings or is_change:
        _show_settings(settings_of(tenant), budget_of(tenant), as_json=as_json)
    else:
        _show_today(tenant, as_json=as_json)


def _show_today(tenant: Account, *, as_json: bool) -> None:
    now, budget, ahead, org = today(tenant), budget_of(tenant), forecast(tenant), drift(tenant)
    if as_json:
        found = {**asdict(now), "left_calls": budget.left_calls, "forecast": asdict(ahead), "org": asdict(org)}
        print_json(found)
        return
    print_credits(now)
    runs_out = f" The limit is reached at {utc(ahead.runs_out_utc)}." if ahead.runs_out_utc else ""
    _say(f"Expected by then: {ahead.expected_used_calls:,}; {ahead.sentence}{runs_out}")
    _say(org.sentence)
    for job in waiting_for_room(tenant):
        _say(f"Waits: {job.task}, job {job.pk}. {job.reason} Goes on by itself, {utc(job.not_before_utc)}.")


def print_credits(now: Today) -> None:
    rows = [(row.job_kind, row.call_kind, row.sobject or "several", f"{row.calls:,}") for row in now.spending]
    print_table("Credits spent in this window", ("Job", "Call", "Object", "Credits"), rows, numbers=(3,))
    _say(f"{now.used_calls:,} of {now.limit_calls:,} used, {now.left_calls:,} left until {utc(now.ends_utc)}.")
    if now.org_limit_calls is not None:
        _say(f"The org itself says {now.org_used_calls:,} of {now.org_limit_calls:,} (all its users together).")


def _show_history(rows: list[WindowSpent], *, as_json: bool) -> None:
    if as_json:
        print_json({"windows": [asdict(row) for row in rows]})
        return
    told = [
        (utc(row.starts_utc), f"{row.used_calls:,}", _count(row.limit_calls), f"{row.refused:,}", f"{row.unanswered:,}")
        for row in rows
    ]
    print_table("Credits by window", ("From", "Used", "Limit", "Refused", "Unanswered"), told, numbers=(1, 2, 3, 4))


def _show_split(tenant: Account, by: Grouping, span: Span, *, as_json: bool) -> None:
    column, heading = GROUPS[by]
    rows = spending(tenant, span.since_utc, span.until_utc, by=[column])
    if as_json:
        print_json({**asdict(span), "spending": [{column: getattr(row, column), **_counts(row)} for row in rows]})
        return
    told = [(_named(getattr(row, column)), f"{row.calls:,}", f"{row.refused:,}", f"{row.unanswered:,}") for row in rows]
    title = f"Credits from {utc(span.since_utc)} to {utc(span.until_utc)}"
    print_table(title, (heading, "Credits", "Refused", "Unanswered"), told, numbers=(1, 2, 3))


def _show_settings(present: QuotaSettings, budget: Budget, *, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(present), "reset_time": present.reset_time})
        return
    floor = "the org has not spoken yet" if budget.floor_calls is None else f"{budget.floor_calls:,} calls"
    rows = [
        ("Daily CRM API Limit", f"{present.daily_limit_calls:,}", ""),
        ("Daily reset", f"{present.reset_time} {present.time_zone}", f"next {utc(budget.ends_utc)}"),
        ("Left to the org's other users", f"{present.floor_percent} %", floor),
        ("Share for reading history", f"{present.backfill_share_percent} %", f"{budget.backfill_share_calls:,} calls"),
    ]
    print_table("Settings of credits", ("Setting", "Value", "Comes to"), rows, numbers=())


def _show_all(*, as_json: bool) -> None:
    states = list(account_states())
    if as_json:
        print_json({"accounts": [{"account": one.account.slug, **_today_of(one.budget)} for one in states]})
        return
    rows = [
        (
            one.account.slug,
            f"{one.budget.used_calls:,}",
            f"{one.budget.limit_calls:,}",
            f"{one.forecast.expected_used_calls:,}",
            f"{_count(one.drift.org_used_calls)} of {_count(one.drift.org_limit_calls)}" if one.drift.at_utc else "-",
            one.paused.reason if one.paused else "",
        )
        for one in states
    ]
    headings = ("Account", "Used", "Limit", "Expected", "The org says", "Waits")
    print_table("Credits of all accounts", headings, rows, numbers=(1, 2, 3, 4))


def _span(tenant: Account, day: str | None) -> Span:
    """The running window, or that of a day by the account's own clocks. Raises Fix where there is none."""
    zone = ZoneInfo(settings_of(tenant).time_zone)
    windows = {f"{row.starts_utc.astimezone(zone):%Y-%m-%d}": row for row in history(tenant, windows=_WINDOWS_BACK)}
    row = list(windows.values())[-1] if day is None else windows.get(day)
    if row is None:
        raise Fix(
            "cli.no_such_window",
            f"No window of this account began on “{day}”.",
            Facts(
                why=f"Kept are {min(windows)} to {max(windows)}.",
                you_can="see them with headwater credits --history 90",
            ),
        )
    return Span(row.starts_utc, row.ends_utc)


def _today_of(budget: Budget) -> dict[str, Any]:
    return {**asdict(budget), "left_calls": budget.left_calls}


def _counts(row: Any) -> dict[str, int]:
    return {"calls": row.calls, "refused": row.refused, "unanswered": row.unanswered}


def _named(value: datetime | str | None) -> str:
    return utc(value.astimezone(UTC)) if isinstance(value, datetime) else value or "none or several"


def _count(calls: int | None) -> str:
    return "-" if calls is None else f"{calls:,}"


def _say(sentence: str) -> None:
    out.print(sentence, highlight=False)
