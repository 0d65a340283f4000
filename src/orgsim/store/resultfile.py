"""A numbered list of texts in an SQLite file of its own: the ids behind a query cursor, or rows to become a line file.

Filled by one statement from an org's file, so that it is a consistent view, writers are not held up, and other threads
run meanwhile.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from orgsim.store.database import BUSY_TIMEOUT_SECONDS
from orgsim.store.timelimit import NO_LIMIT_SECONDS, limited

_CHUNK_ROWS = 2000
_PAGE_BYTES = 65_536  # the largest there is: rows are written once, one after the other
# Few enough that a block of the longest rows fits into memory, many enough that asking for a block costs little.
_BLOCK_ROWS = 250


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
    with closing(_open(path)) as connection:
        for pragma in (f"page_size = {_PAGE_BYTES}", "journal_mode = OFF", "synchronous = OFF"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("ATTACH ? AS org", (str(org_file),))
        connection.execute("CREATE TABLE main.row (number INTEGER PRIMARY KEY, value TEXT)")
        connection.execute("BEGIN")
        with limited(connection, limit_seconds):
            connection.execute(f"INSERT INTO main.row (value) {select}", params)
        connection.execute("COMMIT")
        return _count(connection)


def read(path: Path, first: int, count: int) -> Iterator[list[str]]:
    """The texts numbered `first` to `first + count - 1`, in lists of up to 2,000."""
    with closing(_open(path)) as connection:
        cursor = connection.execute(
            "SELECT value FROM row WHERE number >= ? AND number < ? ORDER BY number", (first, first + count)
        )
        while chunk := cursor.fetchmany(_CHUNK_ROWS):
            yield [row[0] for row in chunk]


def read_joined(path: Path, ending: str) -> Iterator[tuple[bytes, list[int]]]:
    """All texts in blocks: a block's texts one after the other, `ending` behind each, and how many bytes each takes."""
    with closing(_open(path)) as connection:
        connection.text_factory = bytes
        for first in range(1, _count(connection) + 1, _BLOCK_ROWS):
            block, lengths = connection.execute(
                "SELECT group_concat(value || :ending, ''), group_concat(length(CAST(value || :ending AS BLOB))) "
                "FROM (SELECT value FROM row WHERE number BETWEEN :first AND :last ORDER BY number)",
                {"ending": ending, "first": first, "last": first + _BLOCK_ROWS - 1},
            ).fetchone()
            yield block, [int(each) for each in lengths.split(b",")]


def attach(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("ATTACH ? AS result", (str(path),))


def _count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(number), 0) FROM main.row").fetchone()[0])


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
