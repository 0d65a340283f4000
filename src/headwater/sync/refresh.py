"""Reads formulas anew, once a cycle's rows are in, and writes whole rows where a value is another than before.

Rows and stamps of changes stay what they are: a change that comes meanwhile wins. Not here: what is due (formulas.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from headwater.lake import (
    Arrival,
    Part,
    TableParts,
    TableSchema,
    write_part_from_csv,
    write_part_from_ndjson,
    write_renewed,
)
from headwater.salesforce.rest import Record
from headwater.sync.bulk_jobs import BulkJobs
from headwater.sync.plan import SyncPlan
from headwater.sync.publish import live_parts
from headwater.sync.read import Reading, Seen, Tally, check_rows, write_ndjson
from headwater.sync.rounds import Rounds
from headwater.sync.schemas import formulas_schema

_Source = TypeVar("_Source", Path, Arrival)


def refresh_formulas(reading: Reading, plan: SyncPlan) -> Seen:
    """Steps of the cycle, in a chapter of their own. Returns what came, of which only what differs is written."""
    if plan.refresh is None or not plan.refresh.reads:
        return Seen()
    with reading.job.chapter("formulas"):
        refreshing = _refreshing(reading, plan.refresh)
        jobs = BulkJobs(refreshing)
        jobs.begin(plan.refresh.by_bulk)
        rounds = Rounds(refreshing, plan.refresh.to_look_at)
        rounds.look()
        rounds.finish()
        jobs.finish()
    return refreshing.tally.seen


@dataclass(frozen=True, slots=True)
class Refreshing(Reading):
    """A reading whose `schemas` are of the formulas alone, beside the `copies` that their values are held against."""

    copies: Mapping[str, TableParts]

    def write_records(self, sobject: str, records: Sequence[Record]) -> Part | None:
        if not records:
            return None
        with self.scratch(".ndjson") as path:
            write_ndjson(path, records)
            return self._renewed(sobject, path, write_part_from_ndjson, lambda: len(records))

    def write_csv(self, sobject: str, source: Arrival) -> Part:
        return self._renewed(sobject, source, write_part_from_csv, lambda: source.row_count)

    def _renewed(
        self,
        sobject: str,
        source: _Source,
        write: Callable[[_Source, TableSchema, Path, int], Part],
        sent: Callable[[], int],
    ) -> Part:
        """The rows that differ; a part without any leaves no file. sent   Rows, as known once all are there."""
        schema, sequence = self.schemas[sobject], self.cycle.number
        with self.scratch("") as place:
            seen = write(source, schema, place.parent, sequence)
            check_rows(sobject, sent(), seen)
            part = write_renewed(
                self.copies[sobject], TableParts(schema, [seen]), place.parent, self.directory, sequence
            )
        if not part.row_count:
            (self.directory / part.path).unlink()
        return part


def _refreshing(reading: Reading, refresh: SyncPlan) -> Refreshing:
    copies = {
        read.sobject: TableParts(
            reading.schemas[read.sobject],
            live_parts(reading.account, reading.tables[read.sobject], reading.cycle),
        )
        for read in refresh.reads
    }
    formulas = reading.cycle.schemas
    schemas = {name: formulas_schema(copy.schema, formulas[name]["formulas"]) for name, copy in copies.items()}
    known = {each.name: getattr(reading, each.name) for each in fields(Reading)}
    return Refreshing(**{**known, "schemas": schemas, "tally": Tally(reading.job, refresh.rows), "copies": copies})
