"""Reads docs/orgsim/tutorial.md as a person at a shell would: commands, what they print, and files to save."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "orgsim" / "tutorial.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SAVED_AS = re.compile(r"Save it as `([^`]+)`:\s*$")
_ANYTHING = "…"


@dataclass
class Step:
    """Commands to run together, the files to save before, and what the page says they print, if it says so."""

    commands: str
    files: dict[str, str] = field(default_factory=dict)
    printed: str | None = None

    def is_printed(self, output: str) -> bool:
        """`…` stands for anything, over lines too where it has a line of its own."""
        if self.printed is None:
            return True
        lines = self.printed.splitlines()
        pattern = "".join(r"(?:.*\n)*" if line == _ANYTHING else f"{_pattern(line)}\n" for line in lines)
        return re.fullmatch(pattern, output.rstrip("\n") + "\n") is not None


def read_steps(page: str) -> Iterator[Step]:
    """Raises ValueError for a block of which nobody knows what to do with it."""
    step: Step | None = None
    files: dict[str, str] = {}
    for block in _BLOCK.finditer(page):
        language, text = block.groups()
        if language == "text" and step and step.printed is None:
            step.printed = text
        elif language == "python" and (name := _SAVED_AS.search(page[: block.start()])):
            files[name[1]] = text
        elif language == "sh":
            if step:
                yield step
            step, files = Step(text, files), {}
        else:
            raise ValueError(f"A block that nothing is done with: {block[0]}")
    if step:
        yield step


def _pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split(_ANYTHING))
