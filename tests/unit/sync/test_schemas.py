"""A field may change its type, go and come back: no name in a part ever has two types, and nothing is lost."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.common.clock import now_utc
from headwater.lake import CanonicalType, Part, TableParts, canonical_type, open_snapshot, write_part_from_ndjson
from headwater.sync.models import DescribedObject, ReplicaTable
from headwater.sync.schemas import adopt, frozen, schema_of, shown_schema_of, thawed

KINDS: dict[str, Callable[[int], object]] = {  # Salesforce's types, each with how a number comes in it
    "string": str,
    "picklist": str,
    "double": float,
    "currency": lambda number: number,
    "boolean": lambda number: number % 2 == 1,
    "date": lambda number: f"2026-01-{number % 28 + 1:02d}",
}


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headwater.lake.parts._sync_to_disk", lambda _: None)


Deed = tuple[str, str, int]
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("describe"), st.sampled_from(["", *KINDS]), st.just(0)),
        st.tuples(st.just("changes"), st.just(""), st.integers(0, 5)),
        st.tuples(st.just("full"), st.just(""), st.just(0)),
    ),
    max_size=10,
)


class Copy:
    """An object of six records with one field that changes, and its copy; `number` counts cycles and gives values."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.table = ReplicaTable(sobject="Contact", kinds={}, columns=[], stored_types={}, shown_as={})
        self.parts: list[Part] = []
        self.kind, self.number = "string", 0
        self.values = dict.fromkeys(range(6), 0)
        self.described(self.kind)
        self.read(list(self.values), is_full=True)

    def described(self, kind: str) -> None:
        self.kind = kind
        kinds = {"Id": "id"} | ({"Score__c": kind} if kind else {})
        columns = [[name, canonical_type(each).value] for name, each in kinds.items()]
        fields = {name: [each, False, ""] for name, each in kinds.items()}
        adopt(self.table, columns, DescribedObject(sobject="Contact", fields=fields))

    def changes(self, place: int) -> None:
        self.values[place] = self.number
        self.read([place], is_full=False)

    def read(self, places: list[int], *, is_full: bool) -> None:
        self.number += 1
        path = self.directory / "page.ndjson"
        path.write_bytes(b"".join(orjson.dumps(self._record(place)) + b"\n" for place in places))
        schema = thawed(frozen({"Contact": self.table}))["Contact"]
        assert schema == schema_of(self.table)
        part = write_part_from_ndjson(path, schema, self.directory, self.number)
        self.parts = [part] if is_full else [*self.parts, part]
        self.table.read_from_utc = now_utc()
        if is_full:
            self.table.full_read_due, self.table.shown_as = False, {}

    def _record(self, place: int) -> dict[str, object]:
        value = {"Score__c": KINDS[self.kind](self.values[place])} if self.kind else {}
        return {"Id": f"003{place}", **value}

    def shown(self) -> dict[str, object]:
        tables = {"Contact": TableParts(shown_schema_of(self.table), self.parts)}
        with open_snapshot(tables, self.directory) as connection:
            return dict(connection.execute('SELECT Id, "Score__c" FROM "Contact"').fetchall())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS)
def test_no_name_in_a_part_ever_has_two_types_and_all_is_there_after_a_full_read(deeds: list[Deed]) -> None:
    with TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        stored: dict[str, CanonicalType] = {}
        for deed, kind, place in [*deeds, ("describe", "double", 0), ("full", "", 0)]:
            if deed == "describe":
                copy.described(kind)
            elif deed == "changes":
                copy.changes(place)
            else:
                copy.read(list(copy.values), is_full=True)
            for column in schema_of(copy.table).columns:
                assert stored.setdefault(column.stored_name.lower(), column.type) is column.type
            if copy.kind and deed != "full":
                assert len(copy.shown()) == len(copy.values)
        assert copy.shown() == {f"003{place}": float(value) for place, value in copy.values.items()}


def test_until_all_is_read_anew_readers_see_the_old_type_with_old_and_new_values(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.number = 7
    copy.described("double")
    assert copy.table.full_read_due
    copy.changes(3)
    assert copy.shown() == {f"003{place}": "7.0" if place == 3 else "0" for place in range(6)}
    copy.read(list(copy.values), is_full=True)
    assert copy.shown() == {f"003{place}": 7.0 if place == 3 else 0.0 for place in range(6)}


def test_another_type_of_salesforces_calls_for_a_full_read_even_where_it_is_stored_alike(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.described("picklist")
    assert copy.table.full_read_due
    assert [column.stored_name for column in schema_of(copy.table).columns] == ["Id", "Score__c"]


def test_a_field_that_goes_calls_for_nothing_and_one_that_comes_for_a_full_read(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.described("")
    assert not copy.table.full_read_due
    copy.described("string")
    assert (copy.table.full_read_due, copy.table.reload_number) == (True, 1)
