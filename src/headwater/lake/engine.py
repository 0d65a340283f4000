"""One DuckDB in memory for all that a process writes and checks: opening one takes longer than storing a page.

Not here: reading the replica, for which each reader opens its own (snapshot.py).
"""

import os
from functools import lru_cache

import duckdb


def engine() -> duckdb.DuckDBPyConnection:
    """A connection of this thread's own to it; the caller closes it."""
    return _engine(os.getpid()).cursor()


@lru_cache(maxsize=1)
def _engine(_process_id: int) -> duckdb.DuckDBPyConnection:
    """A forked process needs one of its own. Rows are stored in any order, so that all cores can write."""
    return duckdb.connect(config={"preserve_insertion_order": "false"})
