"""What the window will come to, judged by earlier windows."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import clock_set_to
from headwater.credits.forecast import Course, burn_down, forecast, outlook
from headwater.credits.models import Window
from headwater.credits.opening import current_window
from unit.credits.calls import spend

DAY = datetime(2026, 3, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
LENGTH = 24 * HOUR

pytestmark = pytest.mark.django_db

courses = st.lists(
    st.lists(st.integers(0, 50_000), min_size=24, max_size=24)
    .filter(any)
    .map(lambda calls: Course.of_hours(DAY, DAY + LENGTH, {DAY + at * HOUR: some for at, some in enumerate(calls)})),
    max_size=14,
)
used_calls = st.integers(0, 1_000_000)
moments = st.timedeltas(timedelta(), LENGTH)


@pytest.fixture
def account() -> Account:
    return create_account("Acme")


def days_like(account: Account, days: int, calls_by_hour: dict[int, int]) -> None:
    """So many days before DAY on which the same was used."""
    for day in range(1, days + 1):
        for hour, calls in calls_by_hour.items():
            spend(account, DAY - day * LENGTH + hour * HOUR, calls)


@given(courses, used_calls, moments)
def test_a_forecast_is_never_below_what_is_used_and_its_range_holds_it(
    earlier: list[Course], used: int, elapsed: timedelta
) -> None:
    ahead = outlook(used, elapsed, LENGTH, earlier)
    assert used <= ahead.low_calls <= ahead.expected_calls <= ahead.high_calls


@given(courses, used_calls, st.timedeltas(LENGTH, 2 * LENGTH))
def test_a_window_that_is_over_comes_to_what_it_used(earlier: list[Course], used: int, elapsed: timedelta) -> None:
    ahead = outlook(used, elapsed, LENGTH, earlier)
    assert (ahead.low_calls, ahead.expected_calls, ahead.high_calls) == (used, used, used)


@given(courses, used_calls, st.integers(0, 100_000), moments)
def test_who_has_used_more_by_now_uses_no_less_by_the_end(
    earlier: list[Course], used: int, more: int, elapsed: timedelta
) -> None:
    one, other = (outlook(calls, elapsed, LENGTH, earlier) for calls in (used, used + more))
    assert one.expected_calls <= other.expected_calls
    assert one.low_calls <= other.low_calls
    assert one.high_calls <= other.high_calls


@given(courses.filter(bool), moments, moments)
def test_a_course_never_falls(earlier: list[Course], one: timedelta, other: timedelta) -> None:
    for course in earlier:
        assert course.used_by(min(one, other)) <= course.used_by(max(one, other)) <= course.total_calls


def test_a_day_like_the_others_comes_to_what_they_came_to(account: Account) -> None:
    days_like(account, 3, {2: 4, 9: 12, 15: 24})
    spend(account, DAY + 2 * HOUR, 4)
    spend(account, DAY + 9 * HOUR, 12)
    with clock_set_to(DAY + 10 * HOUR):
        ahead = forecast(account)
    assert (ahead.used_calls, ahead.low_calls, ahead.expected_used_calls, ahead.high_calls) == (16, 40, 40, 40)
    assert ahead.sentence == "16 used by 10:00 UTC; in the last 3 windows 40 % was used by this hour."
    assert ahead.runs_out_utc is None


def test_one_odd_day_does_not_move_it(account: Account) -> None:
    days_like(account, 4, {2: 4, 15: 6})
    spend(account, DAY - 5 * LENGTH + 20 * HOUR, 90)
    spend(account, DAY + 2 * HOUR, 4)
    with clock_set_to(DAY + 12 * HOUR):
        assert forecast(account).expected_used_calls == 10


def test_within_an_hour_its_calls_are_taken_as_spread_evenly(account: Account) -> None:
    days_like(account, 2, {1: 40})
    spend(account, DAY + 1 * HOUR, 20)
    with clock_set_to(DAY + 1.5 * HOUR):
        assert forecast(account).expected_used_calls == 40


def test_the_first_window_goes_on_at_its_pace(account: Account) -> None:
    spend(account, DAY, 6)
    with clock_set_to(DAY + 6 * HOUR):
        ahead = forecast(account)
    assert ahead.expected_used_calls == 24
    assert "no earlier window" in ahead.sentence


def test_it_says_when_the_limit_is_reached(account: Account) -> None:
    days_like(account, 2, {0: 10, 12: 10})
    spend(account, DAY, 1)
    with clock_set_to(DAY + 6 * HOUR):
        Window.of(account).filter(pk=current_window(account).pk).update(used_calls=75_000)
        ahead = forecast(account)
    assert ahead.expected_used_calls == 150_000
    assert ahead.runs_out_utc == DAY + 12 * HOUR + timedelta(minutes=20)


def test_a_limit_that_is_reached_has_run_out_now(account: Account) -> None:
    with clock_set_to(DAY + 6 * HOUR):
        Window.of(account).filter(pk=current_window(account).pk).update(used_calls=100_000)
        assert forecast(account).runs_out_utc == DAY + 6 * HOUR


def test_the_burn_down_meets_at_the_present_and_ends_at_the_forecast(account: Account) -> None:
    days_like(account, 2, {2: 5, 20: 5})
    spend(account, DAY + 2 * HOUR, 5)
    with clock_set_to(DAY + 10.5 * HOUR):
        burnt = burn_down(account)
    past = [point for point in burnt.points if point.at_utc < DAY + 10.5 * HOUR]
    [present] = [point for point in burnt.points if point.at_utc == DAY + 10.5 * HOUR]
    future = [point for point in burnt.points if point.at_utc > DAY + 10.5 * HOUR]
    assert [point.used_calls for point in past] == [0, 0, 0, *[5] * 8]
    assert (present.used_calls, present.expected_used_calls) == (5, 5)
    assert [point.expected_used_calls for point in future] == [*[5] * 10, 10, 10, 10, 10]
    assert future[-1].at_utc == burnt.ends_utc == DAY + LENGTH
    assert burnt.forecast.expected_used_calls == 10
