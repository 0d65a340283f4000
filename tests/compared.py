"""The replica beside the org, row by row and field by field: what differs is named.

Values are compared as the checksum writes them (docs/reference/replica.md). Not here: the checksums themselves, which
an installation compares with a real org.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from headwater.accounts.models import Account
from headwater.lake.checksum import canonical_text
from headwater.sync.discover import tables_of
from headwater.sync.services import open_replica
from orgsim.edits.checksum import canonical_sql, stored_field
from orgsim.store.org import Org

NO_ROW = "no row"
Rows = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Difference:
    """`field` is empty where one side has no such row, or has it more than once."""

    sobject: str
    record_id: str
    field: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """`rows` that the org has, by object."""

    rows: Counter[str]
    differences: list[Difference]


def compared(account: Account, org: Org) -> Comparison:
    rows: Counter[str] = Counter()
    differences: list[Difference] = []
    with open_replica(account) as replica:
        for sobject, table in sorted(tables_of(account).items()):
            fields = [name for name, _ in table.columns]
            theirs = _rows_of_org(org, sobject, fields)
            rows[sobject] = len(theirs)
            differences += _different(sobject, fields, _rows_of_replica(replica, sobject, fields), theirs)
    return Comparison(rows, differences)


def _rows_of_replica(replica: duckdb.DuckDBPyConnection, sobject: str, fields: Sequence[str]) -> list[tuple[str, ...]]:
    names = ", ".join(f'"{name}"' for name in fields)
    found = replica.execute(f'SELECT {names} FROM "{sobject}"').fetchall()
    return [tuple(canonical_text(value) for value in row) for row in found]


def _rows_of_org(org: Org, sobject: str, fields: Sequence[str]) -> Rows:
    """Those that are not deleted, archived activities among them."""
    known = org.catalog().get(sobject)
    columns = ", ".join(canonical_sql(stored_field(known, name)) for name in fields)
    where = 'WHERE "IsDeleted" = 0' if known.has_recycle_bin else ""
    found = org.database.connect().execute(f'SELECT {columns} FROM "{sobject}" {where}').fetchall()
    place = fields.index("Id")
    return {row[place]: [str(value) for value in row] for row in found}


def _different(
    sobject: str, fields: Sequence[str], ours: Sequence[tuple[str, ...]], theirs: Rows
) -> Iterator[Difference]:
    place = fields.index("Id")
    times = Counter(row[place] for row in ours)
    yield from (Difference(sobject, each, "", f"{count} rows", "1 row") for each, count in times.items() if count > 1)
    by_id = {row[place]: row for row in ours}
    yield from (Difference(sobject, each, "", NO_ROW, "a row") for each in sorted(theirs.keys() - by_id.keys()))
    yield from (Difference(sobject, each, "", "a row", NO_ROW) for each in sorted(by_id.keys() - theirs.keys()))
    for each in sorted(theirs.keys() & by_id.keys()):
        for name, mine, other in zip(fields, by_id[each], theirs[each], strict=True):
            if mine != other:
                yield Difference(sobject, each, name, mine, other)
