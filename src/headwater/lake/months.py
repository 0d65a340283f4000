"""Sums of an object's live rows by month of creation, to be compared with the org's. Months are those of UTC.

Not here: asking the org (sync/audit_asks.py), and what becomes of a month that differs (listing.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from headwater.lake.quoting import quote_name

_MONTH = "strftime(CreatedDate, '%Y-%m')"
_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class MonthSum:
    """The rows of one month of creation and their stamps (UTC, as `2024-05-31T23:59:59Z`).

    stamps   How many different ones there are.
    """

    rows: int
    oldest: str
    newest: str
    stamps: int


def month_sums(
    connection: duckdb.DuckDBPyConnection, sobject: str, stamp: str, until_utc: datetime, without: Sequence[str] = ()
) -> dict[str, MonthSum]:
    """By month (`2024-05`), of a snapshot's rows that have not changed since `until_utc`.

    stamp     The column that says when a row changed.
    without   Ids that do not count.
    """
    moment = quote_name(stamp)
    rows = connection.execute(
        f"SELECT {_MONTH}, count(*), strftime(min({moment}), '{_SECONDS}'), strftime(max({moment}), '{_SECONDS}'), "  # noqa: S608  # quoted names
        f"count(DISTINCT {moment}) FROM {quote_name(sobject)} "
        f"WHERE {moment} <= ?::TIMESTAMP AND Id NOT IN (SELECT unnest(?::VARCHAR[])) GROUP BY 1",
        [until_utc.strftime("%Y-%m-%d %H:%M:%S"), list(without)],
    ).fetchall()
    return {month: MonthSum(*sums) for month, *sums in rows}
