"""Aggregate queries: what may stand in them, their result, and the subtotals of ROLLUP and CUBE."""

from dataclasses import dataclass
from itertools import combinations

from orgsim.errors import ApiError
from orgsim.schema.model import Field
from orgsim.soql import tree
from orgsim.soql.functions import column_of, is_aggregate, is_date_part, only_argument, row_column_of
from orgsim.soql.refuse import malformed, refuse
from orgsim.soql.scope import Column, Scope
from orgsim.soql.shape import aggregate_sql, json_value
from orgsim.soql.shown import has_aggregate, shown_column

MAX_SUBTOTAL_FIELDS = 3
_FLAG = Field("grouping", "int", "grouping", precision=1)


@dataclass(frozen=True, slots=True)
class Grouping:
    """The GROUP BY of one query. `rolled_up` are the expressions (lower case) whose subtotals a branch makes."""

    expressions: tuple[tree.Expression, ...]
    subtotals: str = ""  # ROLLUP, CUBE or nothing
    rolled_up: frozenset[str] = frozenset()

    def branches(self) -> list["Grouping"]:
        """One grouping for each set of columns that is kept, the finest first."""
        names = [_key(each) for each in self.expressions]
        if not self.subtotals:
            return [self]
        if self.subtotals == "ROLLUP":
            rolled = [names[kept:] for kept in range(len(names), -1, -1)]
        else:
            rolled = [list(each) for count in range(len(names) + 1) for each in combinations(names, count)]
        return [Grouping(self.expressions, self.subtotals, frozenset(each)) for each in rolled]

    def column_of(self, scope: Scope, expression: tree.Expression) -> Column:
        """What SELECT, HAVING and ORDER BY of an aggregate query may name: grouped expressions and aggregates."""
        if isinstance(expression, tree.Call) and expression.name == "GROUPING":
            return self._flag(scope, expression)
        if is_aggregate(expression):
            self._refuse_grouped(scope, expression)
            return column_of(scope, expression)
        column = row_column_of(scope, expression)
        if not self.has(expression):
            raise _not_grouped("Field", scope, expression)
        return Column("NULL", column.field, column.entity) if _key(expression) in self.rolled_up else column

    def has(self, expression: tree.Expression) -> bool:
        return _key(expression) in map(_key, self.expressions)

    def sql(self, scope: Scope) -> str:
        kept = [each for each in self.expressions if _key(each) not in self.rolled_up]
        for each in self.expressions:
            _refuse_ungroupable(scope, each)
        if not self.expressions:
            return ""
        return f" GROUP BY {', '.join(row_column_of(scope, each).sql for each in kept) or 'NULL'}"

    def _flag(self, scope: Scope, call: tree.Call) -> Column:
        """GROUPING(field): 1 in a subtotal over the field, else 0."""
        argument = only_argument(scope, call)
        if not self.subtotals or not self.has(argument):
            raise refuse("MALFORMED_QUERY", "unexpected token: 'GROUPING'", scope.question.text, call.at)
        return Column(str(int(_key(argument) in self.rolled_up)), _FLAG, scope.sobject.name)

    def _refuse_grouped(self, scope: Scope, call: tree.Call) -> None:
        for each in call.arguments:
            if self.has(each):
                message = f"Grouped field should not be aggregated: {each}"
                raise refuse("MALFORMED_QUERY", message, scope.question.text, call.at)


def grouping_of(scope: Scope, group: tuple[tree.Expression, ...]) -> Grouping:
    match group:
        case (tree.Call("ROLLUP" | "CUBE" as kind, arguments, at),):
            if not 0 < len(arguments) <= MAX_SUBTOTAL_FIELDS:
                message = f"GROUP BY {kind} takes 1 to {MAX_SUBTOTAL_FIELDS} fields"
                raise refuse("MALFORMED_QUERY", message, scope.question.text, at)
            return Grouping(arguments, kind)
    return Grouping(group)


def is_aggregate_query(select: tree.Select) -> bool:
    items = [item.expression for item in select.items if isinstance(item, tree.Item)]
    named = [*items, *(item.expression for item in select.order)]
    return bool(select.group) or any(has_aggregate(each) or is_date_part(each) for each in named)


def aggregate_output(scope: Scope, select: tree.Select, grouping: Grouping) -> str:
    values: dict[str, str] = {}
    unnamed = 0
    for item in select.items:
        if not isinstance(item, tree.Item):
            raise malformed("Only fields and aggregate functions are allowed in an aggregate query")
        key = item.alias or (scope.column(item.expression).field.name if isinstance(item.expression, tree.Path) else "")
        if not key:
            key, unnamed = f"expr{unnamed}", unnamed + 1
        if key.lower() in (each.lower() for each in values):
            raise refuse("MALFORMED_QUERY", f"duplicate alias: {key}", scope.question.text, item.expression.at)
        values[key] = json_value(shown_column(scope, item.expression, grouping.column_of))
    return aggregate_sql(values)


def refuse_unordered(scope: Scope, grouping: Grouping, expression: tree.Expression) -> None:
    if not is_aggregate(expression) and not grouping.has(expression):
        raise _not_grouped("Ordered field", scope, expression)


def _refuse_ungroupable(scope: Scope, expression: tree.Expression) -> None:
    field = row_column_of(scope, expression).field
    if isinstance(expression, tree.Path) and not field.is_groupable:
        message = f"field '{field.name}' can not be grouped in a query call"
        raise refuse("MALFORMED_QUERY", message, scope.question.text, expression.at)


def _not_grouped(what: str, scope: Scope, expression: tree.Expression) -> ApiError:
    message = f"{what} must be grouped or aggregated: {expression}"
    return refuse("MALFORMED_QUERY", message, scope.question.text, expression.at)


def _key(expression: tree.Expression) -> str:
    return str(expression).lower()
