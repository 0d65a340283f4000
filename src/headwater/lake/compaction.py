"""Merges the parts of an object into one, so that reading stays quick. What a reader sees does not change.

Not here: swapping the parts in the manifest, and deleting the old ones (parts.sweep).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from headwater.lake.parts import Part, write_part
from headwater.lake.quoting import quote_name
from headwater.lake.schema import TableSchema
from headwater.lake.snapshot import TableParts, open_snapshot

MOST_FILES = 64
LARGEST_DELTA_PERCENT = 20


def needs_compaction(parts: Sequence[Part]) -> bool:
    """More than 64 files, or rows written after the first cycle above 20 % of that cycle's rows."""
    if len(parts) > MOST_FILES:
        return True
    first = min((part.sequence for part in parts), default=0)
    base_rows = sum(part.row_count for part in parts if part.sequence == first)
    delta_rows = sum(part.row_count for part in parts if part.sequence > first)
    return delta_rows * 100 > base_rows * LARGEST_DELTA_PERCENT


def compact(parts: Sequence[Part], schema: TableSchema, directory: Path, sequence: int) -> Part:
    """A base: one part with the live records of `parts`, without tombstones. `parts` must be all parts of the object.

    Rows that come back with a record of another object are kept, deleted or not.

    sequence  At least the highest of `parts`, so that later deltas still win over the merged rows.
    """
    if any(part.sequence > sequence for part in parts):
        raise ValueError("A merged part cannot be older than the parts it holds.")
    connection: duckdb.DuckDBPyConnection
    with open_snapshot({schema.sobject: TableParts(schema, parts)}, directory) as connection:
        view = schema.sobject if schema.owner is None else f"{schema.sobject}__all"
        query = f"SELECT * FROM {quote_name(view)}"  # noqa: S608  # quoted name
        return replace(write_part(connection, query, schema, directory, sequence), is_base=True)
