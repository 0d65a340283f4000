"""The exact account of API calls: what was counted, for whom, of which kind, and a journal of every call.

It has its own file, so that counting a call never waits for a write of records. The window is the rolling 24 hours of
facts B.2, kept in buckets of one minute: a call leaves the window with its whole minute.
"""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from orgsim.clock import Clock, datetime_text
from orgsim.store.database import Database

WINDOW_MINUTES = 24 * 60
_ADD_TO_BUCKET = (
    "INSERT INTO bucket VALUES (?, ?) ON CONFLICT (minute) DO UPDATE SET credits = credits + excluded.credits"
)
_MINUTE = dt.timedelta(minutes=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who made a call: a user through an app. Both empty when nobody could be told."""

    user_id: str = ""
    client_id: str = ""


class Outcome(StrEnum):
    """How a call ended: by the status of its answer, refused for want of room, or struck by a fault."""

    GOOD = "2xx"
    ELSEWHERE = "3xx"
    CLIENT_ERROR = "4xx"
    SERVER_ERROR = "5xx"
    REFUSED = "refused"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class CallTotal:
    """All calls of one kind by one user through one app, since the org was made.

    `outcomes` says how many ended how, by the values of Outcome; calls that still run are not among them.
    """

    user_id: str
    client_id: str
    kind: str
    calls: int
    credits: int
    outcomes: dict[str, int] = field(default_factory=dict)


class Usage:
    """Counts calls of one org. A call and its credits are written in one transaction, so totals always agree."""

    TABLES = """
    CREATE TABLE IF NOT EXISTS bucket (minute INTEGER PRIMARY KEY, credits INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS total (
        user_id TEXT NOT NULL, client_id TEXT NOT NULL, kind TEXT NOT NULL, calls INTEGER NOT NULL,
        credits INTEGER NOT NULL, PRIMARY KEY (user_id, client_id, kind)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS journal (
        number INTEGER PRIMARY KEY, at TEXT NOT NULL, user_id TEXT NOT NULL, client_id TEXT NOT NULL,
        kind TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, credits INTEGER NOT NULL,
        status INTEGER, note TEXT
    );
    CREATE TABLE IF NOT EXISTS journal_client (number INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS fault (
        id INTEGER PRIMARY KEY, effect TEXT NOT NULL, kind TEXT NOT NULL, path_prefix TEXT NOT NULL,
        on_calls TEXT NOT NULL, rate REAL NOT NULL, seed INTEGER NOT NULL, seconds REAL NOT NULL,
        after INTEGER NOT NULL, seen INTEGER NOT NULL DEFAULT 0, hits INTEGER NOT NULL DEFAULT 0, hits_left INTEGER
    );
    CREATE TABLE IF NOT EXISTS outcome (
        user_id TEXT NOT NULL, client_id TEXT NOT NULL, kind TEXT NOT NULL, outcome TEXT NOT NULL,
        calls INTEGER NOT NULL, PRIMARY KEY (user_id, client_id, kind, outcome)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS latency (
        kind TEXT PRIMARY KEY, seconds REAL NOT NULL, spread_seconds REAL NOT NULL, seed INTEGER NOT NULL,
        seen INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS record_lock (
        record_id TEXT NOT NULL, kind TEXT NOT NULL, until TEXT, writes_left INTEGER, PRIMARY KEY (record_id, kind)
    ) WITHOUT ROWID
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self._clock = clock

    def close(self) -> None:
        self.database.close()

    def used_calls(self) -> int:
        """Credits in the 24 hours that end now."""
        return self._credits_since(self._minute() - WINDOW_MINUTES)

    def used_calls_lagging(self, whole_minutes: int) -> int:
        """Credits in the 24 hours that ended when the clock last showed a multiple of `whole_minutes`."""
        last = self._minute() // whole_minutes * whole_minutes - 1
        return self._credits_since(last - WINDOW_MINUTES) - self._credits_since(last)

    def used_by_app(self, client_id: str) -> int:
        """Credits of one app in the 24 hours that end now."""
        since = datetime_text(self._clock.now() - WINDOW_MINUTES * _MINUTE)
        row = self.database.connect().execute(
            "SELECT coalesce(sum(credits), 0) FROM journal WHERE client_id = ? AND at > ?", (client_id, since)
        )
        return int(row.fetchone()[0])

    def credits_after(self, journal_number: int) -> int:
        """What the calls since that one have cost."""
        row = self.database.connect().execute(
            "SELECT coalesce(sum(credits), 0) FROM journal WHERE number > ?", (journal_number,)
        )
        return int(row.fetchone()[0])

    def hourly_credits(self) -> list[int]:
        """Credits in each hour of the window, the oldest first."""
        now = self._minute()
        rows = self.database.connect().execute(
            "SELECT (? - minute) / 60, sum(credits) FROM bucket WHERE minute > ? GROUP BY 1",
            (now, now - WINDOW_MINUTES),
        )
        by_hours_ago: dict[int, int] = dict(rows.fetchall())
        return [by_hours_ago.get(hours_ago, 0) for hours_ago in reversed(range(WINDOW_MINUTES // 60))]

    def count(
        self,
        caller: Caller,
        kind: str,
        method: str,
        path: str,
        *,
        cost: int,
        room_calls: int | None,
        client_name: str = "",
    ) -> tuple[int, bool]:
        """Count one call and say (its journal number, whether it may proceed).

        client_name what the call says of its sender, for the org's own event log
        room_calls  the allowance; a call that would pass it is journaled at no cost and refused. None: no end.
        """
        with self.database.write() as connection:
            may_proceed = room_calls is None or self.used_calls() + cost <= room_calls
            charged = cost if may_proceed else 0
            if charged:
                connection.execute(
                    _ADD_TO_BUCKET,
                    (self._minute(), charged),
                )
            connection.execute(
                "INSERT INTO total VALUES (?, ?, ?, 1, ?) ON CONFLICT (user_id, client_id, kind) "
                "DO UPDATE SET calls = calls + 1, credits = credits + excluded.credits",
                (caller.user_id, caller.client_id, kind, charged),
            )
            row = connection.execute(
                "INSERT INTO journal (at, user_id, client_id, kind, method, path, credits) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING number",
                (datetime_text(self._clock.now()), caller.user_id, caller.client_id, kind, method, path, charged),
            ).fetchone()
            if client_name:
                connection.execute("INSERT INTO journal_client VALUES (?, ?)", (row[0], client_name))
        return int(row[0]), may_proceed

    def finish(self, journal_number: int, outcome: Outcome, status: int | None, note: str | None = None) -> None:
        """Write down how a journaled call ended. No status: nothing was answered."""
        with self.database.write() as connection:
            connection.execute(
                "UPDATE journal SET status = ?, note = ? WHERE number = ?", (status, note, journal_number)
            )
            connection.execute(
                "INSERT INTO outcome SELECT user_id, client_id, kind, ?, 1 FROM journal WHERE number = ? "
                "ON CONFLICT (user_id, client_id, kind, outcome) DO UPDATE SET calls = calls + 1",
                (outcome.value, journal_number),
            )

    def totals(self) -> list[CallTotal]:
        with self.database.read() as connection:
            totals = {
                (user_id, client_id, kind): CallTotal(user_id, client_id, kind, calls, spent)
                for user_id, client_id, kind, calls, spent in connection.execute(
                    "SELECT user_id, client_id, kind, calls, credits FROM total ORDER BY user_id, client_id, kind"
                )
            }
            for *whose, outcome, calls in connection.execute("SELECT * FROM outcome"):
                totals[tuple(whose)].outcomes[outcome] = calls
        return list(totals.values())

    def total_credits(self) -> int:
        row = self.database.connect().execute("SELECT coalesce(sum(credits), 0) FROM total").fetchone()
        return int(row[0])

    def journal(self, last: int = 100) -> list[dict[str, object]]:
        """The newest calls, oldest first."""
        return self.database.named_rows(
            "SELECT * FROM (SELECT * FROM journal ORDER BY number DESC LIMIT ?) ORDER BY number", (last,)
        )

    def use_elsewhere(self, calls: int, minutes_ago: int = 0) -> None:
        """Let other programs of the org have spent some of the allowance."""
        with self.database.write() as connection:
            connection.execute(
                _ADD_TO_BUCKET,
                (self._minute() - minutes_ago, calls),
            )

    def _credits_since(self, minute: int) -> int:
        """In the minutes after that one."""
        row = self.database.connect().execute(
            "SELECT coalesce(sum(credits), 0) FROM bucket WHERE minute > ?", (minute,)
        )
        return int(row.fetchone()[0])

    def _minute(self) -> int:
        return (self._clock.now() - _EPOCH) // _MINUTE
