"""SOQL over REST: what is found, how it is nested, how results are paged, and how mistakes are worded."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from integration.orgsim.soqlmarks import shows, soql_feature
from orgsim.clock import ClockSetting, parse_datetime
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module", autouse=True)
def people(running: RunningOrgsim) -> dict[str, str]:
    """Two accounts, six contacts, a task, two opportunities; one contact without an account and one deleted."""
    writer = running.writer()
    made = {name: writer.insert("Account", {"Name": name, "BillingCity": "Malmö"}) for name in ("Acme", "Globex")}
    for number in range(4):
        contact = {"LastName": f"L{number}", "AccountId": made["Acme"], "Email": f"l{number}@example.com"}
        made[f"L{number}"] = writer.insert("Contact", contact)
    made["loner"] = writer.insert("Contact", {"LastName": "Loner", "Title": "50%_off's"})
    made["gone"] = writer.insert("Contact", {"LastName": "Gone"})
    writer.delete("Contact", made["gone"])
    made["task"] = writer.insert("Task", {"Subject": "Call", "WhoId": made["L1"], "WhatId": made["Globex"]})
    for stage, amount in (("Prospecting", 100.25), ("Closed Won", 200.5)):
        values: dict[str, object] = {"Name": stage, "StageName": stage, "Amount": amount, "CloseDate": "2024-03-31"}
        made[stage] = writer.insert("Opportunity", {**values, "AccountId": made["Acme"]})
    return made


def count(soql: Soql, condition: str, sobject: str = "Contact") -> int:
    return len(soql(f"SELECT Id FROM {sobject} WHERE {condition}"))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        shows("operator = without regard to case", "LastName = 'l1'", 1),
        shows("operator !=", "LastName != 'L1'", 4),
        shows("operator != holds for null", "Email != 'l1@example.com'", 4),
        shows("= null", "Email = null", 1),
        shows("!= null", "Email != NULL", 4),
        shows("operators < and > on text", "LastName > 'L1' AND LastName < 'L9'", 2),
        shows("AND and OR with parentheses", "(LastName = 'L1' OR LastName = 'L2') AND Email != null", 2),
        shows("NOT", "NOT LastName = 'L1'", 4),
        shows("NOT over parentheses", "NOT (LastName = 'L1' OR Email = null)", 3),
        shows("LIKE with _", "LastName LIKE 'l_'", 4),
        shows("LIKE with %", "NOT Email LIKE 'l%'", 1),
        shows("escaped characters in LIKE", r"Title LIKE '50\%\_off\'s'", 1),
        shows("escaped characters in LIKE", r"Title LIKE '50\%x'", 0),
        shows("IN with a list", "LastName IN ('L1', 'Loner', 'nobody')", 2),
        shows("NOT IN with a list", "Email NOT IN ('l1@example.com')", 4),
        shows("condition on a parent's field", "Account.Name = 'Acme'", 4),
        shows("a missing parent counts as null", "Account.Name != 'Acme'", 1),
        shows("condition on a parent's parent", "Account.Owner.Name LIKE 'Ada%'", 4),
        shows("semi-join with IN", "AccountId IN (SELECT AccountId FROM Opportunity)", 4),
        shows("anti-join with NOT IN", "AccountId NOT IN (SELECT AccountId FROM Opportunity)", 1),
        shows(
            "two joins side by side with AND",
            "AccountId IN (SELECT Id FROM Account WHERE Name = 'Acme') AND Id NOT IN (SELECT ContactId FROM Case)",
            4,
        ),
        shows("operator <> for !=", "LastName <> 'L1'", 4),
        shows("operators <= and >=", "LastName >= 'L1' AND LastName <= 'L2'", 2),
        shows("boolean literals TRUE and FALSE", "HasOptedOutOfEmail = false", 5),
        shows("date literal TODAY", "CreatedDate = TODAY", 5),
        shows("date literals with < and >", "CreatedDate < TODAY", 0),
        shows("date literal LAST_N_DAYS:n", "CreatedDate = LAST_N_DAYS:1", 5),
        shows("date literal THIS_MONTH", "CreatedDate = THIS_MONTH OR CreatedDate = LAST_YEAR", 5),
        shows("datetime literals in UTC", "CreatedDate > 2001-01-01T00:00:00Z", 5),
        shows("datetime literals with an offset", "CreatedDate > 2999-01-01T00:00:00+02:00", 0),
        shows("/query does not see deleted rows", "IsDeleted = true", 0),
    ],
)
def test_it_finds_what_the_condition_says(soql: Soql, condition: str, found: int) -> None:
    assert count(soql, condition) == found


@soql_feature("ids of 15 or 18 characters")
@soql_feature("keysets: Id > the last one read")
def test_it_takes_short_ids_and_keysets(soql: Soql, people: dict[str, str]) -> None:
    assert count(soql, f"Id = '{people['L1'][:15]}'") == 1
    assert count(soql, f"Id > '{people['L1']}'") == 3


@soql_feature("numbers compare exactly, exponents too")
@soql_feature("SUM, AVG and MIN, with aliases or expr0")
def test_it_compares_amounts_exactly(soql: Soql) -> None:
    assert count(soql, "Amount = 100.25", "Opportunity") == 1
    assert count(soql, "Amount > 100.25", "Opportunity") == 1
    assert count(soql, "CloseDate = 2024-03-31 AND Amount >= 1e2", "Opportunity") == 2
    [total] = soql("SELECT SUM(Amount) total, AVG(Amount), MIN(Amount) low FROM Opportunity")
    assert total == {"total": 300.75, "expr0": 150.375, "low": 100.25}


@soql_feature("parents by dots, null where there is none")
@soql_feature("child subqueries with WHERE, ORDER BY and LIMIT")
def test_it_nests_parents_and_children(client: httpx2.Client, people: dict[str, str]) -> None:
    query = (
        "SELECT Id, account.name, Account.Owner.Name FROM Contact WHERE LastName IN ('L0', 'Loner') ORDER BY LastName"
    )
    first, loner = client.get("/query", params={"q": query}).json()["records"]
    assert first["attributes"] == {
        "type": "Contact",
        "url": f"/services/data/v60.0/sobjects/Contact/{people['L0']}",
    }
    assert first["Account"]["Name"] == "Acme"
    assert first["Account"]["attributes"]["type"] == "Account"
    assert first["Account"]["Owner"]["Name"] == "Ada Admin"
    assert loner["Account"] is None
    query = (
        "SELECT Name, (SELECT LastName FROM Contacts WHERE LastName > 'L0' ORDER BY LastName DESC LIMIT 2) FROM Account"
    )
    acme, globex = client.get("/query", params={"q": query + " ORDER BY Name"}).json()["records"]
    assert [row["LastName"] for row in acme["Contacts"]["records"]] == ["L3", "L2"]
    assert (acme["Contacts"]["totalSize"], acme["Contacts"]["done"]) == (2, True)
    assert globex["Contacts"] is None


@soql_feature("polymorphic parents with the fields of Name")
def test_it_follows_polymorphic_paths(soql: Soql) -> None:
    [task] = soql("SELECT Who.Name, Who.Type, What.Name, What.Type, Owner.Name FROM Task WHERE Who.Type = 'Contact'")
    assert (task["Who"]["Name"], task["Who"]["Type"]) == ("L1", "Contact")
    assert task["What"]["attributes"]["type"] == "Account"
    assert task["Owner"]["Name"] == "Ada Admin"


@soql_feature("COUNT()")
@soql_feature("COUNT(field) and COUNT_DISTINCT")
@soql_feature("GROUP BY a field, a parent's field, a date function")
@soql_feature("HAVING")
def test_it_aggregates(client: httpx2.Client, soql: Soql) -> None:
    counted = client.get("/query", params={"q": "SELECT COUNT() FROM Contact"}).json()
    assert counted == {"totalSize": 5, "done": True, "records": []}
    rows = soql("SELECT Account.Name, COUNT(Id) n FROM Contact GROUP BY Account.Name HAVING COUNT(Id) > 1")
    assert rows == [{"Name": "Acme", "n": 4}]
    [distinct] = soql("SELECT COUNT_DISTINCT(AccountId), COUNT(Email) FROM Contact")
    assert distinct == {"expr0": 1, "expr1": 4}
    assert soql(
        "SELECT CALENDAR_YEAR(CloseDate) y, COUNT(Id) n FROM Opportunity GROUP BY CALENDAR_YEAR(CloseDate)"
    ) == [{"y": 2024, "n": 2}]


@soql_feature("ORDER BY, DESC, NULLS LAST")
@soql_feature("LIMIT and OFFSET")
def test_it_orders_nulls_first_unless_told(soql: Soql) -> None:
    assert soql("SELECT LastName FROM Contact ORDER BY Email")[0]["LastName"] == "Loner"
    assert soql("SELECT LastName FROM Contact ORDER BY Email DESC")[0]["LastName"] == "Loner"
    assert soql("SELECT LastName FROM Contact ORDER BY Email NULLS LAST LIMIT 1 OFFSET 1") == [{"LastName": "L1"}]


@soql_feature("FIELDS(ALL) with LIMIT 200")
@soql_feature("compound addresses")
def test_it_shows_addresses_and_all_fields(soql: Soql) -> None:
    [account] = soql("SELECT FIELDS(ALL) FROM Account WHERE Name = 'Acme' LIMIT 200")
    assert account["BillingAddress"]["city"] == "Malmö"
    assert account["ShippingAddress"] is None
    assert account["IsDeleted"] is False


@soql_feature("queryAll sees deleted rows", "facts C.2", endpoint="GET /queryAll")
def test_query_all_sees_the_recycle_bin(client: httpx2.Client, people: dict[str, str]) -> None:
    found = client.get("/queryAll", params={"q": "SELECT Id FROM Contact WHERE IsDeleted = true"}).json()
    assert [row["Id"] for row in found["records"]] == [people["gone"]]


@soql_feature("queryAll sees archived activities", "facts C.2", endpoint="GET /queryAll")
def test_only_query_all_sees_archived_activities(client: httpx2.Client, running: RunningOrgsim) -> None:
    start = "2020-01-01T10:00:00Z"
    event = running.writer().insert("Event", {"Subject": "Old", "StartDateTime": start, "DurationInMinutes": 30})
    query = {"q": f"SELECT Id, IsArchived, EndDateTime FROM Event WHERE Id = '{event}'"}
    assert client.get("/query", params=query).json()["totalSize"] == 0
    [row] = client.get("/queryAll", params=query).json()["records"]
    assert (row["IsArchived"], row["EndDateTime"]) == (True, "2020-01-01T10:30:00.000+0000")


@soql_feature("pages of 200 to 2000 rows by batchSize, stable while rows change", endpoint="GET /query/{locator}")
def test_it_pages_a_stable_result(client: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    with running.production.database.write():
        made = [writer.insert("Lead", {"LastName": f"P{n:04d}", "Company": "Pages"}) for n in range(450)]
    options = {"Sforce-Query-Options": "batchSize=200"}
    query = {"q": "SELECT Id, LastName FROM Lead ORDER BY LastName"}
    page = client.get("/query", params=query, headers=options).json()
    assert (page["totalSize"], page["done"], len(page["records"])) == (450, False, 200)
    writer.delete("Lead", made[300])
    writer.insert("Lead", {"LastName": "P0000a", "Company": "Pages"})
    found = [row["Id"] for row in page["records"]]
    while not page["done"]:
        page = client.get(f"{running.url}{page['nextRecordsUrl']}").json()
        found += [row["Id"] for row in page["records"]]
    assert found == made


@soql_feature("date literals follow the org's clock")
def test_it_evaluates_date_literals_at_the_orgs_clock(soql: Soql, running: RunningOrgsim) -> None:
    running.state.set_clock(ClockSetting(frozen_at=parse_datetime("2024-02-29T12:00:00Z")))
    try:
        writer = running.writer()
        writer.insert("Campaign", {"Name": "Leap", "StartDate": "2024-02-29"})
        for literal in ("TODAY", "THIS_WEEK", "THIS_MONTH", "THIS_QUARTER", "THIS_YEAR", "LAST_N_DAYS:0"):
            assert count(soql, f"StartDate = {literal} AND CreatedDate = {literal}", "Campaign") == 1
        for literal in ("YESTERDAY", "TOMORROW", "LAST_MONTH", "NEXT_YEAR", "NEXT_N_DAYS:5", "N_DAYS_AGO:1"):
            assert count(soql, f"StartDate = {literal}", "Campaign") == 0
    finally:
        running.state.set_clock(ClockSetting())


RENAMED = (
    "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        shows(
            "wording: unknown object",
            "select count() from XYZZY",
            "INVALID_TYPE",
            (
                "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\n"
                "sObject type 'XYZZY' is not supported. If you are attempting to use a custom object, be sure to "
                "append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
                "appropriate names."
            ),
            source="facts C.6",
            refused=True,
        ),
        shows(
            "wording: unknown field",
            "SELECT Id, Foo FROM Account",
            "INVALID_FIELD",
            (
                "\nSELECT Id, Foo FROM Account\n           ^\nERROR at Row:1:Column:12\n"
                f"No such column 'Foo' on entity 'Account'. {RENAMED}"
            ),
            source="facts C.6",
            refused=True,
        ),
        shows(
            "wording: row and column over several lines",
            "SELECT Id\nFROM Account\nWHERE Owner.Foo = 'x'",
            "INVALID_FIELD",
            (
                "\nWHERE Owner.Foo = 'x'\n      ^\nERROR at Row:3:Column:7\n"
                f"No such column 'Foo' on entity 'User'. {RENAMED}"
            ),
            source="facts C.6",
            refused=True,
        ),
        shows(
            "wording: invalid id",
            "SELECT Id FROM Contact WHERE Id = 'somethingwonky'",
            "INVALID_QUERY_FILTER_OPERATOR",
            (
                "\nSELECT Id FROM Contact WHERE Id = 'somethingwonky'\n                             ^\n"
                "ERROR at Row:1:Column:30\ninvalid ID field: somethingwonky"
            ),
            source="facts C.6",
            refused=True,
        ),
        shows(
            "AND and OR without parentheses are refused",
            "SELECT Id FROM Contact WHERE LastName = 'a' AND Email = 'b' OR Email = 'c'",
            "MALFORMED_QUERY",
            (
                "\nct WHERE LastName = 'a' AND Email = 'b' OR Email = 'c'\n"
                "                                        ^\nERROR at Row:1:Column:61\nunexpected token: 'OR'"
            ),
            source="facts C.6",
            refused=True,
        ),
        shows(
            "wording: the query ends too early",
            "SELECT Id FROM",
            "MALFORMED_QUERY",
            "unexpected token: '<EOF>'",
            source="facts C.6",
            refused=True,
        ),
        shows(
            "wording: unexpected token",
            "invalid",
            "MALFORMED_QUERY",
            "\ninvalid\n^\nERROR at Row:1:Column:1\nunexpected token: 'invalid'",
            source="facts C.6",
            refused=True,
        ),
    ],
)
def test_it_words_mistakes_as_salesforce_does(client: httpx2.Client, query: str, code: str, message: str) -> None:
    answer = client.get("/query", params={"q": query})
    assert (answer.status_code, answer.json()) == (400, [{"message": message, "errorCode": code}])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        shows("a number for text is refused", "SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", refused=True),
        shows(
            "text for a number is refused",
            "SELECT Id FROM Opportunity WHERE Amount = '5'",
            "INVALID_FIELD",
            refused=True,
        ),
        shows(
            "text for a boolean is refused",
            "SELECT Id FROM Account WHERE IsDeleted = 'true'",
            "INVALID_FIELD",
            refused=True,
        ),
        shows(
            "a date for a datetime is refused",
            "SELECT Id FROM Account WHERE CreatedDate = 2024-01-01",
            "INVALID_FIELD",
            refused=True,
        ),
        shows(
            "an unknown date literal is refused",
            "SELECT Id FROM Account WHERE CreatedDate = NO_SUCH_LITERAL",
            "INVALID_FIELD",
            refused=True,
        ),
        shows(
            "a condition on a long text is refused",
            "SELECT Id FROM Account WHERE Description = 'x'",
            "INVALID_FIELD",
            refused=True,
        ),
        shows(
            "a condition on a compound field is refused",
            "SELECT Id FROM Account WHERE BillingAddress = 'x'",
            "INVALID_FIELD",
            refused=True,
        ),
        shows(
            "LIKE on an id is refused",
            "SELECT Id FROM Account WHERE Id LIKE 'x'",
            "INVALID_QUERY_FILTER_OPERATOR",
            refused=True,
        ),
        shows(
            "LIKE on a date is refused",
            "SELECT Id FROM Account WHERE CreatedDate LIKE 'x'",
            "INVALID_QUERY_FILTER_OPERATOR",
            refused=True,
        ),
        shows("a field selected twice is refused", "SELECT Id, Id FROM Account", "INVALID_FIELD", refused=True),
        shows(
            "an unknown parent relationship is refused", "SELECT Nope.Name FROM Account", "INVALID_FIELD", refused=True
        ),
        shows(
            "an unknown child relationship is refused",
            "SELECT Id, (SELECT Id FROM Nopes) FROM Account",
            "INVALID_TYPE",
            refused=True,
        ),
        shows("an alias for a plain field is refused", "SELECT Name n FROM Account", "MALFORMED_QUERY", refused=True),
        shows(
            "a field that is not grouped is refused beside an aggregate",
            "SELECT Name, COUNT(Id) FROM Account",
            "MALFORMED_QUERY",
            refused=True,
        ),
        shows("SUM of text is refused", "SELECT SUM(Name) FROM Account", "MALFORMED_QUERY", refused=True),
        shows(
            "FIELDS(ALL) without LIMIT up to 200 is refused",
            "SELECT FIELDS(ALL) FROM Account",
            "MALFORMED_QUERY",
            refused=True,
        ),
        shows(
            "OFFSET over 2000 is refused",
            "SELECT Id FROM Account OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
            refused=True,
        ),
        shows("a stray comma is refused", "SELECT Id, FROM Account", "MALFORMED_QUERY", refused=True),
        shows("an open string is refused", "SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY", refused=True),
    ],
)
def test_it_refuses_what_soql_does_not_allow(client: httpx2.Client, query: str, code: str) -> None:
    answer = client.get("/query", params={"q": query})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


@soql_feature("a query without q and an unknown locator are refused", refused=True, endpoint="GET /query")
def test_it_needs_a_query_and_a_known_locator(client: httpx2.Client) -> None:
    assert client.get("/query").json()[0]["errorCode"] == "MISSING_ARGUMENT"
    assert client.get("/query/01g000000000000-2000").json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


@pytest.mark.conformance(
    area="REST", feature="queryAll in pages", source="rest-api/queryall", endpoint="GET /queryAll/{locator}"
)
def test_query_all_pages_see_what_was_deleted(client: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    for number in range(201):
        writer.insert("Campaign", {"Name": f"Fair {number}", "Type": "Webinar"})
    writer.delete("Campaign", writer.insert("Campaign", {"Name": "Gone", "Type": "Webinar"}))
    asked = client.get(
        "/queryAll",
        params={"q": "SELECT Name FROM Campaign WHERE Type = 'Webinar' ORDER BY CreatedDate, Id"},
        headers={"Sforce-Query-Options": "batchSize=200"},
    ).json()
    assert (asked["totalSize"], asked["done"], len(asked["records"])) == (202, False, 200)
    rest = client.get(asked["nextRecordsUrl"].replace("/query/", "/queryAll/").partition("/v60.0")[2]).json()
    assert (rest["done"], [row["Name"] for row in rest["records"]]) == (True, ["Fair 200", "Gone"])
