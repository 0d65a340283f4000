"""A Bulk job's files: the CSV that is uploaded, and its results as a Parquet file beside the queue (facts C.4, C.5).

Results come in another order than rows were sent, so they are joined to the queue by the record's own key.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import orjson

from headwater.connections.package import UNIQUE_ID
from headwater.credits.write_prices import Action
from headwater.export.queue_file import PARQUET, SET_NULL, Slice, database_beside, field_names, rows_of
from headwater.export.record import Settled
from headwater.salesforce.rest import RecordError

_LONGEST_LINE_BYTES = 1 << 23


def write_upload(queue: Path, part: Slice, into: Path) -> None:
    """Every cell of an upsert is quoted, and what is empty is sent as `#N/A`, which empties it (facts C.4)."""
    rows = rows_of(queue, part)
    if part.action is Action.DELETE:
        select, options = f'SELECT salesforce_id AS "Id" FROM ({rows})', ""  # noqa: S608 - of our own making
    else:
        names = field_names(part.sobject)
        shape = orjson.dumps(dict.fromkeys(names, "VARCHAR")).decode()
        cells = ", ".join(f"coalesce(nullif(cells.\"{name}\", ''), '{SET_NULL}') AS \"{name}\"" for name in names)
        parsed = f"SELECT json_transform(record, '{shape}') AS cells FROM ({rows})"  # noqa: S608 - as above
        select, options = f"SELECT {cells} FROM ({parsed})", ", FORCE_QUOTE *"  # noqa: S608 - as above
    with database_beside(queue) as connection:
        connection.execute(f"COPY ({select}) TO '{into}' (FORMAT csv, HEADER, DELIMITER ','{options})")


def count_rows(results: Path) -> int:
    with database_beside(results) as connection:
        return _one_number(connection, f"SELECT count(*) FROM {_csv(results)}")  # noqa: S608 - a path of our own


def write_results(queue: Path, part: Slice, successful: Path, failed: Path | None, into: Path) -> None:
    """Join the results to the rows that were sent; a row in neither file was not processed.

    The file appears whole or not at all.
    """
    csv_key, queue_key = (UNIQUE_ID, "unique_id") if part.action is Action.UPSERT else ("Id", "salesforce_id")
    through = f'SELECT "{csv_key}" AS key, "sf__Id" AS id, NULL AS error FROM {_csv(successful)}'  # noqa: S608 - as above
    refused = f'UNION ALL SELECT "{csv_key}", NULL, "sf__Error" FROM {_csv(failed)}' if failed else ""  # noqa: S608
    select = (
        "SELECT sent.action, sent.sobject, sent.unique_id, sent.content_hash, "  # noqa: S608 - as above
        "coalesce(nullif(told.id, ''), sent.salesforce_id) AS salesforce_id, told.error "
        f"FROM ({rows_of(queue, part)}) AS sent JOIN ({through} {refused}) AS told ON told.key = sent.{queue_key} "
        "ORDER BY sent.unique_id"
    )
    unfinished = into.with_suffix(".unfinished")
    with database_beside(queue) as connection:
        connection.execute(f"COPY ({select}) TO '{unfinished}' ({PARQUET})")
    unfinished.replace(into)


def summary(results: Path) -> dict[str, Any]:
    """`rows`, and the `codes` of the errors among them."""
    with database_beside(results) as connection:
        rows = _one_number(connection, f"SELECT count(*) FROM read_parquet('{results}')")  # noqa: S608 - as above
        sql = "SELECT DISTINCT split_part(error, ':', 1) FROM read_parquet(?) WHERE error IS NOT NULL ORDER BY ALL"
        codes = [code for (code,) in connection.execute(sql, [str(results)]).fetchall()]
    return {"rows": rows, "codes": codes}


def settled_rows(results: Path, first: int, count: int) -> list[Settled]:
    with database_beside(results) as connection:
        rows = connection.execute(
            "SELECT unique_id, content_hash, salesforce_id, error FROM read_parquet(?) LIMIT ? OFFSET ?",
            [str(results), count, first],
        ).fetchall()
    return list(_settled(rows))


def _settled(rows: list[tuple[str, str, str, str | None]]) -> Iterator[Settled]:
    for unique_id, content_hash, salesforce_id, error in rows:
        yield Settled(unique_id, content_hash, salesforce_id, read_error(error) if error else None)


def read_error(text: str) -> RecordError:
    """`CODE:message:field,field --`; without fields it ends `:--` (facts C.5). The message may hold colons itself."""
    code, _, told = text.partition(":")
    message, separator, names = told.removesuffix("--").rstrip().rpartition(":")
    if not separator:
        message, names = names, ""
    return RecordError(code, message, tuple(name.strip() for name in names.split(",") if name.strip()))


def _csv(path: Path) -> str:
    """A results file as text alone. Some orgs send an empty body for no rows (facts C.4)."""
    with path.open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file), ["sf__Id", "sf__Error", UNIQUE_ID, "Id"])
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in header)
    return (
        f"read_csv('{path}', auto_detect = false, header = true, columns = {{{columns}}}, "
        "delim = ',', quote = '\"', escape = '\"', nullstr = '', "
        f"max_line_size = {_LONGEST_LINE_BYTES}, buffer_size = {2 * _LONGEST_LINE_BYTES})"
    )


def _one_number(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
