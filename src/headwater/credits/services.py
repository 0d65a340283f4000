"""What pages, commands and jobs ask of the credits room."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q

from headwater.accounts.models import Account, AuditEvent
from headwater.accounts.services import events_of, record_event
from headwater.common.errors import Facts, Fix
from headwater.credits.ledger import WINDOW, Ledger, current_window, quota_of
from headwater.credits.models import (
    MAXIMUM_DAILY_LIMIT_CALLS,
    MINIMUM_DAILY_LIMIT_CALLS,
    Entry,
    EntryState,
    Quota,
)

LIMIT_CHANGED = "credits.daily_limit_changed"


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


def meter_for(account: Account, *, job_kind: str, job_id: str = "") -> Ledger:
    return Ledger(account, job_kind=job_kind, job_id=job_id)


def today(account: Account) -> Today:
    """The current window with its spending by job, kind of call and object, the largest first."""
    window, limit = current_window(account), quota_of(account).daily_limit_calls
    rows = (
        Entry.of(account)
        .filter(window=window)
        .exclude(state=EntryState.NOT_SENT)
        .values("job_kind", "call_kind", "sobject")
        .annotate(
            calls=Count("pk"),
            refused=Count("pk", filter=Q(state=EntryState.REFUSED)),
            unanswered=Count("pk", filter=Q(state__in=[EntryState.OPEN, EntryState.LOST])),
        )
        .order_by("-calls", "job_kind", "call_kind", "sobject")
    )
    return Today(
        starts_utc=window.starts_utc,
        ends_utc=window.starts_utc + WINDOW,
        limit_calls=limit,
        used_calls=window.used_calls,
        org_used_calls=window.org_used_calls,
        org_limit_calls=window.org_limit_calls,
        org_read_utc=window.org_read_utc,
        spending=tuple(Spending(**row) for row in rows),
    )


def calls_of_job(account: Account, job_id: str) -> int:
    """Credits that one job has spent, in whatever windows."""
    return Entry.of(account).filter(job_id=job_id).exclude(state=EntryState.NOT_SENT).count()


def daily_limit(account: Account) -> int:
    return quota_of(account).daily_limit_calls


def change_daily_limit(account: Account, typed: str, actor: str, *, expected: int | None = None) -> int:
    """Store a new limit as a person typed it; raises Fix and changes nothing where it is not one (row B3).

    `expected`: the limit that the person saw; another one meanwhile is not overwritten unseen.
    """
    limit = _read_limit(typed)
    with transaction.atomic():
        quota = Quota.of(account).select_for_update().get(pk=quota_of(account).pk)
        if expected is not None and quota.daily_limit_calls not in (expected, limit):
            raise _changed_meanwhile(account, quota.daily_limit_calls)
        before, quota.daily_limit_calls = quota.daily_limit_calls, limit
        if before != limit:
            quota.save(update_fields=["daily_limit_calls"])
            record_event(account, actor=actor, action=LIMIT_CHANGED, before=f"{before:,}", after=f"{limit:,}")
    return limit


def limit_changes(account: Account) -> list[AuditEvent]:
    """Who changed the limit and when, the newest first."""
    return list(events_of(account, LIMIT_CHANGED))


def _read_limit(typed: str) -> int:
    plain = typed.strip().replace(",", "").replace(" ", "").replace("\u202f", "").replace("\u00a0", "")
    if not (plain.isascii() and plain.isdigit()):
        raise _bad_limit(f"“{typed.strip()[:40]}” is not a whole number.")
    limit = int(plain) if len(plain) <= 20 else MAXIMUM_DAILY_LIMIT_CALLS + 1
    if limit < MINIMUM_DAILY_LIMIT_CALLS:
        raise _bad_limit(f"{limit:,} is less than {MINIMUM_DAILY_LIMIT_CALLS:,}, the least an account can work with.")
    if limit > MAXIMUM_DAILY_LIMIT_CALLS:
        raise _bad_limit(f"The limit is at most {MAXIMUM_DAILY_LIMIT_CALLS:,}.")
    return limit


def _changed_meanwhile(account: Account, present: int) -> Fix:
    latest = events_of(account, LIMIT_CHANGED).first()
    return Fix(
        "credits.limit_changed_meanwhile",
        f"The limit was changed to {present:,} while this form was open.",
        Facts(
            why=f"{latest.actor} changed it from {latest.before} to {latest.after}." if latest else "",
            left="What you typed was not saved.",
            you_can=f"save again to replace {present:,}, or cancel to keep it",
        ),
    )


def _bad_limit(why: str) -> Fix:
    return Fix(
        "credits.bad_limit",
        why,
        Facts(
            left="The limit was not changed.", you_can=f"enter a whole number, {MINIMUM_DAILY_LIMIT_CALLS:,} or more"
        ),
    )
