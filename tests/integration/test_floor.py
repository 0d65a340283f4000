"""What is kept of the org's own allowance for its other users, over HTTP, while others use the org too (row B5)."""

from datetime import timedelta

import pytest

from headwater.accounts.models import Account
from headwater.common.clock import clock_running_ahead
from headwater.common.errors import Wait
from headwater.connections.models import Connection
from headwater.connections.services import session
from headwater.credits.allowance import NOISE_CALLS
from headwater.credits.services import budget_of
from headwater.salesforce.meter import Call, CallKind
from headwater.salesforce.transport import Request
from orgsim.clock import ClockSetting
from orgsim.testing import RunningOrgsim

ALLOWED, FLOOR = 200, 20  # 10 % of it
LIMITS = Request("GET", "/services/data/v64.0/limits", "asking for the limits")


@pytest.fixture
def shared_org(org: RunningOrgsim, connected: Connection) -> RunningOrgsim:
    """An org that allows few calls, and has not spoken of it yet."""
    assert connected.org_id
    org.production.set("allowance_calls", ALLOWED)
    return org


def spend(account: Account, calls: int = 1_000) -> tuple[int, Wait | None]:
    """How many calls were made, and what stopped them."""
    with session(account, job_kind="sync") as transport:
        for made in range(calls):
            try:
                transport.send(Call(CallKind.LIMITS), LIMITS)
            except Wait as wait:
                return made, wait
    return calls, None


def used(org: RunningOrgsim) -> int:
    return org.production.usage.used_calls()


def test_work_stops_before_it_takes_what_is_kept_for_others(shared_org: RunningOrgsim, account: Account) -> None:
    shared_org.production.usage.use_elsewhere(120)
    _, stopped = spend(account)
    assert stopped is not None
    assert stopped.code == "credits.floor_reached"
    assert used(shared_org) == ALLOWED - FLOOR - NOISE_CALLS
    budget = budget_of(account)
    assert (budget.floor_calls, budget.org_left_calls, budget.left_calls) == (FLOOR, 0, 0)
    assert f"About {used(shared_org)} of {ALLOWED} calls are used" in stopped.facts.why
    assert "free again at the same hour of the next day" in stopped.facts.next


def test_others_who_use_more_meanwhile_are_noticed_with_the_next_answer(
    shared_org: RunningOrgsim, account: Account
) -> None:
    assert spend(account, 5) == (5, None)
    shared_org.production.usage.use_elsewhere(ALLOWED - FLOOR - used(shared_org) - 1)
    made, stopped = spend(account)
    assert (made, stopped and stopped.code) == (1, "credits.floor_reached")


def test_every_quarter_of_an_hour_one_call_asks_whether_there_is_room_again(
    shared_org: RunningOrgsim, account: Account
) -> None:
    shared_org.production.usage.use_elsewhere(ALLOWED - FLOOR)
    assert spend(account)[0] == 1
    for quarter in (1, 2):
        with clock_running_ahead(timedelta(minutes=16 * quarter)):
            made, stopped = spend(account)
            assert (made, stopped and stopped.code) == (1, "credits.floor_reached")
            assert spend(account)[0] == 0
    shared_org.state.set_clock(ClockSetting(offset_seconds=25 * 3600))
    with clock_running_ahead(timedelta(hours=25)):  # what others used has left the org's 24 hours
        assert spend(account, 20) == (20, None)


def test_an_org_whose_count_wavers_and_is_sometimes_missing_is_left_its_floor_all_the_same(
    shared_org: RunningOrgsim, account: Account
) -> None:
    shared_org.production.set("header_noise", True)
    shared_org.production.usage.use_elsewhere(100)
    made, stopped = spend(account)
    assert stopped is not None
    assert stopped.code == "credits.floor_reached"
    assert ALLOWED - FLOOR - 3 * NOISE_CALLS <= used(shared_org) <= ALLOWED - FLOOR
    assert made > NOISE_CALLS


def test_an_allowance_that_is_used_up_altogether_is_said_to_be_that(
    shared_org: RunningOrgsim, account: Account
) -> None:
    shared_org.production.usage.use_elsewhere(ALLOWED)
    codes = [stopped and stopped.code for _, stopped in (spend(account), spend(account))]
    assert codes == ["salesforce.request_limit"] * 2  # the org's own words, and then ours for them
