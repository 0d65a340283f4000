"""When an account's windows begin: once a day, at a local time of its own; pure functions over a time zone.

The boundaries are the resets of all local days, put into UTC, so no moment lies in two windows and none in no window.
A window is a local day: 23 or 25 hours where clocks are put forward or back (docs/reference/credits.md).
Not here: the rows of windows (ledger.py).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

MINUTES_A_DAY = 24 * 60
_DAYS_LOOKED_AT = range(-2, 4)  # a zone that crossed the date line skipped a day or had one twice


@dataclass(frozen=True, slots=True)
class Span:
    """From `starts_utc`, which belongs to it, to `ends_utc`, which does not."""

    starts_utc: datetime
    ends_utc: datetime


@cache
def zone_names() -> tuple[str, ...]:
    """Every time zone that can be chosen, by its IANA name."""
    return tuple(sorted(available_timezones() - {"Factory", "localtime"}))  # these two mean no place


def reset_utc(day: date, zone: ZoneInfo, reset_minute: int) -> datetime:
    """The moment of the reset on a local day.

    A local time that the clocks skip is taken as much later as they are put forward, one that comes twice as its first
    coming: what PEP 495 says of fold=0.
    """
    local = datetime.combine(day, time(reset_minute // 60, reset_minute % 60), tzinfo=zone)
    return local.astimezone(UTC)


def span_at(moment: datetime, zone: ZoneInfo, reset_minute: int) -> Span:
    """The window that `moment` falls into."""
    resets = _resets_around(moment, zone, reset_minute)
    return Span(max(each for each in resets if each <= moment), min(each for each in resets if each > moment))


def first_reset_from(moment: datetime, zone: ZoneInfo, reset_minute: int) -> datetime:
    """The first reset that is not before `moment`."""
    return min(each for each in _resets_around(moment, zone, reset_minute) if each >= moment)


def _resets_around(moment: datetime, zone: ZoneInfo, reset_minute: int) -> list[datetime]:
    today = moment.astimezone(zone).date()
    return [reset_utc(today + timedelta(days=each), zone, reset_minute) for each in _DAYS_LOOKED_AT]
