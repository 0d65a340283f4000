"""One SQLite file: a connection per thread, short write transactions, savepoints inside them.

Write-ahead logging lets other processes read and edit the same file while a server runs.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NoReturn, TypeVar

BUSY_TIMEOUT_SECONDS = 30
_Kept = TypeVar("_Kept")
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

    def write(self) -> "_Writing":
        """All or nothing. Inside another `write` of the same thread it is a savepoint of that one."""
        return _Writing(self, may_join=False)

    def join(self) -> "_Writing":
        """As `write`, but inside another a part of it that stands and falls with it: for what cannot fail halfway."""
        return _Writing(self, may_join=True)

    def kept(self, key: Hashable, read: Callable[[], _Kept]) -> _Kept:
        """What `read` gives, asked once in a whole `write`: for what nobody else changes meanwhile.

        Whoever changes it in the same `write` calls `forget`. Outside of one it is asked anew each time.
        """
        kept: dict[Hashable, _Kept] | None = getattr(self._local, "kept", None)
        if kept is None:
            return read()
        if key not in kept:
            kept[key] = read()
        return kept[key]

    def remembered(self, key: Hashable, read: Callable[[], _Kept]) -> _Kept:
        """What `read` gives of this file; asked anew when the file has changed since this thread asked last."""
        if getattr(self._local, "kept", None) is not None:
            return self.kept(key, read)
        connection = self.connect()
        (others,) = connection.execute("PRAGMA data_version").fetchone()
        version = (others, connection.total_changes)  # what others have committed, and what this connection did
        if getattr(self._local, "version", None) != version:
            self._local.version, self._local.remembered = version, {}
        remembered: dict[Hashable, _Kept] = self._local.remembered
        if key not in remembered:
            remembered[key] = read()
        return remembered[key]

    def forget(self) -> None:
        """What is kept may have changed."""
        if getattr(self._local, "kept", None) is not None:
            self._local.kept = {}

    def begin(self) -> None:
        """For _Writing alone, as `end` is."""
        connection = self.connect()
        self._turns.__enter__()
        try:
            # Each savepoint keeps the pages it changes, and would write those of a whole chunk to a file.
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._turns.__exit__()
            raise
        self._local.kept = {}

    def end(self, *, keep: bool) -> None:
        connection = self.connect()
        try:
            if keep:
                connection.execute("COMMIT")
            elif connection.in_transaction:
                connection.execute("ROLLBACK")
            if not connection.in_transaction:
                connection.execute("PRAGMA temp_store = DEFAULT")  # what is sorted for a query may be large
        finally:
            self._local.kept = None
            self._turns.__exit__()

    def close(self) -> None:
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()


class _Writing:
    """One `with` block that writes: a transaction, a savepoint inside one, or nothing of its own. Used once.

    A class, as a generator would cost more than the savepoint itself, and each saved record opens several.
    """

    __slots__ = ("_connection", "_database", "_is_outermost", "_joins", "_may_join")

    def __init__(self, database: Database, *, may_join: bool) -> None:
        self._database = database
        self._may_join = may_join

    def __enter__(self) -> sqlite3.Connection:
        self._connection = self._database.connect()
        self._is_outermost = not self._connection.in_transaction
        self._joins = self._may_join and not self._is_outermost
        if self._is_outermost:
            self._database.begin()
        elif not self._joins:
            self._connection.execute("SAVEPOINT part")
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._joins:
            return
        if self._is_outermost:
            self._database.end(keep=kind is None)
        elif kind is None:
            self._connection.execute("RELEASE part")
        elif self._connection.in_transaction:
            self._database.forget()
            self._connection.execute("ROLLBACK TO part")
            self._connection.execute("RELEASE part")


def open_file(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")  # what is written outlives its process, if not a power failure
    connection.execute(f"PRAGMA cache_size = -{_CACHE_MIB * 1024}")
    return connection
