"""SOQL over kinds of fields with rules of their own: multi-select picklists, long texts, and FIELDS() of each kind."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from integration.orgsim.deploying import XMLNS, Finished, deploy, field, problems
from integration.orgsim.soqlmarks import shows, soql_feature
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]
HOBBIES = "".join(f"<value><fullName>{name}</fullName></value>" for name in ("Chess", "Golf", "Tea"))


@pytest.fixture
def hobbies(running: RunningOrgsim, client: httpx2.Client, finished: Finished) -> None:
    """Contacts with a long text and hobbies: none, one, two, three."""
    if running.production.catalog().get("Contact").find("Hobbies__c"):
        return
    multi = field("Hobbies__c", "MultiselectPicklist", valueSet=f"<valueSetDefinition>{HOBBIES}</valueSetDefinition>")
    notes = field("Notes__c", "LongTextArea", length=5000)
    package = {"objects/Contact.object": f"<CustomObject {XMLNS}>{multi}{notes}</CustomObject>"}
    result = deploy(client, finished, package)
    assert result["status"] == "Succeeded", problems(result)
    writer = running.writer()
    for name, chosen in (("Al", None), ("Bo", "Chess"), ("Cy", "Chess;Tea"), ("Di", "Chess;Golf;Tea")):
        writer.insert("Contact", {"LastName": name, "Hobbies__c": chosen, "Notes__c": "x"})


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        shows("INCLUDES: one of the values listed", "INCLUDES ('Golf', 'Tea')", ["Cy", "Di"]),
        shows("INCLUDES 'a;b': both at once", "includes ('Chess;Golf')", ["Di"]),
        shows("EXCLUDES", "EXCLUDES ('Golf', 'Tea')", ["Al", "Bo"]),
        shows("= on a multi-select picklist means exactly these values", "= 'Chess;Tea'", ["Cy"]),
        ("= null", ["Al"]),
    ],
)
def test_multi_select_picklists_are_searched(soql: Soql, hobbies: None, condition: str, found: list[str]) -> None:
    rows = soql(f"SELECT LastName FROM Contact WHERE Hobbies__c {condition} ORDER BY LastName")
    assert [row["LastName"] for row in rows] == found


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        shows(
            "ORDER BY a multi-select picklist is refused",
            "SELECT Id FROM Contact ORDER BY Hobbies__c",
            "MALFORMED_QUERY",
            "field 'Hobbies__c' can not be sorted in a query call",
            refused=True,
        ),
        shows(
            "GROUP BY a multi-select picklist is refused",
            "SELECT COUNT(Id) FROM Contact GROUP BY Hobbies__c",
            "MALFORMED_QUERY",
            "field 'Hobbies__c' can not be grouped in a query call",
            refused=True,
        ),
        shows(
            "INCLUDES on another kind of field is refused",
            "SELECT Id FROM Contact WHERE LastName INCLUDES ('x')",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on string field",
            refused=True,
        ),
        shows(
            "ORDER BY, GROUP BY and conditions on a long text are refused",
            "SELECT Id FROM Contact ORDER BY Notes__c",
            "MALFORMED_QUERY",
            "field 'Notes__c' can not be sorted in a query call",
            refused=True,
        ),
        (
            "SELECT COUNT(Id) FROM Contact GROUP BY Notes__c",
            "MALFORMED_QUERY",
            "field 'Notes__c' can not be grouped in a query call",
        ),
        (
            "SELECT Id FROM Contact WHERE Notes__c = 'x'",
            "INVALID_FIELD",
            "field 'Notes__c' can not be filtered in a query call",
        ),
        shows(
            "HAVING without GROUP BY is refused",
            "SELECT COUNT(Id) FROM Contact HAVING COUNT(Id) > 1",
            "MALFORMED_QUERY",
            "HAVING clause requires a GROUP BY clause",
            refused=True,
        ),
        shows(
            "MIN and MAX of ids are refused",
            "SELECT MAX(AccountId) FROM Contact",
            "MALFORMED_QUERY",
            "field AccountId does not support aggregate operator MAX",
            refused=True,
        ),
        shows(
            "< and > on null are refused",
            "SELECT Id FROM Contact WHERE LastName > null",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on null",
            refused=True,
        ),
    ],
)
def test_what_a_kind_of_field_cannot_do_is_refused(
    client: httpx2.Client, hobbies: None, query: str, code: str, message: str
) -> None:
    answer = client.get("/query", params={"q": query})
    [error] = answer.json()
    assert (answer.status_code, error["errorCode"], message in error["message"]) == (400, code, True), error


@soql_feature("FIELDS(STANDARD), without a LIMIT")
@soql_feature("FIELDS(CUSTOM) with LIMIT 200")
def test_fields_stands_for_fields_of_a_kind(soql: Soql, hobbies: None) -> None:
    standard = soql("SELECT FIELDS(STANDARD) FROM Contact WHERE LastName = 'Bo'")[0]
    custom = soql("SELECT FIELDS(CUSTOM) FROM Contact WHERE LastName = 'Bo' LIMIT 200")[0]
    assert custom == {"Hobbies__c": "Chess", "Notes__c": "x"}
    assert standard["LastName"] == "Bo"
    assert not custom.keys() & standard.keys()


@pytest.mark.parametrize(
    "mode", [shows(f"WITH {mode}", mode) for mode in ("SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE")]
)
def test_modes_of_access_are_accepted(soql: Soql, hobbies: None, mode: str) -> None:
    assert soql(f"SELECT LastName FROM Contact WHERE LastName = 'Bo' WITH {mode} LIMIT 1") == [{"LastName": "Bo"}]
