"""WHERE and HAVING as SQL. Two-valued, as SOQL is: what is not true is false, so `!= 'x'` holds for null.

NOT is pushed down to the comparisons, so that plain ones stay in a form SQLite can use an index for.
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from orgsim import ids
from orgsim.clock import UTC, parse_datetime
from orgsim.errors import ApiError
from orgsim.schema.model import ID_TYPES, NUMBER_TYPES, TEXT_TYPES, Field
from orgsim.soql import tree
from orgsim.soql.currency import Money
from orgsim.soql.dates import day_range
from orgsim.soql.refuse import refuse
from orgsim.soql.scope import Column, Scope, balanced

ColumnOf = Callable[[Scope, tree.Expression], Column]
CompileInner = Callable[[Scope, tree.Comparison, Column], str]
_Stored = TypeVar("_Stored", str, int | float)
MAX_TEXT_CHARACTERS = 4000
_ORDERED = ("<", "<=", ">", ">=")
_NO_QUOTES = "and should not be enclosed in quotes"
_WANTED = {
    "boolean": f"boolean {_NO_QUOTES}",
    "date": f"date {_NO_QUOTES}",
    "datetime": f"dateTime {_NO_QUOTES}",
    "currency": f"currency {_NO_QUOTES}",
    "percent": f"percent {_NO_QUOTES}",
    "double": f"double {_NO_QUOTES}",
    "int": f"int {_NO_QUOTES}",
}


class Conditions:
    """Compiles the conditions of one scope. `column_of` finds left sides, `compile_inner` the SELECT of a semi-join."""

    def __init__(self, scope: Scope, column_of: ColumnOf, compile_inner: CompileInner) -> None:
        self.scope = scope
        self._column_of = column_of
        self._compile_inner = compile_inner

    def sql(self, condition: tree.Condition, *, negated: bool = False) -> str:
        if isinstance(condition, tree.Not):
            return self.sql(condition.condition, negated=not negated)
        if isinstance(condition, tree.Both):
            operator = " OR " if condition.either != negated else " AND "
            return f"({balanced([self.sql(each, negated=negated) for each in condition.conditions], operator)})"
        return self._comparison(condition, negated=negated)

    def _comparison(self, comparison: tree.Comparison, *, negated: bool) -> str:
        column = self._column_of(self.scope, comparison.left)
        self._refuse_operator(comparison, column.field)
        self._refuse_long_texts(comparison)
        operator, positive = comparison.operator, True
        if operator in ("!=", "not in", "excludes"):
            operator, positive = {"!=": "=", "not in": "in", "excludes": "includes"}[operator], False
        sql = self._positive(comparison, operator, column)
        return sql if positive != negated else f"({sql}) IS NOT TRUE"

    def _refuse_long_texts(self, comparison: tree.Comparison) -> None:
        for value in comparison.values:
            if value.kind is tree.ValueKind.STRING and len(value.text) > MAX_TEXT_CHARACTERS:
                message = f"A string in a WHERE clause can have at most {MAX_TEXT_CHARACTERS} characters"
                raise refuse("MALFORMED_QUERY", message, self.scope.question.text, value.at)

    def _positive(self, comparison: tree.Comparison, operator: str, column: Column) -> str:
        if comparison.inner is not None:
            return f"{column.sql} IN ({self._compile_inner(self.scope, comparison, column)})"
        if operator == "like":
            return self._like(comparison, column)
        if operator == "includes":
            return f"({balanced([self._includes(column, value) for value in comparison.values], ' OR ')})"
        if operator == "in":
            return self._in(comparison, column)
        return self._single(comparison, operator, column, comparison.values[0])

    def _single(self, comparison: tree.Comparison, operator: str, column: Column, value: tree.Value) -> str:
        if value.kind is tree.ValueKind.NULL:
            if operator != "=":
                raise self._error("INVALID_QUERY_FILTER_OPERATOR", "invalid operator on null", comparison)
            return f"{column.sql} IS NULL"
        if value.kind is tree.ValueKind.DATE_LITERAL:
            return self._day_range(comparison, operator, column, value)
        if value.kind is tree.ValueKind.MONEY:
            return self._money(comparison, operator, column, value)
        return f"{column.sql} {operator} {self._param(comparison, column, value)}"

    def _in(self, comparison: tree.Comparison, column: Column) -> str:
        apart = (tree.ValueKind.NULL, tree.ValueKind.DATE_LITERAL, tree.ValueKind.MONEY)
        plain = [each for each in comparison.values if each.kind not in apart]
        rest = [each for each in comparison.values if each not in plain]
        parts = [self._single(comparison, "=", column, each) for each in rest]
        if plain and any(each.kind is tree.ValueKind.MONEY for each in rest):
            raise self._error("MALFORMED_QUERY", "IN cannot mix values with and without a currency", comparison)
        if plain:
            parts.append(f"{column.sql} IN ({', '.join(self._param(comparison, column, each) for each in plain)})")
        return f"({balanced(parts, ' OR ')})"

    def _like(self, comparison: tree.Comparison, column: Column) -> str:
        [value] = comparison.values
        if value.kind is not tree.ValueKind.STRING:
            raise self._wrong_value(comparison, column.field)
        return f"{column.sql} LIKE {self.scope.question.param(value.text)} ESCAPE '\\'"

    def _includes(self, column: Column, value: tree.Value) -> str:
        """`'a;b'` asks for both a and b."""
        wanted = [self.scope.question.param(f"%;{part};%") for part in _plain(value.text).split(";")]
        tests = [f"';' || {column.sql} || ';' LIKE {each}" for each in wanted]
        return f"({balanced(tests, ' AND ')})"

    def _money(self, comparison: tree.Comparison, operator: str, column: Column, value: tree.Value) -> str:
        """Amounts of both currencies in the corporate one, compared without dividing: exactly (facts C.40)."""
        currencies = self.scope.question.currencies
        code, number = value.text[:3].upper(), value.text[3:]
        if column.field.type != "currency":
            raise self._wrong_value(comparison, column.field)
        if currencies is None or column.money is None or isinstance(comparison.left, tree.Call):
            raise refuse("MALFORMED_QUERY", f"unexpected token: '{value.text}'", self.scope.question.text, value.at)
        if code not in currencies.active:
            raise refuse("MALFORMED_QUERY", f"Invalid currency: {code}", self.scope.question.text, value.at)
        wanted = self.scope.question.param(self._checked(value, lambda _: _scaled(column.field, number)))
        theirs = currencies.rate_sql(Money(f"'{code}'", column.money.day_sql))
        own = currencies.rate_sql(column.money)
        return f"({column.sql}) * ({theirs}) {operator} {wanted} * ({own})"

    def _day_range(self, comparison: tree.Comparison, operator: str, column: Column, value: tree.Value) -> str:
        days = day_range(value.text, self.scope.question.today)
        if days is None or column.field.type not in ("date", "datetime"):
            raise self._wrong_value(comparison, column.field)
        first, after = (self.scope.question.param(self._day_text(column.field, day)) for day in days)
        return {
            "=": f"({column.sql} >= {first} AND {column.sql} < {after})",
            "<": f"{column.sql} < {first}",
            "<=": f"{column.sql} < {after}",
            ">": f"{column.sql} >= {after}",
            ">=": f"{column.sql} >= {first}",
        }[operator]

    def _day_text(self, field: Field, day: dt.date) -> str:
        if field.type == "date":
            return day.isoformat()
        return _moment_text(dt.datetime.combine(day, dt.time(), self.scope.question.time_zone))

    # values

    def _param(self, comparison: tree.Comparison, column: Column, value: tree.Value) -> str:
        return self.scope.question.param(self._stored(comparison, column.field, value))

    def _stored(self, comparison: tree.Comparison, field: Field, value: tree.Value) -> str | int | float:
        kind = value.kind
        if field.type in ID_TYPES and kind is tree.ValueKind.STRING:
            return self._id(comparison, value)
        if field.type in TEXT_TYPES and kind is tree.ValueKind.STRING:
            return _plain(value.text)
        if field.type in NUMBER_TYPES and kind is tree.ValueKind.NUMBER:
            return self._checked(value, lambda text: _scaled(field, text))
        if field.type == "boolean" and kind is tree.ValueKind.BOOLEAN:
            return int(value.text == "true")
        if field.type == "date" and kind is tree.ValueKind.DATE:
            return self._checked(value, lambda text: dt.date.fromisoformat(text).isoformat())
        if field.type == "datetime" and kind is tree.ValueKind.DATETIME:
            return self._checked(value, lambda text: _moment_text(parse_datetime(text.replace(" ", "+"))))
        raise self._wrong_value(comparison, field)

    def _checked(self, value: tree.Value, read: Callable[[str], _Stored]) -> _Stored:
        try:
            return read(value.text)
        except (ArithmeticError, ValueError) as error:
            kind = value.kind.value
            raise refuse(
                "MALFORMED_QUERY", f"Invalid {kind}: {value.text}", self.scope.question.text, value.at
            ) from error

    def _id(self, comparison: tree.Comparison, value: tree.Value) -> str:
        if value.text == "":
            return ""
        try:
            return ids.to_18(value.text)
        except ValueError as error:
            message = f"invalid ID field: {value.text}"
            raise self._error("INVALID_QUERY_FILTER_OPERATOR", message, comparison) from error

    # refusing

    def _refuse_operator(self, comparison: tree.Comparison, field: Field) -> None:
        operator = comparison.operator
        if not field.filterable:
            raise self._error("INVALID_FIELD", f"field '{field.name}' can not be filtered in a query call", comparison)
        if field.type in ID_TYPES and operator == "like":
            raise self._error("INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field", comparison)
        needs_text = operator == "like" and field.type not in TEXT_TYPES
        needs_order = operator in _ORDERED and field.type in ("boolean", "multipicklist")
        needs_multi = operator in ("includes", "excludes") and field.type != "multipicklist"
        if needs_text or needs_order or needs_multi:
            message = f"invalid operator on {field.type} field"
            raise self._error("INVALID_QUERY_FILTER_OPERATOR", message, comparison)

    def _wrong_value(self, comparison: tree.Comparison, field: Field) -> ApiError:
        wanted = _WANTED.get(field.type, "string and should be enclosed in quotes")
        message = f"value of filter criterion for field '{field.name}' must be of type {wanted}"
        return self._error("INVALID_FIELD", message, comparison)

    def _error(self, code: str, message: str, comparison: tree.Comparison) -> ApiError:
        return refuse(code, message, self.scope.question.text, comparison.left.at)


def _plain(text: str) -> str:
    """Outside LIKE, an escaped wildcard is just the character."""
    return text.replace("\\%", "%").replace("\\_", "_")


def _scaled(field: Field, text: str) -> int | float:
    exact = Decimal(text).scaleb(field.scale)
    return int(exact) if exact == exact.to_integral_value() and abs(exact) < 2**63 else float(exact)


def _moment_text(moment: dt.datetime) -> str:
    """The stored form, with thousandths kept, so that comparing text compares time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"
