"""Turning schedules into jobs. Each tick is claimed by a conditional update, so two workers never both enqueue it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from headwater.common.clock import now_utc
from headwater.jobs.models import Schedule
from headwater.jobs.queue import put


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
        put(schedule.task, tenant=schedule.tenant, arguments=schedule.arguments)
    return True
