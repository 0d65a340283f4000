"""Which requests of an org are being answered at this moment, in this process, in the machine's own time."""

import itertools
import threading
import time


class RunningRequests:
    """A request is here from the moment it passes the gate until its answer has been sent."""

    def __init__(self) -> None:
        self._started: dict[int, float] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def enter(self) -> int:
        """The ticket to leave with."""
        with self._lock:
            ticket = next(self._numbers)
            self._started[ticket] = time.monotonic()
            return ticket

    def leave(self, ticket: int) -> None:
        with self._lock:
            del self._started[ticket]

    def longer_than(self, seconds: float) -> int:
        with self._lock:
            since = time.monotonic() - seconds
            return sum(started <= since for started in self._started.values())
