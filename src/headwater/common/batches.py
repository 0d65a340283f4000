"""A sequence cut into pieces of one size, for callers whose other side takes no more at once."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Pieces of `most` items, the last of what is left; none of nothing."""
    return (items[start : start + most] for start in range(0, len(items), most))
