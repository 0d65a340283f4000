"""Functions of dates and datetimes. Days of a datetime are those of the asker's time zone; everything else is UTC."""

from collections.abc import Callable

from orgsim.formula.errors import wrong_argument
from orgsim.formula.functions.signature import Function, of_kinds
from orgsim.formula.operators import STORED_MOMENT, whole_number
from orgsim.formula.surroundings import Surroundings
from orgsim.formula.term import Kind, Term, units


def _whole(number: Term) -> str:
    return f"CAST({units(number, 0)} AS INTEGER)"


def _date(terms: list[Term]) -> Term:
    year, month, day = map(_whole, terms)
    return Term(Kind.DATE, _valid_day(f"printf('%04d-%02d-%02d', {year}, {month}, {day})"))


def _valid_day(sql: str) -> str:
    """The text if it names a day that exists."""
    return f"(CASE WHEN date({sql}, '+0 days') = {sql} THEN {sql} END)"


def _date_value(place: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    [term] = terms
    if term.kind is Kind.DATETIME:
        return Term(Kind.DATE, place.local_day_sql(term.sql))
    if term.kind not in (Kind.TEXT, Kind.NULL):
        raise wrong_argument(name)
    return Term(Kind.DATE, _valid_day(term.sql))


def _datetime_value(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    [term] = terms
    if term.kind is Kind.DATETIME:
        return term
    if term.kind not in (Kind.TEXT, Kind.DATE, Kind.NULL):
        raise wrong_argument(name)
    return Term(Kind.DATETIME, f"strftime('{STORED_MOMENT}', {term.sql})")


def _add_months(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    """The last day of a month leads to the last day of a month, a day too late in the month to its last one."""
    start, months = terms
    if start.kind not in (Kind.DATE, Kind.NULL) or months.kind not in (Kind.NUMBER, Kind.NULL):
        raise wrong_argument(name)
    day, first = start.sql, f"date({start.sql}, 'start of month', {_whole(months)} || ' months')"
    last = f"date({first}, '+1 month', '-1 day')"
    same_day = f"date({first}, (CAST(substr({day}, 9, 2) AS INTEGER) - 1) || ' days')"
    at_end = f"date({day}, '+1 day', 'start of month') = date({day}, '+1 day')"
    return Term(Kind.DATE, f"(CASE WHEN {at_end} THEN {last} ELSE min({same_day}, {last}) END)")


def _part(pattern: str) -> Callable[[list[Term]], Term]:
    return lambda terms: whole_number(pattern.format(terms[0].sql))


_of_day = of_kinds(Kind.DATE)

DATES = {
    "TODAY": Function(0, 0, lambda place, *_: Term(Kind.DATE, place.today_sql)),
    "NOW": Function(0, 0, lambda place, *_: Term(Kind.DATETIME, place.now_sql)),
    "DATE": of_kinds(Kind.NUMBER, Kind.NUMBER, Kind.NUMBER)(_date),
    "YEAR": _of_day(_part("CAST(substr({}, 1, 4) AS INTEGER)")),
    "MONTH": _of_day(_part("CAST(substr({}, 6, 2) AS INTEGER)")),
    "DAY": _of_day(_part("CAST(substr({}, 9, 2) AS INTEGER)")),
    "WEEKDAY": _of_day(_part("(CAST(strftime('%w', {}) AS INTEGER) + 1)")),
    "DAYOFYEAR": _of_day(_part("CAST(strftime('%j', {}) AS INTEGER)")),
    "DATEVALUE": Function(1, 1, _date_value),
    "DATETIMEVALUE": Function(1, 1, _datetime_value),
    "ADDMONTHS": Function(2, 2, _add_months),
}
