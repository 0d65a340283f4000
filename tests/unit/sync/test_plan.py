"""The cheapest correct way is chosen per object, and priced before a credit is spent."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from headwater.credits.prices import bulk_calls, composite_calls, query_pages
from headwater.sync.plan import Method, Mode, SyncPlan, Wish, choose


def wishes(*rows: int) -> list[Wish]:
    return [Wish(f"Object{place}", Mode.FULL, count) for place, count in enumerate(rows)]


def test_small_objects_share_composites() -> None:
    plan = choose(wishes(10, 20, 30), looking_calls=2)
    assert {read.method for read in plan.reads} == {Method.COMPOSITE}
    assert plan.calls == 2 + 1


def test_a_million_rows_go_by_bulk() -> None:
    plan = choose(wishes(1_000_000, 500), looking_calls=0)
    assert [(read.rows, read.method) for read in plan.reads] == [(1_000_000, Method.BULK), (500, Method.COMPOSITE)]
    assert plan.calls <= 15


def test_an_idle_cycle_over_fifteen_objects_costs_three_credits() -> None:
    idle = [Wish(f"Object{place}", Mode.CHANGES, 0, "2026-01-01T00:00:00Z") for place in range(15)]
    assert choose(idle, looking_calls=0).calls == 3


@given(st.lists(st.integers(0, 400_000), min_size=1, max_size=7))
def test_no_other_split_between_bulk_and_composites_is_cheaper(rows: list[int]) -> None:
    best = min(
        bulk_calls([count for count, in_bulk in zip(rows, split, strict=True) if in_bulk])
        + composite_calls([query_pages(count) for count, in_bulk in zip(rows, split, strict=True) if not in_bulk])
        for split in product((False, True), repeat=len(rows))
    )
    assert choose(wishes(*rows), looking_calls=0).calls == best


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=12))
def test_a_plan_survives_being_stored(rows: list[int]) -> None:
    plan = choose(wishes(*rows), looking_calls=3)
    assert SyncPlan.from_json(plan.to_json()) == plan
