"""Which columns a table has: as they are read, as they stand in parts, and as readers see them. Pure but for its rows.

A column has one type for ever under the name that it has in parts: a field whose type changes gets another name there,
and readers see the old one until every row was read anew. Not here: noticing a change (describe.py).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from headwater.lake import ALWAYS, CanonicalType, Column, Owner, TableSchema
from headwater.sync.models import DescribedObject, ReplicaTable
from headwater.sync.objects import GOES_WITH

Columns = list[list[str]]
_FORMULA = " formula"


def schema_of(table: ReplicaTable) -> TableSchema:
    """What a cycle that begins now reads."""
    return _schema(table.sobject, [_column(table, name, kind) for name, kind in table.columns])


def shown_schema_of(table: ReplicaTable) -> TableSchema:
    """What readers see: of a column whose type changed the old one, as long as not every row was read anew."""
    return _schema(table.sobject, [_shown(table, name, kind) for name, kind in table.columns])


def frozen(tables: Mapping[str, ReplicaTable]) -> dict[str, Any]:
    """The schemas of a cycle as JSON, so that it goes on with them whatever is described meanwhile."""
    return {
        name: {
            "columns": [[column.name, column.type.value, column.stored_name] for column in schema_of(table).columns],
            "reload_number": table.reload_number,
            "formulas": formulas_of(table),
        }
        for name, table in tables.items()
    }


def thawed(schemas: Mapping[str, Any]) -> dict[str, TableSchema]:
    return {
        sobject: _schema(sobject, [Column(name, CanonicalType(kind), stored) for name, kind, stored in each["columns"]])
        for sobject, each in schemas.items()
    }


def adopt(table: ReplicaTable, columns: Columns, described: DescribedObject) -> bool:
    """Take over what was described; the caller saves, where anything differs.

    What is new, or of another type, calls for a full read; what is gone does not.
    """
    kinds = {name: kind_of(described, name) for name, _ in columns}
    if table.columns == columns and table.kinds == kinds:
        return False
    before, types = dict(table.columns), dict(columns)
    retyped = [name for name, kind in columns if before.get(name, kind) != kind]
    # tables of older versions knew no kinds
    other_kind = [name for name, kind in kinds.items() if table.kinds.get(name, kind) != kind]
    is_changed = bool(retyped or other_kind or types.keys() - before.keys())
    if table.read_from_utc is not None:
        table.shown_as = {name: before[name] for name in retyped} | table.shown_as
    table.shown_as = {name: kind for name, kind in table.shown_as.items() if types.get(name, kind) != kind}
    for name, kind in [*before.items(), *types.items()]:
        table.stored_types.setdefault(_stored_name(table.stored_types, name, kind), kind)
    if is_changed and table.read_from_utc is not None:
        table.full_read_due = True
        table.reload_number += 1
    table.columns, table.kinds = columns, kinds
    return True


def kind_of(described: DescribedObject, name: str) -> str:
    """Salesforce's type, and whether it is a formula: either may change every value without a stamp."""
    kind, is_formula, _ = described.fields[name]
    return f"{kind}{_FORMULA}" if is_formula else str(kind)


def formulas_of(table: ReplicaTable) -> list[str]:
    """The columns whose values may move without a stamp of the row."""
    return [name for name, _ in table.columns if table.kinds.get(name, "").endswith(_FORMULA)]


def formulas_schema(schema: TableSchema, formulas: Collection[str]) -> TableSchema:
    """What is asked for to know their values: no other column but those that place a row."""
    chosen = (*ALWAYS, *formulas)
    return replace(schema, columns=tuple(column for column in schema.columns if column.name in chosen))


def _stored_name(stored_types: Mapping[str, str], name: str, kind: str) -> str:
    known = {stored.lower(): each for stored, each in stored_types.items()}  # DuckDB's names have no case
    if known.get(name.lower(), kind) == kind:
        return name
    return f"{name}~{CanonicalType(kind).name}"


def _column(table: ReplicaTable, name: str, kind: str) -> Column:
    return Column(name, CanonicalType(kind), _stored_name(table.stored_types, name, kind))


def _shown(table: ReplicaTable, name: str, kind: str) -> Column:
    newest = _column(table, name, kind)
    if name not in table.shown_as:
        return newest
    old = _column(table, name, table.shown_as[name])
    return Column(name, old.type, old.stored, newer=newest.stored_name)


def _schema(sobject: str, columns: Sequence[Column]) -> TableSchema:
    owner = GOES_WITH.get(sobject)
    return TableSchema(sobject, tuple(columns), Owner(*owner) if owner else None)
