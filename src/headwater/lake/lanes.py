"""Deals the text of a CSV out to pipes, whole records at a time, so that DuckDB reads them side by side.

Who has room takes the next hand, so a slow or late lane holds nobody up, and one that is never read loses nothing that
another could have had. Not here: where the text comes from (arriving.py), and what its rows mean (writing.py).
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

from headwater.lake.arriving import DamagedError, piped

LONGEST_RECORD_BYTES = 16 * 1024 * 1024  # it may hold several long text areas of 128 KiB
LANES = 2  # each takes some 100 MB while it reads
MARK = b'"'


@contextmanager
def in_lanes(header: bytes, records: Iterable[bytes]) -> Iterator[list[str]]:
    """The paths of pipes, each with the header and a share of the records. At the end, raises what reading raised."""
    rest, taking = hands(records), Lock()

    def lane() -> Iterator[bytes]:
        yield header
        while True:
            with taking:
                hand = next(rest, None)
            if hand is None:
                return
            yield hand

    with ExitStack() as pipes:
        yield [pipes.enter_context(piped(lane())) for _ in range(LANES)]


def hands(records: Iterable[bytes]) -> Iterator[bytes]:
    """The text in pieces that end where a record ends: at a line's end that no quotation mark holds open.

    Raises DamagedError where a record is longer than any can be.
    """
    begun, is_open = b"", False  # of a record, and whether it ends within quotation marks
    for piece in records:
        if end := _end_of_records(piece, is_open=is_open):
            yield b"".join((begun, memoryview(piece)[:end]))
            begun, is_open = piece[end:], False
        else:
            begun += piece
        if len(begun) > LONGEST_RECORD_BYTES:
            raise DamagedError(f"A record is longer than {LONGEST_RECORD_BYTES:,} bytes.")
        is_open ^= piece.count(MARK, end) % 2 == 1
    if begun:
        yield begun


def _end_of_records(piece: bytes, *, is_open: bool) -> int:
    """Where its last whole record ends; 0: none does. A mark within a value is doubled, so that their number tells."""
    end = piece.rfind(b"\n") + 1
    marks = piece.count(MARK, 0, end) + is_open
    while marks % 2 and end:
        before = piece.rfind(b"\n", 0, end - 1) + 1
        marks -= piece.count(MARK, before, end)
        end = before
    return end
