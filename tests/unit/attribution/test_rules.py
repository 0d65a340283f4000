"""Rules that cannot work are refused when they are made."""

from collections.abc import Callable

import pytest

from headwater.attribution import (
    STANDARD_MODELS,
    Activity,
    ActivityDate,
    ActivityRule,
    CampaignRule,
    ChannelRule,
    MemberDate,
    Model,
    Rules,
    Stage,
)
from headwater.common.errors import Fix


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: CampaignRule("Dateless", dates=()), "one to three different dates"),
        (lambda: CampaignRule("Twice", dates=(MemberDate.CREATED, MemberDate.CREATED)), "different dates"),
        (lambda: ActivityRule("Late", Activity.TASK, "x", ActivityDate.START), "StartDateTime, which Task lacks"),
        (lambda: ActivityRule("Done", Activity.EVENT, "x", ActivityDate.COMPLETED), "which Event lacks"),
        (lambda: ActivityRule("Who", Activity.TASK, "Call {Jill}", ActivityDate.CREATED), "unknown tokens: {Jill}"),
        (lambda: ChannelRule("Email", "E@mail"), "names a channel"),
        (lambda: ChannelRule("Email", "", None), "names a channel"),
        (lambda: ChannelRule("Email", "Mail", "A.B"), "names a channel"),
        (lambda: Rules(channels=(ChannelRule("Email", "A"), ChannelRule("EMAIL", "B"))), "more than one channel"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(make: Callable[[], object], problem: str) -> None:
    with pytest.raises(Fix) as caught:
        make()
    assert caught.value.code == "attribution.rule_invalid"
    assert problem in caught.value.sentence


def test_every_standard_model_hands_out_the_whole() -> None:
    assert [sum(model.stages.values()) + model.middle for model in STANDARD_MODELS] == [1000] * 5


def test_a_model_that_hands_out_more_or_less_is_refused() -> None:
    with pytest.raises(ValueError, match="sum to 1000"):
        Model("odd", "Odd", {Stage.FT: 999}, 0, Stage.FT)
