"""Limits of SOQL over REST: joins, lengths, relationships, levels of children, running time; plans, SOSL."""

import re
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from integration.orgsim.soqlmarks import shows, soql_feature
from orgsim.testing import RunningOrgsim

CONTACTS = 450
Soql = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module", autouse=True)
def made(running: RunningOrgsim) -> dict[str, str]:
    """An account with 450 contacts, each with a case, and one with a single contact."""
    writer = running.writer()
    ids = {name: writer.insert("Account", {"Name": name}) for name in ("Big", "Small")}
    with running.production.database.write():
        for number in range(CONTACTS):
            writer.insert("Contact", {"LastName": f"C{number:03d}", "AccountId": ids["Big"]})
        writer.insert("Contact", {"LastName": "Only", "AccountId": ids["Small"]})
    return ids


def refusal_of(client: httpx2.Client, query: str) -> tuple[str, str]:
    answer = client.get("/query", params={"q": query})
    [error] = answer.json()
    assert answer.status_code == 400
    return error["errorCode"], error["message"]


NESTED = "only allowed at the top level WHERE expressions and not in nested WHERE expressions."


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        shows(
            "a semi-join beside OR is refused",
            "Name = 'x' OR Id IN (SELECT AccountId FROM Contact)",
            "Semi join sub-selects are not allowed with the 'OR' operator",
            refused=True,
        ),
        shows(
            "a semi-join below the top level is refused",
            "Name = 'x' AND (Industry = 'a' OR Id IN (SELECT AccountId FROM Contact))",
            f"Semi join sub-selects are {NESTED}",
            refused=True,
        ),
        shows(
            "NOT over a semi-join is refused",
            "NOT Id IN (SELECT AccountId FROM Contact)",
            NESTED,
            refused=True,
        ),
        shows(
            "more than two semi-joins are refused",
            " AND ".join(["Id IN (SELECT AccountId FROM Contact)"] * 3),
            "Maximum 2 semi join sub-selects are allowed",
            refused=True,
        ),
        shows(
            "a semi-join inside a semi-join is refused",
            "Id IN (SELECT AccountId FROM Contact WHERE OwnerId IN (SELECT Id FROM User))",
            "Nesting of semi join sub-selects is not supported",
            refused=True,
        ),
        shows(
            "a semi-join on the queried object is refused",
            "Id IN (SELECT ParentId FROM Account)",
            "The inner and outer selects should not be on the same object type",
            refused=True,
        ),
        shows(
            "a semi-join on tasks or events is refused",
            "Id IN (SELECT AccountId FROM Task)",
            "Column:59\nEntity 'Task' is not supported for semi join inner selects",
            refused=True,
        ),
        shows(
            "a semi-join that selects no id is refused",
            "Id IN (SELECT LastName FROM Contact)",
            "Semi join sub-selects can only query id fields, cannot use: 'LastName'",
            refused=True,
        ),
        shows(
            "a semi-join that selects a parent's field is refused",
            "Id IN (SELECT Account.Id FROM Contact)",
            "Semi join sub-selects can only query id fields, cannot use: 'Account.Id'",
            refused=True,
        ),
        shows(
            "a semi-join of a field that is no id is refused",
            "Name IN (SELECT AccountId FROM Contact)",
            "should be an id field, cannot use: 'Name'",
            refused=True,
        ),
        shows(
            "a semi-join of ids of different objects is refused",
            "Id IN (SELECT Id FROM Contact)",
            "The selected field 'Id' in the subquery and the left operand field in the where expression in the outer "
            "query 'Id' should point to the same object type",
            refused=True,
        ),
        shows(
            "ORDER BY and LIMIT in a semi-join are refused",
            "Id IN (SELECT AccountId FROM Contact ORDER BY LastName)",
            "missing value at 'ORDER'",
            refused=True,
        ),
        ("Id IN (SELECT AccountId FROM Contact LIMIT 1)", "missing value at 'LIMIT'"),
        shows(
            "two fields in a semi-join are refused",
            "Id IN (SELECT AccountId, Id FROM Contact)",
            "The inner select must have exactly one field",
            refused=True,
        ),
        shows(
            "a string of more than 4,000 characters is refused",
            f"Name = '{'x' * 4001}'",
            "A string in a WHERE clause can have at most 4000 characters",
            refused=True,
        ),
    ],
)
def test_conditions_are_refused_as_documented(client: httpx2.Client, condition: str, message: str) -> None:
    code, said = refusal_of(client, f"SELECT Id FROM Account WHERE {condition}")
    assert (code, message in said) == ("MALFORMED_QUERY", True), said


@soql_feature("a semi-join in HAVING is refused", refused=True)
def test_joins_stand_in_where_alone(client: httpx2.Client) -> None:
    query = "SELECT Id FROM Account GROUP BY Id HAVING Id IN (SELECT AccountId FROM Contact)"
    assert "Semi-joins are only supported in WHERE clauses" in refusal_of(client, query)[1]


@soql_feature("strings of up to 4,000 characters")
def test_a_string_may_have_4000_characters(soql: Soql) -> None:
    assert soql(f"SELECT Id FROM Account WHERE Name = '{'x' * 4000}'") == []


@soql_feature("a query of up to 100,000 characters", endpoint="POST /composite")
@soql_feature("a query of more than 100,000 characters is refused", refused=True)
def test_a_query_may_have_100000_characters(client: httpx2.Client) -> None:
    start = "SELECT Id FROM Account WHERE Name = 'Small'"
    answers = []
    for length in (100_000, 100_001):
        url = f"/services/data/v60.0/query?q={start + ' ' * (length - len(start))}"
        parts = [{"method": "GET", "url": url, "referenceId": "q"}]
        answers.append(client.post("/composite", json={"compositeRequest": parts}).json()["compositeResponse"][0])
    fits, too_long = answers
    assert (fits["httpStatusCode"], fits["body"]["totalSize"]) == (200, 1)
    message = "SOQL statements cannot be longer than 100000 characters."
    assert (too_long["httpStatusCode"], too_long["body"][0]["message"]) == (400, message)


def nested(*names: str) -> str:
    """Child subqueries of Id, side by side."""
    return "".join(f", (SELECT Id FROM {name})" for name in names)


@soql_feature("up to 20 child subqueries")
@soql_feature("more than 20 child subqueries are refused", refused=True)
def test_more_than_20_child_subqueries_are_refused(client: httpx2.Client, soql: Soql) -> None:
    of_contact = nested("Cases", "Tasks", "Events", "CampaignMembers", "ReportsToContacts", "OpportunityContactRoles")
    of_deal = nested("OpportunityContactRoles", "OpportunityHistories", "Tasks", "Events")
    query = (
        f"SELECT Id{nested('Tasks', 'Events')}, (SELECT Id{of_contact} FROM Contacts), "
        f"(SELECT Id{of_deal} FROM Opportunities), (SELECT Id{nested('Cases', 'Tasks', 'Events')} FROM Cases), "
    )
    assert soql(f"{query}(SELECT Id{nested('Tasks')} FROM ChildAccounts) FROM Account WHERE Name = 'Small'")
    refused = refusal_of(client, f"{query}(SELECT Id{nested('Tasks', 'Events')} FROM ChildAccounts) FROM Account")
    assert refused == ("MALFORMED_QUERY", "A query can have at most 20 parent-to-child relationships.")


@soql_feature("children of children down to five levels since version 58, one level before")
@soql_feature("more levels of children are refused", refused=True)
@pytest.mark.parametrize(("version", "levels", "most"), [("57.0", 1, "1 level"), ("58.0", 4, "4 levels")])
def test_children_nest_by_version(
    client: httpx2.Client, running: RunningOrgsim, version: str, levels: int, most: str
) -> None:
    def answered(depth: int) -> httpx2.Response:
        query = "SELECT Id FROM ChildAccounts"
        for _ in range(depth - 1):
            query = f"SELECT Id, ({query}) FROM ChildAccounts"
        address = f"{running.url}/services/data/v{version}/query"
        return client.get(address, params={"q": f"SELECT Id, ({query}) FROM Account"})

    assert answered(levels).status_code == 200
    message = f"SOQL statements cannot query aggregate relationships more than {most} away from the root entity object."
    assert answered(levels + 1).json() == [{"message": message, "errorCode": "MALFORMED_QUERY"}]


@soql_feature("an aggregate in a child subquery is refused", refused=True)
def test_children_are_not_aggregated(client: httpx2.Client) -> None:
    refused = refusal_of(client, "SELECT Id, (SELECT COUNT(Id) FROM Contacts) FROM Account")
    assert refused == ("MALFORMED_QUERY", "only root queries support aggregate expressions")


@soql_feature("parents up to five levels up")
@soql_feature("parents more than five levels up are refused", refused=True)
def test_parents_reach_five_levels(client: httpx2.Client, soql: Soql) -> None:
    assert soql(f"SELECT {'Parent.' * 5}Name FROM Account WHERE Name = 'Small'")
    assert refusal_of(client, f"SELECT {'Parent.' * 6}Name FROM Account")[0] == "INVALID_FIELD"


@soql_feature("more than 55 parent relationships are refused", refused=True)
def test_more_than_55_parent_relationships_are_refused(client: httpx2.Client) -> None:
    ends = ("Owner", "CreatedBy", "LastModifiedBy")
    users = [
        f"{end}.{'.'.join(steps)}" for end in ends for steps in (("Manager",), ("CreatedBy",), ("LastModifiedBy",))
    ]
    paths = [
        f"{up}{user}.{last}.Id"
        for up in ("", "Parent.", "Parent.Parent.")
        for user in users
        for last in ("Profile", "Manager")
    ]
    code, message = refusal_of(client, f"SELECT {', '.join(paths)} FROM Account")
    assert (code, "at most 55 child-to-parent relationships" in message) == ("MALFORMED_QUERY", True)


@soql_feature("a long set of children has pages of its own", endpoint="GET /query/{locator}")
def test_children_are_paged(client: httpx2.Client, running: RunningOrgsim) -> None:
    query = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account ORDER BY Name"
    options = {"Sforce-Query-Options": "batchSize=200"}
    big, small = client.get("/query", params={"q": query}, headers=options).json()["records"]
    assert (small["Contacts"]["done"], small["Contacts"]["totalSize"]) == (True, 1)
    page, found, sizes = big["Contacts"], list(big["Contacts"]["records"]), []
    while not page["done"]:
        assert page["totalSize"] == CONTACTS
        assert re.fullmatch(r"/services/data/v60\.0/query/01g\w{15}-\d+", page["nextRecordsUrl"])
        page = client.get(f"{running.url}{page['nextRecordsUrl']}").json()
        sizes.append(len(page["records"]))
        found += page["records"]
    assert sizes == [200, 50]
    assert [row["LastName"] for row in found] == [f"C{number:03d}" for number in range(CONTACTS)]
    whole = client.get("/query", params={"q": query}).json()["records"][0]["Contacts"]
    assert (whole["done"], len(whole["records"])) == (True, CONTACTS)


@soql_feature("more children in all than 2,000 on one page of parents")
def test_each_parent_has_pages_of_its_own(client: httpx2.Client, running: RunningOrgsim, made: dict[str, str]) -> None:
    query = "SELECT Id, (SELECT Id FROM Contacts), (SELECT Id FROM ChildAccounts) FROM Account"
    options = {"Sforce-Query-Options": "batchSize=300"}
    rows = client.get("/query", params={"q": query}, headers=options).json()["records"]
    by_id = {row["Id"]: row["Contacts"] for row in rows}
    assert (by_id[made["Big"]]["done"], by_id[made["Small"]]["done"]) == (False, True)
    rest = client.get(f"{running.url}{by_id[made['Big']]['nextRecordsUrl']}").json()
    assert (len(by_id[made["Big"]]["records"]), len(rest["records"])) == (300, 150)


@soql_feature("a query that runs for too long ends with QUERY_TIMEOUT", endpoint="GET /query")
def test_a_long_query_times_out(client: httpx2.Client, running: RunningOrgsim) -> None:
    slow = " OR ".join(f"LastName LIKE '%{number}x%'" for number in range(300))
    query = {"q": f"SELECT Id FROM Contact WHERE {slow}"}
    assert client.get("/query", params=query).status_code == 200
    running.production.set("query_timeout_seconds", 0.002)
    try:
        answer = client.get("/query", params=query)
    finally:
        running.production.set("query_timeout_seconds", 120)
    refused = [{"message": "Your query request was running for too long.", "errorCode": "QUERY_TIMEOUT"}]
    assert (answer.status_code, answer.json()) == (400, refused)
    assert client.get("/query", params=query).status_code == 200


@soql_feature("explain names the plans of a query, the cheapest first", "rest-api/query", endpoint="GET /query")
def test_a_query_is_explained(client: httpx2.Client, made: dict[str, str]) -> None:
    query = f"SELECT Id FROM Contact WHERE AccountId = '{made['Small']}' AND Title = 'x'"
    index, scan = client.get("/query", params={"explain": query}).json()["plans"]
    assert index["relativeCost"] < 1 < scan["relativeCost"]
    assert {name: value for name, value in index.items() if name not in ("relativeCost", "notes")} == {
        "cardinality": 1,
        "fields": ["AccountId"],
        "leadingOperationType": "Index",
        "sobjectCardinality": CONTACTS + 1,
        "sobjectType": "Contact",
    }
    assert (scan["leadingOperationType"], scan["fields"]) == ("TableScan", [])
    said = "Not considering filter for optimization because unindexed"
    assert index["notes"] == [
        {"description": said, "fields": [name], "tableEnumOrId": "Contact"} for name in ("Title", "IsDeleted")
    ]


@soql_feature("a mistake in what is to be explained is refused", refused=True)
def test_a_wrong_query_is_not_explained(client: httpx2.Client) -> None:
    assert (
        client.get("/query", params={"explain": "SELECT Nope FROM Contact"}).json()[0]["errorCode"] == "INVALID_FIELD"
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param(method, path, marks=soql_feature("SOSL is refused", refused=True, endpoint=f"{method} {path}"))
        for method, path in (("GET", "/search"), ("GET", "/parameterizedSearch"), ("POST", "/parameterizedSearch"))
    ],
)
def test_sosl_is_refused(client: httpx2.Client, method: str, path: str) -> None:
    answer = client.request(method, path, params={"q": "FIND {Acme}"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "FUNCTIONALITY_NOT_ENABLED")
