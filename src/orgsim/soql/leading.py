"""Which condition finds so few rows that its index should lead a sorted query, as an org's optimizer asks itself.

SQLite knows how many rows there are, but not how many a condition finds, and so would read all of them in the order
that was asked for. Not here: what a query is answered about its plan (explain.py).
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace

from orgsim.schema.model import Field, SObject
from orgsim.soql import tree
from orgsim.soql.parts import Lead, Parts
from orgsim.soql.scope import Scope
from orgsim.soql.where import condition_sql
from orgsim.store.ddl import create_index

MOST_ROWS = 100_000  # finding and sorting these takes about as long as reading a million rows in their order
_RANGES = frozenset({"<", "<=", ">", ">="})
_FEW = 0.0001  # for SQLite's planner


@dataclass(frozen=True, slots=True)
class OwnCondition:
    """A condition on one field of the queried object itself."""

    field: Field
    is_indexed: bool
    comparison: tree.Comparison


def own_conditions(select: tree.Select, sobject: SObject) -> Iterator[OwnCondition]:
    """Those that must hold of every row: what AND joins."""
    for condition in _conjuncts(select.where):
        if not isinstance(condition, tree.Comparison) or not isinstance(condition.left, tree.Path):
            continue
        field = sobject.find(condition.left.names[-1]) if len(condition.left.names) == 1 else None
        if field is not None:
            has_index = field.name == "Id" or create_index(sobject, field) is not None
            yield OwnCondition(field, has_index, condition)


def leads_of(scope: Scope, select: tree.Select) -> tuple[Lead, ...]:
    """What may lead: the range of an indexed field that is not what the rows are sorted by, which is Id as a rule."""
    if not select.order:
        return ()
    table = f"{scope.question.sight.table_sql(scope.sobject)} {scope.alias}"
    leads = []
    for each in own_conditions(select, scope.sobject):
        if each.is_indexed and each.field.name != "Id" and each.comparison.operator in _RANGES:
            sql = condition_sql(scope, each.comparison)
            probe = f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {sql} LIMIT {MOST_ROWS + 1})"  # noqa: S608  names come from the schema
            leads.append(Lead(probe, f"likelihood({sql}, {_FEW})"))
    return tuple(leads)


def led(parts: Parts, connection: sqlite3.Connection) -> Parts:
    """The same query, which says of the first condition with few rows that it has few."""
    for lead in parts.leads:
        (rows,) = connection.execute(lead.probe, parts.scope.question.params).fetchone()
        if rows <= MOST_ROWS:
            return replace(parts, where=f"{parts.where} AND {lead.hint}", leads=())
    return parts


def _conjuncts(condition: tree.Condition | None) -> Iterator[tree.Condition]:
    if isinstance(condition, tree.Both) and not condition.either:
        for each in condition.conditions:
            yield from _conjuncts(each)
    elif condition is not None:
        yield condition
