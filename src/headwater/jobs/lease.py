"""Who holds a running job: the lease that dies with its holder, and the fence that makes an old holder harmless.

The lease only decides when others may try; the fence alone decides who may write. So a clock that is wrong costs a
takeover too many, or a moment's delay, and never a doubled or a lost record.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.db.models import F

from headwater.common.clock import now_utc
from headwater.jobs.beside import beside
from headwater.jobs.models import Job, State

logger = logging.getLogger(__name__)
DATABASE_TROUBLE = (OperationalError, InterfaceError)  # locked, restarting, unreachable: it passes
BEATS_PER_LEASE = 3


class LostJob(BaseException):  # control flow; not an Exception, so that no task can swallow it
    """Another worker holds the job now (or a person ended it): nothing more may be written for it."""


@dataclass(frozen=True, slots=True)
class Lease:
    job_id: int
    fence: int
    seconds: float

    def renew(self, **columns: Any) -> None:
        """Write `columns` and prolong the lease, if it is still ours. Raises LostJob, with nothing written."""
        until = now_utc() + timedelta(seconds=self.seconds)
        self.write(lease_until_utc=until, **columns)

    def report_alive(self) -> None:
        """Say that this holder was robbed, not dead: the takeover does not count towards giving the job up."""
        Job.objects.filter(pk=self.job_id, takeovers__gt=0).update(takeovers=F("takeovers") - 1)

    def write(self, **columns: Any) -> None:
        """Write `columns` under the fence. Raises LostJob unless exactly this holder's row was touched."""
        ours = Job.objects.filter(pk=self.job_id, fence=self.fence, state=State.RUNNING)
        if ours.update(**columns) != 1:
            raise LostJob(f"job {self.job_id}, fence {self.fence}")


def heartbeat(lease: Lease) -> AbstractContextManager[None]:
    """Renew the lease from a thread of its own while the block works, so that a long step does not look dead."""
    return beside("heartbeat", partial(_beat, lease))


def _beat(lease: Lease, over: Event) -> None:
    try:
        while not over.wait(lease.seconds / BEATS_PER_LEASE):
            _beat_once(lease)
    except LostJob:
        logger.info("Job %d: its lease was taken over; fence %d is stale.", lease.job_id, lease.fence)


def _beat_once(lease: Lease) -> None:
    try:
        lease.renew()
    except DATABASE_TROUBLE as trouble:
        logger.warning("Job %d: its lease could not be renewed this time: %s", lease.job_id, trouble)
        connection.close()


class LeaseWatch:
    """Tells which leases have ended, in one worker's eyes.

    A lease has ended when its time has passed, or when nobody renewed it for as long as a lease lasts while this
    worker watched. The second rule frees a job whose dead holder's clock ran far ahead.
    """

    def __init__(self, lease_seconds: float) -> None:
        self._patience = timedelta(seconds=lease_seconds)
        self._seen: dict[int, tuple[int, datetime | None, datetime]] = {}

    def has_ended(self, job: Job) -> bool:
        now = now_utc()
        if job.lease_until_utc is None or job.lease_until_utc <= now:
            return True
        fence, until, since = self._seen.get(job.pk, (-1, None, now))
        if (fence, until) != (job.fence, job.lease_until_utc) or since > now:
            self._seen[job.pk] = (job.fence, job.lease_until_utc, now)
            return False
        return now - since > self._patience

    def forget_all_but(self, job_ids: set[int]) -> None:
        self._seen = {job_id: seen for job_id, seen in self._seen.items() if job_id in job_ids}
