"""Functions that say how a selected value is shown: toLabel(), convertCurrency(), FORMAT(). Only these take an alias
in a query of records.
"""

from orgsim.schema.model import COMPOUND_TYPES
from orgsim.soql import tree
from orgsim.soql.conditions import ColumnOf
from orgsim.soql.formats import formatted
from orgsim.soql.functions import is_aggregate, only_argument, row_column_of, unexpected
from orgsim.soql.refuse import refuse
from orgsim.soql.scope import Column, Scope


def shown_column(scope: Scope, expression: tree.Expression, column_of: ColumnOf = row_column_of) -> Column:
    """What an item of SELECT stands for; `column_of` tells what else than these functions may stand there."""
    match expression:
        case tree.Call("FORMAT"):
            return _format(scope, expression, column_of)
        case tree.Call("CONVERTCURRENCY"):
            return _convert(scope, expression)
    return column_of(scope, expression)


def shown_path(expression: tree.Expression) -> tree.Path | None:
    """The field inside the functions, in whose place the value stands when it has no alias."""
    while isinstance(expression, tree.Call) and len(expression.arguments) == 1:
        expression = expression.arguments[0]
    return expression if isinstance(expression, tree.Path) else None


def has_aggregate(expression: tree.Expression) -> bool:
    """An aggregate, bare or inside FORMAT()."""
    if is_aggregate(expression):
        return True
    return isinstance(expression, tree.Call) and any(has_aggregate(each) for each in expression.arguments)


def _format(scope: Scope, call: tree.Call, column_of: ColumnOf) -> Column:
    argument = only_argument(scope, call)
    if isinstance(argument, tree.Call) and argument.name == "FORMAT":
        raise unexpected(scope, argument)
    found = formatted(scope.question, shown_column(scope, argument, column_of))
    if found is None:
        raise unexpected(scope, call)
    return found


def _convert(scope: Scope, call: tree.Call) -> Column:
    """An amount in the asker's currency."""
    argument, currencies = only_argument(scope, call), scope.question.currencies
    if currencies is None or not isinstance(argument, tree.Path):
        raise unexpected(scope, call)
    column = scope.column(argument)
    if column.money is None or column.field.type in COMPOUND_TYPES:
        message = f"field '{column.field.name}' is not a currency field: convertCurrency() takes no other"
        raise refuse("MALFORMED_QUERY", message, scope.question.text, call.at)
    return currencies.converted(column, column.money, currencies.mine)
