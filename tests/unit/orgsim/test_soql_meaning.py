"""A second, plain reading of simple SOQL in Python gives the same rows in the same order as the compiled query."""

import json
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from orgsim.oauth.users import NewUser, add_user
from orgsim.soql.plan import Asker, first_page
from orgsim.store.state import NewOrg, State
from orgsim.store.write import Writer

Row = dict[str, Any]
ROWS: list[Row] = [
    {"Name": "a", "NextStep": "x_y", "Amount": 1.5, "CloseDate": "2024-01-01", "IsPrivate": True},
    {"Name": "B", "NextStep": None, "Amount": None, "CloseDate": "2024-02-29", "IsPrivate": False},
    {"Name": "b", "NextStep": "50%", "Amount": 0, "CloseDate": "2023-12-31", "IsPrivate": False},
    {"Name": "Ab", "NextStep": "X.y", "Amount": -2.25, "CloseDate": "2024-02-29", "IsPrivate": True},
    {"Name": "o'b", "NextStep": "50", "Amount": 1.5, "CloseDate": "2024-03-01", "IsPrivate": False},
    {"Name": "ba", "NextStep": None, "Amount": 100, "CloseDate": "2024-01-01", "IsPrivate": False},
]
VALUES: dict[str, list[Any]] = {
    "Name": ["a", "B", "ab", "o'b", "zz", None],
    "NextStep": ["x_y", "X.Y", "50%", "50", None],
    "Amount": [1.5, 0, -2.25, 7, None],
    "CloseDate": ["2024-01-01", "2024-02-29", "2024-02-28", None],
    "IsPrivate": [True, False],
}
ORDERED = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
PATTERNS = {"a%": "a.*", "%B": ".*b", "_b": ".b", r"50\%": "50%", r"x\_y": "x_y", "x_y": "x.y", "%": ".*"}


@dataclass(frozen=True)
class Test:
    """A condition as SOQL and as a predicate over a row."""

    soql: str
    holds: Callable[[Row], bool]

    __test__ = False


def written(field: str, value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "TRUE", False: "false"}[value]
    return "'" + str(value).replace("'", "\\'") + "'" if field in ("Name", "NextStep") else str(value)


def folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def equals(field: str, value: object, *, wanted: bool) -> Test:
    sign = "=" if wanted else "!="
    return Test(f"{field} {sign} {written(field, value)}", lambda row: (folded(row[field]) == folded(value)) == wanted)


def ordered(field: str, value: object, sign: str) -> Test:
    def holds(row: Row) -> bool:
        return row[field] is not None and bool(ORDERED[sign](folded(row[field]), folded(value)))

    return Test(f"{field} {sign} {written(field, value)}", holds)


def member(field: str, values: list[object], *, wanted: bool) -> Test:
    listed = ", ".join(written(field, value) for value in values)
    found = [folded(value) for value in values]
    return Test(
        f"{field} {'IN' if wanted else 'NOT IN'} ({listed})", lambda row: (folded(row[field]) in found) == wanted
    )


def like(field: str, pattern: str) -> Test:
    regex = re.compile(PATTERNS[pattern], re.IGNORECASE)
    return Test(f"{field} LIKE '{pattern}'", lambda row: row[field] is not None and bool(regex.fullmatch(row[field])))


def either(tests: list[Test]) -> Test:
    return Test(
        "(" + " OR ".join(each.soql for each in tests) + ")", lambda row: any(each.holds(row) for each in tests)
    )


def both(tests: list[Test]) -> Test:
    return Test(
        "(" + " AND ".join(each.soql for each in tests) + ")", lambda row: all(each.holds(row) for each in tests)
    )


def negated(test: Test) -> Test:
    return Test(f"NOT {test.soql}", lambda row: not test.holds(row))


fields = st.sampled_from(sorted(VALUES))
sortable = st.sampled_from(["Name", "NextStep", "Amount", "CloseDate"])
pairs = fields.flatmap(lambda field: st.tuples(st.just(field), st.sampled_from(VALUES[field])))
comparisons = st.one_of(
    st.builds(lambda pair, wanted: equals(*pair, wanted=wanted), pairs, st.booleans()),
    st.builds(
        lambda field, sign, data: ordered(field, [each for each in VALUES[field] if each is not None][data], sign),
        sortable,
        st.sampled_from(sorted(ORDERED)),
        st.integers(0, 2),
    ),
    st.builds(
        lambda field, kept, wanted: member(field, VALUES[field][:kept], wanted=wanted),
        fields,
        st.integers(1, 6),
        st.booleans(),
    ),
    st.builds(like, st.sampled_from(["Name", "NextStep"]), st.sampled_from(sorted(PATTERNS))),
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        inner.map(negated),
        st.lists(inner, min_size=2, max_size=3).map(either),
        st.lists(inner, min_size=2, max_size=3).map(both),
    ),
    max_leaves=6,
)
orders = st.lists(
    st.tuples(sortable, st.booleans(), st.sampled_from(["", "NULLS FIRST", "NULLS LAST"])),
    max_size=2,
    unique_by=lambda each: each[0],
)


def sort(rows: list[Row], order: list[tuple[str, bool, str]]) -> list[Row]:
    """Nulls come first, in both directions, unless NULLS LAST is asked for. The unique number settles what is left."""
    rows = sorted(rows, key=lambda row: int(row["Number"]))
    for field, descending, nulls in reversed(order):
        empty = [row for row in rows if row[field] is None]
        rest = [row for row in rows if row[field] is not None]
        rest.sort(key=lambda row: folded(row[field]), reverse=descending)
        rows = rest + empty if nulls == "NULLS LAST" else empty + rest
    return rows


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    state = State(tmp_path_factory.mktemp("meaning"))
    org = state.create_org(NewOrg(name="Acme"))
    writer = Writer(org, add_user(org, NewUser("admin@acme.example", "test-password-1")))
    for number, row in enumerate(ROWS):
        writer.insert("Opportunity", {**row, "StageName": "Prospecting", "TotalOpportunityQuantity": number})
    yield Asker(org, writer.user_id, "60.0")
    state.close()


@pytest.mark.conformance(
    area="SOQL", feature="a second reading of conditions, order and limits agrees", source="facts C.3"
)
@settings(max_examples=250, deadline=None)
@given(conditions, orders, st.integers(0, 7), st.integers(0, 3))
def test_two_readings_of_a_query_agree(
    asker: Asker, condition: Test, order: list[tuple[str, bool, str]], limit: int, offset: int
) -> None:
    rows = [{**row, "Number": number} for number, row in enumerate(ROWS) if condition.holds(row)]
    terms = [f"{field} {'DESC' if descending else 'ASC'} {nulls}" for field, descending, nulls in order]
    query = f"SELECT TotalOpportunityQuantity FROM Opportunity WHERE {condition.soql}"
    query += f" ORDER BY {', '.join([*terms, 'TotalOpportunityQuantity'])} LIMIT {limit} OFFSET {offset}"
    note(query)
    page = first_page(asker, query, all_rows=False, batch_rows=2000)
    found = [json.loads(record)["TotalOpportunityQuantity"] for record in page.records]
    assert found == [row["Number"] for row in sort(rows, order)][offset : offset + limit]
