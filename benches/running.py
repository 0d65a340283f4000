"""A programme in a process of its own: how long it took and its most memory, that of its children included.

Not here: which programmes (each bench knows its own), and starting them (launcher.py).
"""

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

_LAUNCHER = (sys.executable, "-I", "-S", str(Path(__file__).with_name("launcher.py")))
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
        tempfile.TemporaryFile() as report,
        into.open("w+b") if into else tempfile.TemporaryFile() as stdout,
    ):
        stdin.write(given)
        stdin.seek(0)
        subprocess.run(  # noqa: S603  the bench's own commands
            (*_LAUNCHER, str(report.fileno()), *command),
            env=dict(environment), stdin=stdin, stdout=stdout, stderr=stderr, pass_fds=(report.fileno(),), check=False,
        )  # fmt: skip
        for file in (stdout, stderr, report):
            file.seek(0)
        took = orjson.loads(report.read() or b'{"exit_code": "not started"}')
        if took["exit_code"]:
            said = (stdout.read(_SHOWN_CHARACTERS) + stderr.read()).decode(errors="replace")[-_SHOWN_CHARACTERS:]
            raise RuntimeError(f"{' '.join(command)} failed ({took['exit_code']}): {said}")
        peak_memory_mb = took["peak_memory_kib"] / _KIB_PER_MIB
        return Ran(took["seconds"], took["cpu_seconds"], peak_memory_mb, b"" if into else stdout.read())
