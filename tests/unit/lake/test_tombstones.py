"""A record that vanished becomes a tombstone, unless it was changed after it was deleted; nothing resurrects it."""

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.lake import Deleted, Part, TableParts, compact, open_snapshot, write_deleted, write_part_from_ndjson
from unit.lake.conftest import OPPORTUNITY, WritePart, opportunity, write_ndjson

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Stamps = dict[str, int]


def stamp(seconds: int) -> str:
    return f"{NOON + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.000+0000"


def tombstones(
    folder: Path, parts: Sequence[Part], deleted: Sequence[tuple[str, int]], live: Collection[str] = ()
) -> Part:
    file = folder / "deleted.json"
    file.write_text(json.dumps([{"id": each, "deletedDate": stamp(at)} for each, at in deleted]))
    told = Deleted(file, NOON + timedelta(seconds=50))
    table = TableParts(OPPORTUNITY, parts)
    return write_deleted(table, told, folder / "lake", 2, lambda ids: [each for each in ids if each in live])


def live_ids(folder: Path, parts: Sequence[Part]) -> set[str]:
    with open_snapshot({"Opportunity": TableParts(OPPORTUNITY, parts)}, folder / "lake") as connection:
        return {row[0] for row in connection.execute('SELECT Id FROM "Opportunity"').fetchall()}


def at(seconds: int, *ids: str) -> list[dict[str, object]]:
    return [opportunity(each, Name=each, Amount=12.5, SystemModstamp=stamp(seconds)) for each in ids]


def test_a_tombstone_is_the_last_known_row_marked_as_deleted(tmp_path: Path, write_part: WritePart) -> None:
    known = write_part(at(0, "006A", "006B"), 1)
    gone = tombstones(tmp_path, [known], [("006A", 5), ("006X", 5)])
    assert gone.row_count == 1
    with open_snapshot({"Opportunity": TableParts(OPPORTUNITY, [known, gone])}, tmp_path / "lake") as connection:
        rows = connection.execute('SELECT Id, Name, IsDeleted FROM "Opportunity__all" ORDER BY Id').fetchall()
    assert rows == [("006A", "006A", True), ("006B", "006B", False)]
    assert live_ids(tmp_path, [known, gone]) == {"006B"}


def test_an_entry_that_is_older_than_the_row_does_no_harm(tmp_path: Path, write_part: WritePart) -> None:
    known = write_part(at(9, "006A"), 1)
    assert tombstones(tmp_path, [known], [("006A", 5)]).row_count == 0


def test_what_was_deleted_once_the_cycle_read_is_left_to_the_next(tmp_path: Path, write_part: WritePart) -> None:
    known = write_part(at(0, "006A"), 1)
    assert tombstones(tmp_path, [known], [("006A", 50)]).row_count == 0


def test_of_two_entries_the_later_counts(tmp_path: Path, write_part: WritePart) -> None:
    known = write_part(at(7, "006A"), 1)
    assert tombstones(tmp_path, [known], [("006A", 5), ("006A", 9)]).row_count == 1


def test_the_org_is_asked_about_rows_that_changed_in_the_second_of_their_deletion(
    tmp_path: Path, write_part: WritePart
) -> None:
    known = write_part(at(5, "006A", "006B"), 1)
    gone = tombstones(tmp_path, [known], [("006A", 5), ("006B", 5)], live={"006A"})
    assert live_ids(tmp_path, [known, gone]) == {"006A"}


SECONDS = st.integers(0, 49)
ROWS = st.dictionaries(st.sampled_from([f"006{letter}" for letter in "ABCDEF"]), SECONDS)


@given(before=ROWS, read=ROWS, deleted=ROWS, later=ROWS)
@settings(max_examples=15, deadline=None)
def test_a_row_is_live_if_it_changed_after_its_deletion_or_came_in_a_later_cycle(
    before: Stamps, read: Stamps, deleted: Stamps, later: Stamps
) -> None:
    """`before` of cycle 1, `read` and the tombstones of cycle 2, `later` of cycle 3; and compacting changes nothing."""
    with TemporaryDirectory() as name:
        folder = Path(name)

        def part(stamps: Stamps, sequence: int) -> Part:
            file = write_ndjson(
                folder / "rows.ndjson", [row for each, when in stamps.items() for row in at(when, each)]
            )
            return write_part_from_ndjson(file, OPPORTUNITY, folder / "lake", sequence)

        known = [part(before, 1), part(read, 2)]
        gone = tombstones(folder, known, list(deleted.items()))
        newest = before | read
        expected = {each for each, when in newest.items() if when > deleted.get(each, -1)}
        assert live_ids(folder, [*known, gone]) == expected
        merged = compact([*known, gone], OPPORTUNITY, folder / "lake", 2)
        assert live_ids(folder, [merged, part(later, 3)]) == expected | later.keys()
