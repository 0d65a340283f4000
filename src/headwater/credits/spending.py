"""Where credits went: calls by hour, job, object, kind and outcome, and the windows of the last months.

Answers come from the entries of recent calls and, for older ones, from the rows they were folded into (rollup.py).
Not here: what is going to be spent (forecast.py) and whether the org agrees (reconcile.py).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from django.db.models import Aggregate as Aggregation
from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, TruncDay, TruncHour

from headwater.accounts.models import Account
from headwater.common.errors import Bug
from headwater.credits.models import UNANSWERED, Entry, EntryState, Window
from headwater.credits.opening import current_window, quota_of
from headwater.credits.rollup_models import Aggregate, JobTotal

By = Literal["hour", "day", "job_kind", "job_id", "sobject", "call_kind", "outcome"]
LATE = timedelta(minutes=1)  # a call is written a moment after its window was found


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
    """Calls reserved from `since_utc` on and before `until_utc`, in groups: by time, the largest of each first.

    What was folded counts at the beginning of its hour or, after 100 days, of its UTC day (or of its window, where that
    begins within), and has lost its job after 100 days.
    """
    if unknown := set(by) - set(get_args(By)):
        raise Bug("credits.unknown_group", f"Spending cannot be grouped by {', '.join(sorted(unknown))}.")
    columns = list(dict.fromkeys(by))
    folded = Aggregate.of(account).filter(starts_utc__gte=since_utc, starts_utc__lt=until_utc)
    rows = _counts(calls_between(account, since_utc, until_utc), folded, columns)
    return sorted((Spent(**row) for row in rows), key=_order)


def spending_of_window(account: Account, window: Window, *, by: Sequence[By]) -> list[Spent]:
    """The same of the calls that stand in a window, in no order."""
    entries, folded = Entry.of(account).filter(window=window), Aggregate.of(account).filter(window=window)
    return [Spent(**row) for row in _counts(entries, folded, by)]


def history(account: Account, *, windows: int = 90) -> list[WindowSpent]:
    """The latest windows in which something was spent, and the current one; the newest last."""
    current = current_window(account)
    kept = list(Window.of(account).filter(starts_utc__lte=current.starts_utc).order_by("-starts_utc")[:windows])
    entries, folded = Entry.of(account).filter(window__in=kept), Aggregate.of(account).filter(window__in=kept)
    counted = {row["window_id"]: row for row in _counts(entries, folded, ["window_id"])}
    spent = [_window_spent(window, counted.get(window.pk)) for window in reversed(kept)]
    limit = quota_of(account).daily_limit_calls
    return [*spent[:-1], _with_limit(spent[-1], limit)]


def calls_between(account: Account, since_utc: datetime, until_utc: datetime) -> QuerySet[Entry]:
    """The single calls reserved from `since_utc` on and before `until_utc`."""
    near = Window.of(account).filter(ends_utc__gt=since_utc - LATE, starts_utc__lt=until_utc)
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


def calls_of_job(account: Account, job_id: str) -> int:
    """Credits that one job has spent, in whatever windows."""
    entries = Entry.of(account).filter(job_id=job_id).exclude(state=EntryState.NOT_SENT)
    hours = Aggregate.of(account).filter(job_id=job_id)
    days = JobTotal.of(account).filter(job_id=job_id)
    sums = [_sum_of_job(entries, Count("pk")), _sum_of_job(hours, Sum("calls")), _sum_of_job(days, Sum("calls"))]
    return sum(calls for _, calls in sums[0].union(*sums[1:], all=True))


def _sum_of_job(rows: QuerySet[Any], calls: Aggregation) -> QuerySet[Any, Any]:
    summed: QuerySet[Any, Any] = rows.values("job_id").annotate(spent=calls).order_by().values_list("job_id", "spent")
    return summed


def _counts(entries: QuerySet[Entry], folded: QuerySet[Aggregate], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Both in one statement: a fold between two would lose its calls, or show them twice."""
    single = _grouped(entries.exclude(state=EntryState.NOT_SENT), columns, "reserved_utc", Count, Value(1))
    sums = _grouped(folded, columns, "starts_utc", Sum, F("calls"))
    totals: dict[tuple[Any, ...], Counter[str]] = {}
    for *group, _, calls, refused, unanswered in single.union(sums, all=True):
        counts = totals.setdefault(tuple(group), Counter(calls=0, refused=0, unanswered=0))
        counts.update(calls=calls, refused=refused, unanswered=unanswered)
    return [{**dict(zip(columns, group, strict=True)), **counts} for group, counts in totals.items()]


def _grouped(
    rows: QuerySet[Any], columns: Sequence[str], moment: str, aggregation: type[Aggregation], counted: F | Value
) -> QuerySet[Any, Any]:
    computed = {
        "hour": TruncHour(moment, tzinfo=UTC),
        "day": TruncDay(moment, tzinfo=UTC),
        "outcome": F("state"),
        "everything": Value(1),
    }
    groups = [*columns, "everything"]
    grouped: QuerySet[Any, Any] = (
        rows.annotate(**{name: computed[name] for name in groups if name in computed})
        .values(*groups)
        .annotate(
            spent=Coalesce(aggregation(counted), 0),
            refused=Coalesce(aggregation(counted, filter=Q(state=EntryState.REFUSED)), 0),
            unanswered=Coalesce(aggregation(counted, filter=Q(state__in=UNANSWERED)), 0),
        )
        .order_by()
        .values_list(*groups, "spent", "refused", "unanswered")
    )
    return grouped


def _order(spent: Spent) -> tuple[Any, ...]:
    start = spent.hour or spent.day or datetime.min.replace(tzinfo=UTC)
    names = (spent.job_kind, spent.job_id, spent.sobject, spent.call_kind, spent.outcome)
    return (start, -spent.calls, *(name or "" for name in names))
