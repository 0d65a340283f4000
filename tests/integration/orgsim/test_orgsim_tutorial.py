"""The tutorial is true: its commands are read out of the page, run in one shell, and print what the page says."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.orgsim.tutorial import PAGE, Step, read_steps

ROOT = PAGE.parents[2]
PORTS_ON_THE_PAGE = ("8700", "8701")
STEP_SECONDS = 240  # installing, on a busy machine


class Shell:
    """One bash that keeps its variables and background jobs from step to step, and stops at the first failure."""

    def __init__(self, folder: Path, output: Path) -> None:
        pins = {"UV_CONSTRAINT": str(ROOT / "requirements" / "dev.txt")}  # what has been fetched already
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        readers = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}  # ours, not theirs
        self._output = output
        with output.open("w") as file:
            self._process = subprocess.Popen(
                ["bash", "-m"],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                text=True,
                env={**readers, **pins, "PATH": path},
            )
        self._tell("set -e\ntrap 'kill $(jobs -p) 2> /dev/null' EXIT\n")
        self._steps = 0

    def run(self, commands: str) -> str:
        """What it printed."""
        self._steps += 1
        end = f"-- end of step {self._steps} --"
        printed_before = len(self._output.read_text())
        self._tell(f"{commands}\necho '{end}'\n")
        deadline = time.monotonic() + STEP_SECONDS
        while end not in (printed := self._output.read_text()[printed_before:]):
            assert self._process.poll() is None, f"Failed: {commands}\n{printed}"
            assert time.monotonic() < deadline, f"Still not done: {commands}\n{printed}"
            time.sleep(0.02)
        return printed.partition(end)[0]

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=20)

    def _tell(self, text: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(text)
        self._process.stdin.flush()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "headwater").symlink_to(ROOT)
    opened = Shell(folder, tmp_path / "output")
    yield opened
    opened.close()


def steps_on_free_ports() -> list[Step]:
    page = PAGE.read_text(encoding="utf-8")
    for port in PORTS_ON_THE_PAGE:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            page = page.replace(port, str(bound.getsockname()[1]))
    return list(read_steps(page))


def test_the_commands_of_the_tutorial_print_what_it_says(shell: Shell, tmp_path: Path) -> None:
    steps = steps_on_free_ports()
    assert sum(step.printed is not None for step in steps) > 8
    for step in steps:
        for name, text in step.files.items():
            (tmp_path / "home" / name).write_text(text)
        output = shell.run(step.commands)
        assert step.is_printed(output), f"{step.commands}\nprinted\n{output}\nand not\n{step.printed}"


@pytest.mark.parametrize(
    ("printed", "output", "fits"),
    [
        ("a\n", "a\n", True),
        ("a\n", "a\n\n", True),
        ("a\n", "b\n", False),
        ("a\n", "a\nb\n", False),
        ("id: 00D…\n", "id: 00D5g\n", True),
        ("…\nb\n", "a\nb\n", True),
        ("…\nb\n", "a\nc\n", False),
        ("a\n…\n", "a\nb\nc", True),
        ("(…)\n", "(1\n2)\n", False),
    ],
)
def test_dots_on_the_page_stand_for_anything(printed: str, output: str, *, fits: bool) -> None:
    assert Step("", printed=printed).is_printed(output) == fits


@pytest.mark.parametrize("block", ["```text\nwhat?\n```", "```python\nprint()\n```", "```json\n{}\n```"])
def test_a_block_of_which_nothing_is_made_is_no_tutorial(block: str) -> None:
    with pytest.raises(ValueError, match="nothing is done"):
        list(read_steps(f"Look:\n\n{block}\n"))
