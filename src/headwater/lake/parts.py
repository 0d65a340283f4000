"""Immutable Parquet parts on disk: put there whole or not at all, measured, swept when nobody lists them.

Not here: filling them (writing.py) and which of them make a cycle (the manifest).
"""

import errno
import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb

from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix
from headwater.lake.quoting import quote_name, quote_text
from headwater.lake.schema import TableSchema

PART_SUFFIX = ".parquet"
DRAFT_SUFFIX = ".draft"
SEQUENCE_COLUMN = "_sequence"
_NO_ROOM = "No space left on device"
_ZSTD_LEVEL = 1  # the usual 3 takes half as long again for files of the same size


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file of one object. A row of a higher `sequence` replaces the same Id of a lower one.

    is_base   No Id stands twice in it, nor in it and another base of the object.
    """

    path: str  # file name, relative to the lake's directory
    row_count: int
    size_bytes: int
    sequence: int  # number of the cycle that wrote it
    is_base: bool = False


def write_part(
    connection: duckdb.DuckDBPyConnection, query: str, schema: TableSchema, directory: Path, sequence: int
) -> Part:
    """Write the rows of `query` (the schema's columns) as a part that survives a power cut.

    Raises OSError with ENOSPC where the disk is full, as every other writing of a file does.
    """
    directory.mkdir(parents=True, exist_ok=True)
    name = f"{schema.sobject}-{sequence:08d}-{secrets.token_hex(6)}{PART_SUFFIX}"
    draft = directory / (name + DRAFT_SUFFIX)
    columns = ", ".join(f"{quote_name(each.name)} AS {quote_name(each.stored_name)}" for each in schema.columns)
    try:
        connection.execute(
            f"COPY (SELECT {columns}, CAST({int(sequence)} AS BIGINT) AS {SEQUENCE_COLUMN} FROM ({query})) "  # noqa: S608  # quoted names
            f"TO {quote_text(str(draft))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {_ZSTD_LEVEL}, "
            "USE_TMP_FILE false)"
        )
        row_count = _count(connection, draft, schema.sobject)
        part = Part(name, row_count, draft.stat().st_size, sequence)
        _settle(draft, directory / name)
    except duckdb.IOException as error:
        if _NO_ROOM in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(draft)) from error
        raise
    finally:
        draft.unlink(missing_ok=True)
    return part


def _count(connection: duckdb.DuckDBPyConnection, file: Path, sobject: str) -> int:
    """How many rows were written, by what the file says of itself. Raises Fix where one has no Id."""
    rows, without_id = connection.execute(
        "SELECT coalesce(sum(num_values), 0)::BIGINT, coalesce(sum(stats_null_count), 0)::BIGINT "  # noqa: S608  # quoted text
        f"FROM parquet_metadata({quote_text(str(file))}) WHERE path_in_schema = 'Id'"
    ).fetchall()[0]
    if without_id:
        raise Fix(
            "lake.id_missing",
            f"{without_id} of {rows} rows of {sobject} came without an Id.",
            Facts(left="The rows were not taken in.", you_can="run the sync of this object again"),
        )
    return int(rows)


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
