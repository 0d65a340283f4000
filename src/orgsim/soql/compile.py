"""A syntax tree to the parts of an SQL statement, which plan.py puts together in the ways a result is read."""

from dataclasses import dataclass

from orgsim.errors import ApiError
from orgsim.schema.model import COMPOUND_TYPES, Field, SObject
from orgsim.soql import tree
from orgsim.soql.conditions import Conditions
from orgsim.soql.functions import column_of, is_aggregate, refuse_wrong_alias
from orgsim.soql.refuse import malformed, no_such_sobject, refuse
from orgsim.soql.scope import Question, Scope
from orgsim.soql.shape import RecordShape, address_value, aggregate_sql, csv_value, json_value

MAX_OFFSET = 2000
MAX_FIELDS_FUNCTION_ROWS = 200


@dataclass(frozen=True, slots=True)
class Parts:
    """One compiled SELECT. Empty strings where the query has no such clause."""

    scope: Scope
    kind: str  # records, count or aggregate
    output: str
    where: str
    group: str
    order: str
    limit: str
    header: tuple[str, ...] = ()

    @property
    def from_sql(self) -> str:
        return self.scope.from_sql()


def compile_records(question: Question, select: tree.Select) -> Parts:
    """For REST: one column, the JSON text of each record."""
    scope = Scope(question, _source(question, select), select.source_alias)
    if _is_bare_count(select):
        return _parts(scope, select, "count", "count(*)")
    if select.group or any(isinstance(item, tree.Item) and is_aggregate(item.expression) for item in select.items):
        return _parts(scope, select, "aggregate", _aggregate_output(scope, select))
    return _parts(scope, select, "records", _record_output(scope, select))


def compile_csv(question: Question, select: tree.Select, delimiter: str) -> Parts:
    """For Bulk: one column, the CSV line of each record, without its line ending."""
    scope = Scope(question, _source(question, select), select.source_alias)
    paths = [item.expression for item in _expanded(scope, select) if isinstance(item, tree.Item)]
    columns = [column_of(scope, path) for path in paths]
    output = f" || '{delimiter}' || ".join(csv_value(column) for column in columns)
    header = tuple(_csv_name(scope, path, column.field) for path, column in zip(paths, columns, strict=True))
    return _parts(scope, select, "records", output, header=header)


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


def _source(question: Question, select: tree.Select) -> SObject:
    sobject = question.catalog.find(str(select.source))
    if sobject is None:
        raise no_such_sobject(str(select.source), question.text, select.source.at)
    return sobject


def _parts(scope: Scope, select: tree.Select, kind: str, output: str, header: tuple[str, ...] = ()) -> Parts:
    conditions = Conditions(scope, _semi_join)
    wheres = [*scope.visible_sql(), *([conditions.sql(select.where)] if select.where else [])]
    group = ", ".join(column_of(scope, each).sql for each in select.group)
    having = f" HAVING {conditions.sql(select.having)}" if select.having else ""
    if select.having and not select.group:
        raise malformed("HAVING clause requires a GROUP BY clause")
    return Parts(
        scope,
        kind,
        output,
        where=f" WHERE {' AND '.join(wheres)}" if wheres else "",
        group=f" GROUP BY {group}{having}" if group else "",
        order=_order(scope, select),
        limit=_limit(select),
        header=header,
    )


def _order(scope: Scope, select: tree.Select) -> str:
    terms = []
    for item in select.order:
        column = column_of(scope, item.expression)
        if not column.field.sortable:
            message = f"field '{column.field.name}' can not be sorted in a query call"
            raise refuse("MALFORMED_QUERY", message, scope.question.text, item.expression.at)
        nulls = " NULLS LAST" if item.nulls_last else " NULLS FIRST" if item.descending else ""
        terms.append(f"{column.sql}{' DESC' if item.descending else ''}{nulls}")
    return f" ORDER BY {', '.join(terms)}" if terms else ""


def _limit(select: tree.Select) -> str:
    if (select.offset or 0) > MAX_OFFSET:
        raise ApiError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
    if select.limit is None and select.offset is None:
        return ""
    return f" LIMIT {-1 if select.limit is None else select.limit} OFFSET {select.offset or 0}"


def _is_bare_count(select: tree.Select) -> bool:
    match select.items:
        case (tree.Item(tree.Call("COUNT", ())),):
            return True
    return False


def _aggregate_output(scope: Scope, select: tree.Select) -> str:
    values: dict[str, str] = {}
    grouped = {str(each).lower() for each in select.group}
    for item in select.items:
        if isinstance(item, tree.Subquery):
            raise malformed("Subqueries are not allowed in an aggregate query")
        expression = item.expression
        if not is_aggregate(expression) and str(expression).lower() not in grouped:
            message = f"Field must be grouped or aggregated: {expression}"
            raise refuse("MALFORMED_QUERY", message, scope.question.text, expression.at)
        values[_aggregate_key(scope, item, values)] = json_value(column_of(scope, expression))
    return aggregate_sql(values)


def _aggregate_key(scope: Scope, item: tree.Item, taken: dict[str, str]) -> str:
    if item.alias:
        return item.alias
    if isinstance(item.expression, tree.Path):
        return scope.column(item.expression).field.name
    return f"expr{sum(1 for key in taken if key.startswith('expr'))}"


def _record_output(scope: Scope, select: tree.Select) -> str:
    shape = RecordShape(scope.place((), select.source), scope.question.api_version)
    for item in _expanded(scope, select):
        if isinstance(item, tree.Subquery):
            name, sql = _children(scope, item.select)
            shape.add(name, sql)
        elif item.alias:
            raise refuse_wrong_alias(scope, item)
        elif isinstance(item.expression, tree.Call):
            column = column_of(scope, item.expression)
            shape.add(column.field.name, json_value(column))
        else:
            _add_field(scope, shape, item.expression)
    return shape.sql()


def _expanded(scope: Scope, select: tree.Select) -> list[tree.Item | tree.Subquery]:
    items: list[tree.Item | tree.Subquery] = []
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


def _add_field(scope: Scope, shape: RecordShape, path: tree.Path) -> None:
    names = scope.own_path(path)
    for depth in range(1, len(names)):
        place = scope.place(names[:depth], path)
        shape = shape.parent(_relationship_name(shape, names[depth - 1]), place)
    column = scope.column(path)
    if column.field.type in COMPOUND_TYPES:
        shape.add(column.field.name, address_value(shape.place, column.field))
    else:
        shape.add(column.field.name, json_value(column))


def _relationship_name(shape: RecordShape, name: str) -> str:
    for _, sobject in shape.place.targets:
        if found := sobject.find_relationship(name):
            return found.relationship_name or name
    return name


def _children(parent: Scope, select: tree.Select) -> tuple[str, str]:
    """(name, SQL) of a child subquery: the nested result of facts C.3, or null."""
    question = parent.question
    found = question.catalog.child_relationship(parent.sobject.name, str(select.source))
    if found is None:
        message = (
            f"Didn't understand relationship '{select.source}' in FROM part of query call. If you are attempting to "
            f"use a custom relationship, be sure to append the '__r' after the custom relationship name. Please "
            f"reference your WSDL or the describe call for the appropriate names."
        )
        raise refuse("INVALID_TYPE", message, question.text, select.source.at)
    scope = Scope(question, found.child, select.source_alias or str(select.source))
    parts = _parts(scope, select, "records", _record_output(scope, select))
    link = f'{scope.alias}."{found.field.name}" = {parent.alias}."Id"'
    where = f"{parts.where} AND {link}" if parts.where else f" WHERE {link}"
    rows = f"SELECT {parts.output} AS record FROM {parts.from_sql}{where}{parts.order}{parts.limit}"  # noqa: S608  names come from the schema
    sql = (
        "(SELECT CASE count(*) WHEN 0 THEN 'null' ELSE '{\"totalSize\":' || count(*) || "  # noqa: S608  names come from the schema
        f"',\"done\":true,\"records\":[' || group_concat(record, ',') || ']}}' END FROM ({rows}))"
    )
    return found.name or str(select.source), sql


def _semi_join(outer: Scope, select: tree.Select) -> str:
    question = outer.question
    scope = Scope(question, _source(question, select), select.source_alias)
    match select.items:
        case (tree.Item(tree.Path() as path),):
            column = scope.column(path)
        case _:
            raise malformed("The inner select must have exactly one field")
    parts = _parts(scope, select, "records", column.sql)
    return f"SELECT {parts.output} FROM {parts.from_sql}{parts.where}{parts.order}{parts.limit}"  # noqa: S608  names come from the schema
