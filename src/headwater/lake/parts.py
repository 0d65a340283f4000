"""Immutable Parquet parts on disk: put there whole or not at all, measured, swept when nobody lists them.

Not here: filling them (writing.py) and which of them make a cycle (the manifest).
"""

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix
from headwater.lake.quoting import quote_name, quote_text
from headwater.lake.schema import TableSchema

PART_SUFFIX = ".parquet"
DRAFT_SUFFIX = ".draft"
SEQUENCE_COLUMN = "_sequence"


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file of one object. A row of a higher `sequence` replaces the same Id of a lower one."""

    path: str  # file name, relative to the lake's directory
    row_count: int
    size_bytes: int
    sequence: int  # number of the cycle that wrote it
    max_modstamp: datetime | None  # newest SystemModstamp, timezone-aware UTC
    max_id_at_max_modstamp: str | None  # highest Id among the rows of that moment


def write_part(
    connection: duckdb.DuckDBPyConnection, query: str, schema: TableSchema, directory: Path, sequence: int
) -> Part:
    """Write the rows of `query` (the schema's columns) as a part that survives a power cut."""
    directory.mkdir(parents=True, exist_ok=True)
    name = f"{schema.sobject}-{sequence:08d}-{secrets.token_hex(6)}{PART_SUFFIX}"
    draft = directory / (name + DRAFT_SUFFIX)
    try:
        connection.execute(
            f"COPY (SELECT *, CAST({int(sequence)} AS BIGINT) AS {SEQUENCE_COLUMN} FROM ({query})) "  # noqa: S608  # quoted names
            f"TO {quote_text(str(draft))} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
        )
        part = _measure(connection, draft, schema, name, sequence)
        _settle(draft, directory / name)
    finally:
        draft.unlink(missing_ok=True)
    return part


def _measure(connection: duckdb.DuckDBPyConnection, file: Path, schema: TableSchema, name: str, sequence: int) -> Part:
    source = f"read_parquet({quote_text(str(file))})"
    modstamp = quote_name("SystemModstamp") if schema.has("SystemModstamp") else "CAST(NULL AS TIMESTAMP)"
    newest = _one_row(
        connection,
        f"WITH row AS (SELECT Id, {modstamp} AS modstamp FROM {source}) "  # noqa: S608  # our own names
        "SELECT COUNT(*), COUNT(Id), MAX(modstamp), "
        "(SELECT MAX(Id) FROM row WHERE modstamp = (SELECT MAX(modstamp) FROM row)) FROM row",
    )
    rows, rows_with_id, max_modstamp, max_id = newest
    if rows != rows_with_id:
        raise Fix(
            "lake.id_missing",
            f"{rows - rows_with_id} of {rows} rows of {schema.sobject} came without an Id.",
            Facts(left="The rows were not taken in.", you_can="run the sync of this object again"),
        )
    stamp = max_modstamp.replace(tzinfo=UTC) if max_modstamp else None
    return Part(name, rows, file.stat().st_size, sequence, stamp, max_id)


def _one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, int, datetime | None, str | None]:
    row: tuple[int, int, datetime | None, str | None] = connection.execute(query).fetchall()[0]
    return row


def _settle(draft: Path, final: Path) -> None:
    """Bytes to disk before the name, the name before the manifest: a listed part is always a whole one."""
    _sync_to_disk(draft)
    draft.rename(final)
    _sync_to_disk(final.parent)


def _sync_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(directory: Path, keep: set[str], grace: timedelta) -> list[str]:
    """Delete parts and drafts that `keep` does not name and that are older than `grace`; returns their names.

    grace  Long enough for the slowest writer to list its part, and the slowest reader to finish with an old snapshot.
    """
    oldest_kept = (now_utc() - grace).timestamp()
    ours = [path for path in sorted(directory.iterdir()) if path.suffix in (PART_SUFFIX, DRAFT_SUFFIX)]
    swept = [path for path in ours if path.name not in keep and path.stat().st_mtime < oldest_kept]
    for path in swept:
        path.unlink()
    return [path.name for path in swept]
