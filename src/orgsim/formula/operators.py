"""The operators of a formula. Empty text equals "", and any other comparison with a blank is null."""

from collections.abc import Callable

from orgsim.formula.errors import FormulaError, wrong_argument, wrong_type
from orgsim.formula.surroundings import Surroundings
from orgsim.formula.term import Kind, Term, divided, multiplied, negated, rounded, same_unit, settled, units

MAX_EXPONENT = 64
_SECONDS_PER_DAY = 86_400
STORED_MOMENT = "%Y-%m-%dT%H:%M:%S.000+0000"
_ADDABLE = (Kind.NUMBER, Kind.DATE, Kind.DATETIME)


def boolean(sql: str) -> Term:
    return Term(Kind.BOOLEAN, sql)


def text(sql: str) -> Term:
    return Term(Kind.TEXT, sql)


def whole_number(sql: str) -> Term:
    return Term(Kind.NUMBER, sql)


def not_blank(term: Term) -> str:
    """Text that is never null."""
    return term.sql if term.literal is not None else f"coalesce({term.sql}, '')"


def equal(left: Term, right: Term) -> str:
    """SQL of whether two terms of comparable kinds are equal; upper and lower case differ."""
    if Kind.TEXT in (left.kind, right.kind):
        return f"({not_blank(left)} COLLATE BINARY = {not_blank(right)})"
    a, b = _comparable(left, right)
    return f"({a} = {b})"


def _comparable(left: Term, right: Term) -> tuple[str, str]:
    if left.kind is right.kind is Kind.NUMBER:
        (a, b), _, _ = same_unit([left, right])
        return a, b
    return left.sql, right.sql


def refuse_different(name: str, left: Term, right: Term) -> None:
    if left.kind is not right.kind and Kind.NULL not in (left.kind, right.kind):
        raise wrong_type(name, [left.kind], right.kind)


def _equality(_: Surroundings, name: str, left: Term, right: Term) -> Term:
    refuse_different(name, left, right)
    sql = equal(left, right)
    return boolean(f"(NOT {sql})" if name == "<>" else sql)


def _order(_: Surroundings, name: str, left: Term, right: Term) -> Term:
    refuse_different(name, left, right)
    if Kind.BOOLEAN in (left.kind, right.kind):
        raise wrong_type(name, [Kind.NUMBER, Kind.TEXT, Kind.DATE, Kind.DATETIME], Kind.BOOLEAN)
    a, b = _comparable(left, right)
    if left.kind is Kind.TEXT:
        a, b = f"nullif({a}, '') COLLATE BINARY", f"nullif({b}, '')"
    return boolean(f"({a} {name} {b})")


def _plus(_: Surroundings, name: str, left: Term, right: Term) -> Term:
    if left.kind in (Kind.DATE, Kind.DATETIME) and right.kind is Kind.NUMBER:
        return _days_later(left, right)
    if right.kind in (Kind.DATE, Kind.DATETIME) and left.kind is Kind.NUMBER:
        return _days_later(right, left)
    if left.kind is right.kind is Kind.TEXT:
        return _joined(_, name, left, right)
    _refuse_uncountable(name, left, right)
    return _sum("+", left, right)


def _minus(_: Surroundings, name: str, left: Term, right: Term) -> Term:
    if left.kind is right.kind is Kind.DATE:
        return whole_number(f"CAST(julianday({left.sql}) - julianday({right.sql}) AS INTEGER)")
    if left.kind is right.kind is Kind.DATETIME:
        seconds = f"(strftime('%s', substr({left.sql}, 1, 19)) - strftime('%s', substr({right.sql}, 1, 19)))"
        return Term(Kind.NUMBER, seconds, divisor=str(_SECONDS_PER_DAY))
    if left.kind in (Kind.DATE, Kind.DATETIME) and right.kind is Kind.NUMBER:
        return _days_later(left, negated(right))
    _refuse_uncountable(name, left, right)
    return _sum("-", left, right)


def _sum(sign: str, left: Term, right: Term) -> Term:
    (a, b), scale, whole = same_unit([left, right])
    return Term(Kind.NUMBER, f"({a} {sign} {b})", scale, whole=whole)


def _days_later(start: Term, days: Term) -> Term:
    """Days of a date are counted whole; a datetime moves by parts of a day too."""
    if start.kind is Kind.DATE:
        count = f"CAST({units(days, 0)} AS INTEGER)"
        return Term(Kind.DATE, f"date({start.sql}, {count} || ' days')")
    seconds = rounded(multiplied(days, whole_number(str(_SECONDS_PER_DAY))), 0).sql
    later = f"strftime('{STORED_MOMENT}', substr({start.sql}, 1, 19), {seconds} || ' seconds')"
    return Term(Kind.DATETIME, later)


def _joined(_: Surroundings, name: str, left: Term, right: Term) -> Term:
    for each in (left, right):
        if each.kind not in (Kind.TEXT, Kind.NULL):
            raise wrong_type(name, [Kind.TEXT], each.kind)
    return text(f"({not_blank(left)} || {not_blank(right)})")


def _times(_: Surroundings, name: str, left: Term, right: Term) -> Term:
    _refuse_other_than_numbers(name, left, right)
    return multiplied(left, right)


def _over(place: Surroundings, name: str, left: Term, right: Term) -> Term:
    _refuse_other_than_numbers(name, left, right)
    if not place.strict:
        return divided(left, right)
    # json() of what is no JSON stops the statement: the only error an SQLite expression can raise by itself.
    guarded = f"CASE {right.sql} WHEN 0 THEN json('{{' || {right.sql}) ELSE {right.sql} END"
    return divided(left, Term(Kind.NUMBER, f"({guarded})", right.scale, right.divisor, right.whole))


def _power(_: Surroundings, name: str, left: Term, right: Term) -> Term:
    _refuse_other_than_numbers(name, left, right)
    exponent = right.literal
    if exponent is None or not exponent.isdigit() or int(exponent) > MAX_EXPONENT:
        raise FormulaError(f"orgsim computes ^ only with a whole number from 0 to {MAX_EXPONENT} as exponent")
    base = settled(left)
    result = Term(Kind.NUMBER, "1")
    for _count in range(int(exponent)):
        result = multiplied(result, base)
    return result


def _refuse_uncountable(name: str, left: Term, right: Term) -> None:
    for each in (left, right):
        if each.kind not in (Kind.NUMBER, Kind.NULL):
            expected = _ADDABLE if each is left or left.kind is Kind.NUMBER else (left.kind,)
            raise wrong_type(name, expected, each.kind)


def _refuse_other_than_numbers(name: str, *terms: Term) -> None:
    for each in terms:
        if each.kind not in (Kind.NUMBER, Kind.NULL):
            raise wrong_type(name, [Kind.NUMBER], each.kind)


def signed(name: str, operand: Term) -> Term:
    if operand.kind not in (Kind.NUMBER, Kind.NULL):
        raise wrong_type(name, [Kind.NUMBER], operand.kind)
    return negated(operand) if name == "-" else operand


def negation(operand: Term) -> Term:
    if operand.kind not in (Kind.BOOLEAN, Kind.NULL):
        raise wrong_argument("NOT")
    return boolean(f"(NOT {operand.sql})")


BINARY: dict[str, Callable[[Surroundings, str, Term, Term], Term]] = {
    "=": _equality,
    "<>": _equality,
    "<": _order,
    "<=": _order,
    ">": _order,
    ">=": _order,
    "+": _plus,
    "-": _minus,
    "&": _joined,
    "*": _times,
    "/": _over,
    "^": _power,
}
