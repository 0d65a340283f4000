"""The servers that are measured, each in a process of its own, until it is told to stop. Not here: what ends by itself
(benches/running.py)."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import orjson

ORGSIM = (str(Path(sys.executable).with_name("orgsim")),)
_KIB_PER_MIB = 1024
_START_SECONDS = 20
_NGINX = """\
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 64; }}
http {{
    access_log off; sendfile on; tcp_nopush on; default_type text/csv;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


@dataclass
class Ended:
    """What is known of a process once it has ended."""

    seconds: float = 0.0
    peak_memory_mb: float = 0.0


@dataclass
class Server:
    """`started` is what it said of itself: its doors, and with a proxy its address and whom to trust."""

    url: str
    started: dict[str, str]
    ended: Ended = field(default_factory=Ended)


@contextmanager
def orgsim_serving(state: Path, *options: str) -> Iterator[Server]:
    """`orgsim serve` on free ports. What it needed is known when the context is left."""
    command = (*ORGSIM, "serve", "--state", str(state), "--port", "0", "--sandbox-port", "0", "--json", *options)
    with started(command, subprocess.PIPE) as (process, ended):
        said = _read_addresses(process.stdout)
        yield Server(said["production"], said, ended)


@contextmanager
def static_serving(folder: Path) -> Iterator[tuple[str, str]]:
    """(name and version, URL) of a static server of this folder: nginx, or Python's own where there is no nginx."""
    port = free_port()
    command: tuple[str, ...]
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx:
        settings = folder / "nginx.conf"
        settings.write_text(_NGINX.format(folder=folder, port=port))
        command, version = (nginx, "-c", str(settings)), _version_of_nginx(nginx)
    else:
        command = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder))
        version = f"python http.server {sys.version.split()[0]}"
    with started(command, subprocess.DEVNULL):
        _wait_for(port)
        yield version, f"http://127.0.0.1:{port}"


@contextmanager
def started(command: tuple[str, ...], stdout: int) -> Iterator[tuple[subprocess.Popen[bytes], Ended]]:
    """A process that is told to stop when the context is left, unless it has ended by itself."""
    ended = Ended(time.perf_counter())
    process = subprocess.Popen(command, stdout=stdout, stderr=None if stdout == subprocess.PIPE else subprocess.DEVNULL)  # noqa: S603  our own command
    try:
        yield process, ended
    finally:
        if process.returncode is None:
            process.terminate()
            _reap(process, ended)
        if process.stdout:
            process.stdout.close()


def _reap(process: subprocess.Popen[bytes], ended: Ended) -> None:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.seconds = time.perf_counter() - ended.seconds
    in_kib = usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss / 1024
    ended.peak_memory_mb = in_kib / _KIB_PER_MIB
    if process.returncode > 0:
        raise subprocess.CalledProcessError(process.returncode, process.args)


def _read_addresses(stdout: IO[bytes] | None) -> dict[str, str]:
    lines: list[bytes] = []
    for line in stdout or ():
        lines.append(line)
        if line.rstrip() == b"}":
            break
    addresses: dict[str, str] = orjson.loads(b"".join(lines))
    return addresses


def _version_of_nginx(nginx: str) -> str:
    told = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True)  # noqa: S603  found on the path
    return told.stderr.strip().removeprefix("nginx version: ")


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
