"""Sums of an object's live rows by month of creation and time of change, to be compared with the org's. All in UTC.

Not here: asking the org (sync/audit_asks.py), and what becomes of a month that differs (listing.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import duckdb

from headwater.lake.quoting import quote_name

_MONTH = "strftime(CreatedDate, '%Y-%m')"
_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


class Fineness(StrEnum):
    """By what the rows of a month of creation are told apart: the day or the month of their last change, or nothing."""

    DAY = "day"
    MONTH = "month"
    NOTHING = "nothing"


_FORMATS = {Fineness.DAY: " %Y-%m-%d", Fineness.MONTH: " %Y-%m"}


@dataclass(frozen=True, slots=True)
class MonthSum:
    """Rows of one month of creation and time of change, and their stamps (UTC, as `2024-05-31T23:59:59Z`).

    stamps   How many different ones there are.
    """

    rows: int
    oldest: str
    newest: str
    stamps: int


def finest(connection: duckdb.DuckDBPyConnection, sobject: str, stamp: str, most_sums: int) -> Fineness:
    """The finest of which there are no more than so many sums."""
    for fineness in (Fineness.DAY, Fineness.MONTH):
        [(sums,)] = connection.execute(
            f"SELECT count(DISTINCT {_key(stamp, fineness)}) FROM {quote_name(sobject)}"  # noqa: S608  # quoted names
        ).fetchall()
        if sums <= most_sums:
            return fineness
    return Fineness.NOTHING


def month_sums(
    connection: duckdb.DuckDBPyConnection,
    sobject: str,
    stamp: str,
    fineness: Fineness,
    until_utc: datetime,
    without: Sequence[str] = (),
) -> dict[str, MonthSum]:
    """By month (`2024-05`) and what tells apart besides (`2024-05 2025-01-31`), of a snapshot's rows.

    stamp       The column that says when a row changed.
    until_utc   What changed later does not count.
    without     Ids that do not count.
    """
    moment = quote_name(stamp)
    oldest, newest = (f"strftime({each}({moment}), '{_SECONDS}')" for each in ("min", "max"))
    rows = connection.execute(
        f"SELECT {_key(stamp, fineness)}, count(*), {oldest}, {newest}, count(DISTINCT {moment}) "  # noqa: S608  # quoted names
        f"FROM {quote_name(sobject)} "
        f"WHERE {moment} <= ?::TIMESTAMP AND Id NOT IN (SELECT unnest(?::VARCHAR[])) GROUP BY 1",
        [until_utc.strftime("%Y-%m-%d %H:%M:%S"), list(without)],
    ).fetchall()
    return {month: MonthSum(*sums) for month, *sums in rows}


def _key(stamp: str, fineness: Fineness) -> str:
    if fineness is Fineness.NOTHING:
        return _MONTH
    return f"{_MONTH} || strftime({quote_name(stamp)}, '{_FORMATS[fineness]}')"
