"""What Salesforce sent is what the part holds."""

import gzip
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from headwater.common.errors import Bug, Fix, HeadwaterError
from headwater.lake import Part, TableParts, csv_size_bytes, open_snapshot, write_part_from_csv, write_part_from_ndjson
from unit.lake.conftest import OPPORTUNITY, opportunity, write_ndjson

HEADER = '"Id","Name","Amount","Probability","IsDeleted","CloseDate","SystemModstamp"\n'
STAMP = "2022-03-17T16:21:26.000Z"


def csv_part(directory: Path, *lines: str, header: str = HEADER) -> Part:
    source = directory / "results.csv"
    source.write_text(header + "".join(f"{line}\n" for line in lines))
    return write_part_from_csv(source, OPPORTUNITY, directory / "lake", 1)


def rows_of(directory: Path, part: Part) -> list[tuple[Any, ...]]:
    with open_snapshot({"Opportunity": TableParts(OPPORTUNITY, [part])}, directory / "lake") as connection:
        return connection.execute('SELECT * FROM "Opportunity__all" ORDER BY Id').fetchall()


def test_it_reads_bulk_csv_as_documented(tmp_path: Path) -> None:
    part = csv_part(tmp_path, f'"006A","Ace ""Big""\nDeal","1200.50","10.5","false","2022-04-01","{STAMP}"')
    assert rows_of(tmp_path, part) == [
        (
            "006A",
            'Ace "Big"\nDeal',
            Decimal("1200.50"),
            10.5,
            False,
            date(2022, 4, 1),
            datetime(2022, 3, 17, 16, 21, 26),  # noqa: DTZ001  # the copy's times are UTC without a marker
        )
    ]


def test_empty_is_null_and_texts_that_look_like_null_are_data(tmp_path: Path) -> None:
    names = ["", '""', "NA", "NULL", "#N/A", "null"]
    lines = [f'"006{place}",{name},"","","false","","{STAMP}"' for place, name in enumerate(names)]
    part = csv_part(tmp_path, *lines)
    assert [row[1] for row in rows_of(tmp_path, part)] == [None, None, "NA", "NULL", "#N/A", "null"]
    assert rows_of(tmp_path, part)[0][2:4] == (None, None)


def test_columns_are_found_by_name_and_others_ignored(tmp_path: Path) -> None:
    header = "SystemModstamp,Extra,Id,Amount,Name,CloseDate,Probability,IsDeleted\n"
    part = csv_part(tmp_path, f"{STAMP},x,006A,5,Ace,,,true", header=header)
    assert rows_of(tmp_path, part)[0][:5] == ("006A", "Ace", Decimal(5), None, True)


@pytest.mark.parametrize("body", ["", HEADER])
def test_no_rows_make_an_empty_part(tmp_path: Path, body: str) -> None:
    part = csv_part(tmp_path, header=body)
    assert part.row_count == 0
    assert rows_of(tmp_path, part) == []


def test_it_reads_rest_records_as_documented(tmp_path: Path) -> None:
    record = opportunity("006A", Name="Åce\n1", Amount=1200.5, Probability=10, CloseDate="2022-04-01")
    source = write_ndjson(tmp_path / "page.ndjson", [record])
    part = write_part_from_ndjson(source, OPPORTUNITY, tmp_path / "lake", 1)
    assert rows_of(tmp_path, part)[0][:6] == (
        "006A", "Åce\n1", Decimal("1200.5"), 10.0, False, date(2022, 4, 1),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("9999999999999999.99", "9999999999999999.99"),
        ("-12345678901234.56", "-12345678901234.56"),
        ("1.0E7", "10000000"),
        ("0.1", "0.1"),
        ("null", None),
    ],
)
def test_money_in_json_is_exact(tmp_path: Path, sent: str, kept: str | None) -> None:
    trap = r"a \"Amount\": 7 in a text"
    source = tmp_path / "page.ndjson"
    source.write_text(
        f'{{"Name":"{trap}","Id":"006A","Amount" : {sent},"Probability":null,"IsDeleted":false,"CloseDate":null,'
        '"SystemModstamp":"2026-01-05T10:00:00.000+0000"}\n'
    )
    part = write_part_from_ndjson(source, OPPORTUNITY, tmp_path / "lake", 1)
    assert rows_of(tmp_path, part)[0][2] == (None if kept is None else Decimal(kept))


def test_csv_and_rest_give_the_same_row(tmp_path: Path) -> None:
    record = opportunity("006A", Name="Ace", Amount=1.1, SystemModstamp="2022-03-17T16:21:26.000+0000")
    source = write_ndjson(tmp_path / "page.ndjson", [record])
    by_rest = write_part_from_ndjson(source, OPPORTUNITY, tmp_path / "lake", 1)
    by_csv = csv_part(tmp_path, f'"006A","Ace","1.1","","false","","{STAMP}"')
    assert rows_of(tmp_path, by_rest) == rows_of(tmp_path, by_csv)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Amount", "twelve"),
        ("Amount", "NA"),
        ("Amount", "99999999999999999999"),
        ("Probability", "nan"),
        ("IsDeleted", "yes"),
        ("CloseDate", "2022-02-30"),
        ("CloseDate", "2022-04-01T00:00:00"),
        ("CloseDate", "22-04-01"),
        ("SystemModstamp", "22-03-17T16:21:26.000Z"),
        ("SystemModstamp", "2022-03-17T16:21:26.000"),
        ("Probability", "infinity"),
        ("Probability", "1_000"),
        ("IsDeleted", "t"),
        ("SystemModstamp", "2022-03-17T16:21:26.000+0200"),
        ("SystemModstamp", "2022-03-17"),
    ],
)
def test_a_bad_value_is_named_and_nothing_is_written(tmp_path: Path, field: str, value: str) -> None:
    good = {"Amount": "", "Probability": "", "IsDeleted": "false", "CloseDate": "", "SystemModstamp": STAMP}
    line = ",".join(f'"{text}"' for text in ["006A", "Ace", *{**good, field: value}.values()])
    with pytest.raises(Fix, match=rf"Opportunity\.{field} holds ") as caught:
        csv_part(tmp_path, line)
    assert caught.value.code == "lake.bad_value"
    assert repr(value) in caught.value.sentence
    assert list((tmp_path / "lake").iterdir()) == []


def test_a_bad_json_value_is_named(tmp_path: Path) -> None:
    source = write_ndjson(tmp_path / "page.ndjson", [opportunity("006A", Amount="a|b")])
    with pytest.raises(Fix, match=r"Opportunity\.Amount holds 'a\|b'"):
        write_part_from_ndjson(source, OPPORTUNITY, tmp_path / "lake", 1)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(Bug, match="IsDeleted, CloseDate") as caught:
        csv_part(tmp_path, header="Id,Name,Amount,Probability,SystemModstamp\n")
    assert caught.value.code == "lake.columns_missing"
    source = write_ndjson(tmp_path / "page.ndjson", [{"Id": "006A"}])
    with pytest.raises(Bug, match="Name, Amount"):
        write_part_from_ndjson(source, OPPORTUNITY, tmp_path / "lake", 1)


@pytest.mark.parametrize("line", ['"006A","Ace"', '"006A","cut short'])
def test_a_file_cut_short_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(Bug) as caught:
        csv_part(tmp_path, line)
    assert caught.value.code == "lake.unreadable_file"


def compressed(directory: Path, *lines: str) -> Path:
    source = directory / "results.csv.gz"
    source.write_bytes(gzip.compress((HEADER + "".join(f"{line}\n" for line in lines)).encode()))
    return source


def test_a_compressed_file_is_read_as_it_came(tmp_path: Path) -> None:
    line = f'"006A","Åce","1.1","","false","","{STAMP}"'
    source = compressed(tmp_path, line)
    part = write_part_from_csv(source, OPPORTUNITY, tmp_path / "lake", 1)
    assert rows_of(tmp_path, part) == rows_of(tmp_path, csv_part(tmp_path, line))
    assert csv_size_bytes(source) == csv_size_bytes(tmp_path / "results.csv") == len((HEADER + line).encode()) + 1


@pytest.mark.parametrize("left_share", [0.0, 0.01, 0.5, 0.999])
def test_a_compressed_file_cut_short_is_refused_wherever_it_ends(tmp_path: Path, left_share: float) -> None:
    source = compressed(tmp_path, *(f'"006{n:06}","Deal {n * 7919}","","","false","","{STAMP}"' for n in range(5_000)))
    whole = source.read_bytes()
    source.write_bytes(whole[: int(len(whole) * left_share)])
    with pytest.raises(Bug) as caught:
        write_part_from_csv(source, OPPORTUNITY, tmp_path / "lake", 1)
    assert caught.value.code == "lake.unreadable_file"
    assert [path for path in tmp_path.glob("lake/*") if path.is_file()] == []


def test_a_bad_value_deep_in_a_file_is_named(tmp_path: Path) -> None:
    lines = [f'"006{n:06}","","{n}","","false","","{STAMP}"' for n in range(200_000)]
    lines[150_000] = f'"006150000","","1","","false","","{STAMP[:-1]}+0200"'
    with pytest.raises(Fix, match=r"Opportunity\.SystemModstamp holds '2022-03-17T16:21:26\.000\+0200'"):
        write_part_from_csv(compressed(tmp_path, *lines), OPPORTUNITY, tmp_path / "lake", 1)


@pytest.mark.parametrize(
    "text", ["2022-03-17T16:21:26Z", "2022-03-17T16:21:26.000+0000", "2022-03-17T16:21:26.000000Z"]
)
def test_a_moment_may_be_written_with_more_or_fewer_digits(tmp_path: Path, text: str) -> None:
    part = csv_part(tmp_path, f'"006A","","","","TRUE","","{text}"')
    assert rows_of(tmp_path, part)[0][4:] == (True, None, datetime(2022, 3, 17, 16, 21, 26))  # noqa: DTZ001  # as above


def test_a_row_without_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HeadwaterError) as caught:
        csv_part(tmp_path, f'"","Ace","","","false","","{STAMP}"')
    assert caught.value.code == "lake.id_missing"
    assert list((tmp_path / "lake").iterdir()) == []


def test_a_part_knows_its_rows_and_its_size(tmp_path: Path) -> None:
    part = csv_part(tmp_path, *[f'"006{key}","","","","false","","{STAMP}"' for key in "CAB"])
    assert (part.row_count, part.sequence) == (3, 1)
    assert part.size_bytes == (tmp_path / "lake" / part.path).stat().st_size
