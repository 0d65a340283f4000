"""What holds for every org: shares are exact, and only what matters changes anything."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.common.money import split_cents, to_cents
from unit.attribution.conftest import MODELS, Org, Outcome

MARTS = ("buyer_touchpoint", "attribution_touchpoint", "share", "explanation", "channel_revenue")
PEOPLE = ("ann", "bob", "cid")
MONTHS = [f"2020-{month:02d}-01" for month in range(1, 13)]


@dataclass(frozen=True)
class Touch:
    person: str
    is_form: bool
    at: str


@dataclass(frozen=True)
class Deal:
    created: str
    closed: str | None
    amount: Decimal | None
    won: bool


TOUCHES = st.lists(st.builds(Touch, st.sampled_from(PEOPLE), st.booleans(), st.sampled_from(MONTHS)), max_size=12)
AMOUNTS = st.none() | st.decimals(-(10**10), 10**10, places=2)
DEALS = st.lists(
    st.builds(Deal, st.sampled_from(MONTHS), st.none() | st.sampled_from(MONTHS), AMOUNTS, st.booleans()),
    min_size=1,
    max_size=3,
)


def org_of(touches: list[Touch], deals: list[Deal]) -> Org:
    org = Org()
    for person in PEOPLE:
        org.contact(person, created="2020-04-01")
    for place, touch in enumerate(touches):
        (org.form if touch.is_form else org.visit)(f"touch{place:02d}", touch.person, touch.at, f"Channel {place % 3}")
    for place, deal in enumerate(deals):
        amount = None if deal.amount is None else str(deal.amount)
        org.opportunity(f"opp{place}", created=deal.created, closed=deal.closed, won=deal.won, amount=amount)
    return org


def marts(outcome: Outcome) -> dict[str, list[Any]]:
    shown = {mart: outcome.rows(f"SELECT * FROM {mart} ORDER BY ALL") for mart in MARTS}
    outcome.connection.close()
    return shown


def shares_by_model(outcome: Outcome) -> dict[tuple[str, str], list[tuple[int, int, int | None]]]:
    shares: dict[tuple[str, str], list[tuple[int, int, int | None]]] = {}
    for opportunity, model, *share in outcome.rows(
        "SELECT opportunity_id, model, weight_numerator, weight_denominator, amount_cents FROM share ORDER BY place"
    ):
        shares.setdefault((opportunity, model), []).append(tuple(share))
    return shares


@settings(max_examples=20, deadline=None)
@given(touches=TOUCHES, deals=DEALS)
def test_weights_sum_to_one_and_cents_to_the_amount(touches: list[Touch], deals: list[Deal]) -> None:
    outcome = org_of(touches, deals).attributed()
    shares = shares_by_model(outcome)
    credited = {row[0] for row in outcome.rows("SELECT opportunity_id FROM attribution_touchpoint")}
    assert set(shares) == {(opportunity, model) for opportunity in credited for model in MODELS}
    for (opportunity, _), rows in shares.items():
        amount = deals[int(opportunity.removeprefix("opp"))].amount
        assert sum(Fraction(numerator, denominator) for numerator, denominator, _ in rows) == 1
        weights, cents = [row[0] for row in rows], [row[2] for row in rows]
        assert cents == ([None] * len(rows) if amount is None else split_cents(to_cents(amount), weights))


@settings(max_examples=8, deadline=None)
@given(touches=TOUCHES, deals=DEALS, data=st.data())
def test_the_order_of_records_does_not_matter(touches: list[Touch], deals: list[Deal], data: st.DataObject) -> None:
    org = org_of(touches, deals)
    expected = marts(org.attributed())
    for name, rows in org.rows.items():
        org.rows[name] = data.draw(st.permutations(rows), label=name)
    assert marts(org.attributed()) == expected


@settings(max_examples=8, deadline=None)
@given(
    touches=TOUCHES, deals=DEALS, late=st.builds(Touch, st.sampled_from(PEOPLE), st.booleans(), st.just("2021-02-01"))
)
def test_a_touch_after_the_close_changes_nothing(touches: list[Touch], deals: list[Deal], late: Touch) -> None:
    closed = [deal for deal in deals if deal.closed]
    before, after = org_of(touches, closed).attributed(), org_of([*touches, late], closed).attributed()
    names = [mart for mart in MARTS if mart != "buyer_touchpoint"]
    first, second = marts(before), marts(after)
    assert [first[name] for name in names] == [second[name] for name in names]


@settings(max_examples=8, deadline=None)
@given(cents=st.integers(-(10**15), 10**15), forms=st.integers(1, 9))
def test_the_two_writings_of_the_largest_remainder_agree(cents: int, forms: int) -> None:
    amount = Decimal(cents).scaleb(-2)
    touches = [Touch("ann", is_form=True, at=f"2020-01-{day:02d}") for day in range(1, forms + 1)]
    outcome = org_of(touches, [Deal("2020-06-01", "2020-07-01", amount, won=True)]).attributed()
    for rows in shares_by_model(outcome).values():
        assert [row[2] for row in rows] == split_cents(cents, [row[0] for row in rows])
