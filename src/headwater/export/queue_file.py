"""Reads the queue of an export, which is a Parquet file sorted by action, object and unique id.

A row is sent by collections or in a Bulk job; what a Bulk job's CSV cannot say goes by collections whatever the plan
says: there, the text `#N/A` empties a field (facts C.4). Not here: writing the queue (wanted.py), CSV (csv_files.py).
"""

import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import orjson

from headwater.connections.package import FIELDS
from headwater.credits.write_prices import Action, Queue

SET_NULL = "#N/A"
MEMORY_LIMIT = "600MB"
PARQUET = "FORMAT parquet, ROW_GROUP_SIZE 10000"  # a group is built in memory before it is written
DELETE_ROW_BYTES = 19  # an 18-character id and the line's end
_UNFIT = f"""contains(record, '"{SET_NULL}"')"""


@contextmanager
def database_beside(queue: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An embedded database of its own with bounded memory: what does not fit is laid out beside the queue."""
    spill = queue.with_name(f"{secrets.token_hex(8)}.spill")
    limits: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(spill),
    }
    with closing(duckdb.connect(config=limits)) as connection:
        yield connection


@dataclass(frozen=True)  # no slots: a cached property
class QueuedRecord:
    """A record to send. `text` is its JSON, empty for a delete; `salesforce_id` is empty where it was never written."""

    unique_id: str
    content_hash: str
    salesforce_id: str
    text: str

    @cached_property
    def record(self) -> dict[str, Any]:
        return dict(orjson.loads(self.text))


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a queue that one Bulk job takes: unique ids after `after`, up to and with `upto`."""

    action: Action
    sobject: str
    after: str
    upto: str
    records: int


def queues_in(queue: Path) -> list[Queue]:
    """What is to be priced, deletes first."""
    with database_beside(queue) as connection:
        rows = connection.execute(
            f"SELECT action, sobject, count(*), sum(strlen(record)) FILTER (NOT {_UNFIT}), count(*) FILTER ({_UNFIT}) "  # noqa: S608 - a condition of our own
            "FROM read_parquet(?) GROUP BY action, sobject ORDER BY action, sobject DESC",
            [str(queue)],
        ).fetchall()
    return [
        Queue(Action(action), sobject, records, _csv_bytes(Action(action), sobject, records - unfit, text or 0), unfit)
        for action, sobject, records, text, unfit in rows
    ]


def _csv_bytes(action: Action, sobject: str, records: int, json_bytes: int) -> int:
    """At most: a line of CSV has no names, and quotes numbers and `#N/A` too, which are two more bytes than in JSON."""
    if action is Action.DELETE:
        return records * DELETE_ROW_BYTES + len("Id\n")
    header = sum(len(name) + len('"",') for name in field_names(sobject))
    return json_bytes - records * _fewer_bytes(sobject) + header


def _fewer_bytes(sobject: str) -> int:
    """By how much a line of CSV is shorter than the record as JSON, at least."""
    names = field_names(sobject)
    return sum(len(name) + len('"":') for name in names) - len('""') * len(names)


def field_names(sobject: str) -> list[str]:
    return [field.name for field in FIELDS[sobject]]


def slices(queue: Path, action: Action, sobject: str, jobs: int) -> list[Slice]:
    """Cut what may go by Bulk into so many parts of about the same size."""
    fewer = _fewer_bytes(sobject) if action is Action.UPSERT else 0
    size = f"greatest(strlen(record) - {fewer}, 1)"
    with database_beside(queue) as connection:
        rows = connection.execute(
            f"WITH sized AS (SELECT unique_id, sum({size}) OVER (ORDER BY unique_id) AS upto_bytes, {size} AS own "  # noqa: S608 - conditions of our own
            f"FROM read_parquet($queue) WHERE action = $action AND sobject = $sobject AND NOT {_UNFIT}), "
            "numbered AS (SELECT unique_id, (upto_bytes - own) * $jobs // max(upto_bytes) OVER () AS number "
            "FROM sized) SELECT max(unique_id), count(*) FROM numbered GROUP BY number ORDER BY number",
            {"queue": str(queue), "action": action.value, "sobject": sobject, "jobs": jobs},
        ).fetchall()
    borders = ["", *(upto for upto, _ in rows)]
    return [Slice(action, sobject, after, upto, records) for after, (upto, records) in zip(borders, rows, strict=False)]


def rows_of(queue: Path, part: Slice) -> str:
    """SQL of the part's rows. All in it is of our own making; a unique id is quoted all the same."""
    after, upto = (each.replace("'", "''") for each in (part.after, part.upto))
    return (
        f"SELECT * FROM read_parquet('{queue}') WHERE action = '{part.action.value}' AND sobject = '{part.sobject}' "  # noqa: S608
        f"AND unique_id > '{after}' AND unique_id <= '{upto}' AND NOT {_UNFIT}"
    )


def batches(
    queue: Path, action: Action, sobject: str, batch_size: int, *, only_unfit: bool
) -> Iterator[list[QueuedRecord]]:
    """The queue of one action and object in its order, cut into batches. The file's order is what keeps it sorted."""
    with database_beside(queue) as connection:
        connection.execute(
            "SELECT unique_id, content_hash, salesforce_id, record FROM read_parquet(?) "  # noqa: S608 - a condition of our own
            f"WHERE action = ? AND sobject = ? {f'AND {_UNFIT}' if only_unfit else ''}",
            [str(queue), action.value, sobject],
        )
        while rows := connection.fetchmany(batch_size):
            yield [QueuedRecord(*row) for row in rows]


def write_remainder(
    queue: Path, into: Path, *, settled: Sequence[Path], by_bulk: Collection[tuple[str, str]], collections_done: bool
) -> int:
    """Write the rows of `queue` that nothing is known of yet; returns how many.

    settled            Parquet files of results (results_file.py)
    by_bulk            (action, object) of what was planned for Bulk jobs
    collections_done   whether all else was sent
    """
    was_bulk = " OR ".join(f"(action = '{action}' AND sobject = '{sobject}')" for action, sobject in by_bulk) or "false"
    open_rows = f"(({was_bulk}) AND NOT {_UNFIT})" if collections_done else "true"
    known = ", ".join(f"'{path}'" for path in settled)
    known_rows = f"SELECT action, sobject, unique_id FROM read_parquet([{known}])"  # noqa: S608 - paths of our own
    anti = f"ANTI JOIN ({known_rows}) USING (action, sobject, unique_id)" if settled else ""
    left = f"SELECT * FROM read_parquet('{queue}') {anti} WHERE {open_rows} ORDER BY action, sobject, unique_id"  # noqa: S608
    with database_beside(queue) as connection:
        connection.execute(f"COPY ({left}) TO '{into}' ({PARQUET})")
        row = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(into)]).fetchone()
    return int(row[0]) if row else 0
