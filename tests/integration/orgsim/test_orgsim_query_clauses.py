"""SOQL's rarer clauses over REST: TYPEOF, subtotals, date functions, scopes, and what an API client may not ask."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from integration.orgsim.soqlmarks import shows, soql_feature
from orgsim.clock import ClockSetting, parse_datetime
from orgsim.oauth.users import NewUser, add_user
from orgsim.store.write import Writer
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module", autouse=True)
def records(running: RunningOrgsim) -> None:
    """Leads made late on 31 December in GMT, tasks about a lead, a contact and an account, a lead of somebody else."""
    running.state.set_clock(ClockSetting(frozen_at=parse_datetime("2023-12-31T23:30:00Z")))
    writer = running.writer()
    leads = [("Li", "Web", "Hot"), ("Lu", "Web", "Cold"), ("Lo", None, None)]
    made = [
        writer.insert("Lead", {"LastName": name, "Company": "Co", "LeadSource": source, "Rating": rating})
        for name, source, rating in leads
    ]
    other = Writer(running.production, add_user(running.production, NewUser("bo@acme.example", "test-password-2")))
    other.insert("Contact", {"LastName": "Bo"})
    contact = writer.insert("Contact", {"LastName": "Ek", "Email": "ek@example.com"})
    account = writer.insert("Account", {"Name": "Acme", "NumberOfEmployees": 5, "Industry": "Energy"})
    writer.insert("Task", {"Subject": "1", "WhoId": contact, "WhatId": account})
    writer.insert("Task", {"Subject": "2", "WhoId": made[0]})
    writer.insert("Task", {"Subject": "3"})


@soql_feature("TYPEOF … WHEN … THEN")
def test_typeof_shows_other_fields_for_each_kind(soql: Soql) -> None:
    query = (
        "SELECT TYPEOF Who WHEN Contact THEN Email, Owner.Name WHEN lead THEN Company END FROM Task ORDER BY Subject"
    )
    contact, lead, nobody = (row["Who"] for row in soql(query))
    assert (contact["attributes"]["type"], contact["Email"], contact["Owner"]["Name"]) == (
        "Contact",
        "ek@example.com",
        "Ada Admin",
    )
    assert (lead["attributes"]["type"], lead["Company"], "Email" in lead) == ("Lead", "Co", False)
    assert nobody is None


@soql_feature("TYPEOF … ELSE")
def test_typeof_without_a_match_is_null_or_what_else_says(soql: Soql) -> None:
    rows = soql("SELECT TYPEOF Who WHEN Contact THEN Email END FROM Task ORDER BY Subject")
    assert [row["Who"] is None for row in rows] == [False, True, True]
    _, lead, _ = soql("SELECT TYPEOF Who WHEN Contact THEN Email ELSE Name, Type END FROM Task ORDER BY Subject")
    assert (lead["Who"]["Name"], lead["Who"]["Type"]) == ("Li", "Lead")


@soql_feature("GROUP BY ROLLUP")
@soql_feature("GROUPING()")
def test_rollup_adds_subtotals_and_grouping_marks_them(soql: Soql) -> None:
    rows = soql(
        "SELECT LeadSource, Rating, GROUPING(LeadSource) s, GROUPING(Rating) r, COUNT(Id) n FROM Lead "
        "GROUP BY ROLLUP(LeadSource, Rating) ORDER BY GROUPING(LeadSource), LeadSource, GROUPING(Rating), Rating"
    )
    assert [tuple(row.values()) for row in rows] == [
        (None, None, 0, 0, 1),
        (None, None, 0, 1, 1),
        ("Web", "Cold", 0, 0, 1),
        ("Web", "Hot", 0, 0, 1),
        ("Web", None, 0, 1, 2),
        (None, None, 1, 1, 3),
    ]


@soql_feature("GROUP BY CUBE")
def test_cube_adds_every_combination(soql: Soql) -> None:
    rows = soql(
        "SELECT GROUPING(LeadSource) s, GROUPING(Rating) r, COUNT(Id) FROM Lead GROUP BY CUBE(LeadSource, Rating)"
    )
    marks = [(row["s"], row["r"]) for row in rows]
    assert [marks.count(mark) for mark in ((0, 0), (0, 1), (1, 0), (1, 1))] == [3, 2, 3, 1]
    big = "SELECT COUNT(Id) n FROM Lead GROUP BY CUBE(LeadSource) HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC LIMIT 1"
    assert soql(big) == [{"n": 3}]


@pytest.mark.parametrize(
    ("function", "value"),
    [
        shows("date function CALENDAR_YEAR()", "CALENDAR_YEAR(CreatedDate)", 2023),
        shows("date function CALENDAR_QUARTER()", "CALENDAR_QUARTER(CreatedDate)", 4),
        shows("date function CALENDAR_MONTH()", "CALENDAR_MONTH(CreatedDate)", 12),
        shows("date function FISCAL_YEAR()", "FISCAL_YEAR(CreatedDate)", 2023),
        shows("date function DAY_IN_MONTH()", "DAY_IN_MONTH(CreatedDate)", 31),
        shows("date function DAY_IN_WEEK()", "DAY_IN_WEEK(CreatedDate)", 1),
        shows("date function DAY_IN_YEAR()", "DAY_IN_YEAR(CreatedDate)", 365),
        shows("date function WEEK_IN_MONTH()", "WEEK_IN_MONTH(CreatedDate)", 5),
        shows("date function WEEK_IN_YEAR()", "WEEK_IN_YEAR(CreatedDate)", 53),
        shows("date function HOUR_IN_DAY()", "HOUR_IN_DAY(CreatedDate)", 23),
        shows("date function DAY_ONLY()", "DAY_ONLY(CreatedDate)", "2023-12-31"),
    ],
)
def test_date_functions_group_and_filter(soql: Soql, function: str, value: object) -> None:
    query = f"SELECT {function} part, COUNT(Id) n FROM Lead WHERE {function} = {value} GROUP BY {function}"
    assert soql(f"{query} HAVING {function} = {value} ORDER BY {function}") == [{"part": value, "n": 3}]


@soql_feature("convertTimezone() inside a date function")
@pytest.mark.parametrize(("zone", "hour", "day"), [("GMT", 23, 31), ("Europe/Stockholm", 0, 1), ("Asia/Kolkata", 5, 1)])
def test_date_functions_follow_the_askers_clock_when_told(
    running: RunningOrgsim, soql: Soql, zone: str, hour: int, day: int
) -> None:
    writer = running.writer()
    try:
        writer.update("User", running.production_user_id, {"TimeZoneSidKey": zone})
        parts = ["HOUR_IN_DAY(convertTimezone(CreatedDate))", "DAY_IN_MONTH(convertTimezone(CreatedDate))"]
        [row] = soql(f"SELECT {', '.join(parts)} FROM Lead GROUP BY {', '.join(parts)}")
        assert row == {"expr0": hour, "expr1": day}
    finally:
        writer.update("User", running.production_user_id, {"TimeZoneSidKey": "GMT"})


@soql_feature("USING SCOPE mine and everything")
def test_scope_mine_is_what_the_asker_owns(soql: Soql) -> None:
    assert [row["LastName"] for row in soql("SELECT LastName FROM Contact USING SCOPE mine")] == ["Ek"]
    assert len(soql("SELECT LastName FROM Contact USING SCOPE Everything")) == 2


@pytest.mark.parametrize(
    "ending",
    [
        *(shows(each, each) for each in ("FOR VIEW", "FOR REFERENCE", "FOR UPDATE")),
        *("FOR VIEW, REFERENCE", "FOR VIEW FOR UPDATE"),
    ],
)
def test_reading_purposes_are_accepted(soql: Soql, ending: str) -> None:
    assert len(soql(f"SELECT Id FROM Lead LIMIT 2 {ending}")) == 2


@soql_feature("toLabel()")
def test_labels_stand_in_place_of_their_field(soql: Soql) -> None:
    assert soql("SELECT toLabel(Industry) FROM Account") == [{"Industry": "Energy"}]
    [task] = soql("SELECT Account.Name, toLabel(Account.Industry) FROM Task WHERE Account.Name != null")
    assert (task["Account"]["Name"], task["Account"]["Industry"]) == ("Acme", "Energy")


@soql_feature("COUNT() heeds LIMIT")
def test_counting_heeds_the_limit(client: httpx2.Client) -> None:
    assert client.get("/query", params={"q": "SELECT COUNT() FROM Lead LIMIT 2"}).json()["totalSize"] == 2


DATE_LITERALS = (
    *(
        "THIS_FISCAL_QUARTER",
        "THIS_FISCAL_YEAR",
        "NEXT_N_FISCAL_YEARS:1",
        "LAST_N_FISCAL_QUARTERS:2",
        "N_FISCAL_YEARS_AGO:1",
    ),
    *("N_FISCAL_QUARTERS_AGO:1", "LAST_90_DAYS", "NEXT_90_DAYS", "N_WEEKS_AGO:3", "N_MONTHS_AGO:1", "N_QUARTERS_AGO:1"),
    *("N_YEARS_AGO:1", "LAST_N_WEEKS:1", "NEXT_N_MONTHS:2", "NEXT_WEEK", "LAST_FISCAL_QUARTER", "NEXT_FISCAL_QUARTER"),
    *("LAST_FISCAL_YEAR", "NEXT_FISCAL_YEAR", "YESTERDAY", "TODAY", "TOMORROW", "LAST_WEEK", "THIS_WEEK"),
    *("LAST_MONTH", "THIS_MONTH", "NEXT_MONTH", "NEXT_N_DAYS:3", "LAST_N_DAYS:3", "N_DAYS_AGO:3", "NEXT_N_WEEKS:1"),
    *("LAST_N_MONTHS:1", "THIS_QUARTER", "LAST_QUARTER", "NEXT_QUARTER", "NEXT_N_QUARTERS:1", "LAST_N_QUARTERS:1"),
    *("THIS_YEAR", "LAST_YEAR", "NEXT_YEAR", "NEXT_N_YEARS:1", "LAST_N_YEARS:1", "NEXT_N_FISCAL_QUARTERS:1"),
    *("LAST_N_FISCAL_YEARS:1",),
)


@pytest.mark.parametrize(
    "literal", [shows(f"date literal {each.replace(':' + each[-1], ':n')}", each) for each in DATE_LITERALS]
)
def test_every_date_literal_is_known(soql: Soql, literal: str) -> None:
    found = soql(f"SELECT Id FROM Lead WHERE CreatedDate = {literal}")
    today_counts = literal.startswith("THIS") or literal in ("TODAY", "LAST_90_DAYS", "LAST_N_DAYS:3")
    assert len(found) == (3 if today_counts else 0)


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        shows(
            "ALL ROWS is refused outside Apex",
            "SELECT Id FROM Lead ALL ROWS",
            "MALFORMED_QUERY",
            "ALL ROWS not allowed in this context",
            refused=True,
        ),
        shows(
            "OFFSET over 2000 is refused",
            "SELECT Id FROM Lead OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Maximum SOQL offset allowed is 2000",
            refused=True,
        ),
        shows(
            "a query nested too deeply is refused",
            "SELECT Id FROM Lead WHERE NOT " + "NOT " * 200 + "Id = null",
            "QUERY_TOO_COMPLICATED",
            "nested too deeply",
            refused=True,
        ),
        shows(
            "an unknown FOR is refused",
            "SELECT Id FROM Lead FOR nope",
            "MALFORMED_QUERY",
            "Column:25\nunexpected token: 'nope'",
            refused=True,
        ),
        shows(
            "scopes of teams and territories are refused",
            "SELECT Id FROM Lead USING SCOPE team",
            "MALFORMED_QUERY",
            "Column:33\nInvalid scope: team",
            refused=True,
        ),
        shows(
            "convertCurrency() without several currencies is refused",
            "SELECT convertCurrency(AnnualRevenue) FROM Lead",
            "MALFORMED_QUERY",
            "unexpected token: 'convertCurrency'",
            source="facts C.40",
            refused=True,
        ),
        shows(
            "FORMAT() in WHERE is refused",
            "SELECT Id FROM Lead WHERE FORMAT(CreatedDate) = 'x'",
            "MALFORMED_QUERY",
            "Column:27\nunexpected token: 'FORMAT'",
            refused=True,
        ),
        shows(
            "FORMAT() of text is refused",
            "SELECT FORMAT(LastName) FROM Lead",
            "MALFORMED_QUERY",
            "unexpected token: 'FORMAT'",
            refused=True,
        ),
        shows(
            "ORDER BY a long text is refused",
            "SELECT Id FROM Lead ORDER BY Description",
            "MALFORMED_QUERY",
            "field 'Description' can not be sorted in a query call",
            refused=True,
        ),
        shows(
            "GROUP BY a long text is refused",
            "SELECT COUNT(Id) FROM Lead GROUP BY Description",
            "MALFORMED_QUERY",
            "field 'Description' can not be grouped in a query call",
            refused=True,
        ),
        shows(
            "an unknown WITH is refused",
            "SELECT Id FROM Lead WITH nope",
            "MALFORMED_QUERY",
            "Column:26\nunexpected token: 'nope'",
            refused=True,
        ),
        shows(
            "an aggregate in WHERE is refused",
            "SELECT Id FROM Lead WHERE COUNT(Id) > 1",
            "MALFORMED_QUERY",
            "Column:27\nunexpected token: 'COUNT'",
            refused=True,
        ),
        shows(
            "a date function over text is refused",
            "SELECT CALENDAR_YEAR(LastName) FROM Lead",
            "MALFORMED_QUERY",
            "unexpected token: 'CALENDAR_YEAR'",
            refused=True,
        ),
        shows(
            "ORDER BY a field that is not grouped is refused",
            "SELECT COUNT(Id) FROM Lead GROUP BY Rating ORDER BY LastName",
            "MALFORMED_QUERY",
            "Column:53\nOrdered field must be grouped or aggregated: LastName",
            refused=True,
        ),
        shows(
            "an aggregate over a grouped field is refused",
            "SELECT COUNT(Rating) FROM Lead GROUP BY Rating",
            "MALFORMED_QUERY",
            "Grouped field should not be aggregated: Rating",
            refused=True,
        ),
        shows(
            "GROUP BY a datetime is refused",
            "SELECT COUNT(Id) FROM Lead GROUP BY CreatedDate",
            "MALFORMED_QUERY",
            "Column:37\nfield 'CreatedDate' can not be grouped in a query call",
            refused=True,
        ),
        shows(
            "an alias given twice is refused",
            "SELECT COUNT(Id) n, MAX(Name) n FROM Lead",
            "MALFORMED_QUERY",
            "Column:21\nduplicate alias: n",
            refused=True,
        ),
        shows(
            "TYPEOF of a plain relationship is refused",
            "SELECT TYPEOF Owner WHEN User THEN Id END FROM Account",
            "MALFORMED_QUERY",
            "polymorphic relationship: Owner",
            refused=True,
        ),
        shows(
            "TYPEOF of an object that cannot be there is refused",
            "SELECT TYPEOF Who WHEN Account THEN Id END FROM Task",
            "INVALID_TYPE",
            "sObject type 'Account'",
            refused=True,
        ),
        shows(
            "TYPEOF with an unknown field is refused",
            "SELECT TYPEOF Who WHEN Contact THEN Nope END FROM Task",
            "INVALID_FIELD",
            "on entity 'Contact'",
            refused=True,
        ),
        shows(
            "other fields than those of Name are refused on polymorphic paths",
            "SELECT Who.MailingCity FROM Task",
            "INVALID_FIELD",
            "No such column 'MailingCity' on entity 'Name'",
            refused=True,
        ),
        shows(
            "an impossible datetime is refused",
            "SELECT Id FROM Lead WHERE CreatedDate = 2024-02-30T00:00:00Z",
            "MALFORMED_QUERY",
            "Invalid datetime: 2024-02",
            refused=True,
        ),
        shows(
            "an impossible date is refused",
            "SELECT Id FROM Task WHERE ActivityDate = 2024-02-30",
            "MALFORMED_QUERY",
            "Column:42\nInvalid date: 2024-02-30",
            refused=True,
        ),
    ],
)
def test_it_refuses_what_an_api_client_may_not_ask(client: httpx2.Client, query: str, code: str, message: str) -> None:
    answer = client.get("/query", params={"q": query})
    [error] = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, code)
    assert message in error["message"]


@pytest.mark.parametrize(
    "query",
    [
        shows(
            "TYPEOF in Bulk is refused",
            "SELECT TYPEOF Who WHEN Contact THEN Id END FROM Task",
            source="facts C.4",
            refused=True,
        ),
        shows(
            "date functions in Bulk are refused",
            "SELECT CALENDAR_YEAR(CreatedDate) FROM Lead",
            source="facts C.4",
            refused=True,
        ),
        shows(
            "compound fields in Bulk are refused",
            "SELECT Account.BillingAddress FROM Contact",
            source="facts C.4",
            refused=True,
        ),
    ],
)
def test_bulk_refuses_what_only_rest_can_answer(client: httpx2.Client, query: str) -> None:
    answer = client.post("/jobs/query", json={"operation": "query", "query": query})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "API_ERROR")
