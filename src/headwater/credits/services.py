"""What pages, commands and jobs ask of the credits room."""

from dataclasses import dataclass, replace
from datetime import datetime

from headwater.accounts.models import Account
from headwater.credits.allowance import forget_org
from headwater.credits.budget import Budget, budget_of
from headwater.credits.ledger import Ledger
from headwater.credits.models import Allowance
from headwater.credits.opening import current_window, quota_of
from headwater.credits.priorities import Priority
from headwater.credits.quota_settings import TypedSettings, change_settings, settings_of
from headwater.credits.spending import Spent, calls_of_job, spending_of_window

__all__ = [  # so that callers know one door
    "Budget",
    "budget_of",
    "calls_of_job",
    "change_settings",
    "forget_org",
    "settings_of",
]


@dataclass(frozen=True, slots=True)
class Spending:
    """Calls of one kind of job; `refused` of them were answered with an error, `unanswered` got no answer."""

    job_kind: str
    call_kind: str
    sobject: str
    calls: int
    refused: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class Today:
    """The current window. `org_*` is what the org last said of itself, for all its users together."""

    starts_utc: datetime
    ends_utc: datetime
    limit_calls: int
    used_calls: int
    org_used_calls: int | None
    org_limit_calls: int | None
    org_read_utc: datetime | None
    spending: tuple[Spending, ...]

    @property
    def left_calls(self) -> int:
        return max(0, self.limit_calls - self.used_calls)


def meter_for(
    account: Account, *, job_kind: str, job_id: str = "", fence: int = 0, priority: Priority = Priority.FRESH
) -> Ledger:
    return Ledger(account, job_kind=job_kind, job_id=job_id, fence=fence, priority=priority)


def today(account: Account) -> Today:
    """The current window with its spending by job, kind of call and object, the largest first."""
    window, org = current_window(account), Allowance.of(account).first() or Allowance()
    spent = spending_of_window(account, window, by=("job_kind", "call_kind", "sobject"))
    spent.sort(key=lambda each: (-each.calls, each.job_kind, each.call_kind, each.sobject))
    return Today(
        starts_utc=window.starts_utc,
        ends_utc=window.ends_utc,
        limit_calls=quota_of(account).daily_limit_calls,
        used_calls=window.used_calls,
        org_used_calls=org.said_calls,
        org_limit_calls=org.limit_calls,
        org_read_utc=org.heard_utc,
        spending=tuple(map(_as_spending, spent)),
    )


def _as_spending(spent: Spent) -> Spending:
    return Spending(
        job_kind=spent.job_kind or "",
        call_kind=spent.call_kind or "",
        sobject=spent.sobject or "",
        calls=spent.calls,
        refused=spent.refused,
        unanswered=spent.unanswered,
    )


def daily_limit(account: Account) -> int:
    return quota_of(account).daily_limit_calls


def change_daily_limit(account: Account, typed: str, actor: str, *, expected: int | None = None) -> int:
    """Store a new limit as a person typed it; raises Fix and changes nothing where it is not one (row B3).

    `expected`: the limit that the person saw; another one meanwhile is not overwritten unseen.
    """
    wanted = TypedSettings(daily_limit_calls=typed)
    seen = None if expected is None else replace(settings_of(account), daily_limit_calls=expected)
    return change_settings(account, wanted, actor=actor, expected=seen).daily_limit_calls
