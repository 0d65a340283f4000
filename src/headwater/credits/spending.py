"""Where credits went: calls by hour, job, object, kind and outcome, and the windows of the last months.

Answers come from the entries of recent calls and, for older ones, from the rows they were folded into (rollup.py).
Not here: what is going to be spent (forecast.py) and whether the org agrees (reconcile.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from django.db.models import Count, DateTimeField, F, Q, QuerySet, Value
from django.db.models.functions import TruncDay, TruncHour

from headwater.accounts.models import Account
from headwater.common.errors import Bug
from headwater.credits.models import UNANSWERED, Entry, EntryState, Window
from headwater.credits.opening import current_window, quota_of

By = Literal["hour", "day", "job_kind", "job_id", "sobject", "call_kind", "outcome"]


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls of one group, each one credit. What was not asked for in `by` is None.

    hour, day   the beginning of it, UTC
    sobject     empty where a call served several objects or none; `job_id` empty outside a job
    outcome     a state of EntryState; calls that were never sent cost nothing and are in no group
    refused     of `calls`, those answered with an error; `unanswered` those that got no answer
    """

    calls: int
    refused: int
    unanswered: int
    hour: datetime | None = None
    day: datetime | None = None
    job_kind: str | None = None
    job_id: str | None = None
    sobject: str | None = None
    call_kind: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class WindowSpent:
    """One window. `limit_calls` is the limit at its last call; None where that was not kept yet."""

    starts_utc: datetime
    ends_utc: datetime
    used_calls: int
    limit_calls: int | None
    refused: int
    unanswered: int


def spending(account: Account, since_utc: datetime, until_utc: datetime, *, by: Sequence[By]) -> list[Spent]:
    """Calls reserved from `since_utc` on and before `until_utc`, in groups: by time, the largest of each first."""
    if unknown := set(by) - set(get_args(By)):
        raise Bug("credits.unknown_group", f"Spending cannot be grouped by {', '.join(sorted(unknown))}.")
    columns = list(dict.fromkeys(by))
    rows = _counts(calls_between(account, since_utc, until_utc), columns)
    return sorted((Spent(**row) for row in rows), key=_order)


def history(account: Account, *, windows: int = 90) -> list[WindowSpent]:
    """The latest windows in which something was spent, and the current one; the newest last."""
    current = current_window(account)
    kept = list(Window.of(account).filter(starts_utc__lte=current.starts_utc).order_by("-starts_utc")[:windows])
    counted = {row["window_id"]: row for row in _counts(Entry.of(account).filter(window__in=kept), ["window_id"])}
    spent = [_window_spent(window, counted.get(window.pk)) for window in reversed(kept)]
    limit = quota_of(account).daily_limit_calls
    return [*spent[:-1], _with_limit(spent[-1], limit)]


def calls_between(account: Account, since_utc: datetime, until_utc: datetime) -> QuerySet[Entry]:
    """The single calls reserved from `since_utc` on and before `until_utc`."""
    near = Window.of(account).filter(ends_utc__gt=since_utc, starts_utc__lt=until_utc)
    return Entry.of(account).filter(
        window__in=near.values("pk"), reserved_utc__gte=since_utc, reserved_utc__lt=until_utc
    )


def _window_spent(window: Window, counted: dict[str, Any] | None) -> WindowSpent:
    return WindowSpent(
        starts_utc=window.starts_utc,
        ends_utc=window.ends_utc,
        used_calls=window.used_calls,
        limit_calls=window.limit_calls,
        refused=counted["refused"] if counted else 0,
        unanswered=counted["unanswered"] if counted else 0,
    )


def _with_limit(window: WindowSpent, limit_calls: int) -> WindowSpent:
    """The current window has the limit that the next call meets."""
    return WindowSpent(
        window.starts_utc, window.ends_utc, window.used_calls, limit_calls, window.refused, window.unanswered
    )


def _counts(entries: QuerySet[Entry], columns: Sequence[str]) -> QuerySet[Entry, dict[str, Any]]:
    truncated = {
        "hour": TruncHour("reserved_utc", tzinfo=UTC, output_field=DateTimeField()),
        "day": TruncDay("reserved_utc", tzinfo=UTC, output_field=DateTimeField()),
        "outcome": F("state"),
    }
    named = {name: truncated[name] for name in columns if name in truncated}
    rows = entries.exclude(state=EntryState.NOT_SENT).annotate(everything=Value(1), **named)
    counted: QuerySet[Entry, dict[str, Any]] = (
        rows.values(*columns or ["everything"])
        .annotate(
            calls=Count("pk"),
            refused=Count("pk", filter=Q(state=EntryState.REFUSED)),
            unanswered=Count("pk", filter=Q(state__in=UNANSWERED)),
        )
        .order_by()
        .values(*columns, "calls", "refused", "unanswered")
    )
    return counted


def _order(spent: Spent) -> tuple[Any, ...]:
    start = spent.hour or spent.day or datetime.min.replace(tzinfo=UTC)
    names = (spent.job_kind, spent.job_id, spent.sobject, spent.call_kind, spent.outcome)
    return (start, -spent.calls, *(name or "" for name in names))
