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


def to_merge(parts: Sequence[Part]) -> Sequence[Part]:
    """The parts that should become one; none where reading is quick as it is.

    All of them where the first cycle left more than 64 files, or where more came later than 20 % of its rows. Only
    those that came later where they are more than 64 files: the first cycle's may be a thousand times as large.
    """
    first = min((part.sequence for part in parts), default=0)
    base = [part for part in parts if part.sequence == first]
    later = [part for part in parts if part.sequence > first]
    base_rows, later_rows = (sum(part.row_count for part in some) for some in (base, later))
    if len(base) > MOST_FILES or later_rows * 100 > base_rows * LARGEST_DELTA_PERCENT:
        return parts
    return later if len(later) > MOST_FILES else []


def compact(parts: Sequence[Part], schema: TableSchema, directory: Path, sequence: int) -> Part:
    """A base: one part with the live records of `parts`, without tombstones. `parts` must be all parts of the object.

    Rows that come back with a record of another object are kept, deleted or not.

    sequence  At least the highest of `parts`, so that later deltas still win over the merged rows.
    """
    view = schema.sobject if schema.owner is None else f"{schema.sobject}__all"
    return replace(_merged(parts, schema, view, directory, sequence), is_base=True)


def merge_later(parts: Sequence[Part], schema: TableSchema, directory: Path, sequence: int) -> Part:
    """One part with the newest row of each Id in `parts`, deleted ones too: they hide rows of other parts.

    sequence  As in `compact`.
    """
    return _merged(parts, schema, f"{schema.sobject}__all", directory, sequence)


def _merged(parts: Sequence[Part], schema: TableSchema, view: str, directory: Path, sequence: int) -> Part:
    if any(part.sequence > sequence for part in parts):
        raise ValueError("A merged part cannot be older than the parts it holds.")
    connection: duckdb.DuckDBPyConnection
    with open_snapshot({schema.sobject: TableParts(schema, parts)}, directory) as connection:
        return write_part(connection, f"SELECT * FROM {quote_name(view)}", schema, directory, sequence)  # noqa: S608  # quoted name
