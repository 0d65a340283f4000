"""TYPEOF: other fields for each kind of object that a polymorphic relationship leads to."""

from collections.abc import Callable

from orgsim.soql import tree
from orgsim.soql.refuse import malformed, no_such_sobject, refuse
from orgsim.soql.scope import Place, Scope
from orgsim.soql.shape import RecordShape, json_value

RecordOutput = Callable[[Scope, tuple[tree.Item, ...]], str]


def typeof_value(scope: Scope, item: tree.Typeof, record_output: RecordOutput) -> tuple[str, str]:
    """(relationship name, SQL of its JSON text). Null for a kind that no WHEN names, unless there is an ELSE."""
    if len(item.relationship.names) > 1:
        raise malformed(f"TYPEOF takes a relationship of the queried object: {item.relationship}")
    place = scope.place(item.relationship.names, item.relationship)
    if len(place.targets) == 1:
        message = f"TYPEOF needs a polymorphic relationship: {item.relationship}"
        raise refuse("MALFORMED_QUERY", message, scope.question.text, item.relationship.at)
    whens = [_when(scope, place, when, record_output) for when in item.whens]
    if item.otherwise:
        whens.append(f"WHEN {place.id_sql} IS NOT NULL THEN {_otherwise(scope, place, item)}")
    found = scope.sobject.find_relationship(item.relationship.names[0])
    name = (found.relationship_name if found else None) or str(item.relationship)
    return name, f"CASE {' '.join(whens)} ELSE 'null' END"


def _when(scope: Scope, place: Place, when: tree.When, record_output: RecordOutput) -> str:
    for alias, sobject in place.targets:
        if sobject.name.lower() == str(when.source).lower():
            inner = Scope(scope.question, sobject, None)
            record = record_output(inner, tuple(tree.Item(path, None) for path in when.fields))
            link = f'{alias}."Id"'
            rows = f'SELECT {record} FROM {inner.from_sql()} WHERE {inner.alias}."Id" = {link}'  # noqa: S608  names come from the schema
            return f"WHEN {link} IS NOT NULL THEN ({rows})"
    raise no_such_sobject(str(when.source), scope.question.text, when.source.at)


def _otherwise(scope: Scope, place: Place, item: tree.Typeof) -> str:
    shape = RecordShape(place, scope.question.api_version)
    for path in item.otherwise:
        column = scope.column(tree.Path((*item.relationship.names, *path.names), path.at))
        if len(path.names) > 1:
            raise refuse("MALFORMED_QUERY", f"unexpected token: '{path}'", scope.question.text, path.at)
        shape.add(column.field.name, json_value(column))
    return shape.sql()
