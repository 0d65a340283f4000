"""A syntax tree to the parts of an SQL statement, which plan.py puts together in the ways a result is read."""

from collections.abc import Sequence

from orgsim.errors import ApiError
from orgsim.schema.model import COMPOUND_TYPES, Field, SObject
from orgsim.soql import tree
from orgsim.soql.children import child_value
from orgsim.soql.conditions import ColumnOf, Conditions
from orgsim.soql.currency import corporate
from orgsim.soql.functions import refuse_wrong_alias, row_column_of
from orgsim.soql.grouping import Grouping, aggregate_output, grouping_of, is_aggregate_query, refuse_unordered
from orgsim.soql.leading import leads_of
from orgsim.soql.parts import Parts, limit_sql, order_sql
from orgsim.soql.refuse import malformed, refuse
from orgsim.soql.scope import Column, Question, Scope
from orgsim.soql.semijoin import refuse_in_having
from orgsim.soql.shape import RecordShape, address_value, csv_line, json_value
from orgsim.soql.shown import shown_column, shown_path
from orgsim.soql.typeof import typeof_value
from orgsim.soql.where import scope_of, source_of, where_sql

ASKED_ORDER_VERSION = 50  # before it, columns of a Bulk result come in the order of the alphabet (facts C.4)
MAX_FIELDS_FUNCTION_ROWS = 200


def compile_records(question: Question, select: tree.Select) -> Parts:
    """For REST: one column, the JSON text of each record."""
    scope = scope_of(question, source_of(question, select), select)
    if _is_bare_count(select):
        return _parts(scope, select, "count", "1")
    if is_aggregate_query(select):
        return _aggregate(question, scope, select)
    return _parts(scope, select, "records", _record_output(scope, select))


def compile_csv(question: Question, select: tree.Select, delimiter: str) -> Parts:
    """For Bulk: one column, the CSV line of each record, without its line ending."""
    scope = scope_of(question, source_of(question, select), select)
    if is_aggregate_query(select):
        raise _not_in_bulk("Aggregate Relationships")
    paths = [_csv_path(item) for item in _expanded(scope, select)]
    if float(question.api_version) < ASKED_ORDER_VERSION:
        paths.sort(key=str)
    columns = [row_column_of(scope, path) for path in paths]
    if any(column.field.type in COMPOUND_TYPES for column in columns):
        raise ApiError("API_ERROR", "Selecting compound data not supported in Bulk Query")
    header = tuple(_csv_name(scope, path, column.field) for path, column in zip(paths, columns, strict=True))
    return _parts(scope, select, "records", csv_line(columns, delimiter), header=header)


def _csv_path(item: tree.Item | tree.Subquery | tree.Typeof) -> tree.Expression:
    if isinstance(item, tree.Item):
        return item.expression
    raise _not_in_bulk("TYPEOF" if isinstance(item, tree.Typeof) else "nested queries")


def _not_in_bulk(what: str) -> ApiError:
    return ApiError("API_ERROR", f"Implementation restriction: {what} not supported in Bulk Query")


def _csv_name(scope: Scope, expression: tree.Expression, field: Field) -> str:
    """The field's own spelling, whatever case the query used; dotted when it is a parent's."""
    parents = scope.own_path(expression)[:-1] if isinstance(expression, tree.Path) else ()
    return ".".join((*parents, field.name))


def all_fields_sql(question: Question, sobject: SObject, names: list[str] | None) -> tuple[Scope, str]:
    """The JSON text of a whole record, or of the named fields."""
    scope = Scope(question, sobject, None)
    shape = RecordShape(scope.place((), tree.Path(("Id",), 0)), question.api_version)
    for name in names or [field.name for field in sobject.fields]:
        _add_field(scope, shape, tree.Path((name,), 0))
    return scope, shape.sql()


def _parts(scope: Scope, select: tree.Select, kind: str, output: str, header: tuple[str, ...] = ()) -> Parts:
    if select.having:
        raise malformed("HAVING clause requires a GROUP BY clause")
    if select.group:
        raise malformed("GROUP BY is not allowed in a subquery or with COUNT()")
    columns = [_sorted_column(scope, item, row_column_of) for item in select.order]
    return Parts(
        scope,
        kind,
        output,
        where=where_sql(scope, select),
        order=order_sql([each.sql for each in columns], select),
        limit=limit_sql(select),
        header=header,
        leads=leads_of(scope, select),
    )


def _aggregate(question: Question, scope: Scope, select: tree.Select) -> Parts:
    """One SELECT for each set of columns that ROLLUP or CUBE keeps; their rows are sorted and limited together."""
    if select.having and not select.group:
        raise malformed("HAVING clause requires a GROUP BY clause")
    branches = grouping_of(scope, select.group).branches()
    scopes = [scope, *(scope_of(question, scope.sobject, select) for _ in branches[1:])]
    rows = " UNION ALL ".join(_branch(each, select, grouping) for each, grouping in zip(scopes, branches, strict=True))
    keys = [f"k{number}" for number in range(len(select.order))]
    limit = limit_sql(select)
    sql = f"SELECT record FROM ({rows}){order_sql(keys, select)}{limit}"  # noqa: S608  names come from the schema
    return Parts(scope, "aggregate", "record", where="", order="", limit=limit, aggregate_sql=sql)


def _branch(scope: Scope, select: tree.Select, grouping: Grouping) -> str:
    output = aggregate_output(scope, select, grouping)
    keys = []
    for number, item in enumerate(select.order):
        refuse_unordered(scope, grouping, item.expression)
        keys.append(f", {_sorted_column(scope, item, grouping.column_of).sql} AS k{number}")
    group, where = grouping.sql(scope), where_sql(scope, select)
    having = (
        f" HAVING {Conditions(scope, grouping.column_of, refuse_in_having).sql(select.having)}" if select.having else ""
    )
    return f"SELECT {output} AS record{''.join(keys)} FROM {scope.from_sql()}{where}{group}{having}"  # noqa: S608  names come from the schema


def _sorted_column(scope: Scope, item: tree.OrderItem, column_of: ColumnOf) -> Column:
    column = column_of(scope, item.expression)
    if not column.field.sortable:
        message = f"field '{column.field.name}' can not be sorted in a query call"
        raise refuse("MALFORMED_QUERY", message, scope.question.text, item.expression.at)
    return corporate(column, scope.question.currencies)


def _is_bare_count(select: tree.Select) -> bool:
    match select.items:
        case (tree.Item(tree.Call("COUNT", ())),):
            return True
    return False


def _record_output(scope: Scope, select: tree.Select) -> str:
    return _record(scope, _expanded(scope, select))


def _record(scope: Scope, items: Sequence[tree.Item | tree.Subquery | tree.Typeof]) -> str:
    shape = RecordShape(scope.place((), tree.Path((), 0)), scope.question.api_version)
    for item in items:
        if isinstance(item, tree.Subquery):
            shape.add(*child_value(scope, item.select, _child_parts))
        elif isinstance(item, tree.Typeof):
            shape.add(*typeof_value(scope, item, _record))
        elif isinstance(item.expression, tree.Call):
            _add_shown(scope, shape, item.expression, item.alias)
        elif item.alias:
            raise refuse_wrong_alias(scope, item)
        else:
            _add_field(scope, shape, item.expression)
    return shape.sql()


def _add_shown(scope: Scope, shape: RecordShape, call: tree.Call, alias: str | None) -> None:
    """toLabel(Account.Industry) stands where Account.Industry would, unless it has an alias."""
    column, path = shown_column(scope, call), shown_path(call)
    if alias or path is None:
        shape.add(alias or column.field.name, json_value(column, milliseconds=scope.question.milliseconds))
    else:
        _add_field(scope, shape, path, column)


def _child_parts(scope: Scope, select: tree.Select) -> Parts:
    return _parts(scope, select, "records", _record_output(scope, select))


def _expanded(scope: Scope, select: tree.Select) -> list[tree.Item | tree.Subquery | tree.Typeof]:
    items: list[tree.Item | tree.Subquery | tree.Typeof] = []
    for item in select.items:
        match item:
            case tree.Item(tree.Call("FIELDS") as call):
                items += _fields_function(scope, call, select)
            case _:
                items.append(item)
    return items


def _fields_function(scope: Scope, call: tree.Call, select: tree.Select) -> list[tree.Item]:
    which = str(call.arguments[0]).upper() if call.arguments else ""
    if which not in ("ALL", "STANDARD", "CUSTOM"):
        raise refuse("MALFORMED_QUERY", f"unexpected token: '{which}'", scope.question.text, call.at)
    if which != "STANDARD" and not 0 < (select.limit or 0) <= MAX_FIELDS_FUNCTION_ROWS:
        message = f"The SOQL FIELDS function must have a LIMIT of at most {MAX_FIELDS_FUNCTION_ROWS}"
        raise ApiError("MALFORMED_QUERY", message)
    chosen = [field for field in scope.sobject.fields if which == "ALL" or field.custom == (which == "CUSTOM")]
    return [tree.Item(tree.Path((field.name,), call.at), None) for field in chosen]


def _add_field(scope: Scope, shape: RecordShape, path: tree.Path, shown: Column | None = None) -> None:
    """`shown` is what stands in the field's place."""
    names = scope.own_path(path)
    for depth in range(1, len(names)):
        place = scope.place(names[:depth], path)
        shape = shape.parent(_relationship_name(shape, names[depth - 1]), place)
    column = shown or scope.column(path)
    if column.field.type in COMPOUND_TYPES:
        shape.add(column.field.name, address_value(shape.place, column.field))
    else:
        shape.add(column.field.name, json_value(column, milliseconds=scope.question.milliseconds))


def _relationship_name(shape: RecordShape, name: str) -> str:
    for _, sobject in shape.place.targets:
        if found := sobject.find_relationship(name):
            return found.relationship_name or name
    return name
