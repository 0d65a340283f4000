"""The rows of the room: jobs, the ledger of their steps, schedules, and whose turn it is.

Every change of a running job goes through its fence (lease.py). Not here: who changes what (queue.py, outcomes.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from django.db import models

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"


def as_json(value: object) -> JsonValue:
    """`value` as it will read back from the database. Raises TypeError or ValueError where JSON cannot hold it."""
    plain: JsonValue = json.loads(json.dumps(value, allow_nan=False))
    return plain


class State(models.TextChoices):
    QUEUED = "queued", "Queued"  # may start once `not_before_utc` has passed
    RUNNING = "running", "Running"  # a worker holds it, or held it when it died
    WAITING = "waiting", "Waiting"  # goes on by itself at `not_before_utc`
    DONE = "done", "Done"
    FAILED = "failed", "Failed"  # given up
    BLOCKED = "blocked", "Needs attention"  # a person must act, then retry
    CANCELLED = "cancelled", "Cancelled"


MAY_START = (State.QUEUED, State.WAITING)
LIVE = (*MAY_START, State.RUNNING)
ENDED = (State.DONE, State.FAILED, State.CANCELLED)


class Job(models.Model):
    """One piece of work of one tenant. `fence` counts its holders: only the newest may write."""

    tenant = models.CharField(max_length=100)
    task = models.CharField(max_length=100)
    arguments = models.JSONField(default=dict)
    sole_key = models.CharField(max_length=64, null=True)  # noqa: DJ001  null is "equals no other", for the index
    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    not_before_utc = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)

    fence = models.BigIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_until_utc = models.DateTimeField(null=True)
    attempt = models.IntegerField(default=0)  # how often a worker has taken it up
    takeovers = models.IntegerField(default=0)  # from dead holders, in a row without a step between
    failures = models.IntegerField(default=0)  # unexpected errors in a row without a step between

    progress_done = models.BigIntegerField(null=True)
    progress_total = models.BigIntegerField(null=True)
    progress_unit = models.CharField(max_length=50, blank=True)
    progress_note = models.CharField(max_length=300, blank=True)
    progress_from = models.BigIntegerField(null=True)  # what was done already when counting began
    progress_from_utc = models.DateTimeField(null=True)
    progress_utc = models.DateTimeField(null=True)

    result = models.JSONField(null=True)
    reason_code = models.CharField(max_length=100, blank=True)
    reason = models.TextField(blank=True)
    reason_facts = models.JSONField(default=dict)

    created_utc = models.DateTimeField()
    started_utc = models.DateTimeField(null=True)
    finished_utc = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(state=State.RUNNING), name="one_running_job_per_tenant"
            ),
            models.UniqueConstraint(
                fields=["tenant", "task", "sole_key"],
                condition=models.Q(state__in=LIVE),
                name="one_live_job_of_its_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "not_before_utc"], name="job_may_start"),
            models.Index(fields=["tenant", "state", "id"], name="job_oldest"),
            models.Index(fields=["tenant", "task", "id"], name="job_latest"),
            models.Index(fields=["finished_utc"], name="job_ended"),
        ]

    def __str__(self) -> str:
        return f"job {self.pk} ({self.task}, tenant {self.tenant})"


class Step(models.Model):
    """A step that is done: its result stands, and the job never runs it again."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=200)
    result = models.JSONField(null=True)
    fence = models.BigIntegerField()
    done_utc = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="one_row_per_step")]


class Schedule(models.Model):
    """Puts a job of `task` in the queue every so often; ticks missed while nobody worked become one."""

    tenant = models.CharField(max_length=100)
    task = models.CharField(max_length=100)
    arguments = models.JSONField(default=dict)
    every_seconds = models.IntegerField()
    next_utc = models.DateTimeField()
    enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "task"], name="one_schedule_per_task"),
            models.CheckConstraint(condition=models.Q(every_seconds__gt=0), name="schedule_moves_on"),
        ]


class Turn(models.Model):
    """When a tenant was last served, as a running number: no clock decides whose turn it is."""

    tenant = models.CharField(max_length=100, primary_key=True)
    served = models.BigIntegerField()
