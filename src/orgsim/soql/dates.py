"""SOQL date literals as half-open ranges of days (facts C.7: in the running user's time zone).

The fiscal year is the calendar year, and weeks start on Sunday, as in an org nobody has changed.
"""

import datetime as dt
from collections.abc import Callable

_DAY = dt.timedelta(days=1)
DayRange = tuple[dt.date, dt.date]


def day_range(literal: str, today: dt.date) -> DayRange | None:
    """(first day, day after the last) of e.g. LAST_MONTH or LAST_N_DAYS:30. None when there is no such literal."""
    name, _, count = literal.partition(":")
    words = name.replace("FISCAL_", "").split("_")
    if fixed := _FIXED.get(name):
        return fixed(today)
    if count:
        return _counted(words, int(count), today)
    return _named(words, today)


def _named(words: list[str], today: dt.date) -> DayRange | None:
    match words:
        case ["THIS" | "LAST" | "NEXT" as which, unit] if unit in _STARTS:
            first = _shift(unit, _STARTS[unit](today), {"LAST": -1, "THIS": 0, "NEXT": 1}[which])
            return first, _shift(unit, first, 1)
    return None


def _counted(words: list[str], count: int, today: dt.date) -> DayRange | None:
    match words:
        case ["LAST", "N", "DAYS"]:
            return today - count * _DAY, today + _DAY
        case ["LAST", "N", units] if (unit := units.removesuffix("S")) in _STARTS:
            this = _STARTS[unit](today)
            return _shift(unit, this, -count), this
        case ["NEXT", "N", units] if (unit := units.removesuffix("S")) in _STARTS:
            following = _shift(unit, _STARTS[unit](today), 1)
            return following, _shift(unit, following, count)
        case ["N", units, "AGO"] if (unit := units.removesuffix("S")) in _STARTS:
            first = _shift(unit, _STARTS[unit](today), -count)
            return first, _shift(unit, first, 1)
    return None


def _shift(unit: str, day: dt.date, count: int) -> dt.date:
    if unit in _DAYS_IN:
        return day + count * _DAYS_IN[unit] * _DAY
    months = day.year * 12 + day.month - 1 + count * _MONTHS_IN[unit]
    return dt.date(months // 12, months % 12 + 1, 1)


_FIXED: dict[str, Callable[[dt.date], DayRange]] = {
    "TODAY": lambda today: (today, today + _DAY),
    "YESTERDAY": lambda today: (today - _DAY, today),
    "TOMORROW": lambda today: (today + _DAY, today + 2 * _DAY),
    "LAST_90_DAYS": lambda today: (today - 90 * _DAY, today + _DAY),
    "NEXT_90_DAYS": lambda today: (today + _DAY, today + 91 * _DAY),
}
_DAYS_IN = {"DAY": 1, "WEEK": 7}
_MONTHS_IN = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_STARTS: dict[str, Callable[[dt.date], dt.date]] = {
    "DAY": lambda day: day,
    "WEEK": lambda day: day - (day.isoweekday() % 7) * _DAY,
    "MONTH": lambda day: day.replace(day=1),
    "QUARTER": lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
    "YEAR": lambda day: day.replace(month=1, day=1),
}
