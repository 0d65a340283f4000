"""The small parts by themselves: ids, stored values, date literals, the syntax tree, auto numbers, transactions."""

import datetime as dt
import threading
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgsim import ids
from orgsim.clock import datetime_text, parse_datetime
from orgsim.errors import ApiError
from orgsim.schema.declare import label_of, money, number
from orgsim.schema.model import Field, from_plain, to_json
from orgsim.schema.standard import STANDARD_OBJECTS
from orgsim.soql import tree
from orgsim.soql.dates import day_range
from orgsim.soql.parse import parse
from orgsim.store.database import Database, RollBackError, roll_back
from orgsim.store.values import to_number, to_stored

FEBRUARY = dt.date(2024, 2, 29)  # a Thursday in a leap year


def test_it_knows_a_published_checksum() -> None:
    assert ids.to_18("001D000000IqhSL") == "001D000000IqhSLIAZ"


@given(st.integers(0, 62**9 - 1))
def test_ids_have_a_checksum_that_fits(count: int) -> None:
    made = ids.make_id("00Q", count)
    assert (len(made), made[:3], ids.to_18(made[:15])) == (18, "00Q", made)


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=2, unique=True))
def test_ids_of_different_numbers_differ(numbers: list[int]) -> None:
    first, second = (ids.make_id("001", each) for each in numbers)
    assert (first[:15] < second[:15]) == (numbers[0] < numbers[1])


@pytest.mark.parametrize("wrong", ["", "001", "001D000000IqhSLIAA", "001d000000IqhSLIAZ", "001D000000Iqh-L"])
def test_it_refuses_what_is_no_id(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a Salesforce id"):
        ids.to_18(wrong)


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=2))
def test_money_is_kept_to_the_cent(amount: Decimal) -> None:
    field = money("Amount")
    stored = to_stored(field, amount)
    assert isinstance(stored, int)
    assert to_number(field, stored) == amount
    assert to_stored(field, str(amount)) == stored


def test_it_rounds_half_up_and_refuses_what_is_too_big() -> None:
    assert to_stored(money("Amount"), 0.125) == 13
    with pytest.raises(ApiError, match="value outside of valid range"):
        to_stored(number("Count", 3), 1000)


@given(st.datetimes(min_value=dt.datetime(1970, 1, 1), timezones=st.just(dt.UTC)))  # noqa: DTZ001  bounds are naive by its signature
def test_moments_survive_to_the_second(moment: dt.datetime) -> None:
    assert parse_datetime(datetime_text(moment)) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("string", "  x ", "x"),
        ("string", "", None),
        ("boolean", "TRUE", 1),
        ("boolean", False, 0),
        ("date", dt.date(2024, 2, 29), "2024-02-29"),
        ("date", "2024-02-29T10:00:00Z", "2024-02-29"),
        ("datetime", "2024-02-29T10:00:00+02:00", "2024-02-29T08:00:00.000+0000"),
        ("reference", "001D000000IqhSL", "001D000000IqhSLIAZ"),
    ],
)
def test_it_stores_one_form_of_a_value(kind: str, value: object, stored: object) -> None:
    assert to_stored(Field("F", kind, length=18), value) == stored


@pytest.mark.conformance(area="SOQL", feature="date literals: first and last day of each", source="facts C.7")
@pytest.mark.parametrize(
    ("literal", "first", "last"),
    [
        ("TODAY", (2024, 2, 29), (2024, 2, 29)),
        ("YESTERDAY", (2024, 2, 28), (2024, 2, 28)),
        ("TOMORROW", (2024, 3, 1), (2024, 3, 1)),
        ("THIS_WEEK", (2024, 2, 25), (2024, 3, 2)),
        ("LAST_WEEK", (2024, 2, 18), (2024, 2, 24)),
        ("LAST_MONTH", (2024, 1, 1), (2024, 1, 31)),
        ("NEXT_MONTH", (2024, 3, 1), (2024, 3, 31)),
        ("THIS_QUARTER", (2024, 1, 1), (2024, 3, 31)),
        ("LAST_QUARTER", (2023, 10, 1), (2023, 12, 31)),
        ("THIS_FISCAL_YEAR", (2024, 1, 1), (2024, 12, 31)),
        ("LAST_90_DAYS", (2023, 12, 1), (2024, 2, 29)),
        ("LAST_N_DAYS:7", (2024, 2, 22), (2024, 2, 29)),
        ("NEXT_N_DAYS:2", (2024, 3, 1), (2024, 3, 2)),
        ("N_DAYS_AGO:29", (2024, 1, 31), (2024, 1, 31)),
        ("LAST_N_MONTHS:2", (2023, 12, 1), (2024, 1, 31)),
        ("NEXT_N_QUARTERS:1", (2024, 4, 1), (2024, 6, 30)),
        ("N_YEARS_AGO:4", (2020, 1, 1), (2020, 12, 31)),
        ("LAST_N_FISCAL_QUARTERS:1", (2023, 10, 1), (2023, 12, 31)),
    ],
)
def test_date_literals_are_ranges_of_days(
    literal: str, first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    assert day_range(literal, FEBRUARY) == (dt.date(*first), dt.date(*last) + dt.timedelta(days=1))


@pytest.mark.parametrize("literal", ["", "SOON", "THIS_CENTURY", "LAST_N_DAYS", "NEXT_N_CENTURIES:3"])
def test_there_are_no_other_date_literals(literal: str) -> None:
    assert day_range(literal, FEBRUARY) is None


@pytest.mark.conformance(area="SOQL", feature="any text can be quoted, with escapes", source="facts C.3")
@settings(deadline=None)  # the first parse makes the parser
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_quoted(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    select = parse(f"SELECT Id FROM Lead WHERE Name = '{escaped}'")
    assert isinstance(select.where, tree.Comparison)
    assert select.where.values[0].text == text


def test_it_reads_every_clause() -> None:
    select = parse(
        "select a.Id, count(Id) n, (SELECT Id FROM Kids) FROM Order a USING SCOPE mine WHERE x INCLUDES ('a;b') "
        "WITH SECURITY_ENFORCED GROUP BY Id HAVING COUNT(Id) > 1 ORDER BY Id DESC NULLS LAST LIMIT 5 OFFSET 6 FOR VIEW"
    )
    assert (str(select.source), select.source_alias, select.limit, select.offset) == ("Order", "a", 5, 6)
    assert [type(item).__name__ for item in select.items] == ["Item", "Item", "Subquery"]
    [order] = select.order
    assert (order.descending, order.nulls_last) == (True, True)


def test_labels_are_words() -> None:
    assert [label_of(name) for name in ("LastName", "AccountId", "Id")] == ["Last Name", "Account ID", "Record ID"]


def test_auto_numbers_follow_their_format() -> None:
    field = Field("Name", "string", display_format="BT-{00000}/x", auto_number=True)
    assert [field.numbered(count) for count in (7, 123456)] == ["BT-00007/x", "BT-123456/x"]


@pytest.mark.parametrize("sobject", STANDARD_OBJECTS, ids=lambda each: each.name)
def test_standard_objects_are_sound(sobject: object) -> None:
    [same] = [each for each in STANDARD_OBJECTS if each == sobject]
    assert from_plain(orjson.loads(to_json(same))) == same
    assert same.fields[0].name == "Id"
    assert len(same.index) == len(same.fields)
    known = {each.name for each in STANDARD_OBJECTS}
    for field in same.fields:
        assert field.label
        assert set(field.reference_to) <= known
        assert set(field.compound_parts) <= {each.name for each in same.fields}


def test_a_part_of_a_transaction_can_be_undone_alone(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.db", "CREATE TABLE t (n INTEGER)")
    with database.write() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        with suppress(RollBackError), database.write():
            connection.execute("INSERT INTO t VALUES (2)")
            roll_back()
        connection.execute("INSERT INTO t VALUES (3)")
    with database.read() as connection:
        assert [row[0] for row in connection.execute("SELECT n FROM t")] == [1, 3]
    database.close()


def test_what_is_kept_of_a_transaction_is_read_once_and_again_after_a_part_is_undone(tmp_path: Path) -> None:
    database = Database(tmp_path / "kept.db", "CREATE TABLE t (n INTEGER)")

    def count() -> int:
        return int(database.connect().execute("SELECT count(*) FROM t").fetchone()[0])

    with database.write() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        assert database.kept("rows", count) == 1
        with suppress(RollBackError), database.write():
            connection.execute("INSERT INTO t VALUES (2)")
            assert database.kept("rows", count) == 1
            database.forget()
            assert database.kept("rows", count) == 2
            roll_back()
        assert database.kept("rows", count) == 1
        with database.join():
            connection.execute("INSERT INTO t VALUES (3)")
    assert database.kept("rows", count) == 2
    database.close()


def test_what_is_remembered_of_a_file_is_read_again_when_anybody_has_changed_it(tmp_path: Path) -> None:
    here, there = (Database(tmp_path / "remembered.db", "CREATE TABLE IF NOT EXISTS t (n INTEGER)") for _ in range(2))
    asked: list[int] = []

    def count() -> int:
        asked.append(1)
        return int(here.connect().execute("SELECT count(*) FROM t").fetchone()[0])

    counts = []
    for writer in (here, there, here):
        with writer.write() as connection:
            connection.execute("INSERT INTO t VALUES (1)")
        counts += [here.remembered("rows", count), here.remembered("rows", count)]
    with suppress(RollBackError), here.write() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        counts.append(here.remembered("rows", count))
        roll_back()
    counts.append(here.remembered("rows", count))
    assert (counts, len(asked)) == ([1, 1, 2, 2, 3, 3, 4, 3], 5)
    for each in (here, there):
        each.close()


def test_writers_take_turns(tmp_path: Path) -> None:
    """A thread that writes again and again keeps nobody waiting longer than its one write."""
    database = Database(tmp_path / "turns.db", "CREATE TABLE t (n INTEGER)")
    written, stop = [], threading.Event()

    def write_on() -> None:
        while not stop.is_set():
            with database.write() as connection:
                connection.execute("INSERT INTO t VALUES (1)")
                time.sleep(0.05)
            written.append(1)

    busy = threading.Thread(target=write_on)
    busy.start()
    try:
        waited = []
        for _ in range(5):
            time.sleep(0.07)  # until the other is at it again
            before = len(written)
            with database.write() as connection:
                connection.execute("INSERT INTO t VALUES (2)")
            waited.append(len(written) - before)
    finally:
        stop.set()
        busy.join()
    assert max(waited) <= 2
    database.close()
