"""When windows begin and end: once a local day, through every change of clocks in every time zone (row B4)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.credits.windows import MINUTES_A_DAY, Span, first_reset_from, reset_utc, span_at, zone_names

HOUR = timedelta(hours=1)
LAW = settings(deadline=None)
BERLIN = ZoneInfo("Europe/Berlin")

zones = st.sampled_from(zone_names()).map(ZoneInfo)
minutes = st.integers(0, MINUTES_A_DAY - 1)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as told


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@LAW
@given(moments, zones, minutes)
def test_every_moment_lies_in_exactly_one_window(moment: datetime, zone: ZoneInfo, minute: int) -> None:
    span = span_at(moment, zone, minute)
    assert span.starts_utc <= moment < span.ends_utc
    before = span_at(span.starts_utc - timedelta(microseconds=1), zone, minute)
    after = span_at(span.ends_utc, zone, minute)
    assert (before.ends_utc, after.starts_utc) == (span.starts_utc, span.ends_utc)
    assert (
        span_at(span.starts_utc, zone, minute)
        == span
        == span_at(span.ends_utc - timedelta(microseconds=1), zone, minute)
    )


@LAW
@given(moments, zones, minutes)
def test_one_window_begins_on_every_local_day(moment: datetime, zone: ZoneInfo, minute: int) -> None:
    """But where a country crosses the date line and has no such day: then its window and the next are one."""
    day = moment.astimezone(zone).date()
    starts = reset_utc(day, zone, minute)
    assert span_at(starts, zone, minute).starts_utc == starts
    has_day = starts != reset_utc(day + timedelta(days=1), zone, minute)
    assert has_day or str(zone) in DATE_LINE_CROSSED
    local = starts.astimezone(zone)
    clocks_skip_it = (local.hour * 60 + local.minute) != minute
    assert local.date() == day or clocks_skip_it


DATE_LINE_CROSSED = {"Pacific/Apia", "Pacific/Fakaofo", "Pacific/Kwajalein", "Kwajalein", "Pacific/Enderbury",
                     "Pacific/Kanton", "Pacific/Kiritimati"}  # fmt: skip


@LAW
@given(st.datetimes(datetime(2013, 1, 1), datetime(2037, 12, 1), timezones=st.just(UTC)), zones, minutes)  # noqa: DTZ001
def test_a_window_lasts_a_day_give_or_take_what_clocks_are_moved(moment: datetime, zone: ZoneInfo, minute: int) -> None:
    span = span_at(moment, zone, minute)
    assert 21 * HOUR <= span.ends_utc - span.starts_utc <= 27 * HOUR  # Antarctic stations move clocks by three hours


@LAW
@given(moments, zones, minutes)
def test_the_first_reset_from_a_reset_is_itself(moment: datetime, zone: ZoneInfo, minute: int) -> None:
    span = span_at(moment, zone, minute)
    assert first_reset_from(moment, zone, minute) == (span.starts_utc if moment == span.starts_utc else span.ends_utc)
    assert first_reset_from(span.starts_utc, zone, minute) == span.starts_utc


@pytest.mark.parametrize(
    ("moment", "minute", "starts", "ends"),
    [
        ("2026-03-01T12:00", 0, "2026-03-01T00:00", "2026-03-02T00:00"),
        ("2026-03-01T12:00", 13 * 60, "2026-02-28T13:00", "2026-03-01T13:00"),
        ("2026-03-01T12:00", 12 * 60, "2026-03-01T12:00", "2026-03-02T12:00"),
    ],
)
def test_in_utc_a_window_is_24_hours_from_the_reset(moment: str, minute: int, starts: str, ends: str) -> None:
    assert span_at(at(moment), ZoneInfo("UTC"), minute) == Span(at(starts), at(ends))


@pytest.mark.parametrize(
    ("moment", "minute", "starts", "ends"),
    [
        ("2026-03-29T12:00", 0, "2026-03-28T23:00", "2026-03-29T22:00"),  # clocks put forward: 23 hours
        ("2026-10-25T12:00", 0, "2026-10-24T22:00", "2026-10-25T23:00"),  # put back: 25 hours
        ("2026-03-29T01:10", 150, "2026-03-28T01:30", "2026-03-29T01:30"),  # 02:30 does not come: 03:30 is meant
        ("2026-10-25T00:40", 150, "2026-10-25T00:30", "2026-10-26T01:30"),  # 02:30 comes twice: the first counts
    ],
)
def test_the_reset_follows_the_local_clocks(moment: str, minute: int, starts: str, ends: str) -> None:
    assert span_at(at(moment), BERLIN, minute) == Span(at(starts), at(ends))


def test_a_day_that_a_country_left_out_has_no_window_of_its_own() -> None:
    apia = ZoneInfo("Pacific/Apia")  # 29 December 2011 was followed by the 31st
    assert reset_utc(datetime(2011, 12, 30).date(), apia, 0) == reset_utc(datetime(2011, 12, 31).date(), apia, 0)  # noqa: DTZ001
    assert span_at(at("2011-12-30T12:00"), apia, 0) == Span(at("2011-12-30T10:00"), at("2011-12-31T10:00"))
