"""A month that is read anew is right again, whatever was wrong with it; and what is wrong is counted by month."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.lake import (
    CanonicalType,
    Column,
    Fineness,
    Listing,
    MonthSum,
    Part,
    TableParts,
    TableSchema,
    Wrong,
    finest,
    hold_against,
    month_sums,
    open_snapshot,
    write_part_from_ndjson,
)
from headwater.sync.audit_findings import differing_months, ranges_of
from unit.lake.conftest import opportunity, write_ndjson

SCHEMA = TableSchema(
    "Opportunity",
    (
        Column("Id", CanonicalType.STRING),
        Column("CreatedDate", CanonicalType.TIMESTAMP),
        Column("SystemModstamp", CanonicalType.TIMESTAMP),
        Column("IsDeleted", CanonicalType.BOOLEAN),
    ),
)
UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
MONTHS = ("2025-11", "2025-12", "2026-01")
Rows = Mapping[int, int]  # the day of February of each row's stamp, by the row's number; its month is its number's


def row(number: int, day: int) -> dict[str, object]:
    created = f"{MONTHS[number % 3]}-28T23:59:59.000+0000"
    stamp = f"2026-02-{day:02}T00:00:00.000+0000"
    return opportunity(f"006{number:03}", CreatedDate=created, SystemModstamp=stamp)


def part_of(folder: Path, rows: Rows, sequence: int) -> list[Part]:
    if not rows:
        return []
    file = write_ndjson(folder / f"{sequence}.ndjson", [row(number, day) for number, day in rows.items()])
    return [write_part_from_ndjson(file, SCHEMA, folder / "lake", sequence)]


def seen(folder: Path, parts: list[Part]) -> dict[int, int]:
    with open_snapshot({"Opportunity": TableParts(SCHEMA, parts)}, folder / "lake") as connection:
        rows = connection.execute('SELECT Id, day(SystemModstamp) FROM "Opportunity"').fetchall()
    return {int(each.removeprefix("006")): day for each, day in rows}


def months_of(folder: Path, rows: Rows) -> dict[str, MonthSum]:
    return sums(folder, part_of(folder, rows, 9))


def sums(folder: Path, parts: list[Part]) -> dict[str, MonthSum]:
    with open_snapshot({"Opportunity": TableParts(SCHEMA, parts)}, folder / "lake") as connection:
        return month_sums(connection, "Opportunity", "SystemModstamp", Fineness.DAY, UNTIL)


rows_of_an_org = st.dictionaries(st.integers(0, 11), st.integers(1, 20), max_size=12)


@settings(max_examples=40, deadline=None)
@given(org=rows_of_an_org, ours=rows_of_an_org)
def test_every_month_that_is_read_anew_equals_the_org(org: Rows, ours: Rows) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lake").mkdir()
        before = part_of(folder, ours, 1)
        theirs = months_of(folder, org)
        differing = differing_months(theirs, sums(folder, before), may_keep_more=False)
        listed = {number: day for number, day in org.items() if MONTHS[number % 3] in differing}
        parts = part_of(folder, listed, 2)
        listing = Listing(parts, ranges_of(differing), "SystemModstamp", UNTIL)
        if not differing:
            return
        wrong, tombstones = hold_against(TableParts(SCHEMA, before), listing, folder / "lake", 2)
        after = seen(folder, [*before, *parts, *([tombstones] if tombstones else [])])
        assert {number: day for number, day in after.items() if MONTHS[number % 3] in differing} == listed
        assert {number: day for number, day in after.items() if MONTHS[number % 3] not in differing} == {
            number: day for number, day in ours.items() if MONTHS[number % 3] not in differing
        }, "other months are left alone"
        assert wrong.keys() <= set(differing)
        for month, each in wrong.items():
            assert each == counted(org, ours, month)


def counted(org: Rows, ours: Rows, month: str) -> Wrong:
    here = {number for number in org.keys() | ours.keys() if MONTHS[number % 3] == month}
    both = here & org.keys() & ours.keys()
    return Wrong(
        missing=len((here & org.keys()) - ours.keys()),
        stale=sum(org[number] != ours[number] for number in both),
        gone=len((here & ours.keys()) - org.keys()),
    )


def test_rows_are_told_apart_as_finely_as_there_is_room_for_sums(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    parts = part_of(tmp_path, {0: 1, 3: 2, 6: 2, 1: 5}, 1)  # three created in November, one in December
    with open_snapshot({"Opportunity": TableParts(SCHEMA, parts)}, tmp_path / "lake") as connection:
        assert finest(connection, "Opportunity", "SystemModstamp", 3) is Fineness.DAY
        assert finest(connection, "Opportunity", "SystemModstamp", 2) is Fineness.MONTH
        assert finest(connection, "Opportunity", "SystemModstamp", 1) is Fineness.NOTHING
        keys = {
            fineness: sorted(month_sums(connection, "Opportunity", "SystemModstamp", fineness, UNTIL))
            for fineness in Fineness
        }
    assert keys == {
        Fineness.DAY: ["2025-11 2026-02-01", "2025-11 2026-02-02", "2025-12 2026-02-05"],
        Fineness.MONTH: ["2025-11 2026-02", "2025-12 2026-02"],
        Fineness.NOTHING: ["2025-11", "2025-12"],
    }


def test_what_changed_since_the_last_read_is_not_wrong(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    before = part_of(tmp_path, {0: 1, 3: 1, 6: 1}, 1)
    parts = part_of(tmp_path, {0: 20, 9: 20}, 2)
    until_utc = datetime(2026, 2, 10, tzinfo=UTC)
    listing = Listing(parts, ranges_of(["2025-11"]), "SystemModstamp", until_utc, changed=["006003"])
    wrong, tombstones = hold_against(TableParts(SCHEMA, before), listing, tmp_path / "lake", 2)
    assert wrong == {"2025-11": Wrong(gone=1)}, "006006: the org has it no more, and did not change it since"
    assert tombstones is not None
    assert seen(tmp_path, [*before, tombstones]) == {0: 1, 3: 1}
