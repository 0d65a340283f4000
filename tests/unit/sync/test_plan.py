"""The cheapest correct way is chosen per object, and priced before a credit is spent."""

from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.credits.prices import bulk_calls, bulk_page_rows, bulk_polls, bulk_result_pages, composite_calls
from headwater.sync.plan import BULK_FILE_BYTES, Method, Mode, Pace, SyncPlan, Waiting, Wish, choose

KNOWN_PACE = Pace(seconds_per_call=0.5, bulk_rows_per_second=20_000, fetched_rows_per_second=50_000)


def wishes(*rows: int) -> list[Wish]:
    return [Wish(f"Object{place:02}", Mode.FULL, count) for place, count in enumerate(rows)]


def changes(*rows: int) -> list[Wish]:
    return [
        replace(wish, mode=Mode.CHANGES, since_utc="2026-01-01T00:00:00Z", is_counted=False) for wish in wishes(*rows)
    ]


def test_small_objects_share_composites() -> None:
    plan = choose(wishes(10, 20, 30), looking_calls=2)
    assert {read.method for read in plan.reads} == {Method.COMPOSITE}
    assert plan.calls == 2 + 1


def test_several_pages_of_one_object_share_a_composite() -> None:
    plan = choose(wishes(7_000, 10), looking_calls=0)
    assert [(read.method, read.pages) for read in plan.reads] == [(Method.RANGES, 4), (Method.COMPOSITE, 1)]
    assert plan.calls == 1


def test_what_is_alone_and_small_is_a_plain_query() -> None:
    plan = choose(wishes(1_500), looking_calls=0)
    assert [read.method for read in plan.reads] == [Method.PAGES]
    assert (plan.query_calls, plan.composite_calls, plan.calls) == (1, 0, 1)


def test_a_million_rows_go_by_bulk_in_one_file_of_their_width() -> None:
    narrow = replace(wishes(1_000_000)[0], row_bytes=230)
    plan = choose([narrow, *wishes(500)[:1]], looking_calls=0, pace=KNOWN_PACE)
    assert [(read.rows, read.method, read.pages) for read in plan.reads] == [
        (1_000_000, Method.BULK, 1),
        (500, Method.PAGES, 1),
    ]
    assert plan.calls == 3 + 1  # create, look, fetch; and a query


def test_wider_rows_come_in_more_files() -> None:
    wide = replace(wishes(1_000_000)[0], row_bytes=4_000)
    assert choose([wide], looking_calls=0).reads[0].pages == 8


def test_the_first_import_of_a_million_contacts_costs_no_more_than_ten_credits() -> None:
    plan = choose(wishes(1_000_000, *[0] * 14), looking_calls=2)
    assert plan.calls == 2 + 3 + (1 + 2 + 1)


def test_an_idle_cycle_over_fifteen_objects_costs_three_credits() -> None:
    assert choose(changes(*[0] * 15), looking_calls=0).calls == 3


def test_a_hundred_thousand_changes_over_fifteen_objects_fill_every_composite() -> None:
    assert choose(changes(*[6_666] * 15), looking_calls=0, pace=KNOWN_PACE).calls == 12


def test_changes_are_looked_at_before_a_job_is_made_of_them() -> None:
    plan = choose(changes(200_000, *[0] * 14), looking_calls=0, pace=KNOWN_PACE)
    assert [read.sobject for read in plan.by_bulk] == ["Object00"]
    assert plan.by_bulk_at_once == []
    assert plan.calls == 3 + 3


def test_the_time_is_told_from_the_pace_of_the_org() -> None:
    assert choose(wishes(1_000_000), looking_calls=0, pace=KNOWN_PACE).seconds == 50 + 20
    assert choose(changes(*[0] * 15), looking_calls=0, pace=KNOWN_PACE).seconds == 2


@settings(deadline=None)  # every split is gone through
@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=6))
def test_no_other_split_between_bulk_and_composites_is_cheaper(rows: list[int]) -> None:
    objects = wishes(*rows)
    page_rows = bulk_page_rows(objects[0].row_bytes, BULK_FILE_BYTES)
    best = min(
        bulk_calls(
            [bulk_result_pages(wish.rows, page_rows) for wish, is_bulk in zip(objects, split, strict=True) if is_bulk],
            bulk_polls(is_rate_known=False),
        )
        + composite_calls(
            [wish.pages for wish, is_bulk in zip(objects, split, strict=True) if not is_bulk],
            [wish.at_once for wish, is_bulk in zip(objects, split, strict=True) if not is_bulk],
        )
        for split in product((False, True), repeat=len(rows))
    )
    assert choose(objects, looking_calls=0).calls == best


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=15))
def test_a_plan_survives_being_stored(rows: list[int]) -> None:
    waiting = (Waiting("Lead", 7, 3, "2026-01-02T00:00:00Z"),)
    plan = replace(choose(wishes(*rows), looking_calls=3), waiting=waiting)
    assert SyncPlan.from_json(plan.to_json()) == plan
