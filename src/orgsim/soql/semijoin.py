"""Where a semi-join or anti-join may stand, and what it may select (facts C.3). Not its SQL (where.py)."""

import re
from collections.abc import Iterator

from orgsim.errors import ApiError
from orgsim.schema.model import ID_TYPES, SObject
from orgsim.soql import tree
from orgsim.soql.refuse import malformed, refuse
from orgsim.soql.scope import Column, Question, Scope

MAX_JOINS = 2
_NOT_INSIDE = frozenset({"Task", "Event"})  # of the objects here, those that cannot be selected from inside
_OUTSIDE_WHERE = "Semi-joins are only supported in WHERE clauses"
_NESTED = (
    "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions."
)
_WITH_OR = "Semi join sub-selects are not allowed with the 'OR' operator"


def refuse_misplaced(question: Question, condition: tree.Condition | None) -> None:
    """Two joins at most, side by side with AND, on the top level of WHERE."""
    joins = list(_joins(condition))
    for comparison, refusal in joins:
        if refusal:
            raise _refusal(refusal, question, comparison)
    if len(joins) > MAX_JOINS:
        raise _refusal(f"Maximum {MAX_JOINS} semi join sub-selects are allowed", question, joins[-1][0])


def refuse_in_having(scope: Scope, comparison: tree.Comparison, _: Column) -> str:
    raise _refusal(_OUTSIDE_WHERE, scope.question, comparison)


def _joins(condition: tree.Condition | None, refusal: str = "") -> Iterator[tuple[tree.Comparison, str]]:
    """Each join, and why it may not stand where it is."""
    match condition:
        case tree.Comparison() if condition.inner is not None:
            yield condition, refusal
        case tree.Not():
            yield from _joins(condition.condition, _NESTED)
        case tree.Both():
            beside = _WITH_OR if condition.either else ""
            for each in condition.conditions:
                deeper = refusal or (beside if isinstance(each, tree.Comparison) else _NESTED)
                yield from _joins(each, deeper)


def refuse_inner(outer: Scope, sobject: SObject, inner: tree.Select) -> None:
    """What the inner select may not be, but for its field."""
    question = outer.question
    if sobject.name in _NOT_INSIDE:
        message = f"Entity '{sobject.name}' is not supported for semi join inner selects"
        raise refuse("MALFORMED_QUERY", message, question.text, inner.at)
    if sobject.name == outer.sobject.name:
        message = "The inner and outer selects should not be on the same object type"
        raise refuse("MALFORMED_QUERY", message, question.text, inner.at)
    if any(_joins(inner.where)):
        message = "Nesting of semi join sub-selects is not supported"
        raise refuse("MALFORMED_QUERY", message, question.text, inner.at)
    clauses = {"GROUP": inner.group, "ORDER": inner.order, "LIMIT": inner.limit, "OFFSET": inner.offset}
    for keyword, clause in clauses.items():
        if clause not in (None, ()):
            at = _position(question.text, keyword, inner.at)
            raise refuse("MALFORMED_QUERY", f"missing value at '{keyword}'", question.text, at)


def selected_path(inner: tree.Select) -> tree.Path:
    match inner.items:
        case (tree.Item(tree.Path() as path, None),):
            return path
    raise malformed("The inner select must have exactly one field")


def refuse_unlike(outer: Scope, comparison: tree.Comparison, left: Column, path: tree.Path, selected: Column) -> None:
    """Both sides hold ids, and ids of the same object."""
    question = outer.question
    if left.field.type not in ID_TYPES:
        message = (
            f"The left operand field in the where expression for outer query should be an id field, "
            f"cannot use: '{comparison.left}'"
        )
        raise _refusal(message, question, comparison)
    if selected.field.type not in ID_TYPES or len(path.names) > 1:
        message = f"Semi join sub-selects can only query id fields, cannot use: '{path}'"
        raise refuse("MALFORMED_QUERY", message, question.text, path.at)
    if not _targets(left) & _targets(selected):
        message = (
            f"The selected field '{path}' in the subquery and the left operand field in the where expression in the "
            f"outer query '{comparison.left}' should point to the same object type"
        )
        raise _refusal(message, question, comparison)


def _targets(column: Column) -> set[str]:
    return {column.entity} if column.field.type == "id" else set(column.field.reference_to)


def _position(text: str, keyword: str, start: int) -> int:
    found = re.compile(rf"\b{keyword}\b", re.IGNORECASE).search(text, start)
    return found.start() if found else start


def _refusal(message: str, question: Question, comparison: tree.Comparison) -> ApiError:
    return refuse("MALFORMED_QUERY", message, question.text, comparison.left.at)
