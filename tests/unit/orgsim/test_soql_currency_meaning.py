"""A second, plain reading of amounts in several currencies, by decimals in Python, agrees with SOQL's."""

import json
import operator
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from orgsim.oauth.users import NewUser, add_user
from orgsim.soql.plan import Asker, first_page
from orgsim.store.currencies import Currency, enable_currencies, keep_currency, keep_dated_rate
from orgsim.store.state import NewOrg, State
from orgsim.store.write import Writer

RATES = {"USD": Decimal(1), "EUR": Decimal("0.923457"), "GBP": Decimal("0.7"), "JPY": Decimal("151.25")}
LATER, LATER_RATE = "2024-07-01", Decimal("0.85")  # of euros
ROWS = [
    (code, amount, close)
    for code in RATES
    for amount, close in (("0.01", "2024-01-01"), ("1234.56", "2024-07-01"), ("-99.99", "2024-12-31"), (None, LATER))
]
SIGNS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
CENT = Decimal("0.01")


def rate(code: str, close: str) -> Decimal:
    return LATER_RATE if code == "EUR" and close >= LATER else RATES[code]


def worth(code: str, amount: str, close: str, wanted: str) -> Decimal:
    exact = Decimal(amount) * rate(wanted, close) / rate(code, close)
    return exact.quantize(CENT, rounding=ROUND_HALF_UP)


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """Sixteen opportunities, numbered by their quantity; who asks has pounds."""
    state = State(tmp_path_factory.mktemp("currencies"))
    org = state.create_org(NewOrg(name="Acme"))
    writer = Writer(org, add_user(org, NewUser("admin@acme.example", "test-password-1")))
    enable_currencies(org, writer.user_id)
    for code in ("EUR", "GBP", "JPY"):
        keep_currency(org, writer.user_id, Currency(code, str(RATES[code])))
    keep_dated_rate(org, writer.user_id, "EUR", LATER, str(LATER_RATE))
    for number, (code, amount, close) in enumerate(ROWS):
        deal: dict[str, object] = {"Name": "Deal", "StageName": "Prospecting", "TotalOpportunityQuantity": number}
        writer.insert("Opportunity", {**deal, "CurrencyIsoCode": code, "Amount": amount, "CloseDate": close})
    writer.update("User", writer.user_id, {"DefaultCurrencyIsoCode": "GBP"})
    yield Asker(org, writer.user_id, "60.0")
    state.close()


def asked(asker: Asker, query: str) -> list[dict[str, object]]:
    return [json.loads(text) for text in first_page(asker, query, all_rows=False, batch_rows=2000).records]


@pytest.mark.conformance(area="SOQL", feature="a second reading of currency literals agrees", source="facts C.40")
@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(RATES)),
    st.sampled_from(["0.01", "1234.56", "-99.99", "0", "1", "1000.005", "-0.5"]),
    st.sampled_from(sorted(SIGNS)),
    st.booleans(),
)
def test_two_readings_of_a_currency_literal_agree(asker: Asker, code: str, value: str, sign: str, is_not: bool) -> None:
    def holds(row: tuple[str, str | None, str]) -> bool:
        own, amount, close = row
        if amount is None:
            return False
        return bool(SIGNS[sign](Decimal(amount) * rate(code, close), Decimal(value) * rate(own, close)))

    condition = f"{'NOT ' if is_not else ''}Amount {sign} {code}{value}"
    query = f"SELECT TotalOpportunityQuantity FROM Opportunity WHERE {condition} ORDER BY TotalOpportunityQuantity"
    note(query)
    found = [row["TotalOpportunityQuantity"] for row in asked(asker, query)]
    assert found == [number for number, row in enumerate(ROWS) if holds(row) != is_not]


@pytest.mark.conformance(
    area="SOQL", feature="a second reading of converted amounts and sums agrees", source="facts C.40"
)
def test_two_readings_of_conversion_agree(asker: Asker) -> None:
    rows = asked(asker, "SELECT TotalOpportunityQuantity, convertCurrency(Amount) mine FROM Opportunity")
    for row in rows:
        code, amount, close = ROWS[int(str(row["TotalOpportunityQuantity"]).removesuffix(".0"))]
        assert row["mine"] == (None if amount is None else float(worth(code, amount, close, "GBP")))
    for code in RATES:
        amounts = [worth(own, amount, close, "USD") for own, amount, close in ROWS if amount and own == code]
        query = (
            f"SELECT SUM(Amount) s, MIN(Amount) low, MAX(Amount) high FROM Opportunity WHERE CurrencyIsoCode = '{code}'"
        )
        [told] = asked(asker, query)
        assert (told["s"], told["low"], told["high"]) == tuple(map(float, (sum(amounts), min(amounts), max(amounts))))
