"""Work that goes on after a request was answered: Bulk jobs and deployments. Real time, a few threads."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

_THREADS = 4
_log = logging.getLogger(__name__)


class Background:
    """Runs functions after a delay, until it is closed."""

    def __init__(self) -> None:
        self._closing = threading.Event()
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="orgsim-background")

    def run_later(self, delay_seconds: float, work: Callable[[], None]) -> None:
        self._executor.submit(self._wait_and_run, delay_seconds, work).add_done_callback(_report)

    def sleep(self, seconds: float) -> None:
        """Let a simulated delay pass; returns at once when the program is closing."""
        self._closing.wait(seconds)

    def close(self) -> None:
        self._closing.set()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _wait_and_run(self, delay_seconds: float, work: Callable[[], None]) -> None:
        if not self._closing.wait(delay_seconds):
            work()


def _report(future: Future[None]) -> None:
    if not future.cancelled() and (error := future.exception()):
        _log.error("Background work failed.", exc_info=error)
