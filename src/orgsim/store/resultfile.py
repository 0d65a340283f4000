"""A numbered list of texts in a file of its own: the result of a Bulk query, or the ids behind a query cursor.

Filled by one statement from an org's file, so that it is a consistent view and writers are not held up.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from orgsim.store.database import open_file
from orgsim.store.timelimit import limited

_CHUNK_ROWS = 2000


NO_LIMIT_SECONDS = float("inf")


def fill(
    path: Path,
    org_file: Path,
    select: str,
    params: Mapping[str, str | int | float | None],
    limit_seconds: float = NO_LIMIT_SECONDS,
) -> int:
    """Keep the single column of `select` in row order, numbered from 1. Returns how many rows there are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with _opened(path) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("ATTACH ? AS org", (str(org_file),))
        connection.execute("CREATE TABLE main.row (number INTEGER PRIMARY KEY, value TEXT)")
        connection.execute("BEGIN")
        with limited(connection, limit_seconds):
            connection.execute(f"INSERT INTO main.row (value) {select}", params)
        connection.execute("COMMIT")
        (count,) = connection.execute("SELECT count(*) FROM main.row").fetchone()
    return int(count)


def read(path: Path, first: int, count: int) -> Iterator[list[str]]:
    """The texts numbered `first` to `first + count - 1`, in lists of up to 2,000."""
    with _opened(path) as connection:
        cursor = connection.execute(
            "SELECT value FROM row WHERE number >= ? AND number < ? ORDER BY number", (first, first + count)
        )
        while chunk := cursor.fetchmany(_CHUNK_ROWS):
            yield [row[0] for row in chunk]


def attach(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("ATTACH ? AS result", (str(path),))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_file(path)
    try:
        yield connection
    finally:
        connection.close()
