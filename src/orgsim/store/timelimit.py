"""Ends an SQL statement that has run for too long, as Salesforce ends a query (facts C.3)."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from orgsim.errors import ApiError

_STEPS_BETWEEN_LOOKS = 2000  # of SQLite's virtual machine: a look each 10 to 100 microseconds


@contextmanager
def limited(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Raises ApiError QUERY_TIMEOUT once the statements inside have taken `seconds`."""
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        raise ApiError("QUERY_TIMEOUT", "Your query request was running for too long.") from error
    finally:
        connection.set_progress_handler(None, 0)
