"""Every item stands in exactly one piece, in its order, and only the last piece may be short."""

from hypothesis import given
from hypothesis import strategies as st

from headwater.common.batches import batches


@given(st.lists(st.integers()), st.integers(1, 7))
def test_nothing_is_lost_doubled_or_moved(items: list[int], most: int) -> None:
    pieces = list(batches(items, most))
    assert [item for piece in pieces for item in piece] == items
    assert all(len(piece) == most for piece in pieces[:-1])
    assert all(1 <= len(piece) <= most for piece in pieces)
