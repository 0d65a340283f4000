"""What a task sees of its job while it runs: steps that are done once, progress, and the points where it may stop.

Not here: taking jobs (queue.py) and what becomes of them afterwards (outcomes.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Wait
from headwater.jobs.beside import beside
from headwater.jobs.lease import DATABASE_TROUBLE, Lease, LostJob
from headwater.jobs.models import MAY_START, Job, State, Step, as_json
from headwater.jobs.progress import Progress, advanced

logger = logging.getLogger(__name__)
T = TypeVar("T")
PROGRESS_EVERY = timedelta(seconds=0.5)
PAUSE_SLICE_SECONDS = 1.0
GIVE_WAY = timedelta(seconds=2)


class Cancelled(BaseException):  # control flow; not an Exception, so that no task can swallow it
    """A person cancelled the job."""


class HandBack(BaseException):  # control flow, as above
    """This worker is asked to stop: the job goes back to the queue and goes on from its last step elsewhere."""


class RunningJob:
    """A job in the hands of this worker. `tell` is called with each progress that is written."""

    def __init__(self, row: Job, lease: Lease, *, stop: Event, tell: Callable[[Progress], None] | None = None) -> None:
        self.id: int = row.pk
        self.tenant = row.tenant
        self.attempt = row.attempt
        self.fence = lease.fence
        self.has_moved_on = False  # a step was recorded since this worker took the job
        self.gives_way = False  # set by a task that others of the tenant must not wait for
        self._chapter = ""
        self._lease = lease
        self._stop = stop
        self._tell = tell
        self._progress: Progress | None = None
        self._written_utc: datetime | None = None

    def step(
        self, name: str, work: Callable[[], T], record: Callable[[T], object] | None = None
    ) -> Any:  # JSON; each caller knows the shape of its own
        """Do `work` once in the job's life and return its JSON result; later runs of the job return it as stored.

        work      Runs outside a transaction. May do HTTP and write files, and runs again if this process dies before
                  the result is recorded: it must be safe to repeat.
        record    Gets what `work` returned; writes the caller's rows and returns what to store (without it, what
                  `work` returned is stored). It, the step's row and the check of the fence are one transaction.

        Errors    LostJob, Cancelled and HandBack, for the worker alone; with them nothing of the step is written.
                  Wait jobs.gave_way, of a job that gives way.
        """
        done = self._steps_called(name).first()
        if done is not None:
            return done.result
        if self._stop.is_set():
            raise HandBack
        self.check_cancelled()
        self._give_way()
        value = work()
        with transaction.atomic(durable=True):
            self._lease.renew(takeovers=0, **self._progress_columns())
            result = as_json(value if record is None else record(value))
            Step.objects.create(
                job_id=self.id, name=self._chapter + name, result=result, fence=self.fence, done_utc=now_utc()
            )
        self.has_moved_on = True
        return result

    def has_done(self, name: str) -> bool:
        """Whether the step is behind the job already, from this run or an earlier one."""
        return self._steps_called(name).exists()

    @contextmanager
    def chapter(self, name: str) -> Iterator[None]:
        """Steps within are others than those of the same names outside: for work begun anew. "" is no chapter."""
        before, self._chapter = self._chapter, f"{self._chapter}{name}: " if name else self._chapter
        try:
            yield
        finally:
            self._chapter = before

    def result_of(self, name: str) -> Any:
        """What a step told that is behind the job already."""
        return self._steps_called(name).get().result

    def _steps_called(self, name: str) -> QuerySet[Step]:
        """The one of this name in the chapter that is open, once it is done."""
        return Step.objects.filter(job_id=self.id, name=self._chapter + name)

    def pause(self, seconds: float) -> None:
        """Let time pass while something outside is at work. Raises HandBack or Cancelled within a second."""
        left = seconds
        while left > 0:
            if self._stop.wait(min(left, PAUSE_SLICE_SECONDS)):
                raise HandBack
            self.check_cancelled()
            self._give_way()
            left -= PAUSE_SLICE_SECONDS

    @contextmanager
    def watching(self, break_off: Callable[[], None]) -> Iterator[None]:
        """While the block waits for something outside that only `break_off` can end: a person's wish to cancel is heard
        within a second or so. Raises Cancelled or LostJob then, whatever the block came to.

        break_off   Is called from another thread, once at most.
        """
        heard = Event()
        try:
            with beside("listening", partial(self._listen, heard, break_off)):
                yield
        finally:
            if heard.is_set():
                self.check_cancelled()

    def _listen(self, heard: Event, break_off: Callable[[], None], over: Event) -> None:
        while not over.wait(PAUSE_SLICE_SECONDS):
            if self._is_to_end():
                heard.set()
                break_off()
                return

    def _is_to_end(self) -> bool:
        """Asked from the listening thread, which has a connection of its own."""
        try:
            self.check_cancelled()
        except (Cancelled, LostJob):
            return True
        except DATABASE_TROUBLE as trouble:
            logger.warning("Job %d: whether it is cancelled could not be seen this time: %s", self.id, trouble)
            connection.close()
        return False

    def progress(self, done: int, total: int | None, unit: str, note: str = "") -> None:
        """Say how far the work is, as often as is handy: it is written twice a second at most, and with each step."""
        now = now_utc()
        self._progress = advanced(self._progress, done, total, unit, note, now=now)
        if self._written_utc is not None and abs(now - self._written_utc) < PROGRESS_EVERY:
            return
        self._lease.renew(**self._progress_columns())
        self._written_utc = now
        if self._tell is not None:
            self._tell(self._progress)

    def check_cancelled(self) -> None:
        """Raises Cancelled or LostJob. Long work calls it between pieces; each step does at its start."""
        ours = Job.objects.filter(pk=self.id, fence=self.fence, state=State.RUNNING)
        cancelled = ours.values_list("cancel_requested", flat=True).first()
        if cancelled is None:
            raise LostJob(f"job {self.id}, fence {self.fence}")
        if cancelled:
            raise Cancelled

    def _give_way(self) -> None:
        """A job that gives way lets every other of its tenant that may start go first."""
        if not self.gives_way:
            return
        due = Q(not_before_utc__isnull=True) | Q(not_before_utc__lte=now_utc())
        others = Job.objects.filter(due, tenant=self.tenant, state__in=MAY_START).exclude(pk=self.id)
        if others.exists():
            raise Wait(
                "jobs.gave_way",
                "Another job of the account goes first.",
                retry_utc=now_utc() + GIVE_WAY,
                facts=Facts(left="Steps that were done stay done.", next="It goes on by itself right after that job."),
            )

    def _progress_columns(self) -> dict[str, Any]:
        return {} if self._progress is None else self._progress.columns()
