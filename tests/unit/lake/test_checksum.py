"""The checksum's texts, spelled out."""

from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256

import duckdb
import pytest

from headwater.lake import checksum
from headwater.lake.checksum import canonical_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (datetime(2022, 3, 17, 16, 21, 26, tzinfo=UTC), "2022-03-17T16:21:26Z"),
        (date(2022, 3, 17), "2022-03-17"),
        (Decimal("1200.50000000"), "1200.5"),
        (Decimal("1E+7"), "10000000"),
        (Decimal("-0.00500000"), "-0.005"),
        (Decimal("0E-8"), "0"),
        (10.5, "10.5"),
        (-0.0, "0"),
        (1e16, "10000000000000000"),
        (10.0, "10"),
        (0.1, "0.1"),
        ("NULL", "NULL"),
    ],
)
def test_values_are_written_in_one_way(value: object, text: str) -> None:
    assert canonical_text(value) == text


def test_the_sum_is_as_defined() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE Thing AS SELECT 'a' AS Id, true AS IsOn UNION ALL SELECT 'b', NULL")
        rows, total = checksum(connection, "Thing", ["Id", "IsOn"])
    texts = ["Id=a\x1fIsOn=true", "Id=b\x1fIsOn="]
    expected = sum(int(sha256(text.encode()).hexdigest()[:16], 16) for text in texts) % 2**64
    assert (rows, total) == (2, f"{expected:016x}")


def test_an_object_without_records_sums_to_zero() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE Thing (Id VARCHAR)")
        assert checksum(connection, "Thing", ["Id"]) == (0, "0" * 16)
