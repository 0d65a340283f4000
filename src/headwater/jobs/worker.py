"""The worker: takes a job, runs its task to an end, a wait or a stop, and writes down what came of it.

Not here: how a process starts, and restarting one that dies (the `serve` command does).
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event

from django.db import connections

from headwater.common.errors import Fix, HeadwaterError, Wait
from headwater.jobs.lease import DATABASE_TROUBLE, Lease, LeaseWatch, LostJob, heartbeat
from headwater.jobs.models import Job, State, as_json
from headwater.jobs.outcomes import CANCELLED, HANDED_BACK, Outcome, refuse_deadly, settle, told, unexpected, waiting
from headwater.jobs.progress import Progress
from headwater.jobs.queue import orphans, startable_jobs, take, take_next
from headwater.jobs.running import Cancelled, HandBack, RunningJob
from headwater.jobs.schedules import enqueue_due
from headwater.jobs.space import disk_full, is_disk_full
from headwater.jobs.tasks import MAX_ATTEMPTS, find_task

logger = logging.getLogger(__name__)
LEASE_SECONDS = 30.0
CHORES_EVERY_SECONDS = 5.0
PATIENCE_TRIES = 135  # database troubles in a row, about an hour of them, before the worker gives up
LONGEST_PAUSE_POLLS = 30  # between looks at a database that is in trouble


def stop_on_signals() -> Event:
    """An event that SIGTERM and SIGINT set: the worker then finishes its step and hands the job back."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def drop_broken_connections() -> None:
    """As Django does between requests; a connection inside a transaction belongs to whoever began it."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


class Worker:
    def __init__(
        self,
        name: str,
        *,
        lease_seconds: float = LEASE_SECONDS,
        tell: Callable[[Progress], None] | None = None,
        chores: Callable[[], None] = lambda: None,
    ) -> None:
        """`chores` is done every few seconds between jobs; any number of workers may do it at once."""
        self.name = name
        self._chores = chores
        self._chores_at = 0.0  # on the monotonic clock
        self._lease_seconds = lease_seconds
        self._watch = LeaseWatch(lease_seconds)
        self._stop = Event()
        self._tell = tell
        self._unsettled: tuple[Job, Lease, Outcome] | None = None  # what the database could not take

    def run_one(self) -> bool:
        """Do one job to its end, wait or stop. Returns whether there may be more."""
        drop_broken_connections()
        self._settle()
        self._do_chores()
        enqueue_due()
        taken = take_next(self.name, self._lease_seconds, self._watch)
        if taken is None:
            return False
        self._run(*taken)
        return True

    def run_this(self, job_id: int) -> bool:
        """Do this one job if it may start (or its holder is dead). Returns whether it was taken."""
        drop_broken_connections()
        abandoned = [job for job in orphans(self._watch) if job.pk == job_id]
        ready = [*startable_jobs().filter(pk=job_id), *abandoned]
        lease = take(ready[0], self.name, self._lease_seconds) if ready else None
        if lease is None:
            return False
        self._run(ready[0], lease)
        return True

    def run_until_idle(self) -> None:
        while self.run_one():
            pass

    def run_forever(self, stop: Event, poll_seconds: float = 1.0) -> None:
        """Work until `stop` is set. Bounded patience with the database: the last of its troubles is raised."""
        self._stop = stop
        troubles = 0
        while not stop.is_set():
            try:
                may_be_more = self.run_one()
                troubles = 0
            except DATABASE_TROUBLE as trouble:
                troubles += 1
                if troubles >= PATIENCE_TRIES:
                    raise
                logger.warning("Worker %s: the database refused (%d in a row): %s", self.name, troubles, trouble)
                may_be_more = False
            if not may_be_more:
                stop.wait(poll_seconds * max(1, min(troubles, LONGEST_PAUSE_POLLS)))

    def _do_chores(self) -> None:
        if time.monotonic() >= self._chores_at:
            self._chores_at = time.monotonic() + CHORES_EVERY_SECONDS
            self._chores()

    def _run(self, row: Job, lease: Lease) -> None:
        logger.info("%s: started by %s, fence %d, attempt %d.", row, self.name, lease.fence, row.attempt)
        running = RunningJob(row, lease, stop=self._stop, tell=self._tell)
        try:
            with heartbeat(lease):
                outcome = self._outcome(row, running)
        except LostJob:
            self._let_go(row, lease)
            return
        except (KeyboardInterrupt, SystemExit):
            with suppress(LostJob):
                settle(lease, HANDED_BACK)
            raise
        drop_broken_connections()  # else what the task broke would keep its outcome from being written
        self._unsettled = (row, lease, outcome)
        self._settle()

    def _settle(self) -> None:
        """Write what became of the last job; where the database refuses, the next round begins with it."""
        if self._unsettled is None:
            return
        row, lease, outcome = self._unsettled
        try:
            settle(lease, outcome)
        except LostJob:
            self._let_go(row, lease)
        else:
            logger.info("%s: %s %s", row, outcome.state.value, outcome.code)
        self._unsettled = None

    def _let_go(self, row: Job, lease: Lease) -> None:
        logger.info("%s: another worker has it; fence %d lets it go.", row, lease.fence)
        lease.report_alive()

    def _outcome(self, row: Job, running: RunningJob) -> Outcome:
        max_attempts = MAX_ATTEMPTS
        try:
            refuse_deadly(row)
            task = find_task(row.task)
            max_attempts = task.max_attempts
            return Outcome(State.DONE, result=as_json(task.run(running, **row.arguments)))
        except HandBack:
            return HANDED_BACK
        except Cancelled:
            return CANCELLED
        except Wait as wait:
            return waiting(wait)
        except Fix as fix:
            return told(State.BLOCKED, fix)
        except HeadwaterError as error:
            logger.exception("%s: failed.", row)
            return told(State.FAILED, error)
        except Exception as error:  # the last resort: it becomes the job's recorded failure
            if is_disk_full(error):
                logger.warning("%s: no room left on the disk: %s", row, error)
                return waiting(disk_full(error))
            if isinstance(error, DATABASE_TROUBLE):
                logger.warning("%s: the database refused: %s", row, error)
            else:
                logger.exception("%s: an unexpected error.", row)
            failures = 1 if running.has_moved_on else row.failures + 1
            return unexpected(error, failures=failures, max_attempts=max_attempts)
