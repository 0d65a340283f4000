"""A person's own story, on each of its records."""

from decimal import Decimal

from unit.attribution.conftest import Org


def test_a_first_visit_with_a_form_is_ft_and_lc_with_all_the_credit() -> None:
    org = Org()
    org.lead("lead", "lee@example.com")
    org.form("form", "lee", "2020-01-01")
    outcome = org.attributed()
    assert outcome.rows(
        "SELECT unique_id, user_touchpoint_id, lead_id, contact_id, positions, count_first_touch, count_lead_creation, "
        "count_u_shaped FROM buyer_touchpoint"
    ) == [
        (
            "TP2_Person_lead_form", "lee@example.com_form", "lead", None, "FT, LC, Form",
            Decimal(1), Decimal(1), Decimal(1),
        )
    ]  # fmt: skip


def test_a_visit_before_the_form_is_ft_with_half_of_the_u() -> None:
    org = Org()
    org.contact("ann")
    org.visit("visit", "ann", "2020-01-01")
    org.form("form", "ann", "2020-01-02")
    rows = org.attributed().rows(
        "SELECT touch_id, contact_id, account_id, count_first_touch, count_lead_creation, count_u_shaped "
        "FROM buyer_touchpoint ORDER BY touch_utc"
    )
    assert rows == [("visit", "ann", "acme", 1, 0, Decimal("0.5")), ("form", "ann", "acme", 0, 1, Decimal("0.5"))]


def test_later_forms_are_post_lc_and_later_visits_are_not_shown() -> None:
    org = Org()
    org.contact("ann")
    org.form("first", "ann", "2020-01-01")
    org.visit("visit", "ann", "2020-01-02")
    org.form("later", "ann", "2020-01-03")
    assert org.attributed().buyer_positions("ann") == {"first": "FT, LC, Form", "later": "PostLC, Form"}


def test_two_records_with_one_address_both_show_the_touches() -> None:
    org = Org()
    org.contact("ann")
    org.lead("lead", "Ann@Example.com")
    org.form("form", "ann", "2020-01-01")
    outcome = org.attributed()
    assert outcome.buyer_positions("ann") == outcome.buyer_positions("lead") == {"form": "FT, LC, Form"}


def test_a_converted_lead_is_represented_by_its_contact_whose_address_may_have_changed() -> None:
    org = Org()
    org.contact("ann", email="ann@new.example.com")
    org.lead("lead", "ann@old.example.com", contact="ann")
    org.campaign("campaign")
    org.member("member", lead="lead")
    outcome = org.attributed()
    assert outcome.buyer_positions("ann") == {"member": "FT, LC, Form"}
    assert outcome.buyer_positions("lead") == {}


def test_a_converted_lead_whose_contact_is_gone_still_shows_its_touches() -> None:
    org = Org()
    org.lead("lead", "lee@example.com", contact="deleted")
    org.form("form", "lee", "2020-01-01")
    assert org.attributed().buyer_positions("lead") == {"form": "FT, LC, Form"}


def test_a_person_known_by_visits_alone_gets_lc_from_the_last_one_before_its_record() -> None:
    org = Org()
    org.lead("lead", "lee@example.com", created="2020-01-03")
    for day in range(1, 6):
        org.visit(f"visit{day}", "lee", f"2020-01-0{day}")
    assert org.attributed().buyer_positions("lead") == {"visit1": "FT", "visit3": "LC"}


def test_a_person_whose_record_came_before_every_visit_gets_lc_from_the_first() -> None:
    org = Org()
    org.lead("lead", "lee@example.com", created="2019-01-01")
    org.visit("1", "lee", "2020-01-01")
    org.visit("2", "lee", "2020-01-02")
    assert org.attributed().buyer_positions("lead") == {"1": "FT, LC"}


def test_touches_of_one_moment_are_ordered_by_id() -> None:
    org = Org()
    org.contact("ann")
    org.form("b", "ann", "2020-01-01")
    org.form("a", "ann", "2020-01-01")
    assert dict(org.attributed().rows("SELECT touch_id, positions FROM buyer_touchpoint")) == {
        "a": "FT, LC, Form",
        "b": "PostLC, Form",
    }


def test_touches_of_unknown_addresses_belong_to_nobody() -> None:
    org = Org()
    org.form("form", "stranger", "2020-01-01")
    assert org.attributed().result.rows["buyer_touchpoint"] == 0


def test_a_later_touch_than_the_moment_of_the_run_is_not_there_yet() -> None:
    org = Org()
    org.contact("ann")
    org.form("form", "ann", "2031-01-01")
    assert org.attributed().result.rows["buyer_touchpoint"] == 0
