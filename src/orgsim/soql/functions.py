"""SOQL functions as SQL: aggregates and parts of dates. Where they may stand: compile.py and grouping.py."""

from typing import TypeGuard

from orgsim.errors import ApiError
from orgsim.schema.model import COMPOUND_TYPES, ID_TYPES, NUMBER_TYPES, Field
from orgsim.soql import tree
from orgsim.soql.currency import corporate
from orgsim.soql.refuse import refuse
from orgsim.soql.scope import Column, Scope

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX", "GROUPING"})
_COUNT = Field("count", "int", "count", precision=9)
_DATE_PARTS = {
    "CALENDAR_YEAR": "CAST(substr({0}, 1, 4) AS INTEGER)",
    "FISCAL_YEAR": "CAST(substr({0}, 1, 4) AS INTEGER)",
    "CALENDAR_MONTH": "CAST(substr({0}, 6, 2) AS INTEGER)",
    "FISCAL_MONTH": "CAST(substr({0}, 6, 2) AS INTEGER)",
    "CALENDAR_QUARTER": "((CAST(substr({0}, 6, 2) AS INTEGER) + 2) / 3)",
    "FISCAL_QUARTER": "((CAST(substr({0}, 6, 2) AS INTEGER) + 2) / 3)",
    "DAY_IN_MONTH": "CAST(substr({0}, 9, 2) AS INTEGER)",
    "DAY_IN_WEEK": "(CAST(strftime('%w', substr({0}, 1, 10)) AS INTEGER) + 1)",
    "DAY_IN_YEAR": "CAST(strftime('%j', substr({0}, 1, 10)) AS INTEGER)",
    "WEEK_IN_YEAR": "((CAST(strftime('%j', substr({0}, 1, 10)) AS INTEGER) + 6) / 7)",
    "WEEK_IN_MONTH": "((CAST(substr({0}, 9, 2) AS INTEGER) + 6) / 7)",
    "HOUR_IN_DAY": "CAST(substr({0}, 12, 2) AS INTEGER)",
    "DAY_ONLY": "substr({0}, 1, 10)",
}
_DATETIME_ONLY = frozenset({"HOUR_IN_DAY", "DAY_ONLY"})
_RESULTS = {"DAY_ONLY": Field("day", "date", "day")}
_NUMBER = Field("part", "int", "part", precision=4)


def column_of(scope: Scope, expression: tree.Expression) -> Column:
    """The column behind a field path or a function over one."""
    if isinstance(expression, tree.Path):
        return scope.column(expression)
    if expression.name in AGGREGATES:
        return _aggregate(scope, expression)
    return _row_function(scope, expression)


def row_column_of(scope: Scope, expression: tree.Expression) -> Column:
    """The same where no aggregate may stand: in WHERE, and in a query of records."""
    if is_aggregate(expression):
        raise unexpected(scope, expression)
    return column_of(scope, expression)


def is_aggregate(expression: tree.Expression) -> TypeGuard[tree.Call]:
    return isinstance(expression, tree.Call) and expression.name in AGGREGATES


def is_date_part(expression: tree.Expression) -> bool:
    return isinstance(expression, tree.Call) and expression.name in _DATE_PARTS


def _aggregate(scope: Scope, call: tree.Call) -> Column:
    if call.name == "COUNT" and not call.arguments:
        return Column("count(*)", _COUNT, scope.sobject.name)
    inner = row_column_of(scope, only_argument(scope, call))
    _refuse_wrong_kind(scope, call, inner.field)
    if call.name == "COUNT":
        return Column(f"count({inner.sql})", _COUNT, inner.entity)
    if call.name == "COUNT_DISTINCT":
        return Column(f"count(DISTINCT {inner.sql})", _COUNT, inner.entity)
    inner = corporate(inner, scope.question.currencies)
    if call.name == "AVG":
        kind = "currency" if inner.money else "double"
        return Column(f"avg({inner.sql})", _with_type(inner.field, kind), inner.entity, inner.money)
    return Column(f"{call.name.lower()}({inner.sql})", inner.field, inner.entity, inner.money)


def _row_function(scope: Scope, call: tree.Call) -> Column:
    if call.name == "TOLABEL":
        return _label(scope, call)
    if call.name not in _DATE_PARTS:
        raise unexpected(scope, call)
    inner = _moment(scope, only_argument(scope, call))
    if inner.field.type != "datetime" and (inner.field.type != "date" or call.name in _DATETIME_ONLY):
        raise unexpected(scope, call)
    return Column(_DATE_PARTS[call.name].format(inner.sql), _RESULTS.get(call.name, _NUMBER), inner.entity)


def _label(scope: Scope, call: tree.Call) -> Column:
    """Labels are the values themselves here: nothing is translated."""
    inner = row_column_of(scope, only_argument(scope, call))
    if inner.field.type in COMPOUND_TYPES or isinstance(call.arguments[0], tree.Call):
        raise unexpected(scope, call)
    return inner


def _moment(scope: Scope, expression: tree.Expression) -> Column:
    """A date or datetime; `convertTimezone(…)` gives the datetime as the asker's clock shows it."""
    if isinstance(expression, tree.Path):
        return scope.column(expression)
    if expression.name != "CONVERTTIMEZONE":
        raise unexpected(scope, expression)
    inner = row_column_of(scope, only_argument(scope, expression))
    if inner.field.type != "datetime":
        raise unexpected(scope, expression)
    return Column(scope.question.local_sql(inner.sql), inner.field, inner.entity)


def only_argument(scope: Scope, call: tree.Call) -> tree.Expression:
    if len(call.arguments) != 1:
        raise unexpected(scope, call)
    return call.arguments[0]


def unexpected(scope: Scope, call: tree.Call) -> ApiError:
    text = scope.question.text
    as_written = text[call.at : call.at + len(call.name)]
    return refuse("MALFORMED_QUERY", f"unexpected token: '{as_written}'", text, call.at)


def _refuse_wrong_kind(scope: Scope, call: tree.Call, field: Field) -> None:
    numeric_only = call.name in ("SUM", "AVG")
    unordered = field.type in ID_TYPES | {"boolean"} and call.name in ("MIN", "MAX")
    if (numeric_only and field.type not in NUMBER_TYPES) or unordered or not field.filterable:
        message = f"field {field.name} does not support aggregate operator {call.name}"
        raise refuse("MALFORMED_QUERY", message, scope.question.text, call.at)


def _with_type(field: Field, kind: str) -> Field:
    return Field(field.name, kind, field.label, precision=18, scale=field.scale)


def refuse_wrong_alias(scope: Scope, item: tree.Item) -> ApiError:
    return refuse(
        "MALFORMED_QUERY", "only aggregate expressions use field aliasing", scope.question.text, item.expression.at
    )
