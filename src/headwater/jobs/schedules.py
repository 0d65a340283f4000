"""Turning schedules into jobs. Each tick is claimed by a conditional update, so two workers never both enqueue it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from headwater.common.clock import now_utc
from headwater.jobs.models import Job, Schedule, State
from headwater.jobs.queue import put, put_back, sole_key


def next_tick(previous_utc: datetime, every_seconds: int, now: datetime) -> datetime:
    """The first tick after `now` on the grid that `previous_utc` stands on."""
    every = timedelta(seconds=every_seconds)
    return previous_utc + every * ((now - previous_utc) // every + 1)


def enqueue_due() -> int:
    """Put a job in the queue for every schedule whose time has come; returns how many. An equal live job counts."""
    due = list(Schedule.objects.filter(enabled=True, next_utc__lte=now_utc()).order_by("next_utc"))
    return sum(_enqueue(schedule) for schedule in due)


def _enqueue(schedule: Schedule) -> bool:
    after = next_tick(schedule.next_utc, schedule.every_seconds, now_utc())
    with transaction.atomic():
        as_read = Schedule.objects.filter(pk=schedule.pk, next_utc=schedule.next_utc, enabled=True)
        if as_read.update(next_utc=after) != 1:
            return False
        if not _go_on_instead(schedule):
            put(schedule.task, tenant=schedule.tenant, arguments=schedule.arguments)
    return True


def _go_on_instead(schedule: Schedule) -> bool:
    """An equal job that is blocked is tried again: ticks must not pile up jobs that all say the same."""
    equal = {"tenant": schedule.tenant, "task": schedule.task, "sole_key": sole_key(schedule.arguments)}
    blocked = Job.objects.filter(state=State.BLOCKED, **equal).order_by("-pk").first()
    return blocked is not None and put_back(blocked)
