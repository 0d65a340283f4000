"""What an org has used of the daily quotas of its Bulk APIs, in a rolling window of 24 hours (facts B.4).

Not here: the allowance of API calls (store/usage.py), and how large each quota is (bulk/limits.py).
"""

import datetime as dt
from enum import StrEnum

from orgsim.clock import Clock
from orgsim.store.database import Database

_WINDOW = dt.timedelta(days=1)


class Quota(StrEnum):
    """What is counted. Both Bulk APIs draw on the same batches and records."""

    QUERY_JOBS = "query jobs"
    RESULT_BYTES = "result bytes"
    BATCHES = "batches"
    RECORDS = "records"


class Quotas:
    """Kept apart from jobs and batches, because deleting those gives nothing back."""

    TABLES = """
    CREATE TABLE IF NOT EXISTS quota (
        name TEXT NOT NULL, minute INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (name, minute)
    ) WITHOUT ROWID
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def used(self, quota: Quota) -> int:
        """In the 24 hours that end now."""
        since = _minute(self._clock.now() - _WINDOW)
        row = self._database.connect().execute(
            "SELECT coalesce(sum(amount), 0) FROM quota WHERE name = ? AND minute > ?", (quota.value, since)
        )
        return int(row.fetchone()[0])

    def use(self, quota: Quota, amount: int = 1) -> None:
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO quota VALUES (?, ?, ?) "
                "ON CONFLICT (name, minute) DO UPDATE SET amount = amount + excluded.amount",
                (quota.value, _minute(self._clock.now()), amount),
            )

    def take(self, quota: Quota, amount: int, *, most: int) -> bool:
        """Use it if that much is left, and say whether it was."""
        with self._database.write():
            if self.used(quota) + amount > most:
                return False
            self.use(quota, amount)
            return True


def _minute(moment: dt.datetime) -> int:
    return int(moment.timestamp()) // 60
