"""A thread beside a block of work, with a connection to the database of its own. Not here: what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event, Thread

from django.db import connections


@contextmanager
def beside(name: str, work: Callable[[Event], None]) -> Iterator[None]:
    """`work` is done in a thread until the block is over, which sets the event that it gets. The block's end waits for
    it."""
    over = Event()

    def run() -> None:
        try:
            work(over)
        finally:
            connections.close_all()

    thread = Thread(target=copy_context().run, args=(run,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
