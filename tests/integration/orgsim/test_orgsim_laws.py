"""Laws that hold for every query: NOT undoes itself, pages give each row once, Bulk and REST say the same."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.orgsim.soqlmarks import soql_feature
from orgsim.oauth.users import NewUser, add_user
from orgsim.soql.plan import Asker, first_page, next_page, write_csv
from orgsim.store import linefile
from orgsim.store.state import NewOrg, State
from orgsim.store.write import Writer

ROWS = 60
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.sampled_from(["a", "A", "b", "O'Brien", "50%", "x_y", "å", ""])
literals = texts.map(lambda text: "'" + text.replace("'", "\\'") + "'")
operators = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
comparisons = st.one_of(
    st.builds("LastName {} {}".format, operators, literals),
    st.builds("Title {} {}".format, operators, literals),
    st.builds("Title LIKE {}".format, literals.map(lambda text: text[:-1] + "%'")),
    st.builds("Title IN ({}, {})".format, literals, literals),
    st.builds("Title NOT IN ({}, {})".format, literals, literals),
    st.builds("Account.Name {} {}".format, operators, literals),
    st.sampled_from(["Title = null", "Title != null", "Account.Name = null", "HasOptedOutOfEmail = true"]),
    st.sampled_from(["CreatedDate = TODAY", "CreatedDate < THIS_MONTH", "CALENDAR_YEAR(CreatedDate) > 2000"]),
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("NOT ({})".format, inner),
        st.builds("(({}) AND ({}))".format, inner, inner),
        st.builds("(({}) OR ({}))".format, inner, inner),
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    state = State(tmp_path_factory.mktemp("laws"))
    org = state.create_org(NewOrg())
    user_id = add_user(org, NewUser("a@b.example", "p"))
    writer = Writer(org, user_id)
    accounts = [None, writer.insert("Account", {"Name": "a"}), writer.insert("Account", {"Name": "O'Brien"})]
    names = ["a", "A", "b", "O'Brien", "50%", "x_y", "å"]
    with org.database.write():
        for number in range(ROWS):
            values: dict[str, object] = {
                "LastName": names[number % 7],
                "Title": [*names, None][number % 8],
                "AccountId": accounts[number % 3],
                "HasOptedOutOfEmail": number % 2 == 0,
            }
            writer.insert("Contact", values)
    yield Asker(org, user_id, "60.0")
    state.close()


def find(asker: Asker, condition: str, batch_rows: int = 2000) -> list[str]:
    query = f"SELECT Id FROM Contact WHERE {condition}"
    page = first_page(asker, query, all_rows=False, batch_rows=batch_rows)
    records = list(page.records)
    while page.locator:
        page = next_page(asker, page.locator)
        records += page.records
    assert page.total_size == len(records)
    return [orjson.loads(text)["Id"] for text in records]


@soql_feature("law: a condition and its NOT split the rows in two")
@given(condition=conditions)
@quick
def test_not_splits_the_rows_in_two(asker: Asker, condition: str) -> None:
    yes, no = find(asker, condition), find(asker, f"NOT ({condition})")
    assert len(yes) + len(no) == ROWS
    assert not set(yes) & set(no)
    assert find(asker, f"NOT (NOT ({condition}))") == yes


@soql_feature("law: NOT over OR is AND of NOTs")
@given(first=conditions, second=conditions)
@quick
def test_de_morgan_holds(asker: Asker, first: str, second: str) -> None:
    neither = find(asker, f"NOT (({first}) OR ({second}))")
    assert sorted(neither) == sorted(find(asker, f"(NOT ({first})) AND (NOT ({second}))"))


@soql_feature("law: pages give each row once")
@given(condition=conditions, batch_rows=st.integers(1, 70))
@quick
def test_pages_give_each_row_once(asker: Asker, condition: str, batch_rows: int) -> None:
    paged = find(asker, condition, batch_rows)
    assert len(paged) == len(set(paged))
    assert sorted(paged) == sorted(find(asker, condition))


@soql_feature("law: Bulk and REST say the same")
@given(condition=conditions)
@quick
def test_bulk_says_what_rest_says(asker: Asker, condition: str, tmp_path: Path) -> None:
    query = f"SELECT Id, LastName, Title, Account.Name, HasOptedOutOfEmail FROM Contact WHERE {condition} ORDER BY Id"
    told = [orjson.loads(text) for text in first_page(asker, query, all_rows=False, batch_rows=2000).records]
    path = tmp_path / "result"
    result = write_csv(asker, query, path, all_rows=False)
    lines = path.read_bytes()[: linefile.span(path, 1, result.rows).size_bytes]
    rows = list(csv.reader(io.StringIO(lines.decode())))
    assert rows == [
        [
            record["Id"],
            record["LastName"],
            record["Title"] or "",
            (record["Account"] or {"Name": ""})["Name"],
            "true" if record["HasOptedOutOfEmail"] else "false",
        ]
        for record in told
    ]


@soql_feature("law: joins find what conditions on the parent find")
@given(condition=conditions, names=st.lists(literals, min_size=1, max_size=2))
@quick
def test_joins_find_what_conditions_on_the_parent_find(asker: Asker, condition: str, names: list[str]) -> None:
    """A semi-join and an anti-join with the same select split the rows in two."""
    inner = f"SELECT Id FROM Account WHERE Name IN ({', '.join(names)})"
    joined = find(asker, f"({condition}) AND AccountId IN ({inner})")
    assert sorted(joined) == sorted(find(asker, f"({condition}) AND Account.Name IN ({', '.join(names)})"))
    rest = find(asker, f"({condition}) AND AccountId NOT IN ({inner})")
    assert sorted(joined + rest) == sorted(find(asker, condition))


@soql_feature("law: COUNT() agrees with the rows")
@given(condition=conditions)
@quick
def test_counting_agrees_with_fetching(asker: Asker, condition: str) -> None:
    query = f"SELECT COUNT() FROM Contact WHERE {condition}"
    counted = first_page(asker, query, all_rows=False, batch_rows=2000).total_size
    assert counted == len(find(asker, condition))
