"""The worked tables of docs/reference/attribution.md, number by number."""

from decimal import Decimal

from headwater.attribution.pipeline import read_step, run_step
from unit.attribution.conftest import MODELS, Org, Outcome


def percents(outcome: Outcome, touch: str) -> list[str]:
    """Percent under the five models, as text without trailing zeros."""
    return [f"{outcome.percents(model)[touch].normalize():f}" for model in MODELS]


def full_journey() -> Org:
    org = Org()
    for person in ("kate", "austin", "hillary", "elizabeth"):
        org.contact(person)
    org.opportunity(created="2020-06-15", closed="2020-12-31", amount=100_000)
    org.visit("1", "kate", "2020-01-01", "AdWords")
    org.form("2", "austin", "2020-02-01", "LinkedIn")
    org.form("3", "hillary", "2020-03-01", "Organic")
    org.form("4", "austin", "2020-04-01", "Webinar")
    org.form("5", "kate", "2020-05-01", "Sales Outreach")
    org.visit("6", "hillary", "2020-06-01", "Email")
    org.form("7", "elizabeth", "2020-07-01", "Conference")
    org.form("8", "kate", "2020-08-01", "LinkedIn")
    org.form("9", "elizabeth", "2020-09-01", "Dinner")
    return org


def test_full_journey() -> None:
    outcome = full_journey().attributed()
    middle, late = ["0", "0", "0", "3.3333", "2"], ["0", "0", "0", "0", "2"]
    assert {touch: percents(outcome, touch) for touch in "123456789"} == {
        "1": ["100", "0", "50", "30", "22.5"],
        "2": ["0", "100", "50", "30", "22.5"],
        "3": middle,
        "4": middle,
        "5": middle,
        "6": ["0", "0", "0", "30", "22.5"],
        "7": late,
        "8": late,
        "9": ["0", "0", "0", "0", "22.5"],
    }
    dollars = [cents // 100 for cents in outcome.cents("full_path").values()]
    assert dollars == [22_500, 22_500, 2_000, 2_000, 2_000, 22_500, 2_000, 2_000, 22_500]


def test_full_journey_shares_three_parts_of_ten_percent_to_the_cent() -> None:
    cents = full_journey().attributed().cents("w_shaped")
    assert [cents[touch] for touch in "345"] == [333_334, 333_333, 333_333]
    assert sum(cents.values()) == 10_000_000


def test_one_touch_for_the_whole_journey_holds_everything() -> None:
    org = Org()
    org.contact("ann")
    org.opportunity(created="2020-02-01", closed="2020-03-01")
    org.form("only", "ann", "2020-01-01")
    outcome = org.attributed()
    assert percents(outcome, "only") == ["100"] * 5
    assert outcome.positions() == {"only": "FT, LC, OC, Closed, Form"}


def test_ft_and_lc_on_one_touch_oc_and_closed_on_others() -> None:
    org = Org()
    org.contact("ann")
    org.opportunity(created="2020-03-01", closed="2020-05-01")
    org.form("1", "ann", "2020-01-01")
    org.form("2", "ann", "2020-02-01")
    org.form("3", "ann", "2020-04-01")
    outcome = org.attributed()
    assert outcome.positions() == {"1": "FT, LC, Form", "2": "OC, Form", "3": "Closed, Form"}
    assert percents(outcome, "1") == ["100", "100", "100", "66.6667", "50"]
    assert percents(outcome, "2") == ["0", "0", "0", "33.3333", "25"]
    assert percents(outcome, "3") == ["0", "0", "0", "0", "25"]


def test_four_milestones_and_no_middle_touch() -> None:
    org = Org()
    org.contact("ann")
    org.opportunity(created="2020-04-01", closed="2020-06-01")
    org.visit("1", "ann", "2020-01-01")
    org.form("2", "ann", "2020-02-01")
    org.form("3", "ann", "2020-03-01")
    org.form("4", "ann", "2020-05-01")
    outcome = org.attributed()
    assert percents(outcome, "1") == ["100", "0", "50", "33.3333", "25"]
    assert percents(outcome, "2") == ["0", "100", "50", "33.3333", "25"]
    assert percents(outcome, "3") == ["0", "0", "0", "33.3333", "25"]
    assert percents(outcome, "4") == ["0", "0", "0", "0", "25"]


def weigh(holders: list[tuple[str, str]]) -> Outcome:
    """Weights of touches whose positions are given directly, as (touch, letters of F L O C and m for a form)."""
    org = Org()
    org.contact("ann")
    org.opportunity(created="2020-01-01")
    outcome = org.attributed()
    for place, (touch, marks) in enumerate(holders, start=1):
        flags = [letter in marks for letter in "FLOC"]
        outcome.connection.execute(
            "INSERT INTO opportunity_position (opportunity_key, opportunity_id, contact_id, touch_id, unique_id, "
            "place, is_form, is_ft, is_lc, is_oc, is_closed_touch, is_closed_pending, positions) "
            "VALUES (1, 'opp', 'ann', ?, ?, ?, ?, ?, ?, ?, ?, FALSE, '')",
            [touch, touch, place, "m" in marks, *flags],
        )
        outcome.connection.execute("INSERT INTO touch (touch_id) VALUES (?)", [touch])
    for step in ("weights", "shares", "attribution_touchpoint", "explanation"):
        run_step(outcome.connection, read_step(step))
    return outcome


def test_two_forms_between_ft_and_lc_share_the_middle_of_the_u() -> None:
    outcome = weigh([("1", "F"), ("2", "m"), ("3", "m"), ("4", "LmOC")])
    assert [percents(outcome, touch)[2] for touch in "1234"] == ["40", "10", "10", "40"]


def test_a_stage_that_nothing_holds_gives_its_weight_evenly_to_the_others() -> None:
    outcome = weigh([("1", "F"), ("2", "Lm"), ("3", "m"), ("4", "Cm")])
    assert [percents(outcome, touch)[3] for touch in "1234"] == ["50", "50", "0", "0"]
    assert [percents(outcome, touch)[4] for touch in "1234"] == ["30", "30", "10", "30"]
    rules = outcome.rows("SELECT model, rule FROM explanation WHERE unique_id = '1' AND model LIKE '%_%a%'")
    assert dict(rules) == {
        "u_shaped": "holds FT 40 of 100; no middle touch, its 20 spread over FT, LC",
        "w_shaped": "holds FT 30 of 100; OC 30 unheld, spread over FT, LC; no middle touch, its 10 spread over FT, LC",
        "full_path": "holds FT 22.5 of 100; OC 22.5 unheld, spread over FT, LC, Closed",
    }


def two_opportunities_on_one_account() -> Org:
    org = Org()
    org.contact("ann")
    org.opportunity("opp1", created="2015-05-01", closed="2015-06-01", amount=5_000)
    org.opportunity("opp2", created="2015-11-01", amount=10_000)
    org.form("T1", "ann", "2015-03-02 06:23")
    org.form("T2", "ann", "2015-10-08 11:44")
    org.form("T3", "ann", "2015-10-08 14:13")
    return org


def test_two_opportunities_share_ft_and_lc_and_have_their_own_oc() -> None:
    outcome = two_opportunities_on_one_account().attributed()
    assert outcome.positions("opp1") == {"T1": "FT, LC, OC, Closed, Form"}
    assert outcome.positions("opp2") == {"T1": "FT, LC, Form", "T2": "Form", "T3": "OC, Form"}
    assert outcome.percents("w_shaped", "opp2") == {"T1": 60, "T2": 10, "T3": 30}
    assert outcome.cents("w_shaped", "opp2") == {"T1": 600_000, "T2": 100_000, "T3": 300_000}


def test_an_open_opportunity_holds_a_pending_closed_on_its_newest_touch() -> None:
    outcome = two_opportunities_on_one_account().attributed()
    assert outcome.percents("full_path", "opp2") == {"T1": 45, "T2": 10, "T3": 45}
    pending = outcome.rows(
        "SELECT touch_id FROM attribution_touchpoint WHERE is_closed_pending AND opportunity_id = 'opp2'"
    )
    assert pending == [("T3",)]


def test_an_open_opportunity_whose_newest_touch_is_oc() -> None:
    org = Org()
    org.contact("ann")
    org.opportunity(created="2020-05-01", amount=1_000)
    org.visit("1", "ann", "2020-01-01")
    org.form("2", "ann", "2020-02-01")
    org.form("3", "ann", "2020-03-01")
    org.form("4", "ann", "2020-04-01")
    expected = {"1": Decimal("22.5"), "2": Decimal("22.5"), "3": Decimal(10), "4": Decimal(45)}
    assert org.attributed().percents("full_path") == expected


def test_two_colleagues_on_one_opportunity() -> None:
    org = Org()
    org.contact("a")
    org.contact("b")
    org.opportunity(created="2020-03-07", closed="2020-05-06", amount=10_000)
    org.visit("b1", "b", "2019-08-26", "Paid Social")
    org.visit("a1", "a", "2019-09-01", "Paid Search")
    org.form("a2", "a", "2019-11-20", "Organic Search")
    org.form("b2", "b", "2020-02-20", "Organic Search")
    org.form("a3", "a", "2020-03-04", "Webinar")
    org.form("b3", "b", "2020-05-01", "Email")
    outcome = org.attributed()
    assert outcome.positions() == {
        "b1": "FT",
        "a2": "LC, Form",
        "b2": "Form",
        "a3": "OC, Form",
        "b3": "Closed, Form",
    }
    assert outcome.percents("w_shaped") == {"b1": 30, "a2": 30, "b2": 10, "a3": 30, "b3": 0}
    assert list(outcome.percents("full_path").values()) == [
        Decimal(text) for text in ("22.5", "22.5", "10", "22.5", "22.5")
    ]
    assert outcome.buyer_positions("a") == {"a1": "FT", "a2": "LC, Form", "a3": "PostLC, Form"}
    assert outcome.buyer_positions("b") == {"b1": "FT", "b2": "LC, Form", "b3": "PostLC, Form"}
