"""Line files: rows of a result as plain bytes, any run of which is a span of the file."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgsim.store import linefile
from orgsim.store.database import open_file

ROWS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9), max_size=600)


@pytest.fixture(scope="module")
def org_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lines") / "org.db"
    open_file(path).execute("CREATE TABLE given (place INTEGER PRIMARY KEY, line TEXT)")
    return path


def kept(org_file: Path, rows: list[str], ending: str) -> Path:
    connection = open_file(org_file)
    connection.execute("DELETE FROM given")
    connection.executemany("INSERT INTO given VALUES (?, ?)", enumerate(rows))
    path = org_file.with_name("lines")
    assert linefile.fill(path, org_file, "SELECT line FROM given ORDER BY place", {}, ending=ending) == len(rows)
    return path


def bytes_of(span: linefile.Span) -> bytes:
    content = span.path.read_bytes()
    return content[span.offset_bytes : span.offset_bytes + span.size_bytes]


@settings(max_examples=25, deadline=None)
@given(rows=ROWS, first=st.integers(1, 700), count=st.integers(0, 700), ending=st.sampled_from(["\n", "\r\n", ","]))
def test_any_run_of_rows_is_a_span(org_file: Path, rows: list[str], first: int, count: int, ending: str) -> None:
    path = kept(org_file, rows, ending)
    expected = "".join(row + ending for row in rows[first - 1 : first - 1 + count])
    assert bytes_of(linefile.span(path, first, count)) == expected.encode()


def test_nothing_else_is_left_in_the_folder(org_file: Path) -> None:
    path = kept(org_file, ["a", "b"], "\n")
    assert {each.name for each in path.parent.iterdir() if each.name.startswith("lines")} == {"lines"}


def test_a_span_can_be_shortened_but_not_below_nothing(org_file: Path) -> None:
    path = kept(org_file, ["{}", "{}"], ",")
    assert bytes_of(linefile.span(path, 1, 2).shortened(1)) == b"{},{}"
    assert linefile.span(path, 1, 0).shortened(1).size_bytes == 0
