"""The one place that reads the clock.

Everything else asks `now_utc()`; tests and rehearsals set the clock with `clock_set_to` or `clock_running_ahead`.
Not here: Salesforce's own clock, which comes from the `Date` header of its answers (facts C.1).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta


def _system_now() -> datetime:
    return datetime.now(UTC)


_source: ContextVar[Callable[[], datetime]] = ContextVar("clock_source", default=_system_now)


def now_utc() -> datetime:
    """The present moment, timezone-aware UTC."""
    return _source.get()()


@contextmanager
def clock_set_to(moment: datetime) -> Iterator[None]:
    """Freeze the clock of this thread (and tasks started from it) at `moment`, which must be timezone-aware."""
    if moment.tzinfo is None:
        raise ValueError("A clock needs a timezone-aware moment.")
    token = _source.set(lambda: moment)
    try:
        yield
    finally:
        _source.reset(token)


@contextmanager
def clock_running_ahead(by: timedelta) -> Iterator[None]:
    """Let the clock of this thread run `by` ahead of the system's (behind, where negative)."""
    token = _source.set(lambda: _system_now() + by)
    try:
        yield
    finally:
        _source.reset(token)
