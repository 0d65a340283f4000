"""`headwater worker`: does queued jobs until it is stopped."""

import os
import signal
import socket
from threading import Event
from typing import Annotated

import typer

from headwater.cli.output import err
from headwater.jobs.worker import Worker


def worker(
    poll_seconds: Annotated[float, typer.Option(help="How often to look for work when there is none.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing is left to do.")] = False,
) -> None:
    """Do queued and scheduled jobs. Any number of workers may run; a killed one's job is taken over."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    one = Worker(f"{socket.gethostname()}-{os.getpid()}")
    if once:
        one.run_until_idle()
        return
    err.print("Worker started; Ctrl-C stops it after the current step.")
    one.run_forever(stop, poll_seconds)
