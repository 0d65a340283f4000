"""What pages, commands and jobs ask of the credits room."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, Q

from headwater.accounts.models import Account, AuditEvent
from headwater.accounts.services import events_of
from headwater.credits.allowance import forget_org
from headwater.credits.budget import Budget, budget_of
from headwater.credits.ledger import Ledger
from headwater.credits.models import UNANSWERED, Allowance, Entry, EntryState
from headwater.credits.opening import current_window, quota_of
from headwater.credits.priorities import Priority
from headwater.credits.quota_settings import LIMIT_CHANGED, TypedSettings, change_settings, settings_of
from headwater.credits.spending import calls_of_job

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
    rows = (
        Entry.of(account)
        .filter(window=window)
        .exclude(state=EntryState.NOT_SENT)
        .values("job_kind", "call_kind", "sobject")
        .annotate(
            calls=Count("pk"),
            refused=Count("pk", filter=Q(state=EntryState.REFUSED)),
            unanswered=Count("pk", filter=Q(state__in=UNANSWERED)),
        )
        .order_by("-calls", "job_kind", "call_kind", "sobject")
    )
    return Today(
        starts_utc=window.starts_utc,
        ends_utc=window.ends_utc,
        limit_calls=quota_of(account).daily_limit_calls,
        used_calls=window.used_calls,
        org_used_calls=org.said_calls,
        org_limit_calls=org.limit_calls,
        org_read_utc=org.heard_utc,
        spending=tuple(Spending(**row) for row in rows),
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


def limit_changes(account: Account) -> list[AuditEvent]:
    """Who changed the limit and when, the newest first."""
    return list(events_of(account, LIMIT_CHANGED))
