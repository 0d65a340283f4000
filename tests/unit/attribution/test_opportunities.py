"""Which touches an opportunity credits, and what they hold."""

from decimal import Decimal

import pytest

from headwater.attribution import Mapping, ModelSum, Rules
from unit.attribution.conftest import MODELS, Org


def org_with_ann(**opportunity: str) -> Org:
    org = Org()
    org.contact("ann")
    org.opportunity(**{"created": "2020-03-01", **opportunity})  # type: ignore[arg-type]  # parameters of Org.opportunity
    return org


def test_a_touchpoint_names_its_opportunity_account_contact_and_event() -> None:
    org = org_with_ann(closed="2020-06-01")
    org.form("form", "ann", "2020-01-01")
    query = (
        "SELECT unique_id, user_touchpoint_id, opportunity_id, account_id, contact_id, touch_id, count_full_path, "
        "revenue_cents_full_path FROM attribution_touchpoint"
    )
    assert org.attributed().rows(query) == [
        ("BAT2_opp_ann_form", "ann@example.com_form", "opp", "acme", "ann", "form", Decimal(1), 10_000)
    ]


def test_the_day_of_the_close_still_counts_and_the_next_does_not() -> None:
    org = org_with_ann(closed="2020-06-01")
    org.form("first", "ann", "2020-01-01")
    org.form("last minute", "ann", "2020-06-01 23:59:59")
    org.form("late", "ann", "2020-06-02")
    assert org.attributed().positions() == {"first": "FT, LC, OC, Form", "last minute": "Closed, Form"}


def test_an_open_opportunity_accepts_touches_after_its_expected_close() -> None:
    org = org_with_ann()
    org.form("form", "ann", "2029-12-31")
    assert org.attributed().positions() == {"form": "FT, LC, OC, Form"}


def test_oc_may_fall_on_the_very_moment_of_creation_and_on_a_visit() -> None:
    org = org_with_ann(created="2020-03-01 10:00")
    org.form("form", "ann", "2020-01-01")
    org.visit("at", "ann", "2020-03-01 10:00")
    org.visit("after", "ann", "2020-03-01 10:01")
    assert org.attributed().positions() == {"form": "FT, LC, Form", "at": "OC", "after": ""}


def test_without_a_touch_before_creation_oc_is_the_earliest_after() -> None:
    org = org_with_ann()
    org.form("first", "ann", "2020-04-01")
    org.form("second", "ann", "2020-05-01")
    assert org.attributed().positions() == {"first": "FT, LC, OC, Form", "second": "Form"}


def test_among_touches_of_one_moment_the_lower_id_is_first_and_the_higher_last() -> None:
    org = org_with_ann(closed="2020-06-01")
    for key in ("c", "a", "b"):
        org.form(key, "ann", "2020-01-01")
    rows = org.attributed().rows("SELECT touch_id, positions FROM attribution_touchpoint ORDER BY touch_id")
    assert rows == [("a", "FT, LC, Form"), ("b", "Form"), ("c", "OC, Closed, Form")]


def test_visits_without_a_milestone_are_not_on_the_opportunity() -> None:
    org = org_with_ann(closed="2020-06-01")
    org.form("form", "ann", "2020-01-01")
    org.visit("between", "ann", "2020-02-01")
    org.visit("oc", "ann", "2020-02-02")
    org.visit("on the way", "ann", "2020-04-01")
    org.visit("closed", "ann", "2020-05-01")
    assert org.attributed().positions() == {"form": "FT, LC, Form", "oc": "OC", "closed": "Closed"}


def test_a_lost_opportunity_is_attributed_and_adds_no_revenue() -> None:
    org = Org()
    org.contact("ann")
    org.opportunity(created="2020-03-01", closed="2020-06-01", won=False, amount=700)
    org.form("form", "ann", "2020-01-01")
    outcome = org.attributed()
    assert outcome.positions() == {"form": "FT, LC, OC, Closed, Form"}
    assert outcome.cents("full_path") == {"form": 70_000}
    assert outcome.result.rows["channel_revenue"] == 0


def test_contacts_of_other_accounts_and_unconverted_leads_are_left_out() -> None:
    org = org_with_ann()
    org.contact("other", account="other")
    org.contact("free", account=None)
    org.lead("lead", "lee@example.com")
    for person in ("other", "free", "lee"):
        org.form(person, person, "2020-01-01")
    assert org.attributed().positions() == {}


def test_an_opportunity_without_account_takes_nobody() -> None:
    org = Org()
    org.contact("free", account=None)
    org.opportunity(created="2020-03-01", account=None)
    org.form("form", "free", "2020-01-01")
    assert org.attributed().positions() == {}


@pytest.mark.parametrize(
    ("mapping", "included"),
    [
        (Mapping.ACCOUNT, {"ann", "bob", "cid"}),
        (Mapping.CONTACT_ROLE, {"bob", "cid", "dan"}),
        (Mapping.PRIMARY_ROLE, {"cid"}),
    ],
)
def test_the_mapping_decides_whose_touches_count(mapping: Mapping, included: set[str]) -> None:
    org = org_with_ann()
    for person, account in (("bob", "acme"), ("cid", "acme"), ("dan", "other")):
        org.contact(person, account=account)
    for person in ("ann", "bob", "cid", "dan"):
        org.form(person, person, "2020-01-01")
    org.role("bob")
    org.role("bob")
    org.role("cid", primary=True)
    org.role("dan")
    outcome = org.attributed(Rules(mapping=mapping))
    assert set(outcome.positions()) == included
    assert outcome.rows("SELECT DISTINCT account_id FROM attribution_touchpoint") == [("acme",)]


def test_a_touch_counts_once_though_two_contacts_share_the_address() -> None:
    org = org_with_ann(closed="2020-06-01")
    org.contact("twin", email="ANN@example.com")
    org.form("form", "ann", "2020-01-01")
    org.form("later", "ann", "2020-02-01")
    outcome = org.attributed()
    assert outcome.rows("SELECT DISTINCT contact_id FROM attribution_touchpoint") == [("ann",)]
    assert outcome.percents("full_path") == {"form": 50, "later": 50}
    assert outcome.buyer_positions("twin") == outcome.buyer_positions("ann")


def test_touches_of_a_converted_lead_feed_the_opportunity() -> None:
    org = org_with_ann()
    org.lead("lead", "old@example.com", contact="ann")
    org.campaign("campaign")
    org.member("member", lead="lead")
    org.task("call", "lead", date="2020-02-01")
    assert org.attributed().positions() == {"member": "FT, LC, Form", "call": "OC, Form"}


def test_without_an_amount_there_are_percents_and_no_money() -> None:
    org = Org()
    org.contact("ann")
    org.opportunity(created="2020-03-01", closed="2020-06-01", amount=None)
    org.form("form", "ann", "2020-01-01")
    outcome = org.attributed()
    assert outcome.percents("full_path") == {"form": 100}
    assert outcome.cents("full_path") == {"form": None}
    assert outcome.rows("SELECT DISTINCT amount_cents, percent FROM share") == [(None, 100)]
    assert outcome.rows("SELECT DISTINCT arithmetic FROM explanation WHERE model = 'u_shaped'") == [
        ("2000/2000, no amount",)
    ]


def test_the_amount_may_come_from_another_field() -> None:
    org = org_with_ann(amount="5")
    org.form("form", "ann", "2020-01-01")
    rules = Rules(amount_field="amount")
    assert org.attributed(rules).cents("full_path") == {"form": 500}


def test_half_a_cent_is_rounded_away_from_zero_before_sharing() -> None:
    org = org_with_ann(amount="-10.005")
    org.form("form", "ann", "2020-01-01")
    assert org.attributed().cents("full_path") == {"form": -1001}


def test_every_model_gives_out_what_the_org_won_touched_or_not() -> None:
    org = Org()
    org.contact("ann")
    org.form("form", "ann", "2020-01-01", "Webinar")
    org.form("later", "ann", "2020-02-01", "Email")
    org.opportunity("won", created="2020-03-01", closed="2020-06-01", amount=1_000)
    org.opportunity("open", created="2020-03-01", amount=300)
    org.opportunity("alone", created="2020-03-01", closed="2020-06-01", amount=50, account="other")
    org.opportunity("alone open", created="2020-03-01", amount=7, account="other")
    outcome = org.attributed()
    assert outcome.result.sums == tuple(ModelSum(model, None, 105_000, 30_700) for model in sorted(MODELS))
    assert outcome.rows(
        "SELECT channel, won_opportunities, revenue_cents, open_opportunities, pipeline_cents FROM channel_revenue "
        "WHERE model = 'w_shaped' ORDER BY channel"
    ) == [
        ("(none)", 1, 5_000, 1, 700),
        ("Email", 1, 33_333, 1, 10_000),
        ("Webinar", 1, 66_667, 1, 20_000),
    ]


def test_currencies_are_never_added_up() -> None:
    org = Org()
    org.contact("ann")
    org.form("form", "ann", "2020-01-01")
    for currency in ("EUR", "USD"):
        org.opportunity(currency, created="2020-03-01", closed="2020-06-01", amount=10, currency=currency)
    sums = org.attributed().result.sums
    assert [(one.currency_iso_code, one.won_cents) for one in sums if one.model == "u_shaped"] == [
        ("EUR", 1_000),
        ("USD", 1_000),
    ]


def test_shares_are_explained_in_words_and_numbers() -> None:
    org = Org()
    org.contact("ann")
    org.opportunity(created="2020-04-01", closed="2020-06-01", amount="0.10")
    for month in range(1, 4):
        org.form(f"form{month}", "ann", f"2020-0{month}-01")
    rows = org.attributed().rows(
        "SELECT positions, rule, arithmetic, amount_cents FROM explanation WHERE model = 'full_path' ORDER BY touch_utc"
    )
    assert rows == [
        ("FT, LC, Form", "holds FT 22.5 + LC 22.5 of 100", "1800/4000 of 10 cents, rounded down 4, remainder 1", 5),
        ("Form", "the only middle touch, holding 10", "400/4000 of 10 cents, rounded down 1, remainder 0", 1),
        ("OC, Closed, Form", "holds OC 22.5 + Closed 22.5 of 100",
         "1800/4000 of 10 cents, rounded down 4, remainder 0", 4),
    ]  # fmt: skip
