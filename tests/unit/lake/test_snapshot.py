"""A snapshot shows the newest state of every record, and only that."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.common.errors import Bug
from headwater.lake import (
    CanonicalType,
    Column,
    Owner,
    Part,
    TableParts,
    TableSchema,
    checksum,
    compact,
    ids_are_unique,
    merge_later,
    open_snapshot,
    to_merge,
    write_part_from_ndjson,
)
from headwater.lake.parts import write_part as write_rows
from unit.lake.conftest import OPPORTUNITY, Record, WritePart, opportunity, write_ndjson

Row = tuple[Any, ...]


def shown(directory: Path, parts: Sequence[Part], view: str = "Opportunity") -> list[Row]:
    with open_snapshot({"Opportunity": TableParts(OPPORTUNITY, parts)}, directory) as connection:
        return connection.execute(f'SELECT * FROM "{view}" ORDER BY Id').fetchall()


def names(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in rows]


def test_a_later_cycle_wins_whatever_its_modstamp(tmp_path: Path, write_part: WritePart) -> None:
    old = write_part([opportunity("006A", Name="old", SystemModstamp="2026-03-01T00:00:00.000+0000")], 1)
    new = write_part([opportunity("006A", Name="new")], 2)
    assert names(shown(tmp_path / "lake", [new, old])) == [("006A", "new")]


def test_within_a_cycle_the_newest_modstamp_wins(tmp_path: Path, write_part: WritePart) -> None:
    late = write_part([opportunity("006A", Name="late", SystemModstamp="2026-03-01T00:00:00.000+0000")], 1)
    early = write_part([opportunity("006A", Name="early")], 1)
    assert names(shown(tmp_path / "lake", [late, early])) == [("006A", "late")]


def test_what_belongs_to_a_record_is_live_when_that_is_whatever_it_said_itself(
    tmp_path: Path, write_part: WritePart
) -> None:
    columns = tuple(Column(name, CanonicalType.STRING) for name in ("Id", "OpportunityId"))
    history = TableSchema(
        "OpportunityFieldHistory",
        (*columns, Column("IsDeleted", CanonicalType.BOOLEAN)),
        Owner("Opportunity", "OpportunityId"),
    )
    lake = tmp_path / "lake"
    rows = [
        {"Id": f"017{letter}", "OpportunityId": f"006{letter}", "IsDeleted": is_deleted}
        for letter, is_deleted in (("A", False), ("B", True), ("C", True))
    ]
    file = write_ndjson(tmp_path / "history.ndjson", rows)
    part = compact([write_part_from_ndjson(file, history, lake, 1)], history, lake, 1)
    owners = [
        write_part([opportunity("006A"), opportunity("006B"), opportunity("006C")], 1),
        write_part([opportunity("006A", IsDeleted=True), opportunity("006C", IsDeleted=True)], 2),
    ]
    tables = {history.sobject: TableParts(history, [part]), "Opportunity": TableParts(OPPORTUNITY, owners)}
    with open_snapshot(tables, lake) as connection:
        live = connection.execute('SELECT Id, IsDeleted FROM "OpportunityFieldHistory"').fetchall()
    assert live == [("017B", False)]


def test_a_deleted_record_is_hidden_and_kept_among_all(tmp_path: Path, write_part: WritePart) -> None:
    parts = [
        write_part([opportunity("006A"), opportunity("006B")], 1),
        write_part([opportunity("006A", IsDeleted=True)], 2),
    ]
    assert [row[0] for row in shown(tmp_path / "lake", parts)] == ["006B"]
    assert [(row[0], row[4]) for row in shown(tmp_path / "lake", parts, "Opportunity__all")] == [
        ("006A", True),
        ("006B", False),
    ]


def test_an_undeleted_record_comes_back(tmp_path: Path, write_part: WritePart) -> None:
    parts = [write_part([opportunity("006A", IsDeleted=deleted)], cycle) for cycle, deleted in ((1, True), (2, False))]
    assert [row[0] for row in shown(tmp_path / "lake", parts)] == ["006A"]


def test_an_object_without_parts_is_an_empty_typed_table(tmp_path: Path) -> None:
    with open_snapshot({"Opportunity": TableParts(OPPORTUNITY, [])}, tmp_path) as connection:
        assert connection.execute('SELECT SUM(Amount), COUNT(*) FROM "Opportunity"').fetchall() == [(None, 0)]
        types = connection.execute('SELECT column_type FROM (DESCRIBE "Opportunity")').fetchall()
    assert [kind for (kind,) in types] == [column.type.value for column in OPPORTUNITY.columns]


def test_a_part_older_than_a_column_shows_null_there(tmp_path: Path, write_part: WritePart) -> None:
    old = write_part([opportunity("006A")], 1)
    grown = TableSchema("Opportunity", (*OPPORTUNITY.columns, Column("Region__c", CanonicalType.STRING)))
    source = write_ndjson(tmp_path / "new.ndjson", [opportunity("006B", Region__c="EMEA")])
    new = write_part_from_ndjson(source, grown, tmp_path / "lake", 2)
    for parts in ([old, new], [old]):
        with open_snapshot({"Opportunity": TableParts(grown, parts)}, tmp_path / "lake") as connection:
            rows = connection.execute('SELECT Region__c FROM "Opportunity" ORDER BY Id').fetchall()
        assert rows == [(None,), ("EMEA",)][: len(parts)]


def test_objects_without_modstamp_or_deletion_are_read_by_cycle(tmp_path: Path) -> None:
    schema = TableSchema("Rate", (Column("Id", CanonicalType.STRING), Column("Value", CanonicalType.DOUBLE)))
    parts = [
        write_part_from_ndjson(
            write_ndjson(tmp_path / "r.ndjson", [{"Id": "1", "Value": value}]), schema, tmp_path, cycle
        )
        for cycle, value in ((1, 0.5), (2, 0.8))
    ]
    with open_snapshot({"Rate": TableParts(schema, parts)}, tmp_path) as connection:
        assert connection.execute("SELECT * FROM Rate").fetchall() == [("1", 0.8)]


def test_a_listed_file_that_is_gone_is_told(tmp_path: Path, write_part: WritePart) -> None:
    part = write_part([opportunity("006A")], 1)
    (tmp_path / "lake" / part.path).unlink()
    with pytest.raises(Bug) as caught:
        shown(tmp_path / "lake", [part])
    assert caught.value.code == "lake.part_missing"


def part_of(rows: int, sequence: int) -> Part:
    return Part("x.parquet", rows, 1, sequence)


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([], 0),
        ([part_of(1000, 1)], 0),
        ([part_of(1000, 1)] * 64, 0),
        ([part_of(1000, 1)] * 65, 65),
        ([part_of(1000, 1), part_of(200, 2)], 0),
        ([part_of(1000, 1), part_of(150, 2), part_of(51, 3)], 3),
        ([part_of(0, 1), part_of(1, 2)], 2),
        ([part_of(1000, 1)] * 2 + [part_of(1, 2)] * 64, 0),
        ([part_of(1000, 1)] * 2 + [part_of(1, 2)] * 65, 65),
    ],
)
def test_parts_are_merged_past_64_files_or_20_percent_and_the_first_only_where_it_must(
    parts: list[Part], wanted: int
) -> None:
    merging = to_merge(parts)
    assert len(merging) == wanted
    assert merging == parts[len(parts) - wanted :]


def test_a_merged_part_is_never_older_than_what_it_holds(tmp_path: Path, write_part: WritePart) -> None:
    part = write_part([opportunity("006A")], 5)
    with pytest.raises(ValueError, match="cannot be older"):
        compact([part], OPPORTUNITY, tmp_path / "lake", 4)


STAMPS = [f"2026-01-05T10:00:0{second}.000+0000" for second in range(3)]
RECORDS = st.builds(
    opportunity,
    st.sampled_from(["006A", "006B", "006C"]),
    Name=st.text("ab", max_size=2),
    IsDeleted=st.booleans(),
    SystemModstamp=st.sampled_from(STAMPS),
)
# One cycle reads a record of one moment in one state only.
PARTS = st.lists(
    st.lists(RECORDS, max_size=4, unique_by=lambda record: (record["Id"], record["SystemModstamp"])),
    min_size=1,
    max_size=3,
)


def write_all(directory: Path, batches: Sequence[Sequence[Record]]) -> list[Part]:
    return [
        write_part_from_ndjson(write_ndjson(directory / "in.ndjson", batch), OPPORTUNITY, directory, cycle)
        for cycle, batch in enumerate(batches, start=1)
    ]


@settings(max_examples=15, deadline=None)
@given(batches=PARTS, data=st.data())
def test_order_repetition_and_compaction_change_no_visible_row(
    batches: list[list[Record]], data: st.DataObject
) -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        parts = write_all(directory, batches)
        expected = shown(directory, parts)
        assert shown(directory, data.draw(st.permutations(parts))) == expected
        again = write_part_from_ndjson(
            write_ndjson(directory / "in.ndjson", batches[-1]), OPPORTUNITY, directory, len(batches)
        )
        assert shown(directory, [*parts, again, parts[0]]) == expected
        merged = compact(parts, OPPORTUNITY, directory, len(batches))
        assert shown(directory, [merged]) == shown(directory, [merged], "Opportunity__all") == expected
        assert merged.row_count == len(expected)
        base, later = compact(parts[:1], OPPORTUNITY, directory, 1), parts[1:]
        if later:
            assert shown(directory, [base, merge_later(later, OPPORTUNITY, directory, len(batches))]) == expected


@settings(max_examples=10, deadline=None)
@given(batches=PARTS)
def test_the_view_agrees_with_applying_the_cycles_one_by_one(batches: list[list[Record]]) -> None:
    state: dict[str, Record] = {}
    for batch in batches:
        state |= {record["Id"]: record for record in sorted(batch, key=lambda record: record["SystemModstamp"])}
    live = sorted((key, record["Name"] or None) for key, record in state.items() if not record["IsDeleted"])
    with TemporaryDirectory() as name:
        assert names(shown(Path(name), write_all(Path(name), batches))) == live


@settings(max_examples=10, deadline=None)
@given(batches=PARTS)
def test_a_base_changes_nothing_but_the_work(batches: list[list[Record]]) -> None:
    batches[0] = [*{record["Id"]: record for record in batches[0]}.values()]
    with TemporaryDirectory() as name:
        parts = write_all(Path(name), batches)
        with_base = [replace(parts[0], is_base=True), *parts[1:]]
        for view in ("Opportunity", "Opportunity__all"):
            assert shown(Path(name), with_base, view) == shown(Path(name), parts, view)


def test_rows_that_are_no_younger_than_the_base_are_put_in_order_with_it(tmp_path: Path, write_part: WritePart) -> None:
    base = replace(write_part([opportunity("006A", Name="base"), opportunity("006B")], 2), is_base=True)
    for sequence in (1, 2):
        other = write_part([opportunity("006A", SystemModstamp="2026-01-01T00:00:00.000+0000")], sequence)
        assert names(shown(tmp_path / "lake", [other, base])) == [("006A", "base"), ("006B", None)]


def test_a_few_later_rows_need_no_room_for_the_many_of_the_base(tmp_path: Path) -> None:
    """The base is passed through: nothing of it is kept, and no column that nobody asked for is read."""
    rows = (
        "SELECT '006' || lpad(row::VARCHAR, 15, '0') AS Id, repeat(md5(row::VARCHAR), 4) AS Name, 1 AS Amount, "
        "0.5 AS Probability, false AS IsDeleted, DATE '2026-01-05' AS CloseDate, now()::TIMESTAMP AS SystemModstamp "
        "FROM range({}) AS rows (row)"
    )
    with duckdb.connect() as connection:
        base, later = (
            write_rows(connection, rows.format(count), OPPORTUNITY, tmp_path, sequence)
            for count, sequence in ((300_000, 1), (10, 2))
        )
    parts = [replace(base, is_base=True), later]
    with open_snapshot({"Opportunity": TableParts(OPPORTUNITY, parts)}, tmp_path) as connection:
        connection.execute("SET memory_limit = '30MB'; SET temp_directory = ''; SET threads = 1")
        assert connection.execute("SELECT count(*), min(Id) FROM Opportunity").fetchall() == [
            (300_000, "006" + "0" * 15)
        ]


def test_an_id_that_stands_twice_is_noticed_wherever_it_stands(tmp_path: Path, write_part: WritePart) -> None:
    first, second = write_part([opportunity("006A"), opportunity("006B")], 1), write_part([opportunity("006B")], 1)
    for parts, wanted in (([first], True), ([first, second], False), ([], True)):
        assert ids_are_unique(TableParts(OPPORTUNITY, parts), tmp_path / "lake") is wanted


def test_the_checksum_ignores_order_and_sees_every_change(tmp_path: Path, write_part: WritePart) -> None:
    def sum_of(parts: Sequence[Part]) -> tuple[int, str]:
        with open_snapshot({"Opportunity": TableParts(OPPORTUNITY, parts)}, tmp_path / "lake") as connection:
            return checksum(connection, "Opportunity", OPPORTUNITY.names)

    first, second = opportunity("006A", Amount=1), opportunity("006B", Amount=2)
    expected = sum_of([write_part([first, second], 1)])
    assert sum_of([write_part([second], 1), write_part([first], 2)]) == expected
    assert sum_of([write_part([first, {**second, "Amount": 2.01}], 1)]) != expected
