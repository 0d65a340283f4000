"""Several currencies: records in their own, conversion, comparison and sums at plain and dated rates (facts C.40)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from integration.orgsim.soqlmarks import soql_feature
from orgsim.cli import app
from orgsim.edits.convert import Conversion, convert_lead
from orgsim.store.state import State
from orgsim.testing import PASSWORD, RunningOrgsim, running_orgsim

Soql = Callable[[str], list[dict[str, Any]]]
SOURCE = "facts C.40"
DEALS = (  # name, currency, amount, close date; 1 USD = 0.8 EUR (0.5 before 2024) = 100 JPY
    ("dollar", "USD", 100, "2024-02-01"),
    ("euro", "EUR", 100, "2024-02-01"),
    ("old euro", "EUR", 100, "2023-02-01"),
    ("yen", "JPY", 9000, "2024-02-01"),
    ("nothing", "EUR", None, "2024-02-01"),
)


@pytest.fixture(scope="module", autouse=True)
def rates(running: RunningOrgsim) -> dict[str, str]:
    """Dollars, euros with a dated rate, yen without decimals, and francs that are not active; five opportunities."""
    url = f"{running.url}/orgsim/orgs/{running.production.org_id}/currencies"
    for wish in (
        {"corporate": "USD"},
        {"code": "EUR", "rate": "0.8"},
        {"code": "EUR", "rate": "0.5", "from": "2020-01-01"},
        {"code": "EUR", "rate": "0.8", "from": "2024-01-01"},
        {"code": "JPY", "rate": 100, "decimals": 0},
        {"code": "CHF", "rate": "0.9", "active": False},
    ):
        answer = httpx2.post(url, json=wish)
        assert answer.status_code == 200, answer.text
    writer = running.writer()
    account = writer.insert("Account", {"Name": "Acme", "AnnualRevenue": 1000, "CurrencyIsoCode": "EUR"})
    made = {"Acme": account}
    for name, code, amount, close in DEALS:
        values: dict[str, object] = {"Name": name, "StageName": "Prospecting", "CloseDate": close, "Amount": amount}
        made[name] = writer.insert("Opportunity", {**values, "CurrencyIsoCode": code, "AccountId": account})
    return made


@pytest.fixture
def as_european(running: RunningOrgsim) -> Iterator[None]:
    writer = running.writer()
    writer.update("User", running.production_user_id, {"DefaultCurrencyIsoCode": "EUR"})
    yield
    writer.update("User", running.production_user_id, {"DefaultCurrencyIsoCode": "USD"})


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["Name"] for row in rows]


@soql_feature("CurrencyType: currencies and their rates", SOURCE)
@soql_feature("DatedConversionRate: rates by their first day", SOURCE)
def test_currencies_can_be_queried(soql: Soql) -> None:
    rows = soql(
        "SELECT IsoCode, ConversionRate, DecimalPlaces, IsActive, IsCorporate FROM CurrencyType ORDER BY IsoCode"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("CHF", 0.9, 2, False, False),
        ("EUR", 0.8, 2, True, False),
        ("JPY", 100, 0, True, False),
        ("USD", 1, 2, True, True),
    ]
    rows = soql("SELECT IsoCode, StartDate, NextStartDate, ConversionRate FROM DatedConversionRate ORDER BY StartDate")
    assert [tuple(row.values()) for row in rows] == [
        ("EUR", "2020-01-01", "2024-01-01", 0.5),
        ("EUR", "2024-01-01", None, 0.8),
    ]


@pytest.mark.conformance(area="REST", feature="CurrencyIsoCode in describes, with the active currencies", source=SOURCE)
def test_describes_show_the_currency(client: httpx2.Client) -> None:
    for name in ("Opportunity", "Account", "Contact", "User", "OpportunityHistory"):
        fields = {each["name"]: each for each in client.get(f"/sobjects/{name}/describe").json()["fields"]}
        field = fields["CurrencyIsoCode"]
        assert (field["type"], field["restrictedPicklist"]) == ("picklist", True)
        assert [each["value"] for each in field["picklistValues"]] == ["EUR", "JPY", "USD"]
        assert ("DefaultCurrencyIsoCode" in fields) == (name == "User")


@pytest.mark.conformance(area="REST", feature="a new record has the currency of who makes it", source=SOURCE)
@pytest.mark.conformance(area="REST", feature="unknown or inactive currencies are refused", source=SOURCE, refused=True)
def test_records_are_in_a_currency(client: httpx2.Client, soql: Soql, as_european: None) -> None:
    made = client.post("/sobjects/Lead", json={"LastName": "Ek", "Company": "Ask"}).json()["id"]
    assert client.get(f"/sobjects/Lead/{made}").json()["CurrencyIsoCode"] == "EUR"
    for code in ("CHF", "XXX"):
        [error] = client.patch(f"/sobjects/Lead/{made}", json={"CurrencyIsoCode": code}).json()
        assert error["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        assert error["message"] == f"Currency ISO Code: bad value for restricted picklist field: {code}"
    assert client.patch(f"/sobjects/Lead/{made}", json={"CurrencyIsoCode": "JPY"}).status_code == 204
    assert soql(f"SELECT CurrencyIsoCode FROM Lead WHERE Id = '{made}'") == [{"CurrencyIsoCode": "JPY"}]


@pytest.mark.conformance(
    area="Truth about data", feature="conversion and stage history keep the currency", source=SOURCE
)
def test_what_is_made_of_a_record_has_its_currency(running: RunningOrgsim, soql: Soql) -> None:
    writer = running.writer()
    lead = writer.insert("Lead", {"LastName": "Al", "Company": "Yen Co", "CurrencyIsoCode": "JPY"})
    made = convert_lead(writer, lead, Conversion(opportunity_name="Yen deal"))
    for name, record_id in (("Account", made.account_id), ("Contact", made.contact_id)):
        assert soql(f"SELECT CurrencyIsoCode FROM {name} WHERE Id = '{record_id}'") == [{"CurrencyIsoCode": "JPY"}]
    history = f"SELECT CurrencyIsoCode FROM OpportunityHistory WHERE OpportunityId = '{made.opportunity_id}'"
    assert soql(history) == [{"CurrencyIsoCode": "JPY"}]
    writer.delete("Opportunity", str(made.opportunity_id))
    writer.delete("Account", made.account_id)


@soql_feature("amounts are in the currency of their record", SOURCE)
@soql_feature("convertCurrency() into the asker's currency", SOURCE)
@soql_feature("dated rates of an opportunity by its close date", SOURCE)
def test_amounts_are_converted(soql: Soql) -> None:
    rows = soql("SELECT Name, Amount, convertCurrency(Amount) mine FROM Opportunity")
    assert {row["Name"]: (row["Amount"], row["mine"]) for row in rows} == {
        "dollar": (100, 100),
        "euro": (100, 125),
        "old euro": (100, 200),
        "yen": (9000, 90),
        "nothing": (None, None),
    }
    [row] = soql(
        "SELECT convertCurrency(Amount), convertCurrency(Account.AnnualRevenue) FROM Opportunity WHERE Name = 'euro'"
    )
    assert (row["Amount"], row["Account"]["AnnualRevenue"]) == (125, 1250)


@soql_feature("convertCurrency() for a user of another currency than the org's", SOURCE)
def test_amounts_are_converted_for_the_asker(soql: Soql, as_european: None) -> None:
    rows = soql("SELECT Name, convertCurrency(Amount) FROM Opportunity WHERE Amount != null")
    assert {row["Name"]: row["Amount"] for row in rows} == {"dollar": 80, "euro": 100, "old euro": 100, "yen": 72}


@soql_feature("comparing with a currency literal, USD5000", SOURCE)
@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("Amount > USD100", ["euro", "old euro"]),
        ("Amount >= usd100", ["dollar", "euro", "old euro"]),
        ("Amount = EUR100", ["euro", "old euro"]),
        ("Amount = JPY12500", ["euro"]),
        ("Amount != USD100", ["euro", "nothing", "old euro", "yen"]),
        ("Amount < USD90.01", ["yen"]),
        ("Amount IN (USD100, USD200)", ["dollar", "old euro"]),
        ("Amount NOT IN (USD100, USD200)", ["euro", "nothing", "yen"]),
        ("NOT Amount > USD100", ["dollar", "nothing", "yen"]),
        ("Account.AnnualRevenue = USD1250 AND Amount = USD200", ["old euro"]),
    ],
)
def test_amounts_compare_across_currencies(soql: Soql, condition: str, found: list[str]) -> None:
    assert names(soql(f"SELECT Name FROM Opportunity WHERE {condition} ORDER BY Name")) == found


@soql_feature("comparing with a bare number is by the number alone", SOURCE)
def test_bare_numbers_compare_with_the_stored_amount(soql: Soql) -> None:
    assert names(soql("SELECT Name FROM Opportunity WHERE Amount > 100")) == ["yen"]


@soql_feature("ORDER BY an amount goes by its worth in the org's currency", SOURCE)
def test_amounts_are_sorted_by_their_worth(soql: Soql) -> None:
    rows = soql("SELECT Name FROM Opportunity ORDER BY Amount DESC NULLS LAST")
    assert names(rows) == ["old euro", "euro", "dollar", "yen", "nothing"]


@soql_feature("SUM, AVG, MIN and MAX of amounts in the org's currency", SOURCE)
@soql_feature("HAVING over amounts in the org's currency", SOURCE)
def test_aggregates_are_in_the_orgs_currency(soql: Soql, as_european: None) -> None:
    [row] = soql(
        "SELECT SUM(Amount) s, AVG(Amount) a, MIN(Amount) low, MAX(Amount) high, COUNT(Amount) n FROM Opportunity"
    )
    assert row == {"s": 515, "a": 128.75, "low": 90, "high": 200, "n": 4}
    rows = soql(
        "SELECT CurrencyIsoCode, SUM(Amount) s FROM Opportunity GROUP BY CurrencyIsoCode HAVING MAX(Amount) > 95 "
        "ORDER BY SUM(Amount)"
    )
    assert rows == [{"CurrencyIsoCode": "USD", "s": 100}, {"CurrencyIsoCode": "EUR", "s": 325}]


@soql_feature("FORMAT() shows code, amount and the asker's currency", SOURCE)
def test_amounts_are_written_out(soql: Soql, as_european: None) -> None:
    query = "SELECT FORMAT(Amount) own, FORMAT(convertCurrency(Amount)) mine FROM Opportunity WHERE Name = '{}'"
    assert soql(query.format("yen")) == [{"own": "JPY 9,000 (EUR 72.00)", "mine": "EUR 72.00"}]
    assert soql(query.format("euro")) == [{"own": "EUR 100.00", "mine": "EUR 100.00"}]
    assert soql(query.format("nothing")) == [{"own": None, "mine": None}]
    assert soql("SELECT FORMAT(SUM(Amount)) total FROM Opportunity") == [{"total": "USD 515.00 (EUR 412.00)"}]


@soql_feature("sums are exact to the cent", SOURCE)
def test_conversion_rounds_each_amount_once(running: RunningOrgsim, soql: Soql) -> None:
    writer = running.writer()
    values: dict[str, object] = {"Company": "cents", "LastName": "cents", "CurrencyIsoCode": "EUR"}
    made = [
        writer.insert("Lead", {**values, "AnnualRevenue": amount}) for amount in ("0.01", "0.10", "123456789012.34")
    ]
    [row] = soql("SELECT SUM(AnnualRevenue) s FROM Lead WHERE Company = 'cents'")
    assert row["s"] == 0.01 + 0.13 + 154320986265.43
    for each in made:
        writer.purge("Lead", each)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT Id FROM Opportunity WHERE convertCurrency(Amount) > 5", "unexpected token: 'convertCurrency'"),
        ("SELECT Id FROM Opportunity ORDER BY convertCurrency(Amount)", "unexpected token: 'convertCurrency'"),
        ("SELECT convertCurrency(SUM(Amount)) FROM Opportunity", "unexpected token: 'convertCurrency'"),
        ("SELECT convertCurrency(Probability) FROM Opportunity", "field 'Probability' is not a currency field"),
        (
            "SELECT Name FROM Opportunity GROUP BY Name HAVING MAX(Amount) > USD5",
            "unexpected token: 'USD5'",
        ),
        ("SELECT Id FROM Opportunity WHERE Amount > CHF5", "Invalid currency: CHF"),
        ("SELECT Id FROM Opportunity WHERE Amount > XXX5", "Invalid currency: XXX"),
        ("SELECT Id FROM Opportunity WHERE Amount IN (USD5, 5)", "IN cannot mix values with and without a currency"),
    ],
)
@soql_feature("convertCurrency() in WHERE, in ORDER BY and of an aggregate is refused", SOURCE, refused=True)
@soql_feature(
    "currency literals in HAVING, of inactive currencies and beside numbers are refused", SOURCE, refused=True
)
def test_what_cannot_be_asked_is_refused(client: httpx2.Client, query: str, message: str) -> None:
    answer = client.get("/query", params={"q": query})
    [error] = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, "MALFORMED_QUERY")
    assert message in error["message"]


@soql_feature("a currency literal for something that is no amount is refused", SOURCE, refused=True)
def test_literals_are_for_amounts(client: httpx2.Client) -> None:
    answer = client.get("/query", params={"q": "SELECT Id FROM Opportunity WHERE Name = USD5"}).json()
    assert answer[0]["errorCode"] == "INVALID_FIELD"


@soql_feature("an org with one currency has neither CurrencyIsoCode nor CurrencyType", SOURCE, refused=True)
def test_an_org_with_one_currency_knows_none_of_it(tmp_path: Path) -> None:
    with running_orgsim(tmp_path) as one:
        headers = {"Authorization": f"Bearer {one.access_token()}"}
        for query, code in (
            ("SELECT CurrencyIsoCode FROM Account", "INVALID_FIELD"),
            ("SELECT Id FROM CurrencyType", "INVALID_TYPE"),
            ("SELECT Id FROM Opportunity WHERE Amount > USD5", "MALFORMED_QUERY"),
        ):
            answer = httpx2.get(f"{one.url}/services/data/v60.0/query", params={"q": query}, headers=headers)
            assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


@pytest.mark.conformance(area="Levers", feature="currencies and rates from the command line", source="reference.md")
def test_currencies_are_set_by_command(tmp_path: Path) -> None:
    def run(*words: str) -> Any:
        answer = CliRunner().invoke(app, [*words, "--state", str(tmp_path), "--json"])
        assert answer.exit_code == 0, answer.output
        return orjson.loads(answer.stdout)

    run("seed", "--records", "300", "--user", "a@b.example", "--password", PASSWORD, "--currencies", "EUR,PLN=4")
    told = run("currency", "list")
    assert [(each["IsoCode"], each["ConversionRate"]) for each in told["currencies"]] == [
        ("EUR", 0.92),
        ("PLN", 4.0),
        ("USD", 1.0),
    ]
    assert run("currency", "add", "JPY", "150", "--decimals", "0")["currencies"][1]["DecimalPlaces"] == 0
    assert run("currency", "rate", "EUR", "2024-01-01", "0.9")["dated_rates"][0]["StartDate"] == "2024-01-01"


@pytest.mark.conformance(area="Levers", feature="a seeded history in several currencies", source="reference.md")
def test_a_history_is_in_several_currencies(tmp_path: Path) -> None:
    words = ["seed", "--state", str(tmp_path), "--records", "400", "--user", "a@b.example", "--password", PASSWORD]
    assert CliRunner().invoke(app, [*words, "--currencies", "EUR,GBP"]).exit_code == 0
    state = State(tmp_path)
    [org] = state.orgs()
    connection = org.database.connect()
    codes = connection.execute('SELECT DISTINCT "CurrencyIsoCode" FROM "Account" ORDER BY 1').fetchall()
    apart = 'SELECT count(*) FROM "Opportunity" o JOIN "Account" a ON a."Id" = o."AccountId" WHERE o.{0} != a.{0}'
    assert [each[0] for each in codes] == ["EUR", "GBP", "USD"]
    assert connection.execute(apart.format('"CurrencyIsoCode"')).fetchone() == (0,)
    state.close()
