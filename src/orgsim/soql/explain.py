"""What `query?explain=` answers: which indexes could lead a query, how many rows each would find, at what cost.

As on Salesforce one plan stands for each condition that has an index, and one for reading everything; the cheapest
comes first. Costs are those of orgsim: rows found, over the rows up to which an index is worth using (facts C.3).
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from orgsim.schema.model import SObject
from orgsim.soql import tree
from orgsim.soql.compile import compile_records
from orgsim.soql.leading import own_conditions
from orgsim.soql.parse import parse
from orgsim.soql.plan import Asker
from orgsim.soql.scope import Question
from orgsim.soql.where import scope_of, where_sql

_SELECTIVE_SHARE, _FURTHER_SHARE, _FULL_SHARE_ROWS = 0.3, 0.15, 1_000_000
_UNINDEXED = "Not considering filter for optimization because unindexed"
_INDEXABLE = frozenset({"=", "in", "<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class _Filter:
    """A condition on one field of the queried object, and the SELECT that finds its rows alone."""

    field: str
    is_indexed: bool
    select: tree.Select


def explain(asker: Asker, soql: str) -> dict[str, object]:
    """Raises ApiError for whatever the query itself would be refused for."""
    select = parse(soql)
    sobject = compile_records(asker.question(soql, all_rows=False), select).scope.sobject
    filters = list(_filters(select, sobject))
    with asker.org.database.read() as connection:
        (all_rows,) = connection.execute(f'SELECT count(*) FROM "{sobject.name}"').fetchone()  # noqa: S608  names come from the schema
        plans = [
            _plan(sobject, "Index", [each.field], _rows_found(connection, asker, soql, sobject, each), all_rows)
            for each in filters
            if each.is_indexed
        ]
    notes = [_note(sobject, each.field) for each in filters if not each.is_indexed]
    everything = _plan(sobject, "TableScan", [], all_rows, all_rows)
    plans = sorted([*plans, everything], key=lambda plan: float(str(plan["relativeCost"])))
    return {"plans": [{**plan, "notes": notes} for plan in plans]}


def _filters(select: tree.Select, sobject: SObject) -> Iterator[_Filter]:
    """What must hold of every row. Deleted rows are always looked out for."""
    for each in own_conditions(select, sobject):
        condition = each.comparison
        alone = tree.Select((), select.source, select.source_alias, condition, (), None, (), None, None, select.at)
        yield _Filter(each.field.name, each.is_indexed and condition.operator in _INDEXABLE, alone)
    if sobject.has_recycle_bin:
        yield _Filter("IsDeleted", is_indexed=False, select=select)


def _rows_found(connection: sqlite3.Connection, asker: Asker, soql: str, sobject: SObject, one: _Filter) -> int:
    question: Question = asker.question(soql, all_rows=False)
    scope = scope_of(question, sobject, one.select)
    where = where_sql(scope, one.select)
    sql = f"SELECT count(*) FROM {scope.from_sql()}{where}"  # noqa: S608  names come from the schema
    return int(connection.execute(sql, question.params).fetchone()[0])


def _plan(sobject: SObject, kind: str, fields: list[str], found: int, all_rows: int) -> dict[str, object]:
    worth = min(all_rows, _FULL_SHARE_ROWS) * _SELECTIVE_SHARE + max(0, all_rows - _FULL_SHARE_ROWS) * _FURTHER_SHARE
    return {
        "cardinality": found,
        "fields": fields,
        "leadingOperationType": kind,
        "relativeCost": round(found / worth, 4) if worth else 0.0,
        "sobjectCardinality": all_rows,
        "sobjectType": sobject.name,
    }


def _note(sobject: SObject, field: str) -> dict[str, object]:
    return {"description": _UNINDEXED, "fields": [field], "tableEnumOrId": sobject.name}
