"""SOQL date literals as half-open ranges of days (facts C.7: in the running user's time zone).

The fiscal year is the calendar year, and weeks start on Sunday, as in an org nobody has changed.
"""

import datetime as dt
from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo

from orgsim.clock import UTC

_DAY = dt.timedelta(days=1)
_QUARTER_HOUR = dt.timedelta(minutes=15)
_LAST_OFFSET_YEAR = 2038
DayRange = tuple[dt.date, dt.date]


def day_range(literal: str, today: dt.date) -> DayRange | None:
    """(first day, day after the last) of e.g. LAST_MONTH or LAST_N_DAYS:30. None when there is no such literal.

    A range that leaves the years 1 to 9999 counts as none.
    """
    try:
        return _range(literal, today)
    except (OverflowError, ValueError):
        return None


def _range(literal: str, today: dt.date) -> DayRange | None:
    name, _, count = literal.partition(":")
    words = name.replace("FISCAL_", "").split("_")
    if fixed := _FIXED.get(name):
        return fixed(today)
    if count:
        return _counted(words, int(count), today)
    return _named(words, today)


@cache
def offsets(zone: ZoneInfo) -> tuple[tuple[str, int], ...]:
    """(until, minutes east of UTC) for each span of a zone's clock from 1970 to 2038; the last one has no end."""
    spans: list[tuple[str, int]] = []
    hour = dt.datetime(1970, 1, 1, tzinfo=UTC)
    while hour.year < _LAST_OFFSET_YEAR:
        following = _next_change(zone, hour)
        spans.append((following.strftime("%Y-%m-%dT%H:%M"), _minutes(zone, hour)))
        hour = following
    return tuple(spans)


def _next_change(zone: ZoneInfo, start: dt.datetime) -> dt.datetime:
    """The hour at which the offset is first another one, or the end of the known years."""
    offset, step = _minutes(zone, start), start
    while step.year < _LAST_OFFSET_YEAR and _minutes(zone, step + _DAY) == offset:
        step += _DAY
    while step.year < _LAST_OFFSET_YEAR and _minutes(zone, step) == offset:
        step += _QUARTER_HOUR
    return step


def _minutes(zone: ZoneInfo, moment: dt.datetime) -> int:
    return int((moment.astimezone(zone).utcoffset() or dt.timedelta()).total_seconds() // 60)


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
