"""The local copy as immutable Parquet parts: write them, read them as one consistent snapshot, compact, sweep.

Not here: which parts belong to a cycle (the manifest is the state database's) and how rows come out of Salesforce.
"""

from headwater.lake.arriving import GZIP_SUFFIX, Arrival, Interrupted
from headwater.lake.checksum import checksum
from headwater.lake.compaction import compact, merge_later, to_merge
from headwater.lake.listing import Listing, Wrong, hold_against
from headwater.lake.months import Fineness, MonthSum, finest, month_sums
from headwater.lake.parts import Part, sweep
from headwater.lake.renewal import write_renewed
from headwater.lake.schema import ALWAYS, CanonicalType, Column, Owner, TableSchema, can_hold, canonical_type
from headwater.lake.snapshot import TableParts, ids_are_unique, open_snapshot
from headwater.lake.tombstones import Deleted, can_hold_tombstones, write_deleted
from headwater.lake.writing import csv_size_bytes, write_part_from_csv, write_part_from_ndjson

__all__ = [
    "ALWAYS",
    "GZIP_SUFFIX",
    "Arrival",
    "CanonicalType",
    "Column",
    "Deleted",
    "Fineness",
    "Interrupted",
    "Listing",
    "MonthSum",
    "Owner",
    "Part",
    "TableParts",
    "TableSchema",
    "Wrong",
    "can_hold",
    "can_hold_tombstones",
    "canonical_type",
    "checksum",
    "compact",
    "csv_size_bytes",
    "finest",
    "hold_against",
    "ids_are_unique",
    "merge_later",
    "month_sums",
    "open_snapshot",
    "sweep",
    "to_merge",
    "write_deleted",
    "write_part_from_csv",
    "write_part_from_ndjson",
    "write_renewed",
]
