"""What reading needs and leaves: the job, the org, where files go; rows as Parquet parts; what was counted.

Not here: the two ways to read (rounds.py, bulk_jobs.py), and when readers may see it (publish.py).
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from headwater.accounts.models import Account
from headwater.common.errors import Bug
from headwater.jobs.running import RunningJob
from headwater.lake import Arrival, Part, TableSchema, write_part_from_csv, write_part_from_ndjson
from headwater.salesforce.rest import Record
from headwater.salesforce.transport import Transport
from headwater.sync.learning import rate
from headwater.sync.models import Cycle, ManifestPart, ReplicaTable
from headwater.sync.plan import ObjectRead, Pace
from headwater.sync.soql import parse_stamp

SCRATCH_PREFIX = "scratch-"  # folders of pages under way; what a killed process leaves is swept (publish.py)


@dataclass
class Seen:
    """What a cycle has come across, from step results only, so that a resumed one arrives at the same sums.

    query_calls, composite_calls   Rounds of one page, which go as a plain query, and of several.
    bulk_jobs                      Jobs that were made.
    query_pace, bulk_pace, fetch_pace   (calls or rows, seconds) of each call, job and fetched page.
    """

    rows: Counter[str] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    bulk_pages: Counter[str] = field(default_factory=Counter)
    bulk_jobs: Counter[str] = field(default_factory=Counter)
    query_calls: int = 0
    composite_calls: int = 0
    row_bytes: dict[str, int] = field(default_factory=dict)
    page_rows: dict[str, int] = field(default_factory=dict)
    query_pace: list[tuple[float, float]] = field(default_factory=list)
    bulk_pace: list[tuple[float, float]] = field(default_factory=list)
    fetch_pace: list[tuple[float, float]] = field(default_factory=list)

    def pace(self) -> Pace:
        calls_per_second = rate(self.query_pace)
        return Pace(
            seconds_per_call=1 / calls_per_second if calls_per_second else None,
            bulk_rows_per_second=rate(self.bulk_pace),
            fetched_rows_per_second=rate(self.fetch_pace),
        )


class Tally:
    """Counts what comes in and shows it as progress; keeps the earliest of Salesforce's clock readings."""

    def __init__(self, job: RunningJob, expected_rows: int) -> None:
        self._job = job
        self.expected_rows = expected_rows
        self.seen = Seen()
        self.read_from_utc: datetime | None = None

    @property
    def rows(self) -> Counter[str]:
        return self.seen.rows

    def add_round(self, result: Mapping[str, Any]) -> None:
        self.note_server_time(result["server_utc"])
        self.seen.query_pace.append((1, result["seconds"]))
        if sum(outcome["pages"] for outcome in result["objects"].values()) == 1:
            self.seen.query_calls += 1
        else:
            self.seen.composite_calls += 1
        for sobject, outcome in result["objects"].items():
            self._add_page(sobject, outcome)

    def _add_page(self, sobject: str, outcome: Mapping[str, Any]) -> None:
        self.seen.pages[sobject] += outcome["pages"]
        self._note_width(sobject, outcome)
        if outcome["is_shrunk"]:
            self.seen.page_rows[sobject] = outcome["page_rows"]
        self._add_rows(sobject, outcome["rows"])

    def add_bulk_page(self, sobject: str, result: Mapping[str, Any]) -> None:
        self.seen.bulk_pages[sobject] += 1
        self.seen.fetch_pace.append((result["rows"], result["seconds"]))
        self._note_width(sobject, result)
        self._add_rows(sobject, result["rows"])

    def _note_width(self, sobject: str, result: Mapping[str, Any]) -> None:
        if result["row_bytes"]:
            self.seen.row_bytes[sobject] = result["row_bytes"]

    def _add_rows(self, sobject: str, rows: int) -> None:
        self.rows[sobject] += rows
        done = self.rows.total()
        self._job.progress(done, max(done, self.expected_rows), "rows", note=sobject)

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
    pace: Pace

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

    def write_records(self, sobject: str, records: Sequence[Record]) -> Part | None:
        """Rows of a query as a part; None where there are none."""
        if not records:
            return None
        with self.scratch(".ndjson") as path:
            write_ndjson(path, records)
            part = write_part_from_ndjson(path, self.schemas[sobject], self.directory, self.cycle.number)
        check_rows(sobject, len(records), part)
        return part

    def write_csv(self, sobject: str, source: Arrival) -> Part:
        """A page of a Bulk result as a part. Called beside the rest, in a thread of its own."""
        part = write_part_from_csv(source, self.schemas[sobject], self.directory, self.cycle.number)
        check_rows(sobject, source.row_count, part)
        return part

    @contextmanager
    def scratch(self, suffix: str) -> Iterator[Path]:
        self.directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.directory, prefix=SCRATCH_PREFIX) as folder:
            yield Path(folder) / f"page{suffix}"


def write_ndjson(path: Path, records: Sequence[Record]) -> None:
    with path.open("wb") as file:
        file.writelines(orjson.dumps(record) + b"\n" for record in records)


def since_of(read: ObjectRead) -> datetime | None:
    return parse_stamp(read.since_utc) if read.since_utc else None


def check_rows(sobject: str, sent: int, part: Part) -> None:
    if part.row_count != sent:
        raise Bug("sync.rows_lost", f"Salesforce sent {sent:,} rows of {sobject}, but {part.row_count:,} were stored.")
