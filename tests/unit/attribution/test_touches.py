"""Which records become touches, when, in which channel, and why the others do not."""

from datetime import UTC, datetime

import pytest

from headwater.attribution import (
    Activity,
    ActivityDate,
    ActivityRule,
    CampaignRule,
    ChannelRule,
    DropReason,
    MemberDate,
    Rules,
)
from unit.attribution.conftest import Org, Outcome

EVERYONE = CampaignRule("Everyone", responded_only=False, dates=(MemberDate.CREATED,))


def org_with_member(**member: str | bool | None) -> Org:
    org = Org()
    org.contact("ann")
    org.campaign("campaign", "Webinar")
    org.member("member", **{"contact": "ann", **member})  # type: ignore[arg-type]  # the parameters of Org.member
    return org


def dates(outcome: Outcome) -> dict[str, str]:
    return {key: f"{moment:%Y-%m-%d %H:%M}" for key, moment in outcome.rows("SELECT touch_id, touch_utc FROM touch")}


def test_a_responded_member_is_a_form_like_touch_of_its_campaign() -> None:
    outcome = org_with_member().attributed()
    assert outcome.rows(
        "SELECT touch_id, person_key, contact_id, kind, is_form, channel, subchannel, channel_path, touchpoint_type, "
        "touchpoint_source, medium, campaign_id, ad_campaign_id, ad_campaign_name FROM touch"
    ) == [
        (
            "member", "ann@example.com", "ann", "campaign_member", True, "Events", "Webinar", "Events.Webinar", "CRM",
            "CRM Campaign", "Webinar", "campaign", "campaign", "Campaign campaign",
        )
    ]  # fmt: skip


def test_by_default_the_response_dates_the_touch_and_else_the_membership() -> None:
    responded = org_with_member(first_responded="2020-01-05", override="2019-01-01")
    assert dates(responded.attributed()) == {"member": "2020-01-05 00:00"}
    assert dates(org_with_member().attributed()) == {"member": "2020-01-01 09:00"}


def test_the_override_date_counts_only_where_a_rule_names_it() -> None:
    rule = CampaignRule("Override first", dates=(MemberDate.OVERRIDE, MemberDate.CREATED))
    rules = Rules(campaigns=(rule,))
    assert dates(org_with_member(override="2019-01-01 10:00").attributed(rules)) == {"member": "2019-01-01 10:00"}
    assert dates(org_with_member().attributed(rules)) == {"member": "2020-01-01 09:00"}


def test_including_everyone_takes_members_that_did_not_respond() -> None:
    org = org_with_member(responded=False)
    assert org.attributed().dropped() == {"member": "not_responded"}
    assert dates(org.attributed(Rules(campaigns=(EVERYONE,)))) == {"member": "2020-01-01 09:00"}


def test_the_first_rule_that_fits_decides() -> None:
    webinars_by_membership = CampaignRule("Webinars", ("webinar",), responded_only=False, dates=(MemberDate.CREATED,))
    rules = Rules(campaigns=(webinars_by_membership, CampaignRule("Rest")))
    org = org_with_member(first_responded="2020-01-05")
    org.campaign("mail", "Email")
    org.member("mailed", "mail", contact="ann", first_responded="2020-01-06")
    assert dates(org.attributed(rules)) == {"member": "2020-01-01 09:00", "mailed": "2020-01-06 00:00"}


def test_a_member_that_fails_a_rule_for_responses_may_fit_a_later_one() -> None:
    rules = Rules(campaigns=(CampaignRule("Responses"), EVERYONE))
    assert dates(org_with_member(responded=False).attributed(rules)) == {"member": "2020-01-01 09:00"}


def test_an_excluding_rule_keeps_its_campaigns_out() -> None:
    exclude = CampaignRule("No lists", ("Webinar",), responded_only=False, include=False)
    org = org_with_member()
    org.campaign("mail", "Email")
    org.member("mailed", "mail", contact="ann")
    outcome = org.attributed(Rules(campaigns=(exclude, EVERYONE)))
    assert outcome.dropped() == {"member": "campaign_excluded"}
    assert list(dates(outcome)) == ["mailed"]


def test_every_reason_for_a_drop_is_told_and_counted() -> None:
    org = Org()
    org.contact("ann")
    org.contact("silent", email=" ")
    org.campaign("campaign")
    org.campaign("typeless", None)
    org.member("not-responded", contact="ann", responded=False)
    org.member("no-email", contact="silent")
    org.member("stranger", contact="gone")
    org.member("dateless", contact="ann", created=None)
    org.member("later", contact="ann", created="2031-01-01")
    org.member("no-rule", "typeless", contact="ann")
    org.task("mail", "ann", task_type="Email")
    org.task("untyped", "ann", task_type=None)
    org.task("open-call", "ann", closed=False)
    org.task("dateless-call", "ann", date=None)
    org.task("nobody", None)
    org.event("planned", "ann", start="2031-01-01")
    outcome = org.attributed(Rules(campaigns=(CampaignRule("Webinars", ("Webinar",)),)))
    assert outcome.dropped() == {
        "not-responded": "not_responded",
        "no-email": "no_email",
        "stranger": "person_unknown",
        "dateless": "no_date",
        "later": "after_as_of",
        "no-rule": "no_rule_matched",
        "mail": "no_rule_matched",
        "untyped": "no_rule_matched",
        "open-call": "no_rule_matched",
        "dateless-call": "no_date",
        "nobody": "person_unknown",
        "planned": "after_as_of",
    }
    assert outcome.result.dropped[DropReason.NO_RULE_MATCHED] == 4
    assert outcome.result.dropped[DropReason.CAMPAIGN_EXCLUDED] == 0
    assert outcome.result.rows["dropped_touch"] == 12


def test_a_person_is_touched_once_by_a_campaign_though_both_its_records_are_members() -> None:
    org = org_with_member(created="2020-03-01")
    org.lead("lead", "ANN@example.com ")
    org.member("earlier", lead="lead", created="2020-02-01")
    outcome = org.attributed()
    assert dates(outcome) == {"earlier": "2020-02-01 00:00"}
    assert outcome.dropped() == {"member": "already_in_campaign"}


def test_a_completed_call_fills_the_activity_fields() -> None:
    org = Org()
    org.contact("ann")
    org.task("call", "ann", subject="Pricing")
    outcome = org.attributed()
    assert outcome.rows(
        "SELECT touch_id, kind, is_form, channel_path, touchpoint_type, touchpoint_source, medium, campaign_id, "
        "ad_campaign_id, ad_campaign_name, ad_content, ad_id FROM touch"
    ) == [
        (
            "call", "task", True, "Sales Outreach.Calls", "Call", "CRM Activity", "Call", None,
            None, "Sales Call", "Pricing", "call",
        )
    ]  # fmt: skip
    assert dates(outcome) == {"call": "2020-02-01 00:00"}


def test_every_call_is_a_touch_of_its_own_also_to_a_lead() -> None:
    org = Org()
    org.lead("lead", "lee@example.com")
    org.task("first", "lead")
    org.task("second", "lead")
    org.event("lunch", "lead", start="2020-04-01 12:30")
    outcome = org.attributed()
    assert dates(outcome) == {
        "first": "2020-02-01 00:00",
        "second": "2020-02-01 00:00",
        "lunch": "2020-04-01 12:30",
    }
    assert outcome.rows("SELECT DISTINCT lead_id FROM touch") == [("lead",)]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (ActivityDate.ACTIVITY, "2020-02-01 00:00"),
        (ActivityDate.CREATED, "2020-01-30 00:00"),
        (ActivityDate.COMPLETED, "2020-02-02 12:00"),
    ],
)
def test_the_rule_chooses_the_date_of_a_task(date: ActivityDate, expected: str) -> None:
    org = Org()
    org.contact("ann")
    org.task("call", "ann")
    rule = ActivityRule("Calls", Activity.TASK, "Calls", date, ("call",))
    assert dates(org.attributed(Rules(activities=(rule,)))) == {"call": expected}


def test_tokens_in_a_campaign_name_are_replaced_and_long_types_cut() -> None:
    org = Org()
    org.contact("ann")
    org.task("task", "ann", task_type="Quarterly review call", subject=None, closed=False)
    rule = ActivityRule("All", Activity.TASK, "{Type} ({Status}) {Subject}", ActivityDate.CREATED, completed_only=False)
    outcome = org.attributed(Rules(activities=(rule,)))
    query = "SELECT ad_campaign_name, touchpoint_type, medium, channel_path FROM touch"
    assert outcome.rows(query) == [
        ("Quarterly review call (Completed)", "Quarterly review", "Quarterly review call", "Sales Outreach")
    ]


def test_campaign_types_without_a_channel_are_other() -> None:
    org = Org()
    org.contact("ann")
    for key, kind in (("a", "Zeppelin"), ("b", None), ("c", "zorb ride")):
        org.campaign(key, kind)
        org.member(f"member-{key}", key, contact="ann")
    outcome = org.attributed(Rules(channels=(ChannelRule("Zorb Ride", "Outdoors"),)))
    assert dict(outcome.rows("SELECT touch_id, channel_path FROM touch")) == {
        "member-a": "Other",
        "member-b": "Other",
        "member-c": "Outdoors",
    }


def test_a_run_speaks_of_its_moment() -> None:
    org = org_with_member(created="2020-03-01")
    outcome = org.attributed(as_of=datetime(2020, 2, 29, tzinfo=UTC))
    assert outcome.dropped() == {"member": "after_as_of"}
    assert list(dates(org.attributed(as_of=datetime(2020, 3, 1, tzinfo=UTC)))) == ["member"]
