"""The first steps of a cycle: what the objects look like (describe, once a day), how many rows they hold, and the plan.

Not here: choosing and pricing (plan.py).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix
from headwater.lake import CanonicalType, Column, TableSchema, schema_from_describe
from headwater.salesforce.rest import Org, SubQuery
from headwater.salesforce.transport import Transport
from headwater.sync.models import ReplicaTable
from headwater.sync.objects import COUNTED_BY_QUERY, OBJECTS
from headwater.sync.plan import Mode, SyncPlan, Wish, choose
from headwater.sync.soql import count_soql, to_literal

DESCRIBE_EVERY = timedelta(hours=24)


def schema_of(table: ReplicaTable) -> TableSchema:
    return TableSchema(table.sobject, tuple(Column(name, CanonicalType(kind)) for name, kind in table.columns))


def tables_of(account: Account) -> dict[str, ReplicaTable]:
    return {table.sobject: table for table in ReplicaTable.of(account).filter(sobject__in=OBJECTS)}


def needs_describe(account: Account) -> bool:
    """True where a table was never described, not in the last 24 hours, or lacks a field that we now want."""
    tables = tables_of(account)
    fresh = now_utc() - DESCRIBE_EVERY
    return not all(_is_described(tables.get(name), fields, fresh) for name, fields in OBJECTS.items())


def _is_described(table: ReplicaTable | None, fields: Sequence[str], since_utc: datetime) -> bool:
    if table is None or table.described_utc is None or table.described_utc < since_utc:
        return False
    return set(fields) <= {name for name, _ in table.columns}


def describe_all(transport: Transport) -> dict[str, list[list[str]]]:
    """The columns of every object we read, for one credit; raises Fix naming all that the user may not see."""
    described = Org(transport).describe(list(OBJECTS))
    unseen = [name for name in OBJECTS if name not in described]
    if unseen:
        raise Fix(
            "sync.objects_not_readable",
            f"The connected user may not read {', '.join(unseen)}.",
            Facts(
                why="Salesforce answers as if they did not exist.",
                left="Nothing was read.",
                you_can="grant read on these objects in a permission set and assign it to the connected user",
            ),
        )
    return {name: _columns(described[name], fields) for name, fields in OBJECTS.items()}


def _columns(describe: Mapping[str, Any], fields: Sequence[str]) -> list[list[str]]:
    schema = schema_from_describe(describe, fields)
    return [[column.name, column.type.value] for column in schema.columns]


def store_columns(account: Account, columns_by_object: Mapping[str, list[list[str]]]) -> None:
    """Keep the described columns; a table whose columns changed is read in full again."""
    for name, columns in columns_by_object.items():
        table, _ = ReplicaTable.of(account).get_or_create(sobject=name, account=account)
        if table.columns != columns:
            table.columns, table.read_from_utc = columns, None
        table.described_utc = now_utc()
        table.save()


def make_plan(account: Account, transport: Transport, *, spent_looking: int) -> SyncPlan:
    """Count what must be read in full, and choose. Two credits when anything must be, none otherwise."""
    tables = tables_of(account)
    in_full = [name for name, table in tables.items() if table.read_from_utc is None]
    counts = _count(transport, in_full) if in_full else {}
    wishes = [
        Wish(name, Mode.FULL, counts[name])
        if table.read_from_utc is None
        else Wish(name, Mode.CHANGES, 0, to_literal(table.read_from_utc))
        for name, table in sorted(tables.items())
    ]
    return choose(wishes, looking_calls=spent_looking + _counting_calls(in_full))


def _counting_calls(in_full: Sequence[str]) -> int:
    return sum((bool(in_full), any(name in COUNTED_BY_QUERY for name in in_full)))


def _count(transport: Transport, in_full: Sequence[str]) -> dict[str, int]:
    org = Org(transport)
    counts = dict.fromkeys(in_full, 0) | org.record_counts(in_full)
    by_query = [name for name in in_full if name in COUNTED_BY_QUERY]
    if by_query:
        pages, _ = org.query_together([SubQuery(name, count_soql(name)) for name in by_query])
        counts |= {page.sobject: page.total_rows for page in pages}
    return {name: counts[name] for name in in_full}
