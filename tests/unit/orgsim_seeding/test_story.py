"""The laws of the story: what a believable sales history may and may not hold."""

import itertools
import math
import statistics
from collections import Counter, defaultdict
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from unit.orgsim_seeding.orgs import END, Org, Row, as_day, seed_org

orgs = st.builds(seed_org, st.integers(min_value=300, max_value=1_500), st.integers(min_value=0, max_value=10**9))


def _steps(org: Org) -> dict[str, list[Row]]:
    steps: dict[str, list[Row]] = defaultdict(list)
    for step in sorted(org["OpportunityHistory"], key=lambda row: row["CreatedDate"]):
        steps[step["OpportunityId"]].append(step)
    return steps


def _share(rows: list[Row], field: str) -> float:
    return sum(bool(row[field]) for row in rows) / len(rows)


@given(org=orgs)
@settings(max_examples=25, deadline=None)
def test_the_history_of_an_opportunity_starts_at_its_creation_and_ends_as_it_stands(org: Org) -> None:
    steps = _steps(org)
    for deal in org["Opportunity"]:
        path = steps[deal["Id"]]
        moments = [step["CreatedDate"] for step in path]
        assert moments[0] == deal["CreatedDate"]
        assert all(earlier < later for earlier, later in itertools.pairwise(moments))
        assert all(first["StageName"] != then["StageName"] for first, then in itertools.pairwise(path))
        for field in ("StageName", "Amount", "CloseDate", "Probability", "ForecastCategory", "ExpectedRevenue"):
            assert path[-1][field] == deal[field]
        if deal["IsClosed"]:
            assert deal["CloseDate"] == as_day(moments[-1])
        assert deal["IsWon"] == (deal["StageName"] == "Closed Won")
        assert deal["IsClosed"] == deal["StageName"].startswith("Closed")


@given(org=orgs)
@settings(max_examples=25, deadline=None)
def test_nothing_happens_to_somebody_before_they_are_known(org: Org) -> None:
    for member in org["CampaignMember"]:
        person = org.by_id[member["LeadId"] or member["ContactId"]]
        assert person["CreatedDate"] <= member["CreatedDate"]
        assert org.by_id[member["CampaignId"]]["CreatedDate"] <= member["CreatedDate"]
    for role in org["OpportunityContactRole"]:
        assert org.by_id[role["OpportunityId"]]["CreatedDate"] <= role["CreatedDate"]
        assert org.by_id[role["ContactId"]]["CreatedDate"] <= role["CreatedDate"]
    for sobject in ("Contact", "Opportunity"):
        for row in org[sobject]:
            assert org.by_id[row["AccountId"]]["CreatedDate"] <= row["CreatedDate"]
    for case in org["Case"]:
        if case["ContactId"]:
            assert org.by_id[case["ContactId"]]["CreatedDate"] <= case["CreatedDate"]


@given(org=orgs)
@settings(max_examples=25, deadline=None)
def test_a_converted_lead_and_its_contact_are_the_same_person(org: Org) -> None:
    for lead in org["Lead"]:
        links = (lead["ConvertedAccountId"], lead["ConvertedContactId"])
        if not lead["IsConverted"]:
            assert (*links, lead["ConvertedOpportunityId"], lead["ConvertedDate"]) == (None, None, None, None)
            continue
        account, contact = (org.by_id[link] for link in links)
        assert contact["Email"] == lead["Email"]
        assert contact["Name"] == lead["Name"]
        assert contact["AccountId"] == account["Id"]
        assert lead["Company"] == account["Name"]
        assert lead["ConvertedDate"] == as_day(contact["CreatedDate"])
        assert lead["CreatedDate"] <= contact["CreatedDate"]
        if lead["ConvertedOpportunityId"]:
            assert org.by_id[lead["ConvertedOpportunityId"]]["AccountId"] == account["Id"]


@given(org=orgs)
@settings(max_examples=25, deadline=None)
def test_a_membership_names_both_lead_and_contact_only_after_a_conversion(org: Org) -> None:
    contact_of = {lead["Id"]: lead["ConvertedContactId"] for lead in org["Lead"]}
    met: set[tuple[str, str]] = set()
    for member in org["CampaignMember"]:
        assert member["LeadId"] or member["ContactId"]
        if member["LeadId"]:
            assert member["ContactId"] == contact_of[member["LeadId"]]
        assert (member["FirstRespondedDate"] is not None) == member["HasResponded"]
        if member["HasResponded"]:
            assert member["FirstRespondedDate"] <= as_day(END)
        pair = (member["CampaignId"], member["ContactId"] or member["LeadId"])
        assert pair not in met
        met.add(pair)


@given(org=orgs)
@settings(max_examples=25, deadline=None)
def test_an_activity_is_about_the_account_of_the_person_in_it(org: Org) -> None:
    for activity in (*org["Task"], *org["Event"]):
        person = org.by_id[activity["WhoId"]]
        assert activity["AccountId"] == person.get("AccountId")
        if activity["WhatId"]:
            subject = org.by_id[activity["WhatId"]]
            assert activity["AccountId"] == subject.get("AccountId", subject["Id"])


@given(org=orgs)
@settings(max_examples=25, deadline=None)
def test_an_opportunity_with_roles_has_one_primary_contact_of_its_account(org: Org) -> None:
    primaries: Counter[str] = Counter()
    contacts: set[tuple[str, str]] = set()
    for role in org["OpportunityContactRole"]:
        primaries[role["OpportunityId"]] += role["IsPrimary"]
        assert (role["OpportunityId"], role["ContactId"]) not in contacts
        contacts.add((role["OpportunityId"], role["ContactId"]))
        deal, contact = org.by_id[role["OpportunityId"]], org.by_id[role["ContactId"]]
        assert deal["AccountId"] == contact["AccountId"]
    assert set(primaries.values()) <= {1}


def test_only_old_finished_activities_are_archived(org: Org) -> None:
    border = END - timedelta(days=365)
    for task in org["Task"]:
        assert task["IsArchived"] == (task["IsClosed"] and task["ActivityDate"] <= border.date())
        assert task["IsClosed"] == (task["Status"] == "Completed")
    for event in org["Event"]:
        assert event["IsArchived"] == (event["EndDateTime"] <= border)
        lasted = event["EndDateTime"] - event["StartDateTime"]
        assert lasted == timedelta(minutes=event["DurationInMinutes"])


def test_won_deals_have_more_touches_and_more_people_than_lost_ones(org: Org) -> None:
    touches = org.touches_by_account()
    counts: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    for deal in org["Opportunity"]:
        if deal["IsClosed"]:
            until = [touch for touch in touches[deal["AccountId"]] if as_day(touch[0]) <= deal["CloseDate"]]
            counts[deal["IsWon"]].append((len(until), len({person for _, person in until})))
    won, lost = ([statistics.mean(column) for column in zip(*counts[won], strict=True)] for won in (True, False))
    assert won[0] >= 1.3 * lost[0]
    assert won[1] >= 1.2 * lost[1]


def test_most_deals_follow_a_first_touch_and_a_few_never_had_one(org: Org) -> None:
    touches = org.touches_by_account()
    firsts = [min(touches[deal["AccountId"]], default=None) for deal in org["Opportunity"]]
    deals = list(zip(org["Opportunity"], firsts, strict=True))
    before = sum(first is not None and first[0] <= deal["CreatedDate"] for deal, first in deals)
    assert before / len(deals) > 0.85
    assert 0.02 < sum(first is None for first in firsts) / len(deals) < 0.09


def test_touches_gather_before_creation_thin_out_and_go_on_after_close(org: Org) -> None:
    touches = org.touches_by_account()
    before = during = after = 0
    for deal in org["Opportunity"]:
        for moment, _ in touches[deal["AccountId"]]:
            before += moment <= deal["CreatedDate"]
            during += deal["CreatedDate"] < moment and as_day(moment) <= deal["CloseDate"]
            after += deal["IsClosed"] and as_day(moment) > deal["CloseDate"]
    assert before > during > 0
    assert after > 0


def test_outcomes_keep_their_shares(org: Org) -> None:
    closed = [deal for deal in org["Opportunity"] if deal["IsClosed"]]
    assert 0.15 < 1 - len(closed) / len(org["Opportunity"]) < 0.25
    assert 0.22 < _share(closed, "IsWon") < 0.33
    assert 0.22 < _share(org["Lead"], "IsConverted") < 0.30
    assert 0.5 < _share(org["CampaignMember"], "HasResponded") < 0.9
    with_deals = {deal["AccountId"] for deal in org["Opportunity"]}
    assert len(with_deals) < 0.5 * len(org["Account"])
    assert 1.2 < len(org["Opportunity"]) / len(with_deals) < 1.8


def test_cycles_and_amounts_have_a_long_tail_to_the_right(org: Org) -> None:
    closed = [deal for deal in org["Opportunity"] if deal["IsClosed"]]
    days = [(deal["CloseDate"] - as_day(deal["CreatedDate"])).days for deal in closed]
    amounts = [float(deal["Amount"]) for deal in org["Opportunity"] if deal["Amount"] is not None]
    assert 0 < len(org["Opportunity"]) - len(amounts) < 0.1 * len(org["Opportunity"])
    for values in (days, amounts):
        logs = [math.log(value) for value in values]
        assert statistics.mean(values) > 1.1 * statistics.median(values)
        assert abs(statistics.mean(logs) - statistics.median(logs)) < 0.3


def test_some_stages_are_skipped_and_some_steps_go_back(org: Org) -> None:
    order = ["Prospecting", "Qualification", "Needs Analysis", "Value Proposition"]
    order += ["Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost"]
    moves: Counter[int] = Counter()
    for path in _steps(org).values():
        places = [order.index(step["StageName"]) for step in path]
        moves.update(then - first for first, then in itertools.pairwise(places) if then < 6)
    assert set(moves) == {-1, 1, 2}
    assert moves[1] > moves[2] > moves[-1] > 10


def test_bulk_writes_leave_many_rows_in_the_same_second(org: Org) -> None:
    for sobject in ("CampaignMember", "Contact", "Lead"):
        ties = Counter(row["SystemModstamp"] for row in org[sobject])
        assert ties.most_common(1)[0][1] >= 10, sobject
    assert Counter(account["CreatedDate"] for account in org["Account"]).most_common(1)[0][1] >= 5


def test_campaigns_keep_to_the_seasons(org: Org) -> None:
    months = Counter(campaign["StartDate"].month for seed in (1, 2) for campaign in seed_org(20_000, seed)["Campaign"])
    quiet, busy = (sum(months[month] for month in span) for span in ((7, 8, 12), (3, 10, 11)))
    assert busy > 2 * quiet
    assert len({campaign["Type"] for campaign in org["Campaign"]}) >= 6
    assert any(campaign["ParentId"] for campaign in org["Campaign"])


def test_managers_form_a_tree_and_some_people_have_left(org: Org) -> None:
    for user in org["User"]:
        chain = [user["Id"]]
        while (manager := org.by_id[chain[-1]]["ManagerId"]) is not None:
            assert manager not in chain
            chain.append(manager)
    assert any(not user["IsActive"] for user in org["User"])
