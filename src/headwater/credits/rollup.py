"""Folds old entries of the ledger into hours, and old hours into days, so that it stays small for years.

A batch is one transaction: the sums rise and what they are made of goes, or neither. Whoever folds a window holds its
row, so that two workers never count a call twice. Why so: docs/reference/credit-accounts.md.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from headwater.common.clock import now_utc
from headwater.credits.models import Entry, EntryState, Window
from headwater.credits.rollup_models import Aggregate, JobTotal, Span

ENTRIES_KEPT = timedelta(
    days=4
)  # after their reservation: the window is over for days, and nobody settles them any more
HOURS_KEPT = timedelta(days=100)
BATCH_ENTRIES = 5_000
BATCHES_A_TIME = 4

Key = tuple[datetime, str, str, str, str, str]  # starts_utc, job_kind, job_id, sobject, call_kind, state


def fold_some() -> int:
    """As many batches as a worker has time for between two jobs; returns how many there were."""
    done = 0
    while done < BATCHES_A_TIME and (fold_entries() or fold_hours()):
        done += 1
    return done


def fold_entries() -> bool:
    """One batch of entries into hours. Returns whether there was one."""
    oldest = Entry.of_all().order_by("pk").values("reserved_utc", "window_id").first()
    if oldest is None or oldest["reserved_utc"] >= now_utc() - ENTRIES_KEPT:
        return False
    with transaction.atomic():
        window = Window.of_all().select_for_update().get(pk=oldest["window_id"])
        entries = Entry.of_all().filter(window=window)
        last = entries.order_by("pk").values_list("pk", flat=True)[:BATCH_ENTRIES]
        batch = entries.filter(pk__lte=max(last, default=0))
        calls = Counter[Key]()
        counted = batch.exclude(state=EntryState.NOT_SENT).values_list(
            "reserved_utc", "job_kind", "job_id", "sobject", "call_kind", "state"
        )
        for reserved_utc, job_kind, job_id, sobject, call_kind, state in counted:
            hour = max(reserved_utc.replace(minute=0, second=0, microsecond=0), window.starts_utc)
            calls[(hour, job_kind, job_id, sobject, call_kind, _final(state))] += 1
        _add(window, Span.HOUR, calls)
        batch.delete()
    return True


def fold_hours() -> bool:
    """One window's hours into its days, and into the totals of its jobs. Returns whether there was one."""
    oldest = Aggregate.of_all().filter(span=Span.HOUR).order_by("starts_utc").values("starts_utc", "window_id").first()
    if oldest is None or oldest["starts_utc"] >= now_utc() - HOURS_KEPT:
        return False
    with transaction.atomic():
        window = Window.of_all().select_for_update().get(pk=oldest["window_id"])
        hours = Aggregate.of_all().filter(window=window, span=Span.HOUR)
        calls, jobs = Counter[Key](), Counter[str]()
        for hour in hours:
            day = hour.starts_utc.replace(hour=0, minute=0, second=0, microsecond=0)
            key = (max(day, window.starts_utc), hour.job_kind, "", hour.sobject, hour.call_kind, hour.state)
            calls[key] += hour.calls
            jobs[hour.job_id] += hour.calls
        _add(window, Span.DAY, calls)
        _add_to_jobs(window.account_id, jobs)
        hours.delete()
    return True


def _final(state: str) -> str:
    """Nobody is waiting any more for the answer to a call as old as this."""
    return EntryState.ABANDONED.value if state == EntryState.OPEN else state


def _add(window: Window, span: Span, calls: Mapping[Key, int]) -> None:
    """Raise the sums of a window whose row is held."""
    there = Aggregate.of_all().filter(window=window, span=span)
    known = {_key(row): row.calls for row in there}
    Aggregate.of_all().bulk_create(
        [_row(window, span, key, known.get(key, 0) + count) for key, count in calls.items()],
        update_conflicts=True,
        unique_fields=Aggregate.KEY,
        update_fields=["calls"],
    )


def _row(window: Window, span: Span, key: Key, calls: int) -> Aggregate:
    starts_utc, job_kind, job_id, sobject, call_kind, state = key
    return Aggregate(
        account_id=window.account_id,
        window=window,
        span=span,
        starts_utc=starts_utc,
        job_kind=job_kind,
        job_id=job_id,
        sobject=sobject,
        call_kind=call_kind,
        state=state,
        calls=calls,
    )


def _key(row: Aggregate) -> Key:
    return (row.starts_utc, row.job_kind, row.job_id, row.sobject, row.call_kind, row.state)


def _add_to_jobs(account_id: int, calls_by_job: Mapping[str, int]) -> None:
    for job_id, calls in calls_by_job.items():
        if job_id:
            total, _ = JobTotal.of(account_id).get_or_create(account_id=account_id, job_id=job_id)
            JobTotal.of(account_id).filter(pk=total.pk).update(calls=F("calls") + calls)
