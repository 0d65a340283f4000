"""Reads objects by Bulk 2.0 jobs: made together, looked at together at their expected end, then taken in.

A job that fails in the org, or whose result is gone before it was fetched, is made anew. Every call but the looks is a
step of its own, so that a killed cycle goes on behind the last call it paid for. Not here: which objects go this way
(plan.py), and their pages (bulk_pages.py).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix
from headwater.credits.prices import POLL_LEAST_SECONDS, UNKNOWN_BULK_ROWS_PER_SECOND, bulk_poll_delay_seconds
from headwater.salesforce.bulk import ENDED, Bulk, JobState
from headwater.sync.bulk_pages import take_pages
from headwater.sync.plan import ObjectRead
from headwater.sync.read import Reading, since_of
from headwater.sync.soql import Span, bulk_soql, to_literal

BULK_TRIES = 3
GONE = "gone"
SOONER_SHARE = 0.8  # jobs that were complete at the first look took this much of the time, as far as anybody knows


class BulkJobs:
    """The jobs of one cycle: `begin` as soon as the objects are known, `finish` when nothing else is left to do."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._pending: list[ObjectRead] = []
        self._jobs: dict[str, dict[str, str]] = {}

    def begin(self, reads: Sequence[ObjectRead]) -> None:
        """Start a job for each; the org works on them while other things are read."""
        self._pending.extend(reads)
        self._jobs |= {read.sobject: _create(self._reading, read, 0) for read in reads}

    def finish(self) -> None:
        """Wait for the jobs and fetch what they found. Raises Fix where the org fails at one again and again."""
        for attempt in count():
            if attempt:
                self._jobs = {read.sobject: _create(self._reading, read, attempt) for read in self._pending}
            self._pending = self._fetch_complete(attempt)
            if not self._pending:
                return
            if (attempt + 1) % BULK_TRIES == 0:
                self._give_up(attempt + 1)

    def _give_up(self, tries: int) -> None:
        """Once after so many: whoever has the cycle retried has the org try as often again."""
        name, sobject = f"give up Bulk jobs after {tries}", self._pending[0].sobject
        if not self._reading.job.has_done(name):
            failure = _bulk_failed(self._reading, sobject, self._jobs[sobject]["id"], tries)
            self._reading.job.step(name, lambda: None)
            raise failure

    def _fetch_complete(self, attempt: int) -> list[ObjectRead]:
        """Returns what must be tried again."""
        if not self._pending:
            return []
        ended = _wait(self._reading, self._pending, self._jobs, attempt)
        self._reading.tally.seen.bulk_pace.append((ended["rows"], ended["seconds"]))
        complete = [read for read in self._pending if ended["states"][read.sobject] == JobState.JOB_COMPLETE]
        taken = [read for read in complete if take_pages(self._reading, read, self._jobs[read.sobject]["id"])]
        return [read for read in self._pending if read not in taken]


def _create(reading: Reading, read: ObjectRead, attempt: int) -> dict[str, str]:
    soql = bulk_soql(reading.schemas[read.sobject], since_of(read), Span(read.after, read.before), read.only)

    def create() -> dict[str, str]:
        created = Bulk(reading.transport).create_query(read.sobject, soql)
        return {"id": created.id, "server_utc": to_literal(created.server_utc), "made_utc": now_utc().isoformat()}

    made: dict[str, str] = reading.job.step(f"create Bulk job {read.sobject} {attempt}", create)
    reading.tally.note_server_time(made["server_utc"])
    reading.tally.seen.bulk_jobs[read.sobject] += 1
    return made


def _wait(
    reading: Reading, reads: Sequence[ObjectRead], jobs: Mapping[str, Mapping[str, str]], attempt: int
) -> dict[str, Any]:
    """One credit a look for all jobs together. `seconds` is what the largest of them took, as far as the looks tell.

    A job that the org lists no longer has ended too: its state is GONE.
    """
    rows = max(read.rows for read in reads)
    rows_per_second = reading.pace.bulk_rows_per_second or UNKNOWN_BULK_ROWS_PER_SECOND
    expected_seconds = max(rows / rows_per_second, POLL_LEAST_SECONDS)
    made_utc = max(datetime.fromisoformat(jobs[read.sobject]["made_utc"]) for read in reads)

    def look() -> dict[str, Any]:
        bulk, looks = Bulk(reading.transport), 0
        while True:
            waited = (now_utc() - made_utc).total_seconds()
            reading.job.pause(bulk_poll_delay_seconds(expected_seconds - waited, waited, looks))
            states = bulk.states([jobs[read.sobject]["id"] for read in reads])
            looks += 1
            if all(state in ENDED for state in states.values()):
                took = (now_utc() - made_utc).total_seconds()
                if looks == 1:  # however late it was: a worker that was away for a night says nothing of the org
                    took = min(took * SOONER_SHARE, expected_seconds)
                named = {read.sobject: states.get(jobs[read.sobject]["id"], GONE) for read in reads}
                return {"states": named, "looks": looks, "rows": rows, "seconds": took}

    ended: dict[str, Any] = reading.job.step(f"wait for Bulk jobs {attempt}", look)
    return ended


def _bulk_failed(reading: Reading, sobject: str, job_id: str, tries: int) -> Fix:
    return Fix(
        "sync.bulk_failed",
        f"Salesforce could not carry out the Bulk query of {sobject}.",
        Facts(
            why=Bulk(reading.transport).failure(job_id, sobject) or "It gave no reason.",
            left=f"It was tried {tries} times. The replica still shows the last complete cycle.",
            you_can="retry the sync; if it persists, show these words to the Salesforce admin",
        ),
    )
