"""One DuckDB in memory for the pages that a process stores: opening one takes longer than storing a page.

What joins all rows of an object has one of its own, that may use the disk. Not here: what readers open (snapshot.py).
"""

import os
from functools import lru_cache
from pathlib import Path

import duckdb


def engine() -> duckdb.DuckDBPyConnection:
    """A connection of this thread's own to it; the caller closes it."""
    return _engine(os.getpid()).cursor()


def spilling(directory: Path) -> duckdb.DuckDBPyConnection:
    """One of its own that lays out beside the parts in `directory` what memory does not hold; the caller closes it."""
    return duckdb.connect(config={"temp_directory": str(directory / ".spill"), "preserve_insertion_order": "false"})


@lru_cache(maxsize=1)
def _engine(_process_id: int) -> duckdb.DuckDBPyConnection:
    """A forked process needs one of its own. Rows are stored in any order, so that all cores can write."""
    return duckdb.connect(config={"preserve_insertion_order": "false"})
