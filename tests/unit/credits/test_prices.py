"""What reading and writing cost, before a credit is spent."""

from hypothesis import given
from hypothesis import strategies as st

from headwater.credits.prices import (
    bulk_calls,
    composite_calls,
    poll_delay_seconds,
    polls_for,
    query_pages,
)


def test_five_small_objects_are_read_for_one_credit() -> None:
    assert composite_calls([1] * 5) == 1
    assert composite_calls([1] * 12) == 3


def test_one_object_gives_one_page_a_composite() -> None:
    assert composite_calls([7, 1, 1]) == 7


def test_an_empty_object_costs_the_page_that_says_so() -> None:
    assert query_pages(0) == 1
    assert query_pages(2000) == 1
    assert query_pages(2001) == 2


def test_polling_starts_at_two_seconds_and_slows_to_one_a_minute() -> None:
    assert [poll_delay_seconds(poll) for poll in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    assert polls_for(10 * 60) == 14


def test_a_million_contacts_by_bulk_cost_about_ten_credits() -> None:
    assert bulk_calls([1_000_000]) == 1 + 4 + polls_for(50)


@given(st.lists(st.integers(1, 200), min_size=1, max_size=20))
def test_composites_never_cost_less_than_the_pages_need(pages: list[int]) -> None:
    calls = composite_calls(pages)
    assert calls * 5 >= sum(pages)
    assert calls >= max(pages)
