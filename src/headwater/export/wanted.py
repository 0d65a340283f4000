"""What should stand in the org, as Salesforce's JSON, out of the latest run of attribution; and what of it to send.

The difference to what was written is computed in the embedded database and kept as a Parquet file, so that a killed
export goes on with the same batches. Not here: sending (send.py).
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import orjson

from headwater.accounts.models import Account
from headwater.connections.package import BUYER_ATTRIBUTION_TOUCHPOINT, BUYER_TOUCHPOINT
from headwater.export.models import WrittenRecord
from headwater.results.services import open_results

UPSERT, DELETE = "upsert", "delete"
SOBJECTS = (BUYER_TOUCHPOINT, BUYER_ATTRIBUTION_TOUCHPOINT)


@dataclass(frozen=True, slots=True)
class QueuedRecord:
    """A record to send. `record` is empty for a delete, `salesforce_id` for a record that was never written."""

    unique_id: str
    content_hash: str
    salesforce_id: str
    record: dict[str, Any]


def write_queue(account: Account, queue: Path) -> dict[str, int]:
    """Write wanted - written to `queue`; returns how many records are to be sent, by action and object."""
    queue.parent.mkdir(parents=True, exist_ok=True)
    with open_results(account) as connection, tempfile.TemporaryDirectory(dir=queue.parent) as folder:
        _load_written(connection, account, Path(folder) / "written.ndjson")
        connection.execute(_sql("wanted"))
        connection.execute(_sql("queue"))
        connection.execute(f"COPY queue TO '{queue}' (FORMAT parquet)")  # a path of our own making
        rows = connection.execute("SELECT action, sobject, count(*) FROM queue GROUP BY action, sobject").fetchall()
    return {f"{action} {sobject}": count for action, sobject, count in rows}


def batches(queue: Path, action: str, sobject: str, batch_size: int) -> Iterator[list[QueuedRecord]]:
    """The queue of one action and object in its stable order, cut into batches."""
    with duckdb.connect() as connection:
        connection.execute(
            "SELECT unique_id, content_hash, salesforce_id, record FROM read_parquet(?) "
            "WHERE action = ? AND sobject = ? ORDER BY unique_id",
            [str(queue), action, sobject],
        )
        while rows := connection.fetchmany(batch_size):
            yield [_queued(row) for row in rows]


def _queued(row: Sequence[str]) -> QueuedRecord:
    unique_id, content_hash, salesforce_id, record = row
    return QueuedRecord(unique_id, content_hash, salesforce_id, orjson.loads(record) if record else {})


def _sql(name: str) -> str:
    return files("headwater.export").joinpath(f"{name}.sql").read_text()


def _load_written(connection: duckdb.DuckDBPyConnection, account: Account, path: Path) -> None:
    connection.execute(
        "CREATE TEMP TABLE written (sobject VARCHAR, unique_id VARCHAR, content_hash VARCHAR, salesforce_id VARCHAR)"
    )
    names = ("sobject", "unique_id", "content_hash", "salesforce_id")
    with path.open("wb") as file:
        for row in WrittenRecord.of(account).values(*names).iterator(chunk_size=5000):
            file.write(orjson.dumps(row) + b"\n")
    if path.stat().st_size:
        connection.execute(
            "INSERT INTO written SELECT * FROM read_json(?, format='newline_delimited', columns="
            "{sobject:'VARCHAR', unique_id:'VARCHAR', content_hash:'VARCHAR', salesforce_id:'VARCHAR'})",
            [str(path)],
        )
