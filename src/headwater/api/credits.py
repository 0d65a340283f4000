"""The operations of the REST API about credits: spending, history, forecast, the org's allowance, the settings."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router

from headwater.accounts.models import Role
from headwater.api import credit_shapes as shapes
from headwater.api.asking import account_of, actor_of
from headwater.common.clock import now_utc
from headwater.credits.budget import budget_of
from headwater.credits.forecast import burn_down, forecast
from headwater.credits.quota_settings import QuotaSettings, TypedSettings, settings_of
from headwater.credits.reconcile import drift
from headwater.credits.services import daily_limit, today
from headwater.credits.sheets import HISTORY_WINDOWS
from headwater.credits.spending import By, history, spending
from headwater.wiring import change_credit_settings, change_daily_limit

MAXIMUM_WINDOWS = 400
Windows = Annotated[int, Query(ge=1, le=MAXIMUM_WINDOWS)]
Groups = Annotated[list[By], Query()]

router = Router()


@router.get("", response=shapes.CreditsShape)
def credits_today(request: HttpRequest) -> shapes.CreditsShape:
    """Spending in the current window, what is left, and where it is going. Costs no credit."""
    mine = account_of(request)
    now, budget = today(mine), budget_of(mine)
    return shapes.CreditsShape(
        **asdict(now),
        left_calls=budget.left_calls,
        floor_calls=budget.floor_calls,
        org_left_calls=budget.org_left_calls,
        forecast=shapes.ForecastShape(**asdict(forecast(mine))),
    )


@router.get("/hours", response=shapes.BurnDownShape)
def hours(request: HttpRequest) -> shapes.BurnDownShape:
    """The current window from hour to hour: used so far, and what is likely until its end."""
    return shapes.BurnDownShape(**asdict(burn_down(account_of(request))))


@router.get("/history", response=shapes.HistoryShape)
def past_windows(request: HttpRequest, windows: Windows = HISTORY_WINDOWS) -> shapes.HistoryShape:
    """The latest windows, the newest last."""
    rows = history(account_of(request), windows=windows)
    return shapes.HistoryShape(windows=[shapes.WindowShape(**asdict(row)) for row in rows])


@router.get("/spending", response=shapes.SpendingShape)
def split(
    request: HttpRequest, by: Groups, since_utc: datetime | None = None, until_utc: datetime | None = None
) -> shapes.SpendingShape:
    """Calls in groups: `?by=hour&by=job_kind`. From the beginning of the current window until now, unless said."""
    mine = account_of(request)
    since, until = since_utc or budget_of(mine).starts_utc, until_utc or now_utc()
    rows = spending(mine, since, until, by=by)
    return shapes.SpendingShape(
        since_utc=since, until_utc=until, spending=[shapes.SpentShape(**asdict(row)) for row in rows]
    )


@router.get("/org", response=shapes.OrgShape)
def org(request: HttpRequest) -> shapes.OrgShape:
    """What the org said of its own allowance, beside what Headwater counted in the same 24 hours."""
    return shapes.OrgShape(**asdict(drift(account_of(request))))


@router.get("/settings", response=shapes.SettingsShape)
def read_settings(request: HttpRequest) -> shapes.SettingsShape:
    return _settings(settings_of(account_of(request)))


@router.patch("/settings", response=shapes.SettingsShape)
def write_settings(request: HttpRequest, wished: shapes.WishedSettings) -> shapes.SettingsShape:
    """Set what is named and leave the rest. What waits for credits goes on at once."""
    typed = {name: str(value) for name, value in wished.dict(exclude_none=True).items()}
    mine = account_of(request, Role.ADMIN)
    return _settings(change_credit_settings(mine, TypedSettings(**typed), actor=actor_of(request)))


@router.get("/daily-limit", response=shapes.LimitShape)
def read_limit(request: HttpRequest) -> shapes.LimitShape:
    return shapes.LimitShape(daily_limit_calls=daily_limit(account_of(request)))


@router.put("/daily-limit", response=shapes.LimitShape)
def write_limit(request: HttpRequest, wished: shapes.LimitShape) -> shapes.LimitShape:
    """Set the Daily CRM API Limit: 100,000 or more. What waits for credits goes on at once."""
    limit = change_daily_limit(account_of(request, Role.ADMIN), str(wished.daily_limit_calls), actor_of(request))
    return shapes.LimitShape(daily_limit_calls=limit)


def _settings(present: QuotaSettings) -> shapes.SettingsShape:
    return shapes.SettingsShape(
        daily_limit_calls=present.daily_limit_calls,
        reset_time=present.reset_time,
        time_zone=present.time_zone,
        floor_percent=present.floor_percent,
        backfill_share_percent=present.backfill_share_percent,
    )
