"""How SOQL shows values: FORMAT(), aliases of functions, and parents that FROM gives a name."""

from collections.abc import Callable
from typing import Any

import pytest

from integration.orgsim.soqlmarks import soql_feature
from orgsim.clock import ClockSetting, parse_datetime
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module", autouse=True)
def records(running: RunningOrgsim) -> None:
    running.state.set_clock(ClockSetting(frozen_at=parse_datetime("2024-04-09T15:07:00Z")))
    writer = running.writer()
    account = writer.insert("Account", {"Name": "Acme", "AnnualRevenue": 1234567.5, "Industry": "Energy"})
    deal: dict[str, object] = {"StageName": "Prospecting", "AccountId": account, "Probability": 10}
    for name, amount, close in (
        ("Loss", -1234.5, "2024-02-03"),
        ("Gain", 0.25, "2023-12-28"),
        ("None", None, "2024-01-01"),
    ):
        writer.insert("Opportunity", {**deal, "Name": name, "Amount": amount, "CloseDate": close})


@soql_feature("FORMAT() of numbers, amounts, percents, dates and datetimes")
def test_values_are_formatted(soql: Soql) -> None:
    [row] = soql(
        "SELECT FORMAT(Amount), FORMAT(CloseDate), FORMAT(CreatedDate), FORMAT(Probability), FORMAT(FiscalYear) "
        "FROM Opportunity WHERE Name = 'Loss'"
    )
    assert row == {
        "Amount": "-$1,234.50",
        "CloseDate": "2/3/2024",
        "CreatedDate": "4/9/2024, 3:07 PM",
        "Probability": "10%",
        "FiscalYear": "2,024",
    }
    [row] = soql("SELECT FORMAT(Amount), FORMAT(CloseDate) FROM Opportunity WHERE Name = 'Gain'")
    assert row == {"Amount": "$0.25", "CloseDate": "12/28/2023"}
    assert soql("SELECT FORMAT(Amount) FROM Opportunity WHERE Name = 'None'") == [{"Amount": None}]


@soql_feature("FORMAT() shows datetimes in the asker's time zone")
def test_moments_are_formatted_in_the_askers_zone(running: RunningOrgsim, soql: Soql) -> None:
    writer = running.writer()
    writer.update("User", running.production_user_id, {"TimeZoneSidKey": "Asia/Kolkata"})
    try:
        assert soql("SELECT FORMAT(CreatedDate) FROM Account") == [{"CreatedDate": "4/9/2024, 8:37 PM"}]
    finally:
        writer.update("User", running.production_user_id, {"TimeZoneSidKey": "GMT"})


@soql_feature("FORMAT() and toLabel() take aliases, also beside their field")
def test_functions_take_aliases(soql: Soql) -> None:
    [row] = soql("SELECT AnnualRevenue, FORMAT(AnnualRevenue) shown, toLabel(Industry) kind FROM Account")
    assert row == {"AnnualRevenue": 1234567.5, "shown": "$1,234,567.50", "kind": "Energy"}


@soql_feature("FORMAT() of a parent's field stands in its place")
def test_a_formatted_parent_stays_a_parent(soql: Soql) -> None:
    [row] = soql(
        "SELECT FORMAT(Account.AnnualRevenue), FORMAT(Account.AnnualRevenue) r FROM Opportunity WHERE Name = 'Gain'"
    )
    assert (row["Account"]["AnnualRevenue"], row["r"]) == ("$1,234,567.50", "$1,234,567.50")


@soql_feature("FORMAT() around an aggregate")
def test_aggregates_are_formatted(soql: Soql) -> None:
    [row] = soql("SELECT FORMAT(MIN(CloseDate)) first, FORMAT(SUM(Amount)) FROM Opportunity")
    assert row == {"first": "12/28/2023", "expr0": "-$1,234.25"}


@soql_feature("aliases of the object and its parents in FROM")
def test_parents_may_have_names(soql: Soql) -> None:
    query = "SELECT o.Name FROM Opportunity o, o.Account a, a.Owner u WHERE a.Name = 'Acme' AND u.Name LIKE 'Ada%'"
    assert [row["Name"] for row in soql(f"{query} ORDER BY o.Name")] == ["Gain", "Loss", "None"]
    [row] = soql("SELECT a.Name FROM Opportunity o, o.Account a WHERE o.Name = 'Gain'")
    assert row["Account"]["Name"] == "Acme"
