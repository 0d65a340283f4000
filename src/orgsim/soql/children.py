"""Child subqueries: a nested result in each record, with a page of its own set where it is long (facts C.3)."""

from collections.abc import Callable

from orgsim.errors import ApiError
from orgsim.soql import tree
from orgsim.soql.functions import is_aggregate
from orgsim.soql.parts import Parts
from orgsim.soql.refuse import malformed, refuse
from orgsim.soql.scope import Question, Scope

MAX_CHILD_RELATIONSHIPS = 20
MAX_LEVELS, OLDER_MAX_LEVELS = 4, 1  # below the root
_DEEP_SINCE_VERSION = 58
PARENT = "child_of"  # the parameter that names the parent whose children are asked for


def child_value(parent: Scope, select: tree.Select, parts_of: Callable[[Scope, tree.Select], Parts]) -> tuple[str, str]:
    """(name, SQL) of a child subquery: a nested result, or null."""
    question = parent.question
    found = question.catalog.child_relationship(parent.sobject.name, str(select.source))
    if found is None:
        raise _no_such_relationship(question, select)
    scope = Scope(question, found.child, select.source_alias or str(select.source))
    scope.level = parent.level + 1
    _refuse_too_many(question, scope)
    if any(isinstance(each, tree.Item) and is_aggregate(each.expression) for each in select.items):
        raise malformed("only root queries support aggregate expressions")
    parts = parts_of(scope, select)
    name = found.name or str(select.source)
    own_id = f'{parent.alias}."Id"'
    rows = _rows(parts, found.field.name, own_id)
    if not question.batch_rows or scope.level > 1:
        return name, _whole_result(rows)
    question.child_sets.append(_rows(parts, found.field.name, f":{PARENT}"))
    place = f"{question.child_mark}:{len(question.child_sets) - 1}:"
    return name, _first_page(rows, place, own_id, question.batch_rows)


def _rows(parts: Parts, link: str, parent_sql: str) -> str:
    linked = f'{parts.scope.alias}."{link}" = {parent_sql}'
    where = f"{parts.where} AND {linked}" if parts.where else f" WHERE {linked}"
    return f"SELECT {parts.output} AS record FROM {parts.from_sql}{where}{parts.order}{parts.limit}"  # noqa: S608  names come from the schema


def _whole_result(rows: str) -> str:
    return (
        "(SELECT CASE count(*) WHEN 0 THEN 'null' ELSE '{\"totalSize\":' || count(*) || "  # noqa: S608  names come from the schema
        f"',\"done\":true,\"records\":[' || group_concat(record, ',') || ']}}' END FROM ({rows}))"
    )


def _first_page(rows: str, place: str, parent_sql: str, batch_rows: int) -> str:
    """Where there are more, `nextRecordsUrl` holds the place for a locator, which plan.py fills."""
    more = f'\',"done":false,"nextRecordsUrl":"{place}\' || {parent_sql} || \'"\''
    return (
        "(SELECT CASE count(*) WHEN 0 THEN 'null' ELSE '{\"totalSize\":' || count(*) || "  # noqa: S608  names come from the schema
        f"CASE WHEN count(*) > {batch_rows} THEN {more} ELSE ',\"done\":true' END || ',\"records\":[' || "
        f"group_concat(record, ',') FILTER (WHERE number <= {batch_rows}) || ']}}' END "
        f"FROM (SELECT record, row_number() OVER () AS number FROM ({rows})))"
    )


def _refuse_too_many(question: Question, scope: Scope) -> None:
    most = MAX_LEVELS if float(question.api_version) >= _DEEP_SINCE_VERSION else OLDER_MAX_LEVELS
    if scope.level > most:
        levels = f"{most} level{'s' if most > 1 else ''}"
        raise malformed(
            f"SOQL statements cannot query aggregate relationships more than {levels} away from the root entity object."
        )
    question.child_relationships += 1
    if question.child_relationships > MAX_CHILD_RELATIONSHIPS:
        raise malformed(f"A query can have at most {MAX_CHILD_RELATIONSHIPS} parent-to-child relationships.")


def _no_such_relationship(question: Question, select: tree.Select) -> ApiError:
    message = (
        f"Didn't understand relationship '{select.source}' in FROM part of query call. If you are attempting to "
        f"use a custom relationship, be sure to append the '__r' after the custom relationship name. Please "
        f"reference your WSDL or the describe call for the appropriate names."
    )
    return refuse("INVALID_TYPE", message, question.text, select.source.at)
