"""Putting jobs in, and taking the next one out: one running job per tenant, the tenant longest unserved first.

Not here: how long a taken job is held (lease.py) and what becomes of it (outcomes.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from headwater.common.clock import now_utc
from headwater.jobs.lease import Lease, LeaseWatch
from headwater.jobs.models import LIVE, MAY_START, Job, JsonValue, State, Turn, as_json

RETRYABLE = (State.BLOCKED, State.FAILED, State.WAITING)
CANDIDATES = 20  # tenants looked at in one go; the others' turn comes as these are served


def put(
    task: str,
    *,
    tenant: str,
    arguments: Mapping[str, JsonValue],
    not_before_utc: datetime | None = None,
    dedupe: bool = True,
) -> Job:
    """A new queued job. With `dedupe`, an equal one of the tenant that is queued, running or waiting is returned."""
    if not_before_utc is not None and not_before_utc.tzinfo is None:
        raise ValueError("A job's earliest start needs a timezone-aware moment.")
    columns = {"arguments": as_json(arguments), "not_before_utc": not_before_utc, "created_utc": now_utc()}
    if not dedupe:
        return Job.objects.create(tenant=tenant, task=task, **columns)
    live = Job.objects.filter(state__in=LIVE)
    equal = {"tenant": tenant, "task": task, "sole_key": sole_key(arguments)}
    try:
        return live.get_or_create(**equal, defaults=columns)[0]
    except IntegrityError:  # the equal job ended between the refused insert and the second look
        return live.get_or_create(**equal, defaults=columns)[0]


def put_back(job: Job) -> bool:
    """Queue a stopped job again, behind its last done step. False where an equal one is live: the index allows one."""
    stopped = Job.objects.filter(pk=job.pk, state__in=RETRYABLE)
    try:
        with transaction.atomic():
            stopped.update(
                state=State.QUEUED,
                not_before_utc=None,
                failures=0,
                takeovers=0,
                finished_utc=None,
                cancel_requested=False,
            )
    except IntegrityError:
        return False
    return True


def sole_key(arguments: Mapping[str, JsonValue]) -> str:
    """The same for equal arguments, in whatever order they were given."""
    return sha256(json.dumps(arguments, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def startable_jobs() -> QuerySet[Job]:
    """Jobs whose time has come, of tenants that have none running."""
    due = Q(not_before_utc__isnull=True) | Q(not_before_utc__lte=now_utc())
    busy = Job.objects.filter(state=State.RUNNING).values("tenant")
    return Job.objects.filter(due, state__in=MAY_START).exclude(tenant__in=busy)


def due_jobs() -> QuerySet[Job]:
    """The oldest startable job of each tenant, the tenant longest unserved first."""
    startable = startable_jobs()
    oldest = startable.filter(tenant=OuterRef("tenant")).order_by("pk").values("pk")[:1]
    served = Turn.objects.filter(tenant=OuterRef("tenant")).values("served")
    firsts = startable.filter(pk=Subquery(oldest))
    return firsts.annotate(served=Coalesce(Subquery(served), 0)).order_by("served", "pk")


def orphans(watch: LeaseWatch) -> Iterator[Job]:
    """Running jobs whose lease has ended."""
    running = list(Job.objects.filter(state=State.RUNNING).order_by("pk"))
    watch.forget_all_but({job.pk for job in running})
    return (job for job in running if watch.has_ended(job))


def take_next(worker: str, lease_seconds: float, watch: LeaseWatch) -> tuple[Job, Lease] | None:
    """The next job for `worker`: one whose holder is dead before all others. None when nothing could be taken."""
    for job in orphans(watch):
        if lease := take(job, worker, lease_seconds):
            return job, lease
    for job in due_jobs()[:CANDIDATES]:
        if lease := take(job, worker, lease_seconds):
            return job, lease
    return None


def take(job: Job, worker: str, lease_seconds: float) -> Lease | None:
    """Make `worker` the holder of `job` as it was read, or return None when anyone else was faster.

    The fence is counted up from the row that was read, never read back: a later reader could see a thief's.
    """
    now, from_dead = now_utc(), int(job.state == State.RUNNING)
    taken = {
        "state": State.RUNNING,
        "fence": job.fence + 1,
        "worker": worker,
        "lease_until_utc": now + timedelta(seconds=lease_seconds),
        "attempt": job.attempt + 1,
        "started_utc": job.started_utc or now,
        "not_before_utc": None,
        "reason_code": "",
        "reason": "",
        "reason_facts": {},
    }
    try:
        with transaction.atomic():
            as_read = Job.objects.filter(pk=job.pk, fence=job.fence, state=job.state)
            if as_read.update(takeovers=F("takeovers") + from_dead, **taken) != 1:
                return None
            _note_turn(job.tenant)
    except IntegrityError:  # the tenant has a running job by now: its index refuses a second
        return None
    job.takeovers += from_dead
    for column, value in taken.items():
        setattr(job, column, value)
    return Lease(job.pk, job.fence, lease_seconds)


def _note_turn(tenant: str) -> None:
    newest = Turn.objects.aggregate(newest=Max("served"))["newest"] or 0
    Turn.objects.update_or_create(tenant=tenant, defaults={"served": newest + 1})
