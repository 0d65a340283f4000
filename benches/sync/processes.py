"""A programme in a process of its own: how long it took and its most memory, that of its children included.

Not here: which programmes (ours.py, floor.py, peers.py).
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_KIB_PER_MIB = 1024
_SHOWN_CHARACTERS = 3000


@dataclass(frozen=True, slots=True)
class Ran:
    """cpu_seconds, peak_memory_mb   As the kernel counted them: of it and its children, of the largest of them."""

    seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    told: bytes


def run(command: Sequence[str], environment: Mapping[str, str], *, given: bytes = b"", into: Path | None = None) -> Ran:
    """Raises RuntimeError where it fails. into   Where its standard output goes, if it is too much to be told."""
    with (
        tempfile.TemporaryFile() as stdin,
        tempfile.TemporaryFile() as stderr,
        into.open("w+b") if into else tempfile.TemporaryFile() as stdout,
    ):
        stdin.write(given)
        stdin.seek(0)
        began = time.perf_counter()
        process = subprocess.Popen(command, env=dict(environment), stdin=stdin, stdout=stdout, stderr=stderr)  # noqa: S603  the bench's own commands
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        if process.returncode:
            stderr.seek(0)
            said = (stdout.read(_SHOWN_CHARACTERS) + stderr.read()).decode(errors="replace")[-_SHOWN_CHARACTERS:]
            raise RuntimeError(f"{' '.join(command)} failed: {said}")
        in_kib = usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss / 1024
        return Ran(seconds, usage.ru_utime + usage.ru_stime, in_kib / _KIB_PER_MIB, b"" if into else stdout.read())
