"""What reading and writing cost, before a credit is spent."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.credits.prices import (
    bulk_calls,
    bulk_page_rows,
    bulk_poll_delay_seconds,
    bulk_polls,
    composite_calls,
    composites_at_least,
    pages_from_an_end,
    pages_of_one_object,
    poll_delay_seconds,
    polls_for,
    query_pages,
    share_composite,
)

MEBIBYTE = 1024 * 1024


def test_five_small_objects_are_read_for_one_credit() -> None:
    assert composite_calls([1] * 5, [4] * 5) == 1
    assert composite_calls([1] * 12, [4] * 12) == 3


def test_one_object_gives_four_pages_a_composite_two_from_each_end() -> None:
    assert (pages_from_an_end(2000), pages_of_one_object(2000)) == (2, 4)
    assert composite_calls([8], [4]) == 2
    assert composite_calls([7, 1, 1], [4, 4, 4]) == 2


def test_narrower_pages_reach_further_from_one_end() -> None:
    assert (pages_from_an_end(200), pages_of_one_object(200)) == (11, 5)


@pytest.mark.parametrize(("rows", "pages"), [(0, 1), (1, 1), (2000, 1), (2001, 2), (3999, 2), (4000, 3)])
def test_pages_overlap_by_one_row(rows: int, pages: int) -> None:
    assert query_pages(rows, 2000) == pages


def test_whoever_has_the_longest_way_gets_the_room_that_is_left() -> None:
    assert share_composite([9, 1, 1], [4, 4, 4], [False] * 3) == [4, 1, 0]
    assert share_composite([9, 1, 1], [4, 4, 4], [True] * 3) == [3, 1, 1]
    assert share_composite([9, 9, 1, 1, 1, 1], [4] * 6, [True] * 6) == [1, 1, 1, 1, 1, 0]


def test_a_file_holds_rows_by_their_width_and_never_more_than_half_the_cap() -> None:
    assert bulk_page_rows(500, 512 * MEBIBYTE) == 1_073_741
    assert bulk_page_rows(500, 4096 * MEBIBYTE) == bulk_page_rows(500, 512 * MEBIBYTE)
    assert bulk_page_rows(10**12, MEBIBYTE) == 1


def test_jobs_share_their_looks() -> None:
    assert bulk_calls([], 2) == 0
    assert bulk_calls([1], bulk_polls(is_rate_known=True)) == 3
    assert bulk_calls([1, 4, 2], bulk_polls(is_rate_known=False)) == 2 + 2 + 5 + 3


def test_a_job_is_looked_at_when_it_should_be_done_and_then_ever_less_often() -> None:
    assert bulk_poll_delay_seconds(50, 0, 0) == 50
    assert bulk_poll_delay_seconds(-3, 10, 0) == 2
    assert bulk_poll_delay_seconds(10**6, 0, 0) == 600
    assert [bulk_poll_delay_seconds(0, waited, 1) for waited in (1, 60, 10_000)] == [2, 30, 300]


def test_polling_of_work_of_unknown_length_starts_at_two_seconds_and_slows_to_one_a_minute() -> None:
    assert [poll_delay_seconds(poll) for poll in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    assert polls_for(10 * 60) == 14


@settings(deadline=None)  # hundreds of calls are gone through
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 5)), min_size=1, max_size=20))
def test_composites_never_cost_less_than_the_pages_need_and_at_most_one_more_for_looking(
    objects: list[tuple[int, int]],
) -> None:
    pages, at_once = [each[0] for each in objects], [each[1] for each in objects]
    least = composites_at_least(pages, at_once)
    assert least <= composite_calls(pages, at_once, have_looked=True) <= least + 1
    assert least <= composite_calls(pages, at_once) <= least + len(objects) // 5 + 1
