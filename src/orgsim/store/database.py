"""One SQLite file: a connection per thread, short write transactions, savepoints inside them.

Write-ahead logging lets other processes read and edit the same file while a server runs.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

BUSY_TIMEOUT_SECONDS = 30
_CACHE_MIB = 8  # of each connection, and a busy server has forty; the system keeps the file in its own cache anyway


class RollBackError(Exception):
    """Leaves a transaction without keeping it; whoever opened the transaction catches it."""


def roll_back() -> NoReturn:
    raise RollBackError


class _Turns:
    """Lets the threads of one process write in the order in which they came.

    SQLite's own waiting sleeps between looks, so that a thread which writes again and again would keep all others out.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()

    def __enter__(self) -> None:
        mine = object()
        with self._changed:
            self._queue.append(mine)
            try:
                self._changed.wait_for(lambda: self._queue[0] is mine)
            except BaseException:  # a signal, while waiting
                self._queue.remove(mine)
                self._changed.notify_all()
                raise

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._queue.popleft()
            self._changed.notify_all()


class Database:
    """A file and its connections."""

    def __init__(self, path: Path, script: str) -> None:
        self.path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._turns = _Turns()
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
        if connection.in_transaction:
            with _transaction(connection, nested=True):
                yield connection
            return
        with self._turns, _transaction(connection, nested=False):
            yield connection

    def close(self) -> None:
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()


@contextmanager
def _transaction(connection: sqlite3.Connection, *, nested: bool) -> Iterator[None]:
    connection.execute("SAVEPOINT part" if nested else "BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO part" if nested else "ROLLBACK")
            if nested:
                connection.execute("RELEASE part")
        raise
    connection.execute("RELEASE part" if nested else "COMMIT")


def open_file(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_MIB * 1024}")
    return connection
