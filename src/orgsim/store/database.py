"""One SQLite file: a connection per thread, short write transactions, savepoints inside them.

Write-ahead logging lets other processes read and edit the same file while a server runs.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

BUSY_TIMEOUT_SECONDS = 30


class RollBackError(Exception):
    """Leaves a transaction without keeping it; whoever opened the transaction catches it."""


def roll_back() -> NoReturn:
    raise RollBackError


class Database:
    """A file and its connections."""

    def __init__(self, path: Path, script: str) -> None:
        self.path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        with self.write() as connection:
            for statement in filter(None, (each.strip() for each in script.split(";"))):
                connection.execute(statement)

    def connect(self) -> sqlite3.Connection:
        """This thread's own connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = open_file(self.path)
            self._local.connection = connection
            with self._lock:
                self._opened.append(connection)
        return connection

    def named_rows(self, statement: str, parameters: tuple[object, ...] = ()) -> list[dict[str, object]]:
        """What a query finds, each row with the names of its columns."""
        cursor = self.connect().execute(statement, parameters)
        names = [each[0] for each in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view over several statements."""
        connection = self.connect()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("COMMIT")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. Inside another `write` of the same thread it is a savepoint of that one."""
        connection = self.connect()
        nested = connection.in_transaction
        connection.execute("SAVEPOINT part" if nested else "BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK TO part" if nested else "ROLLBACK")
                if nested:
                    connection.execute("RELEASE part")
            raise
        connection.execute("RELEASE part" if nested else "COMMIT")

    def close(self) -> None:
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()


def open_file(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -65536")
    return connection
