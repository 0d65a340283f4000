"""A file of CSV that may still be arriving: its text as it comes, out of its compression, through a pipe to DuckDB.

Not here: fetching it (the sync room), and what its rows mean (writing.py).
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from threading import Event
from typing import BinaryIO, Self

from isal import isal_zlib

GZIP_SUFFIX = ".gz"
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_FORMAT = 31  # zlib's window bits for a body with gzip's head and checksum
_PIECE_BYTES = 1 << 18
_PIPE_BYTES = 1 << 20
_LOOK_SECONDS = 0.01


class DamagedError(Exception):
    """What came is not in the compression that it says it is in, or ends before its end."""


class Interrupted(Exception):
    """What was read so far is not the beginning of the file: its sender broke off, and may have begun anew."""


class Arrival:
    """A file that one thread fetches and another reads meanwhile, once. Who fetches says when it is whole, or no more.

    Who fetches it again puts another file in its place, and never writes into the one that is being read.

    row_count   As its sender told; 0 before all of it is there.
    """

    def __init__(self, path: Path, *, is_whole: bool = False) -> None:
        self.path = path
        self.row_count = 0
        self._ended = Event()
        self._is_whole = is_whole
        self._file: BinaryIO | None = None
        if is_whole:
            self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def complete(self, path: Path, row_count: int) -> None:
        """All of it is there, under this name."""
        self.path, self.row_count, self._is_whole = path, row_count, True
        self.end()

    def end(self) -> None:
        """Nothing more comes: it is complete, or never will be."""
        self._ended.set()

    def was_replaced(self) -> bool:
        """Whether what arrived in the end is not what was read. Waits until that is known."""
        self._ended.wait()
        return self._is_whole and not self._is_the_same()

    def pieces(self) -> Iterator[bytes]:
        """Its bytes, as soon as they are there. Raises Interrupted where they turn out not to be the file's."""
        while not self._ended.is_set() and not self.path.exists():
            self._ended.wait(_LOOK_SECONDS)
        if self._ended.is_set() and not self._is_whole:
            raise Interrupted
        self._file = self.path.open("rb", buffering=0)  # kept open, so that no other file can be taken for it
        while True:
            has_ended = self._ended.is_set()
            if piece := self._file.read(_PIECE_BYTES):
                yield piece
            elif has_ended:
                break
            else:
                self._ended.wait(_LOOK_SECONDS)
        if not self._is_whole or not self._is_the_same():
            raise Interrupted

    def _is_the_same(self) -> bool:
        return self._file is not None and os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())


def text_of(arrival: Arrival) -> Iterator[bytes]:
    """Without its compression, if it has one. Raises DamagedError where that is not right."""
    pieces = arrival.pieces()
    first = b""
    for piece in pieces:
        first += piece
        if len(first) >= len(_GZIP_MAGIC):
            break
    if first.startswith(_GZIP_MAGIC) or arrival.path.suffix == GZIP_SUFFIX:  # an empty file is none that was compressed
        yield from _decompressed(chain([first], pieces))
    else:
        yield from chain([first], pieces)


def _decompressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacking = isal_zlib.decompressobj(_GZIP_FORMAT)
    for piece in pieces:
        rest = piece
        while rest:
            if unpacking.eof:  # a body may be several, one behind the other
                unpacking = isal_zlib.decompressobj(_GZIP_FORMAT)
            try:
                text = unpacking.decompress(rest)
            except isal_zlib.IsalError as error:  # type: ignore[misc]  # isal declares an instance
                raise DamagedError(str(error)) from error
            yield text
            rest = unpacking.unused_data if unpacking.eof else b""
    if not unpacking.eof:
        raise DamagedError("The compressed file ends before its end.")


@contextmanager
def piped(text: Iterable[bytes]) -> Iterator[str]:
    """The path of a pipe that DuckDB reads it from. At the end, raises what reading the text raised."""
    reading, writing = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    with ThreadPoolExecutor(1, thread_name_prefix="text") as beside:
        feeding = beside.submit(_feed, writing, text)
        try:
            yield f"/dev/fd/{reading}"
        finally:
            os.close(reading)
            feeding.result()


def _feed(writing: int, text: Iterable[bytes]) -> None:
    try:
        with os.fdopen(writing, "wb") as pipe:
            for piece in text:
                pipe.write(piece)
    except BrokenPipeError:
        return  # whoever read has stopped, and says why
