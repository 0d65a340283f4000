"""The text of a CSV is dealt out in whole records, whatever they hold and however it comes."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.common.errors import Bug
from headwater.lake import TableParts, open_snapshot, write_part_from_csv
from headwater.lake.lanes import LONGEST_RECORD_BYTES, hands
from unit.lake.conftest import OPPORTUNITY

HEADER = '"Id","Name","Amount","Probability","IsDeleted","CloseDate","SystemModstamp"\n'
STAMP = "2022-03-17T16:21:26.000Z"

texts = st.text(st.sampled_from('a,"\n é'), max_size=6)
records = st.lists(st.lists(texts, min_size=1, max_size=3), max_size=12)


def as_csv(rows: list[list[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return written.getvalue().encode()


def read(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline="")))


@given(records, st.data())
def test_every_hand_holds_whole_records_and_nothing_is_lost(rows: list[list[str]], data: st.DataObject) -> None:
    text = as_csv(rows)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    dealt = list(hands(pieces))
    assert b"".join(dealt) == text
    assert [row for hand in dealt for row in read(hand)] == rows


def deals(number: int) -> Iterator[str]:
    for place in range(number):
        name = '"Deal ""%d"", of\ntwo lines, %s"' % (place, "x" * (place % 300))  # noqa: UP031  full of quotation marks
        yield f'"006{place:015}",{name},"{place}.25","","false","","{STAMP}"\n'


def test_what_is_read_side_by_side_becomes_one_part_with_every_row_once(tmp_path: Path) -> None:
    source = tmp_path / "results.csv"
    source.write_text(HEADER + "".join(deals(30_000)))
    part = write_part_from_csv(source, OPPORTUNITY, tmp_path / "lake", 1)
    assert part.row_count == 30_000
    with open_snapshot({"Opportunity": TableParts(OPPORTUNITY, [part])}, tmp_path / "lake") as connection:
        told = connection.execute(
            """SELECT count(DISTINCT Id), sum(Amount), count_if(Name LIKE 'Deal "%", of\ntwo lines, %')"""
            """, sum(length(Name)) FROM "Opportunity" """
        ).fetchall()
    names = (f'Deal "{place}", of\ntwo lines, ' for place in range(30_000))
    characters = sum(len(name) + place % 300 for place, name in enumerate(names))
    assert told == [(30_000, sum(range(30_000)) + 7_500, 30_000, characters)]


def test_a_record_may_be_as_long_as_salesforce_lets_it_be(tmp_path: Path) -> None:
    source = tmp_path / "results.csv"
    name = "ü" * 5_000_000
    line = f'"006A","{name}","","","false","","{STAMP}"\n'
    source.write_text(HEADER + line + "".join(deals(10)) + line.replace("006A", "006B"))
    assert write_part_from_csv(source, OPPORTUNITY, tmp_path / "lake", 1).row_count == 12


def test_a_quotation_mark_that_is_never_closed_is_an_error_and_not_held_in_memory(tmp_path: Path) -> None:
    source = tmp_path / "results.csv"
    source.write_text(HEADER + '"006A","Ace\n' + "no end\n" * (LONGEST_RECORD_BYTES // 5))
    with pytest.raises(Bug) as caught:
        write_part_from_csv(source, OPPORTUNITY, tmp_path / "lake", 1)
    assert caught.value.code == "lake.unreadable_file"
    assert list(tmp_path.glob("lake/*.parquet*")) == []
