"""Where the window is going: what will be used at its end, judged by how earlier windows went on from this hour.

Each earlier window says what it would come to from here, and the middle of what they say is the forecast, so one odd
day does not move it. Whole numbers only. Not here: plans of jobs, which know nothing of other jobs.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.credits.spending import WindowSpent, history, spending

WINDOWS_ASKED = 14
TELLING_SHARE = Fraction(1, 10)  # a window that had used less of its calls by this hour tells its rest, not its share
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the window will have used at its end, were there no limit. `low` to `high` holds half of what is likely.

    share_percent   of their calls, what earlier windows had used by this hour (the median); None without any
    runs_out_utc    when the limit is reached, if it is before the window's end
    """

    used_calls: int
    limit_calls: int
    expected_used_calls: int
    low_calls: int
    high_calls: int
    earlier_windows: int
    share_percent: int | None
    runs_out_utc: datetime | None
    sentence: str


@dataclass(frozen=True, slots=True)
class BurnPoint:
    """A moment of the window. `used_calls` up to now, the other three from now on; all four meet at the present."""

    at_utc: datetime
    used_calls: int | None = None
    expected_used_calls: int | None = None
    low_calls: int | None = None
    high_calls: int | None = None


@dataclass(frozen=True, slots=True)
class BurnDown:
    """The current window: a point at its beginning, at each full hour, at the present and at its end."""

    starts_utc: datetime
    ends_utc: datetime
    limit_calls: int
    used_calls: int
    points: tuple[BurnPoint, ...]
    forecast: Forecast


class Course:
    """How a window's use grew: straight from one known moment to the next."""

    def __init__(self, moments: Sequence[timedelta], used: Sequence[int]) -> None:
        self._moments = moments
        self._used = used
        self.total_calls = used[-1]

    @classmethod
    def of_hours(cls, starts_utc: datetime, ends_utc: datetime, calls_by_hour: dict[datetime, int]) -> "Course":
        """`calls_by_hour`: calls in each hour of the clock; the window may begin and end within one."""
        moments, used = [timedelta()], [0]
        for hour in sorted(hour for hour in calls_by_hour if starts_utc - HOUR < hour < ends_utc):
            begins, ends = max(hour, starts_utc) - starts_utc, min(hour + HOUR, ends_utc) - starts_utc
            if begins > moments[-1]:
                moments.append(begins)
                used.append(used[-1])
            moments.append(ends)
            used.append(used[-1] + calls_by_hour[hour])
        return cls(moments, used)

    def used_by(self, elapsed: timedelta) -> Fraction:
        place = bisect_right(self._moments, elapsed)
        if place == len(self._moments):
            return Fraction(self.total_calls)
        since, until = self._moments[place - 1], self._moments[place]
        passed = Fraction((elapsed - since) // timedelta(microseconds=1), (until - since) // timedelta(microseconds=1))
        return self._used[place - 1] + passed * (self._used[place] - self._used[place - 1])

    def estimate(self, used_calls: int, elapsed: timedelta) -> Fraction:
        """What a window that has used so much by now comes to, if it goes on as this one did."""
        by_now = self.used_by(elapsed)
        if by_now >= TELLING_SHARE * self.total_calls and by_now:
            return used_calls * Fraction(self.total_calls) / by_now
        return used_calls + self.total_calls - by_now


@dataclass(frozen=True, slots=True)
class Outlook:
    """What earlier windows say of this one: the middle, and the range in which half of them lie."""

    low_calls: int
    expected_calls: int
    high_calls: int


def outlook(used_calls: int, elapsed: timedelta, length: timedelta, earlier: Sequence[Course]) -> Outlook:
    """Without earlier windows it goes on at the pace so far. Never below what is used; that itself at the end."""
    if elapsed >= length:
        return Outlook(used_calls, used_calls, used_calls)
    if not earlier:
        second = timedelta(seconds=1)
        at_this_pace = ceil(used_calls * Fraction(length // second, max(elapsed // second, 1)))
        return Outlook(used_calls, at_this_pace, at_this_pace)
    said = sorted(course.estimate(used_calls, elapsed) for course in earlier)
    low, expected, high = (ceil(_quantile(said, Fraction(quarter, 4))) for quarter in (1, 2, 3))
    return Outlook(low, expected, high)


def forecast(account: Account) -> Forecast:
    return burn_down(account).forecast


def burn_down(account: Account) -> BurnDown:
    """The current window hour by hour, as it went and as it is likely to go on."""
    *earlier, current = history(account, windows=WINDOWS_ASKED + 1)
    moment = min(max(now_utc(), current.starts_utc), current.ends_utc)
    first = earlier[0].starts_utc if earlier else current.starts_utc
    by_hour = {row.hour: row.calls for row in spending(account, first, current.ends_utc, by=["hour"]) if row.hour}
    return _burn_down(current, [_course(each, by_hour) for each in earlier if each.used_calls], by_hour, moment)


def _course(window: WindowSpent, by_hour: dict[datetime, int]) -> Course:
    return Course.of_hours(window.starts_utc, window.ends_utc, by_hour)


def _burn_down(current: WindowSpent, earlier: list[Course], by_hour: dict[datetime, int], moment: datetime) -> BurnDown:
    limit = current.limit_calls or 0
    length, elapsed = current.ends_utc - current.starts_utc, moment - current.starts_utc
    earlier = [course for course in earlier if course.total_calls]
    ahead = outlook(current.used_calls, elapsed, length, earlier)
    past = [BurnPoint(at, used) for at, used in _used_at_hours(current, by_hour, moment)]
    present = BurnPoint(moment, *[current.used_calls] * 4)
    future = [_point(current, at, elapsed, ahead, earlier) for at in _hours(current, after=moment)]
    runs_out = _runs_out_utc([present, *future], limit)
    return BurnDown(
        starts_utc=current.starts_utc,
        ends_utc=current.ends_utc,
        limit_calls=limit,
        used_calls=current.used_calls,
        points=(*past, present, *future),
        forecast=_told(current, limit, ahead, earlier, elapsed, runs_out),
    )


def _used_at_hours(current: WindowSpent, by_hour: dict[datetime, int], moment: datetime) -> list[tuple[datetime, int]]:
    points, used, at = [], 0, current.starts_utc
    while at < moment:
        points.append((at, used))
        hour = at.replace(minute=0, second=0, microsecond=0)
        used += by_hour.get(hour, 0)
        at = hour + HOUR
    return points


def _hours(current: WindowSpent, *, after: datetime) -> list[datetime]:
    """The full hours after a moment, and the window's end."""
    at, hours = after.replace(minute=0, second=0, microsecond=0) + HOUR, []
    while at < current.ends_utc:
        hours.append(at)
        at += HOUR
    return [*hours, current.ends_utc] if after < current.ends_utc else []


def _point(
    current: WindowSpent, at: datetime, elapsed: timedelta, ahead: Outlook, earlier: Sequence[Course]
) -> BurnPoint:
    """The way from the present to the end, in the shares that earlier windows took for it."""
    way = _share_of_rest(at - current.starts_utc, elapsed, current.ends_utc - current.starts_utc, earlier)
    used = current.used_calls
    expected, low, high = (
        used + ceil((end - used) * way) for end in (ahead.expected_calls, ahead.low_calls, ahead.high_calls)
    )
    return BurnPoint(at, None, expected, low, high)


def _share_of_rest(at: timedelta, elapsed: timedelta, length: timedelta, earlier: Sequence[Course]) -> Fraction:
    """How much of what is still to come has come by `at`: 0 at the present, 1 at the end."""
    if at >= length:
        return Fraction(1)
    shares = []
    for course in earlier:
        by_now = course.used_by(elapsed)
        if rest := course.total_calls - by_now:
            shares.append((course.used_by(at) - by_now) / rest)
    microsecond = timedelta(microseconds=1)
    straight = Fraction((at - elapsed) // microsecond, (length - elapsed) // microsecond)
    return _quantile(sorted(shares), Fraction(1, 2)) if shares else straight


def _runs_out_utc(points: Sequence[BurnPoint], limit_calls: int) -> datetime | None:
    before = points[0]
    if (before.expected_used_calls or 0) >= limit_calls:
        return before.at_utc
    for point in points[1:]:
        had, has = before.expected_used_calls or 0, point.expected_used_calls or 0
        if has >= limit_calls:
            seconds = ceil((point.at_utc - before.at_utc).total_seconds()) * (limit_calls - had) // (has - had)
            return before.at_utc + timedelta(seconds=seconds)
        before = point
    return None


def _told(
    current: WindowSpent,
    limit_calls: int,
    ahead: Outlook,
    earlier: Sequence[Course],
    elapsed: timedelta,
    runs_out_utc: datetime | None,
) -> Forecast:
    shares = sorted(course.used_by(elapsed) / course.total_calls for course in earlier)
    share = int(_quantile(shares, Fraction(1, 2)) * 100) if shares else None
    so_far = f"{current.used_calls:,} used by {current.starts_utc + elapsed:%H:%M} UTC"
    if share is None:
        judged = "no earlier window to compare with, so the pace so far goes on"
    elif len(earlier) == 1:
        judged = f"in the last window {share} % was used by this hour"
    else:
        judged = f"in the last {len(earlier)} windows {share} % was used by this hour"
    return Forecast(
        used_calls=current.used_calls,
        limit_calls=limit_calls,
        expected_used_calls=ahead.expected_calls,
        low_calls=ahead.low_calls,
        high_calls=ahead.high_calls,
        earlier_windows=len(earlier),
        share_percent=share,
        runs_out_utc=runs_out_utc,
        sentence=f"{so_far}; {judged}.",
    )


def _quantile(ordered: Sequence[Fraction], part: Fraction) -> Fraction:
    """Between the two neighbours of the place, as far as the place is between them."""
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
