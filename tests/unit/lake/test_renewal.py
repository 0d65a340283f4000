"""Values that move without a stamp become whole rows, and only of records of which nothing newer is known."""

from pathlib import Path
from typing import Any

from headwater.lake import (
    CanonicalType,
    Column,
    Part,
    TableParts,
    TableSchema,
    open_snapshot,
    write_part_from_ndjson,
    write_renewed,
)
from unit.lake.conftest import Record, write_ndjson

KEYS = (
    Column("Id", CanonicalType.STRING),
    Column("IsDeleted", CanonicalType.BOOLEAN),
    Column("SystemModstamp", CanonicalType.TIMESTAMP),
)
SCORE = Column("Score__c", CanonicalType.DOUBLE, "Score__c~DOUBLE")  # it was a text once
WHOLE = TableSchema("Contact", (*KEYS, Column("Title", CanonicalType.STRING), SCORE))
NARROW = TableSchema("Contact", (*KEYS, SCORE))
EARLY, LATE = "2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:06.000+0000"
REFRESH = 3


def contact(record_id: str, score: float | None, **more: Any) -> dict[str, Any]:
    return {"Id": record_id, "IsDeleted": False, "SystemModstamp": EARLY, "Score__c": score, **more}


def known(folder: Path, sequence: int, *records: Record) -> Part:
    titled = [{"Title": f"Title of {sequence}", **record} for record in records]
    return write_part_from_ndjson(write_ndjson(folder / "known", titled), WHOLE, folder / "lake", sequence)


def renewed(folder: Path, parts: list[Part], *seen: Record) -> list[tuple[object, ...]]:
    """The rows that a refresh writes, and then what readers see: (Id, Title, Score__c, sequence or "shown")."""
    page = write_part_from_ndjson(write_ndjson(folder / "seen", seen), NARROW, folder / "page", REFRESH)
    table = TableParts(WHOLE, parts)
    part = write_renewed(table, TableParts(NARROW, [page]), folder / "page", folder / "lake", REFRESH)
    assert part.sequence == REFRESH
    return rows(folder, [part])


def rows(folder: Path, parts: list[Part]) -> list[tuple[object, ...]]:
    with open_snapshot({"Contact": TableParts(WHOLE, parts)}, folder / "lake") as replica:
        return replica.execute('SELECT "Id", "Title", "Score__c" FROM "Contact" ORDER BY 1').fetchall()


def test_only_rows_whose_value_is_another_are_written_and_they_are_whole(tmp_path: Path) -> None:
    parts = [known(tmp_path, 1, contact("A", 1), contact("B", 2), contact("C", None), contact("D", 4))]
    seen = [contact("A", 1), contact("B", 2.5), contact("C", 3), contact("D", None)]
    assert renewed(tmp_path, parts, *seen) == [
        ("B", "Title of 1", 2.5),
        ("C", "Title of 1", 3.0),
        ("D", "Title of 1", None),
    ]
    assert renewed(tmp_path, parts, contact("A", 1)) == []


def test_it_is_the_newest_row_that_gets_the_value(tmp_path: Path) -> None:
    parts = [known(tmp_path, 1, contact("A", 1)), known(tmp_path, 2, contact("A", 1))]
    assert renewed(tmp_path, parts, contact("A", 7)) == [("A", "Title of 2", 7.0)]


def test_a_change_that_is_not_here_yet_is_left_to_bring_its_row(tmp_path: Path) -> None:
    parts = [known(tmp_path, 1, contact("A", 1)), known(tmp_path, 2, contact("B", 1, SystemModstamp=LATE))]
    assert renewed(tmp_path, parts, contact("A", 7, SystemModstamp=LATE), contact("B", 7)) == []


def test_what_the_same_cycle_brought_is_as_new_as_the_refresh(tmp_path: Path) -> None:
    parts = [known(tmp_path, 1, contact("A", 1), contact("B", 1)), known(tmp_path, REFRESH, contact("A", 2))]
    assert renewed(tmp_path, parts, contact("A", 7), contact("B", 7)) == [("B", "Title of 1", 7.0)]


def test_records_that_are_deleted_or_not_known_get_no_row(tmp_path: Path) -> None:
    parts = [known(tmp_path, 1, contact("A", 1)), known(tmp_path, 2, contact("A", 1, IsDeleted=True))]
    assert renewed(tmp_path, parts, contact("A", 7), contact("Z", 7)) == []


def test_a_newer_change_wins_over_the_refresh(tmp_path: Path) -> None:
    first = known(tmp_path, 1, contact("A", 1))
    page = write_part_from_ndjson(
        write_ndjson(tmp_path / "seen", [contact("A", 7)]), NARROW, tmp_path / "page", REFRESH
    )
    table, seen = TableParts(WHOLE, [first]), TableParts(NARROW, [page])
    part = write_renewed(table, seen, tmp_path / "page", tmp_path / "lake", REFRESH)
    assert rows(tmp_path, [first, part]) == [("A", "Title of 1", 7.0)]
    change = known(tmp_path, REFRESH + 1, contact("A", 8, SystemModstamp=EARLY))
    assert rows(tmp_path, [first, part, change]) == [("A", f"Title of {REFRESH + 1}", 8.0)]
