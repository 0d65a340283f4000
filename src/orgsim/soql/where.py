"""The WHERE of a SELECT as SQL: what the asker may see, the scope asked for, the conditions and their semi-joins."""

from orgsim.schema.model import SObject
from orgsim.soql import tree
from orgsim.soql.conditions import Conditions
from orgsim.soql.functions import row_column_of
from orgsim.soql.refuse import no_such_sobject, refuse
from orgsim.soql.scope import Column, Question, Scope
from orgsim.soql.semijoin import refuse_inner, refuse_misplaced, refuse_unlike, selected_path


def source_of(question: Question, select: tree.Select) -> SObject:
    """The object that a SELECT is from."""
    sobject = question.catalog.find(str(select.source))
    if sobject is None:
        raise no_such_sobject(str(select.source), question.text, select.source.at)
    return sobject


def scope_of(question: Question, sobject: SObject, select: tree.Select) -> Scope:
    scope = Scope(question, sobject, select.source_alias)
    for path, alias in select.parents:
        scope.name_parent(path, alias)
    return scope


def where_sql(scope: Scope, select: tree.Select) -> str:
    wheres = [*scope.visible_sql(), *_using(scope, select.using)]
    refuse_misplaced(scope.question, select.where)
    if select.where:
        wheres.append(condition_sql(scope, select.where))
    return f" WHERE {' AND '.join(wheres)}" if wheres else ""


def condition_sql(scope: Scope, condition: tree.Condition) -> str:
    return Conditions(scope, row_column_of, _semi_join).sql(condition)


def _using(scope: Scope, using: tree.Path | None) -> list[str]:
    """`mine` is what the asker owns. The other scopes need territories and teams, which nobody has here."""
    match str(using or "everything").lower():
        case "everything":
            return []
        case "mine" if scope.sobject.find("OwnerId"):
            return [f'{scope.alias}."OwnerId" = {scope.question.param(scope.question.user_id)}']
    at = using.at if using else 0
    raise refuse("MALFORMED_QUERY", f"Invalid scope: {using}", scope.question.text, at)


def _semi_join(outer: Scope, comparison: tree.Comparison, left: Column) -> str:
    inner = comparison.inner
    assert inner is not None  # noqa: S101  Conditions calls this for joins alone
    sobject = source_of(outer.question, inner)
    refuse_inner(outer, sobject, inner)
    scope = scope_of(outer.question, sobject, inner)
    path = selected_path(inner)
    selected = scope.column(path)
    refuse_unlike(outer, comparison, left, path, selected)
    where = where_sql(scope, inner)
    return f"SELECT {selected.sql} FROM {scope.from_sql()}{where}"  # noqa: S608  names come from the schema
