"""What should stand in the org, as Salesforce's JSON, out of the latest run of attribution; and what of it to send.

The difference to what was written is computed in the embedded database and kept as a sorted Parquet file, so that a
killed export goes on with the same batches. Not here: reading it (queue_file.py) and sending (send.py, bulk_lane.py).
"""

import tempfile
from importlib.resources import files
from pathlib import Path

import duckdb
import orjson

from headwater.accounts.models import Account
from headwater.connections.package import BUYER_ATTRIBUTION_TOUCHPOINT, BUYER_TOUCHPOINT
from headwater.export.models import WrittenRecord
from headwater.export.queue_file import MEMORY_LIMIT, PARQUET
from headwater.results.services import open_results

SOBJECTS = (BUYER_TOUCHPOINT, BUYER_ATTRIBUTION_TOUCHPOINT)
_READ = ("buyer_touchpoint", "attribution_touchpoint")


def write_queue(account: Account, queue: Path) -> dict[str, int]:
    """Write wanted - written to `queue`; returns how many records are to be sent, by action and object."""
    queue.parent.mkdir(parents=True, exist_ok=True)
    with open_results(account, _READ) as connection, tempfile.TemporaryDirectory(dir=queue.parent) as folder:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = '{folder}'")  # a path of our own making, as those below
        _load_written(connection, account, Path(folder) / "written.ndjson")
        connection.execute(_sql("wanted"))
        connection.execute(_sql("queue"))
        sort = "SELECT * FROM queue ORDER BY action, sobject, unique_id"
        connection.execute(f"COPY ({sort}) TO '{queue}' ({PARQUET})")
        rows = connection.execute(
            "SELECT action, sobject, count(*) FROM read_parquet(?) GROUP BY action, sobject ORDER BY ALL", [str(queue)]
        ).fetchall()
    return {f"{action} {sobject}": count for action, sobject, count in rows}


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
