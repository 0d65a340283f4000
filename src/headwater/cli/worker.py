"""`headwater worker`: does queued jobs until it is stopped."""

import os
import socket
from typing import Annotated

import typer

from headwater.cli.options import JsonOption
from headwater.cli.output import err, out, print_json
from headwater.jobs.worker import Worker, stop_on_signals
from headwater.watch import chores


def worker(
    poll_seconds: Annotated[float, typer.Option(help="How often to look for work when there is none.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing is left to do.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Do queued and scheduled jobs. Any number of workers may run; a killed one's job is taken over."""
    one = Worker(f"{socket.gethostname()}-{os.getpid()}", chores=chores)
    if once:
        jobs = 0
        while one.run_one():
            jobs += 1
        chores()
        if as_json:
            print_json({"worker": one.name, "jobs_run": jobs})
        else:
            out.print(f"Ran {jobs} jobs; nothing is left to do now.")
        return
    if as_json:
        print_json({"worker": one.name})
    else:
        err.print("Worker started; Ctrl-C stops it after the current step.")
    one.run_forever(stop_on_signals(), poll_seconds)
