"""Reads one object's rows into Parquet parts: rounds of composites, and Bulk jobs with shared polls.

Every call is a step of the job, recorded together with the parts it made, so that a killed cycle goes on behind the
last call it paid for. Not here: what to read how (plan.py), and when readers may see it (publish.py).
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from headwater.accounts.models import Account
from headwater.common.errors import Bug, Facts, Fix
from headwater.credits.prices import BULK_PAGE_ROWS, poll_delay_seconds
from headwater.jobs.running import RunningJob
from headwater.lake import Part, TableSchema, write_part_from_csv, write_part_from_ndjson
from headwater.salesforce.bulk import ENDED, Bulk, JobState
from headwater.salesforce.rest import COMPOSITE_QUERIES_MAX, QUERY_PAGE_ROWS, Org, QueryPage, Record, SubQuery
from headwater.salesforce.transport import Transport
from headwater.sync.models import Cycle, ManifestPart, ReplicaTable
from headwater.sync.plan import ObjectRead
from headwater.sync.soql import Place, bulk_soql, page_soql, parse_stamp, stamp_field, to_literal

BULK_TRIES = 3
SCRATCH_PREFIX = "scratch-"  # folders of pages under way; what a killed process leaves is swept (publish.py)


class Tally:
    """Counts rows as they come in and shows them as progress; keeps the earliest of Salesforce's clock readings.

    Fed from step results only, so that a resumed cycle arrives at the same sums.
    """

    def __init__(self, job: RunningJob, expected_rows: int) -> None:
        self._job = job
        self._expected_rows = expected_rows
        self.rows: Counter[str] = Counter()
        self.read_from_utc: datetime | None = None

    def add_rows(self, sobject: str, rows: int) -> None:
        self.rows[sobject] += rows
        done = self.rows.total()
        self._job.progress(done, max(done, self._expected_rows), "rows", note=sobject)

    def note_server_time(self, text: str) -> None:
        moment = parse_stamp(text)
        self.read_from_utc = min(moment, self.read_from_utc or moment)


@dataclass(frozen=True, slots=True)
class Reading:
    """All that reading needs: the job, the cycle, the org, and where files go."""

    job: RunningJob
    account: Account
    cycle: Cycle
    transport: Transport
    directory: Path
    tables: Mapping[str, ReplicaTable]
    schemas: Mapping[str, TableSchema]
    tally: Tally
    sleep: Callable[[float], None] = time.sleep

    def record_part(self, sobject: str, part: Part) -> None:
        """Called inside the step's transaction. A part without rows needs no row in the manifest."""
        if part.row_count:
            ManifestPart.of(self.account).create(
                account=self.account,
                table=self.tables[sobject],
                cycle=self.cycle,
                path=part.path,
                row_count=part.row_count,
                size_bytes=part.size_bytes,
            )


def _since(read: ObjectRead) -> datetime | None:
    return parse_stamp(read.since_utc) if read.since_utc else None


# ---------------------------------------------------------------- composites


def read_in_composites(reading: Reading, reads: Sequence[ObjectRead]) -> None:
    """Rounds of up to five pages a credit, the objects with the most pages left first."""
    left = {read.sobject: read.pages for read in reads}
    by_name = {read.sobject: read for read in reads}
    places: dict[str, Place | None] = dict.fromkeys(by_name)
    number = 0
    while left:
        chosen = sorted(left, key=lambda name: (-left[name], name))[:COMPOSITE_QUERIES_MAX]
        result = _round(reading, number, [by_name[name] for name in chosen], places)
        reading.tally.note_server_time(result["server_utc"])
        for name in chosen:
            outcome = result["objects"][name]
            reading.tally.add_rows(name, outcome["rows"])
            places[name] = Place(**outcome["place"]) if outcome["place"] else places[name]
            left[name] = max(1, left[name] - 1)
            if outcome["is_last"]:
                del left[name]
        number += 1


def _round(
    reading: Reading, number: int, reads: Sequence[ObjectRead], places: Mapping[str, Place | None]
) -> dict[str, Any]:
    def fetch() -> tuple[list[tuple[QueryPage, Part | None]], datetime]:
        queries = [
            SubQuery(
                read.sobject,
                page_soql(reading.schemas[read.sobject], _since(read), places[read.sobject], QUERY_PAGE_ROWS),
            )
            for read in reads
        ]
        pages, server_utc = Org(reading.transport).query_together(queries)
        return [(page, _write_page(reading, page)) for page in pages], server_utc

    def record(fetched: tuple[list[tuple[QueryPage, Part | None]], datetime]) -> dict[str, Any]:
        pages, server_utc = fetched
        for page, part in pages:
            if part is not None:
                reading.record_part(page.sobject, part)
        outcomes = {page.sobject: _outcome(reading.schemas[page.sobject], page) for page, _ in pages}
        return {"server_utc": to_literal(server_utc), "objects": outcomes}

    result: dict[str, Any] = reading.job.step(f"round {number}", fetch, record)
    return result


def _outcome(schema: TableSchema, page: QueryPage) -> dict[str, Any]:
    """What the next round must know. A full page is never taken for the last, whatever it says of itself."""
    is_last = page.is_last and len(page.records) < QUERY_PAGE_ROWS
    place = _place(schema, page.records[-1]) if page.records else None
    return {"rows": len(page.records), "is_last": is_last, "place": place}


def _place(schema: TableSchema, record: Record) -> dict[str, str]:
    return {"stamp": record[stamp_field(schema)], "record_id": record["Id"]}


def _write_page(reading: Reading, page: QueryPage) -> Part | None:
    if not page.records:
        return None
    with _scratch(reading.directory, ".ndjson") as path:
        with path.open("wb") as file:
            file.writelines(orjson.dumps(record) + b"\n" for record in page.records)
        part = write_part_from_ndjson(path, reading.schemas[page.sobject], reading.directory, reading.cycle.number)
    _check_rows(page.sobject, len(page.records), part)
    return part


@contextmanager
def _scratch(directory: Path, suffix: str) -> Iterator[Path]:
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=SCRATCH_PREFIX) as folder:
        yield Path(folder) / f"page{suffix}"


def _check_rows(sobject: str, sent: int, part: Part) -> None:
    if part.row_count != sent:
        raise Bug("sync.rows_lost", f"Salesforce sent {sent:,} rows of {sobject}, but {part.row_count:,} were stored.")


# ---------------------------------------------------------------- Bulk jobs


def read_in_bulk(reading: Reading, reads: Sequence[ObjectRead]) -> None:
    """Create all jobs, poll them together, fetch the pages of each. A job that fails in the org is made anew."""
    pending = list(reads)
    for attempt in range(BULK_TRIES):
        jobs = {read.sobject: _create_job(reading, read, attempt) for read in pending}
        states = _wait_for_all(reading, jobs, attempt)
        for read in pending:
            if states[read.sobject] == JobState.JOB_COMPLETE:
                _fetch_pages(reading, read, jobs[read.sobject])
        pending = [read for read in pending if states[read.sobject] != JobState.JOB_COMPLETE]
        if not pending:
            return
    raise _bulk_failed(reading, pending[0].sobject, jobs[pending[0].sobject])


def _create_job(reading: Reading, read: ObjectRead, attempt: int) -> str:
    soql = bulk_soql(reading.schemas[read.sobject], _since(read))

    def create() -> dict[str, str]:
        created = Bulk(reading.transport).create_query(read.sobject, soql)
        return {"id": created.id, "server_utc": to_literal(created.server_utc)}

    made: dict[str, str] = reading.job.step(f"create Bulk job {read.sobject} {attempt}", create)
    reading.tally.note_server_time(made["server_utc"])
    return made["id"]


def _wait_for_all(reading: Reading, jobs: Mapping[str, str], attempt: int) -> dict[str, str]:
    """One credit a poll for all jobs together, on the schedule that the plan was priced with."""
    if not jobs:
        return {}

    def poll() -> dict[str, str]:
        bulk, polls = Bulk(reading.transport), 0
        while True:
            reading.sleep(poll_delay_seconds(polls))
            states = bulk.states(list(jobs.values()))
            polls += 1
            if all(state in ENDED for state in states.values()):
                return {sobject: states[job_id].value for sobject, job_id in jobs.items()}

    ended: dict[str, str] = reading.job.step(f"wait for Bulk jobs {attempt}", poll)
    return ended


def _fetch_pages(reading: Reading, read: ObjectRead, job_id: str) -> None:
    locator, number = "", 0
    while number == 0 or locator:
        result = _fetch_page(reading, read.sobject, job_id, number, locator)
        reading.tally.add_rows(read.sobject, result["rows"])
        locator, number = result["locator"], number + 1


def _fetch_page(reading: Reading, sobject: str, job_id: str, number: int, locator: str) -> dict[str, Any]:
    def fetch() -> tuple[Part, str]:
        with _scratch(reading.directory, ".csv") as path:
            page = Bulk(reading.transport).fetch_page(sobject, job_id, locator, BULK_PAGE_ROWS, path)
            part = write_part_from_csv(path, reading.schemas[sobject], reading.directory, reading.cycle.number)
        _check_rows(sobject, page.row_count, part)
        return part, page.locator

    def record(fetched: tuple[Part, str]) -> dict[str, Any]:
        part, following = fetched
        reading.record_part(sobject, part)
        return {"rows": part.row_count, "locator": following}

    result: dict[str, Any] = reading.job.step(f"Bulk page {sobject} {job_id} {number}", fetch, record)
    return result


def _bulk_failed(reading: Reading, sobject: str, job_id: str) -> Fix:
    return Fix(
        "sync.bulk_failed",
        f"Salesforce could not carry out the Bulk query of {sobject}.",
        Facts(
            why=Bulk(reading.transport).failure(job_id, sobject) or "It gave no reason.",
            left=f"It was tried {BULK_TRIES} times. The replica still shows the last complete cycle.",
            you_can="run the sync again; if it persists, show these words to the Salesforce admin",
        ),
    )
