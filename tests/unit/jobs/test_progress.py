"""Rate and time left, from counts and moments alone."""

from datetime import UTC, datetime, timedelta

from headwater.jobs.progress import Progress, advanced

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def after(before: Progress | None, seconds: float, done: int, total: int | None = 1000, unit: str = "rows") -> Progress:
    return advanced(before, done, total, unit, "", now=NOON + timedelta(seconds=seconds))


def test_it_knows_no_rate_at_the_first_word() -> None:
    first = after(None, 0, 100)
    assert (first.rate_per_second, first.seconds_left) == (None, None)


def test_it_counts_the_rate_from_where_counting_began() -> None:
    later = after(after(None, 0, 100), 10, 300)
    assert (later.rate_per_second, later.seconds_left) == (20.0, 35)


def test_it_knows_no_time_left_without_a_total() -> None:
    later = after(after(None, 0, 0, None), 10, 50, None)
    assert (later.rate_per_second, later.seconds_left) == (5.0, None)


def test_it_measures_anew_for_another_unit_a_fresh_count_or_a_clock_set_back() -> None:
    before = after(after(None, 0, 100), 10, 300)
    assert after(before, 11, 400, unit="files").rate_per_second is None
    assert after(before, 11, 0).rate_per_second is None
    assert after(before, -60, 400).rate_per_second is None


def test_it_has_no_time_left_below_zero() -> None:
    assert after(after(None, 0, 0), 10, 2000).seconds_left == 0
