"""The conformance page is what the marks on the tests say, and no address of orgsim is without a test."""

import subprocess
import sys

import pytest

from conformance import PAGE, ROOT, endpoints


@pytest.fixture(scope="module")
def collected() -> str:
    """In a process of its own, as `make conformance` does it: one collection inside another shares too much."""
    done = subprocess.run(
        [sys.executable, "tests/conformance.py", "--print"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_says_what_the_marks_say(collected: str) -> None:
    assert collected == PAGE.read_text(), "run make conformance"


def test_every_address_is_shown_by_a_test(collected: str) -> None:
    rows = [line.split(" | ") for line in collected.splitlines() if line.startswith(("| `GET", "| `P", "| `DELETE"))]
    assert {row[0].removeprefix("| ").strip("`") for row in rows} == set(endpoints())
    assert [row[0] for row in rows if "`test_" not in row[-1]] == []
