"""A second, plain reading of aggregates, date functions, formula fields and children in Python agrees with SOQL's."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from orgsim.oauth.users import NewUser, add_user
from orgsim.schema.model import Field
from orgsim.soql.plan import Asker, first_page
from orgsim.store.state import NewOrg, State
from orgsim.store.write import Writer

Row = dict[str, Any]
ROWS: list[Row] = [
    {"StageName": stage, "NextStep": step, "Amount": amount, "CloseDate": close}
    for stage, step, amount, close in (
        ("Prospecting", "a", "1.50", "2024-01-01"),
        ("Prospecting", None, None, "2024-02-29"),
        ("Qualification", "B", "0.00", "2023-12-31"),
        ("Qualification", "a", "-2.25", "2024-02-29"),
        ("Closed Won", "b", "100.10", "2024-03-01"),
        ("Closed Won", None, "0.20", "2023-01-01"),
        ("Closed Lost", "A", "1.50", "2024-12-30"),
    )
]
DAY: dict[str, Callable[[dt.date], int]] = {
    "CALENDAR_YEAR": lambda day: day.year,
    "CALENDAR_QUARTER": lambda day: (day.month + 2) // 3,
    "CALENDAR_MONTH": lambda day: day.month,
    "DAY_IN_MONTH": lambda day: day.day,
    "DAY_IN_WEEK": lambda day: day.isoweekday() % 7 + 1,
    "DAY_IN_YEAR": lambda day: day.timetuple().tm_yday,
    "WEEK_IN_MONTH": lambda day: (day.day + 6) // 7,
    "WEEK_IN_YEAR": lambda day: (day.timetuple().tm_yday + 6) // 7,
}


def amounts(rows: list[Row]) -> list[Decimal]:
    return [Decimal(row["Amount"]) for row in rows if row["Amount"] is not None]


def doubled(rows: list[Row]) -> list[Decimal]:
    return [2 * each for each in amounts(rows)]


AGGREGATES: dict[str, Callable[[list[Row]], Any]] = {
    "COUNT(Id)": len,
    "COUNT(NextStep)": lambda rows: sum(row["NextStep"] is not None for row in rows),
    "COUNT_DISTINCT(NextStep)": lambda rows: len({row["NextStep"].lower() for row in rows if row["NextStep"]}),
    "SUM(Amount)": lambda rows: sum(amounts(rows)) if amounts(rows) else None,
    "MIN(Amount)": lambda rows: min(amounts(rows), default=None),
    "MAX(Amount)": lambda rows: max(amounts(rows), default=None),
    "AVG(Amount)": lambda rows: sum(amounts(rows)) / len(amounts(rows)) if amounts(rows) else None,
    "SUM(Twice__c)": lambda rows: sum(doubled(rows)) if doubled(rows) else None,
    "MAX(Twice__c)": lambda rows: max(doubled(rows), default=None),
    "MIN(CloseDate)": lambda rows: min(row["CloseDate"] for row in rows),
}
KEYS: dict[str, Callable[[Row], Any]] = {
    "StageName": lambda row: row["StageName"],
    "NextStep": lambda row: row["NextStep"] and row["NextStep"].lower(),
    **{
        f"{name}(CloseDate)": (lambda row, part=part: part(dt.date.fromisoformat(row["CloseDate"])))  # type: ignore[misc]  # a default keeps each part
        for name, part in DAY.items()
    },
}


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    state = State(tmp_path_factory.mktemp("grouped"))
    org = state.create_org(NewOrg(name="Acme"))
    twice = Field("Twice__c", "currency", precision=18, scale=2, formula="Amount * 2", blanks_as_zero=False)
    org.add_field(org.catalog().get("Opportunity"), twice)
    writer = Writer(org, add_user(org, NewUser("admin@acme.example", "test-password-1")))
    for account in ("One", "Two", "None"):
        parent = writer.insert("Account", {"Name": account})
        for number, row in enumerate(ROWS if account != "None" else []):
            if account == "Two" or number % 2:
                writer.insert("Opportunity", {**row, "Name": str(number), "AccountId": parent})
    yield Asker(org, writer.user_id, "60.0")
    state.close()


def asked(asker: Asker, query: str) -> list[Row]:
    note(query)
    return [json.loads(text) for text in first_page(asker, query, all_rows=False, batch_rows=2000).records]


def told(value: Any) -> Any:
    """As JSON shows it, letters small, as groups of a and A are one."""
    if isinstance(value, (Decimal, float)):
        return round(float(value), 9)
    return value.lower() if isinstance(value, str) else value


@pytest.mark.conformance(
    area="SOQL", feature="a second reading of aggregates and date functions agrees", source="facts C.3"
)
@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(KEYS)), max_size=2, unique=True),
    st.lists(st.sampled_from(sorted(AGGREGATES)), min_size=1, max_size=3, unique=True),
    st.integers(0, 3),
)
def test_two_readings_of_groups_agree(asker: Asker, keys: list[str], aggregates: list[str], least: int) -> None:
    aggregates = [each for each in aggregates if not any(f"({key})" in each for key in keys)] or ["COUNT(Id)"]
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in ROWS:
        groups[tuple(KEYS[key](row) for key in keys)].append(row)
    wanted = [
        tuple(map(told, (*key, *(AGGREGATES[each](rows) for each in aggregates))))
        for key, rows in groups.items()
        if len(rows) > least or not keys
    ]
    items = [*(f"{key} k{number}" for number, key in enumerate(keys)), *aggregates]
    ending = f" GROUP BY {', '.join(keys)} HAVING COUNT(Id) > {least}" if keys else ""
    rows = asked(asker, f"SELECT {', '.join(items)} FROM Opportunity WHERE Account.Name = 'Two'{ending}")
    found = [tuple(told(value) for name, value in row.items() if name != "attributes") for row in rows]
    assert sorted(found, key=repr) == sorted(wanted, key=repr)


@pytest.mark.conformance(area="SOQL", feature="a second reading of child subqueries agrees", source="facts C.3")
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["Amount > 0", "Twice__c <= 3", "NextStep = 'a'", "Name != null"]), st.integers(0, 7))
def test_two_readings_of_children_agree(asker: Asker, condition: str, limit: int) -> None:
    tests: dict[str, Callable[[Row], bool]] = {
        "Amount > 0": lambda row: row["Amount"] is not None and Decimal(row["Amount"]) > 0,
        "Twice__c <= 3": lambda row: row["Amount"] is not None and 2 * Decimal(row["Amount"]) <= 3,
        "NextStep = 'a'": lambda row: (row["NextStep"] or "").lower() == "a",
        "Name != null": lambda _: True,
    }
    inner = f"SELECT Name FROM Opportunities WHERE {condition} ORDER BY Name DESC LIMIT {limit}"
    found = asked(asker, f"SELECT Name, ({inner}) FROM Account ORDER BY Name")
    names = {"One": [1, 3, 5], "Two": list(range(len(ROWS))), "None": []}
    for account in found:
        kept = [str(number) for number in reversed(names[account["Name"]]) if tests[condition](ROWS[number])][:limit]
        children = account["Opportunities"]
        assert [row["Name"] for row in (children or {"records": []})["records"]] == kept
