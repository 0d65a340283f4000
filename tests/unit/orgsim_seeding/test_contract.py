"""What `generate` promises its caller: sizes, fields, order of batches, references, equal rows for equal seeds."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgsim.seeding import generate, object_fields
from unit.orgsim_seeding.orgs import END, START, Org, counting_ids, seed_org

sizes = st.integers(min_value=100, max_value=1_500)
seeds = st.integers(min_value=-(2**63), max_value=2**63)

REFERENCES: dict[str, dict[str, tuple[str, ...]]] = {
    "User": {"ManagerId": ("User",)},
    "Campaign": {"ParentId": ("Campaign",)},
    "Account": {},
    "Contact": {"AccountId": ("Account",)},
    "Opportunity": {"AccountId": ("Account",), "CampaignId": ("Campaign",)},
    "Lead": {
        "ConvertedAccountId": ("Account",),
        "ConvertedContactId": ("Contact",),
        "ConvertedOpportunityId": ("Opportunity",),
    },
    "OpportunityHistory": {"OpportunityId": ("Opportunity",)},
    "OpportunityContactRole": {"OpportunityId": ("Opportunity",), "ContactId": ("Contact",)},
    "CampaignMember": {"CampaignId": ("Campaign",), "LeadId": ("Lead",), "ContactId": ("Contact",)},
    "Task": {"WhoId": ("Lead", "Contact"), "WhatId": ("Opportunity", "Account"), "AccountId": ("Account",)},
    "Event": {"WhoId": ("Lead", "Contact"), "WhatId": ("Opportunity", "Account"), "AccountId": ("Account",)},
    "Case": {"ContactId": ("Contact",), "AccountId": ("Account",)},
}
TO_USERS = {"OwnerId": ("User",), "CreatedById": ("User",), "LastModifiedById": ("User",)}


@given(records=sizes, seed=seeds)
@settings(max_examples=25, deadline=None)
def test_it_writes_the_rows_asked_for_with_their_exact_fields_and_parents_first(records: int, seed: int) -> None:
    written: set[str] = set()
    count = 0
    for sobject, rows in generate(records=records, seed=seed, end=END, new_id=counting_ids()):
        assert 0 < len(rows) <= 1_000
        count += len(rows)
        for row in rows:
            assert set(row) == set(object_fields()[sobject])
            assert str(row["Id"]).startswith(f"{sobject}-")
            assert row["Id"] not in written
            written.add(str(row["Id"]))
            for field, targets in (REFERENCES[sobject] | TO_USERS).items():
                reference = row.get(field)
                if reference is not None:
                    assert reference in written, (sobject, field)
                    assert str(reference).startswith(targets), (sobject, field)
    assert count == records


@given(records=sizes, seed=seeds)
@settings(max_examples=10, deadline=None)
def test_equal_arguments_give_equal_rows(records: int, seed: int) -> None:
    first = list(generate(records=records, seed=seed, end=END, new_id=counting_ids()))
    second = list(generate(records=records, seed=seed, end=END, new_id=counting_ids()))
    assert first == second


def test_another_seed_gives_another_org() -> None:
    assert seed_org(300, seed=1).rows != seed_org(300, seed=2).rows


def test_the_order_of_hashes_changes_nothing() -> None:
    script = (
        "import hashlib, itertools, datetime\n"
        "from orgsim.seeding import generate\n"
        "ids = itertools.count()\n"
        "end = datetime.datetime(2025, 6, 1, tzinfo=datetime.UTC)\n"
        "rows = generate(records=2000, seed=5, end=end, new_id=lambda name: name + str(next(ids)))\n"
        "import sys; sys.stdout.write(hashlib.sha256(repr(list(rows)).encode()).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_it_reads_the_end_in_any_zone_and_cuts_it_to_whole_seconds() -> None:
    elsewhere = END.astimezone(timezone(timedelta(hours=5, minutes=30))).replace(microsecond=999_999)
    here = list(generate(records=300, seed=1, end=END, new_id=counting_ids()))
    assert list(generate(records=300, seed=1, end=elsewhere, new_id=counting_ids())) == here


def test_it_refuses_an_end_without_a_time_zone() -> None:
    naive = datetime(2025, 6, 1)  # noqa: DTZ001 - the very thing that is refused
    with pytest.raises(ValueError, match="time zone"):
        generate(records=300, seed=1, end=naive, new_id=counting_ids())


def test_it_refuses_too_few_records() -> None:
    with pytest.raises(ValueError, match="too few"):
        generate(records=99, seed=1, end=END, new_id=counting_ids())


def test_even_the_smallest_org_has_an_opportunity() -> None:
    assert seed_org(100, seed=3)["Opportunity"]


def test_rows_hold_plain_values_only(org: Org) -> None:
    for rows in org.rows.values():
        for row in rows:
            for field, value in row.items():
                assert type(value) in (str, int, bool, Decimal, date, datetime, type(None)), field
                if isinstance(value, datetime):
                    assert value.tzinfo is UTC
                    assert value.microsecond == 0
                if isinstance(value, Decimal):
                    assert value.as_tuple().exponent == -2, field


def test_system_moments_lie_in_the_three_years_and_in_order(org: Org) -> None:
    for sobject, rows in org.rows.items():
        for row in rows:
            modified = row.get("LastModifiedDate", row["CreatedDate"])
            assert START <= row["CreatedDate"] <= modified <= row["SystemModstamp"] <= END, (sobject, row["Id"])


@pytest.mark.parametrize(
    ("sobject", "expected"),
    [
        ("User", 60),
        ("Account", 2_600),
        ("Contact", 8_000),
        ("Lead", 7_000),
        ("Opportunity", 1_800),
        ("OpportunityHistory", 7_500),
        ("OpportunityContactRole", 3_200),
        ("Campaign", 110),
        ("CampaignMember", 9_500),
        ("Task", 7_000),
        ("Event", 1_800),
        ("Case", 1_400),
    ],
)
def test_the_sobjects_keep_their_proportions(org: Org, sobject: str, expected: int) -> None:
    """Expected counts are those of an org of 50,000 records."""
    found = len(org[sobject]) * 50_000 / 20_000
    assert found == pytest.approx(expected, rel=0.25)


def test_batches_are_near_a_thousand_rows_where_there_are_that_many(org: Org) -> None:
    batches = [
        len(rows)
        for sobject, rows in generate(records=20_000, seed=7, end=END, new_id=counting_ids())
        if sobject == "CampaignMember"
    ]
    assert len(batches) <= 2 * (1 + len(org["CampaignMember"]) // 1_000)
