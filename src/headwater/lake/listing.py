"""Holds a listing (an object's live rows of some months, read anew) against what readers saw before: what was wrong.

SQL alone, no loop over rows. Not here: reading the listing, whose rows replace older ones of themselves.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from headwater.lake.engine import spilling
from headwater.lake.parts import Part, write_part
from headwater.lake.quoting import quote_name, quote_text
from headwater.lake.snapshot import TableParts, newest_rows
from headwater.lake.tombstones import as_tombstones, can_hold_tombstones


@dataclass(frozen=True, slots=True)
class Listing:
    """`parts` hold all live rows that the org had in `ranges` of CreatedDate (from, until just before).

    stamp       The column that says when a row changed.
    until_utc   What changed later is no difference: readers could not have seen it yet.
    changed     Ids of which that is known besides.
    """

    parts: Sequence[Part]
    ranges: Sequence[tuple[datetime, datetime]]
    stamp: str
    until_utc: datetime
    changed: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Wrong:
    """Rows of one month of creation that readers missed, saw as they no longer are, or saw though they are gone."""

    missing: int = 0
    stale: int = 0
    gone: int = 0

    def plus(self, other: "Wrong") -> "Wrong":
        return Wrong(self.missing + other.missing, self.stale + other.stale, self.gone + other.gone)


def hold_against(
    before: TableParts, listing: Listing, directory: Path, sequence: int
) -> tuple[dict[str, Wrong], Part | None]:
    """What was wrong by month, and tombstones of what is gone (None: nothing is, or no row of it can be marked)."""
    schema = before.schema
    with spilling(directory) as connection:
        connection.execute(_before(before, directory))
        connection.execute(_listed(before, listing, directory))
        connection.execute(
            _gone(listing) if can_hold_tombstones(schema) else "CREATE TEMP TABLE gone AS FROM old LIMIT 0"
        )
        wrong = _wrong(connection, listing)
        if not any(each.gone for each in wrong.values()):
            return wrong, None
        return wrong, write_part(connection, as_tombstones(schema, "gone"), schema, directory, sequence)


def _before(before: TableParts, directory: Path) -> str:
    """Rows that belong to an object with deleted ones hidden come and go by their owner: here all of them are there."""
    is_live = "IsDeleted IS NOT TRUE" if before.schema.has("IsDeleted") and before.schema.owner is None else "true"
    return f"CREATE TEMP TABLE old AS SELECT * FROM ({newest_rows(before, directory)}) WHERE {is_live}"  # noqa: S608  # our own SQL


def _listed(before: TableParts, listing: Listing, directory: Path) -> str:
    rows = newest_rows(TableParts(before.schema, listing.parts), directory)
    stamp = quote_name(listing.stamp)
    return f"CREATE TEMP TABLE listed AS SELECT Id, CreatedDate, {stamp} AS stamp FROM ({rows})"  # noqa: S608  # quoted names


def _gone(listing: Listing) -> str:
    spans = " OR ".join(
        f"(CreatedDate >= {_moment(start)} AND CreatedDate < {_moment(end)})" for start, end in listing.ranges
    )
    is_old = _is_old(listing, quote_name(listing.stamp))
    return (
        f"CREATE TEMP TABLE gone AS SELECT * FROM old WHERE ({spans}) AND {is_old} "  # noqa: S608  # quoted names
        "AND Id NOT IN (SELECT Id FROM listed)"
    )


def _wrong(connection: duckdb.DuckDBPyConnection, listing: Listing) -> dict[str, Wrong]:
    stamp = quote_name(listing.stamp)
    rows = connection.execute(
        "WITH wrong AS ("  # noqa: S608  # quoted names
        "SELECT listed.CreatedDate, old.Id IS NULL AS missing, old.Id IS NOT NULL AS stale, false AS gone "
        "FROM listed LEFT JOIN old USING (Id) "
        f"WHERE {_is_old(listing, 'listed.stamp', 'listed.Id')} "
        f"AND (old.Id IS NULL OR old.{stamp} IS DISTINCT FROM listed.stamp) "
        "UNION ALL SELECT CreatedDate, false, false, true FROM gone) "
        "SELECT strftime(CreatedDate, '%Y-%m'), count_if(missing), count_if(stale), count_if(gone) "
        "FROM wrong GROUP BY 1"
    ).fetchall()
    return {month: Wrong(*(int(count) for count in counts)) for month, *counts in rows}


def _is_old(listing: Listing, stamp: str, record_id: str = "Id") -> str:
    changed = ", ".join(quote_text(each) for each in sorted(listing.changed))
    unchanged = f" AND {record_id} NOT IN ({changed})" if changed else ""
    return f"{stamp} <= {_moment(listing.until_utc)}{unchanged}"


def _moment(moment: datetime) -> str:
    return f"TIMESTAMP {quote_text(f'{moment:%Y-%m-%d %H:%M:%S}')}"
