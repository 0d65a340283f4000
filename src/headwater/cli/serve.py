"""`headwater serve`: the web app and its workers in one command; what dies is started again.

A process manager would do as well; this one exists so that a laptop needs none. Not here: the web app (wsgi.py).
"""

import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from django.core.management import call_command

from headwater.cli.options import JsonOption
from headwater.cli.output import err, print_json
from headwater.common.errors import Facts, Fix
from headwater.jobs.worker import stop_on_signals

_LOOK_SECONDS = 0.5
_STOP_SECONDS = 20


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(help="How many job workers.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Prepare the database, then serve the web app and work on jobs until stopped."""
    _require_free(host, port)
    call_command("migrate", interactive=False, verbosity=0)
    run_until_stopped(
        [_web_command(host, port), *[_worker_command()] * workers],
        lambda: _say_ready(f"http://{host}:{port}", as_json=as_json),
    )


def _require_free(host: str, port: int) -> None:
    """A taken port would only show as a web app that dies and is started again, for ever."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Fix(
                "cli.port_taken",
                f"Headwater cannot listen on {host}:{port}.",
                Facts(why=str(error), left="Nothing was started.", you_can="choose another port with --port"),
            ) from error


def run_until_stopped(commands: Sequence[Sequence[str]], say_ready: Callable[[], None]) -> None:
    stop = stop_on_signals()
    processes = [_start(command) for command in commands]
    say_ready()
    while not stop.wait(_LOOK_SECONDS):
        for place, process in enumerate(processes):
            if process.poll() is not None:
                err.print(f"{' '.join(commands[place][1:4])} ended with {process.returncode}; starting it again.")
                stop.wait(_LOOK_SECONDS)
                processes[place] = _start(commands[place])
    _stop(processes)


def _web_command(host: str, port: int) -> list[str]:
    options = ["--worker-class", "gthread", "--threads", "8", "--bind", f"{host}:{port}", "--log-level", "warning"]
    return [sys.executable, "-m", "gunicorn", "headwater.wsgi:application", *options]


def _worker_command() -> list[str]:
    return [str(Path(sys.argv[0])), "worker"]


def _start(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    # A session of its own: Ctrl-C reaches this process alone, which then asks each child to finish its step.
    return subprocess.Popen(command, start_new_session=True)  # noqa: S603 - commands of our own making


def _stop(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _say_ready(url: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"url": url})
    else:
        err.print(f"Headwater is at {url} · Ctrl-C stops it.", highlight=False)
