"""Sends records in Bulk 2.0 jobs: create, upload, close, polls that all jobs share, results. A step a call.

A job survives us: a killed export goes on with the jobs whose ids it has recorded. One that was created and not
recorded is empty, does nothing, and ends by itself. Not here: collections (collections_lane.py), CSV (csv_files.py).
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from headwater.common.errors import Wait
from headwater.connections.package import UNIQUE_ID, is_read_only
from headwater.credits.write_prices import Action, QueueWrite, Way, poll_delays, seconds_of_jobs
from headwater.export import csv_files
from headwater.export.package_guard import is_doubtful
from headwater.export.queue_file import Slice, slices
from headwater.export.record import Settled, record_settled
from headwater.export.sending import Sending
from headwater.salesforce.bulk import ENDED, Ingest, JobState, Operation, Results
from headwater.salesforce.errors import RefusedFix
from headwater.salesforce.limits import BULK_LIMIT as BULK_LIMIT_CODE
from headwater.salesforce.limits import exhaustion_of

ROWS_AT_ONCE = 10_000  # recorded in one transaction
BULK_LIMIT = "salesforce.bulk_limit"


class Trouble(StrEnum):
    """REFUSED: no Bulk jobs for this org today. The rest: a job ended before all its rows were tried."""

    REFUSED = "refused"
    FAILED = "failed"
    ABORTED = "aborted"
    GONE = "gone"
    UNPROCESSED = "unprocessed"


@dataclass(frozen=True, slots=True)
class Told:
    """What kept a round from being completed by Bulk, in Salesforce's words where there are any."""

    trouble: Trouble
    words: str


@dataclass(frozen=True, slots=True)
class BulkJob:
    id: str
    part: Slice


@dataclass(frozen=True, slots=True)
class Outcome:
    """`told` is None where nothing is left to do; `jobs` are those that have results."""

    told: Told | None
    jobs: tuple[BulkJob, ...]


NOTHING_TO_DO = Outcome(None, ())


def send_in_bulk(sending: Sending, action: Action) -> Outcome:
    """All that is planned for Bulk jobs of this action. What a job has done is recorded, whatever others do."""
    writes = [each for each in sending.plan.writes if each.way is Way.BULK and each.action is action]
    if not writes or is_read_only(sending.exporting.account):
        return NOTHING_TO_DO
    jobs, refused = _start_all(sending, writes)
    states = _wait_for_all(sending, action, jobs)
    told = [_collect(sending, job, states.get(job.id)) for job in jobs]
    first = next((each for each in [refused, *told] if each is not None), None)
    return Outcome(first, tuple(job for job in jobs if job.id in states))


def results_of(sending: Sending, job: BulkJob) -> Path:
    """The job's results as a file (csv_files.py), fetched again where it is not there any more."""
    path = sending.queue.with_name(f"{sending.queue.stem}-{job.id}.parquet")
    if not path.exists():
        _fetch(sending, job, path)
    return path


def _start_all(sending: Sending, writes: list[QueueWrite]) -> tuple[list[BulkJob], Told | None]:
    """Create, fill and close one job after the other, up to the first that the org refuses to create."""
    jobs: list[BulkJob] = []
    for each in writes:
        for number, part in enumerate(_parts(sending, each)):
            name = f"{each.action.value} {each.sobject} {number}"
            created = sending.job.step(
                sending.step_name(f"create Bulk job {name}"), partial(_create, sending, part, is_small=each.is_small)
            )
            if "refused" in created:
                return jobs, Told(Trouble.REFUSED, created["refused"])
            job = BulkJob(created["id"], part)
            if not each.is_small:
                sending.job.step(sending.step_name(f"upload to Bulk job {name}"), partial(_upload, sending, job))
                sending.job.step(sending.step_name(f"close Bulk job {name}"), partial(_close, sending, job))
            jobs.append(job)
    return jobs, None


def _parts(sending: Sending, each: QueueWrite) -> list[Slice]:
    name = sending.step_name(f"cut {each.action.value} {each.sobject}")
    stored = sending.job.step(
        name, lambda: [asdict(part) for part in slices(sending.queue, each.action, each.sobject, each.jobs)]
    )
    return [Slice(**{**part, "action": Action(part["action"])}) for part in stored]


def _create(sending: Sending, part: Slice, *, is_small: bool) -> dict[str, str]:
    """The job's id, or why the org takes none. Raises Fix where it is the package that is missing."""
    ingest, operation = Ingest(sending.transport), Operation(part.action.value)
    try:
        if is_small:
            with _upload_file(sending, part) as file:
                return {"id": ingest.create_with(operation, part.sobject, file.read_bytes())}
        key = UNIQUE_ID if part.action is Action.UPSERT else ""
        return {"id": ingest.create(operation, part.sobject, key)}
    except Wait as error:
        if error.code != BULK_LIMIT:
            raise
        return {"refused": error.facts.why}
    except RefusedFix as error:
        sending.guard.require()
        return {"refused": error.facts.why}


def _upload(sending: Sending, job: BulkJob) -> int:
    with _upload_file(sending, job.part) as file:
        Ingest(sending.transport).upload(job.id, job.part.sobject, file)
        return file.stat().st_size


def _close(sending: Sending, job: BulkJob) -> None:
    Ingest(sending.transport).close(job.id, job.part.sobject)


@contextmanager
def _upload_file(sending: Sending, part: Slice) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=sending.queue.parent) as folder:
        file = Path(folder) / "upload.csv"
        csv_files.write_upload(sending.queue, part, file)
        yield file


def _wait_for_all(sending: Sending, action: Action, jobs: list[BulkJob]) -> dict[str, JobState]:
    """One credit a poll for all jobs together, on the schedule that the plan was priced with. A gone job is absent."""
    if not jobs:
        return {}
    expected_seconds = seconds_of_jobs(sum(job.part.records for job in jobs))

    def poll() -> dict[str, str]:
        ingest, names = Ingest(sending.transport), [job.id for job in jobs]
        for delay in poll_delays(expected_seconds):
            sending.job.pause(delay)
            states = ingest.states(names)
            if all(state in ENDED for state in states.values()):
                break
        return {name: state.value for name, state in states.items()}

    ended = sending.job.step(sending.step_name(f"wait for Bulk jobs, {action.value}"), poll)
    return {name: JobState(state) for name, state in ended.items()}


def _collect(sending: Sending, job: BulkJob, state: JobState | None) -> Told | None:
    """Record what became of the job's rows, also where it failed amid them."""
    if state is None:
        return Told(Trouble.GONE, f"Salesforce no longer lists Bulk job {job.id}.")
    found = sending.job.step(sending.step_name(f"results of Bulk job {job.id}"), partial(_look_through, sending, job))
    _record(sending, job, found)
    if state is JobState.ABORTED:
        return Told(Trouble.ABORTED, f"Bulk job {job.id} of {job.part.sobject} was aborted in the org.")
    if state is JobState.FAILED:
        return _why_failed(sending, job)
    if found["rows"] < job.part.records:
        left = job.part.records - found["rows"]
        return Told(Trouble.UNPROCESSED, f"Bulk job {job.id} left {left:,} of {job.part.records:,} rows unprocessed.")
    return None


def _look_through(sending: Sending, job: BulkJob) -> dict[str, Any]:
    return csv_files.summary(results_of(sending, job))


def _fetch(sending: Sending, job: BulkJob, into: Path) -> None:
    """Successful rows, and failed ones only if some are missing from them: a credit each."""
    ingest, part = Ingest(sending.transport), job.part
    with tempfile.TemporaryDirectory(dir=sending.queue.parent) as folder:
        successful, failed = Path(folder) / "successful.csv", Path(folder) / "failed.csv"
        ingest.fetch(job.id, part.sobject, Results.SUCCESSFUL, successful)
        has_failed = csv_files.count_rows(successful) < part.records
        if has_failed:
            ingest.fetch(job.id, part.sobject, Results.FAILED, failed)
        csv_files.write_results(sending.queue, part, successful, failed if has_failed else None, into)


def _record(sending: Sending, job: BulkJob, found: dict[str, Any]) -> None:
    """In pieces, each in a transaction of its own, so that the database is never held up for long."""
    part = job.part
    names = [
        sending.step_name(f"record Bulk job {job.id} from {first}") for first in range(0, found["rows"], ROWS_AT_ONCE)
    ]
    is_doubtful_job = any(is_doubtful(part.action, code) for code in found["codes"])
    if is_doubtful_job and not sending.job.has_done(names[0]):
        sending.guard.require()
    for number, name in enumerate(names):
        counts = sending.job.step(
            name,
            partial(_piece, sending, job, number * ROWS_AT_ONCE),
            partial(record_settled, sending.exporting, part.action, part.sobject),
        )
        sending.add(counts, part.sobject)


def _piece(sending: Sending, job: BulkJob, first: int) -> list[Settled]:
    return csv_files.settled_rows(results_of(sending, job), first, ROWS_AT_ONCE)


def _why_failed(sending: Sending, job: BulkJob) -> Told:
    """Raises Fix where it is the package that is missing."""

    def ask() -> str:
        words = Ingest(sending.transport).failure(job.id, job.part.sobject)
        if not exhaustion_of(BULK_LIMIT_CODE, words):
            sending.guard.require()
        return words

    words: str = sending.job.step(sending.step_name(f"why Bulk job {job.id} failed"), ask)
    trouble = Trouble.REFUSED if exhaustion_of(BULK_LIMIT_CODE, words) else Trouble.FAILED
    return Told(trouble, f"Bulk job {job.id} of {job.part.sobject} failed: {words or 'Salesforce gave no reason'}")
