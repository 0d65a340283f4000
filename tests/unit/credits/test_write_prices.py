"""Writing is priced and its way chosen before a credit is spent: never dearer than any other correct way."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.common.errors import Fix
from headwater.credits.write_prices import (
    BATCH_SIZES,
    JOB_BYTES,
    Action,
    Queue,
    Way,
    WritePlan,
    bulk_calls,
    choose,
    collection_calls,
    poll_delays,
    polls_for,
    seconds_of_jobs,
)

A_LINE = 450  # bytes of CSV


@st.composite
def queues(draw: st.DrawFn) -> list[Queue]:
    made = []
    for action, sobject in product(Action, ("Buyer_Touchpoint__c", "Buyer_Attribution_Touchpoint__c")):
        records = draw(st.one_of(st.integers(0, 20_000), st.integers(0, 3_000_000)))
        unfit = draw(st.integers(0, min(records, 500)))
        line = 19 if action is Action.DELETE else draw(st.integers(100, 1_500))
        made.append(Queue(action, sobject, records, (records - unfit) * line, unfit))
    return made


@pytest.mark.parametrize(
    ("records", "way", "calls"),
    [
        (1, Way.COLLECTIONS, 1),
        (200, Way.COLLECTIONS, 1),
        (201, Way.COMPOSITE, 1),
        (1_000, Way.COMPOSITE, 1),
        (1_001, Way.COMPOSITE, 2),
        (7_000, Way.COMPOSITE, 7),
        (7_001, Way.BULK, 7),
        (100_000, Way.BULK, 7),
        (1_000_000, Way.BULK, 23),
    ],
)
def test_each_size_goes_its_cheapest_way(records: int, way: Way, calls: int) -> None:
    plan = choose([Queue(Action.UPSERT, "Buyer_Touchpoint__c", records, records * A_LINE)])
    assert ([each.way for each in plan.writes], plan.calls) == ([way], calls)


def test_a_million_touchpoints_are_a_thousand_credits_without_bulk_and_the_plan_says_why() -> None:
    queue = Queue(Action.UPSERT, "Buyer_Touchpoint__c", 1_000_000, 1_000_000 * A_LINE)
    plan = choose([queue], without_bulk="The org has no Bulk API.", looking_calls=1)
    assert (plan.collection_calls, plan.bulk_calls, plan.calls) == (1_000, 0, 1_001)
    assert plan.without_bulk == "The org has no Bulk API."


@given(queues())
def test_no_other_split_is_cheaper(given_queues: list[Queue]) -> None:
    plan = choose(given_queues)
    filled = [queue for queue in given_queues if queue.records]
    for split in product((False, True), repeat=len(filled)):
        assert plan.calls <= collection_calls(filled, split, 200) + bulk_calls(filled, split)


@given(queues(), st.sampled_from(BATCH_SIZES))
def test_smaller_batches_rule_bulk_out_and_cost_what_five_of_them_a_call_cost(
    given_queues: list[Queue], batch_size: int
) -> None:
    plan = choose(given_queues, batch_size=batch_size)
    if batch_size < 200 or not any(each.way is Way.BULK for each in plan.writes):
        batches = sum(math.ceil(queue.records / batch_size) for queue in given_queues)
        assert plan.calls == math.ceil(batches / 5)
    assert bool(plan.without_bulk) == (batch_size < 200)
    assert plan.records == sum(queue.records for queue in given_queues)


@given(queues())
def test_a_plan_is_the_same_after_it_was_stored(given_queues: list[Queue]) -> None:
    plan = choose(given_queues, looking_calls=1)
    assert WritePlan.from_json(plan.to_json()) == plan
    for each in plan.writes:
        assert each.way is not Way.BULK or each.is_small or each.jobs * JOB_BYTES >= each.records - each.unfit_records


@pytest.mark.parametrize("batch_size", [0, -1, 1, 150, 201, 2_000])
def test_other_batch_sizes_are_refused(batch_size: int) -> None:
    with pytest.raises(Fix, match="no export batch size"):
        choose([], batch_size=batch_size)


@given(st.integers(1, 1_000_000), st.floats(0.05, 2))
def test_an_org_that_is_faster_or_half_as_fast_moves_the_polls_by_three_at_most(records: int, factor: float) -> None:
    expected = seconds_of_jobs(records)
    waited = 0.0
    for polls, delay in enumerate(poll_delays(expected), start=1):
        waited += delay
        if waited >= expected * factor:
            assert abs(polls - polls_for(expected)) <= 3
            return
