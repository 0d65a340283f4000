"""Rows of a result as the bytes a client gets, and where each row begins, so that a page of it is a span of the file.

The file is the rows, then for each row the offset of its end (8 bytes), then how many rows there are (8 bytes).
"""

import shutil
import tempfile
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from orgsim.store import resultfile

_NUMBER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Span:
    """Some bytes of a file, one after the other."""

    path: Path
    offset_bytes: int
    size_bytes: int

    def shortened(self, by_bytes: int) -> "Span":
        """Without its last bytes, if there are any."""
        return replace(self, size_bytes=max(0, self.size_bytes - by_bytes))


def fill(
    path: Path, org_file: Path, select: str, params: Mapping[str, str | int | float | None], *, ending: str
) -> int:
    """Keep the single column of `select` in row order, `ending` behind each row. Returns how many rows there are."""
    numbered = path.with_name(f"{path.name}.numbered")
    try:
        count = resultfile.fill(numbered, org_file, select, params)
        _join(numbered, path, ending, count)
    finally:
        numbered.unlink(missing_ok=True)
    return count


def _join(numbered: Path, path: Path, ending: str, count: int) -> None:
    with path.open("wb") as file, tempfile.TemporaryFile() as ends:
        at_bytes = 0
        for block, lengths in resultfile.read_joined(numbered, ending):
            file.write(block)
            block_ends = array("Q", accumulate(lengths, initial=at_bytes))
            at_bytes = block_ends[-1]
            ends.write(memoryview(block_ends)[1:])
        ends.seek(0)
        shutil.copyfileobj(ends, file)
        file.write(array("Q", [count]))


def span(path: Path, first: int, count: int) -> Span:
    """The rows numbered `first` to `first + count - 1`, from 1; fewer or none where the result ends before."""
    with path.open("rb") as file:
        size_bytes = file.seek(-_NUMBER_BYTES, 2)
        total = _number(file)
        ends_at = size_bytes - total * _NUMBER_BYTES
        start, end = (_end_of(file, ends_at, min(max(row, 0), total)) for row in (first - 1, first - 1 + count))
    return Span(path, start, end - start)


def _end_of(file: BinaryIO, ends_at: int, row: int) -> int:
    if not row:
        return 0
    file.seek(ends_at + (row - 1) * _NUMBER_BYTES)
    return _number(file)


def _number(file: BinaryIO) -> int:
    return array("Q", file.read(_NUMBER_BYTES))[0]
