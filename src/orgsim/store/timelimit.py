"""Ends an SQL statement that has run for too long, as Salesforce ends a query (facts C.3)."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from orgsim.errors import ApiError

NO_LIMIT_SECONDS = float("inf")
_STEPS_BETWEEN_LOOKS = 20_000  # of SQLite's virtual machine: a look each 0.1 to 1 millisecond


@contextmanager
def limited(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Raises ApiError QUERY_TIMEOUT once the statements inside have taken `seconds`.

    Without a limit there is no look: for each one SQLite must wait until no other thread runs Python.
    """
    if seconds == NO_LIMIT_SECONDS:
        yield
        return
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
