"""Shares must sum to what was shared, to the cent, whatever the rounding."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.common.money import from_cents, split_cents, to_cents

weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(lambda some: sum(some) > 0)


@given(st.integers(-(10**14), 10**14), weights)
def test_parts_sum_to_the_whole(cents: int, some: list[int]) -> None:
    assert sum(split_cents(cents, some)) == cents


@given(st.integers(-(10**12), 10**12), weights)
def test_no_part_is_a_cent_or_more_away_from_its_exact_share(cents: int, some: list[int]) -> None:
    for part, weight in zip(split_cents(cents, some), some, strict=True):
        assert abs(part * sum(some) - cents * weight) < sum(some)


def test_the_cent_left_over_goes_to_the_largest_remainder_then_to_the_earlier() -> None:
    assert split_cents(100, [1, 1, 1]) == [34, 33, 33]
    assert split_cents(10, [2, 3]) == [4, 6]


@pytest.mark.parametrize("bad", [[], [0, 0], [1, -1]])
def test_weights_that_share_nothing_are_refused(bad: list[int]) -> None:
    with pytest.raises(ValueError, match="Weights"):
        split_cents(100, bad)


@given(st.integers(-(10**15), 10**15))
def test_cents_come_back_from_the_amount(cents: int) -> None:
    assert to_cents(from_cents(cents)) == cents


def test_half_a_cent_is_rounded_away_from_zero() -> None:
    assert [to_cents(Decimal(text)) for text in ("0.005", "-0.005", "84000.04")] == [1, -1, 8400004]
