"""The estimate of what the org's allowance has left is cautious, whatever its noise and whatever is under way."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import clock_set_to
from headwater.common.errors import Wait
from headwater.credits.allowance import NOISE_CALLS, PROBE_EVERY, forget_org, known_of
from headwater.credits.budget import budget_of
from headwater.credits.ledger import Ledger
from headwater.credits.models import Window
from headwater.credits.opening import current_window, quota_of
from headwater.credits.services import today
from headwater.salesforce.meter import Call, CallKind, OrgUsage, Outcome, Settlement

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALL = Call(CallKind.QUERY, "Lead")
ALLOWED = 1_000

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return create_account("Acme")


@pytest.fixture
def ledger(account: Account) -> Ledger:
    return Ledger(account, job_kind="sync")


def said(used_calls: int, allowed: int = ALLOWED) -> Settlement:
    return Settlement(Outcome.ANSWERED, 200, OrgUsage(used_calls, allowed))


def estimate(account: Account) -> int:
    known = known_of(account, quota_of(account))
    assert known is not None
    return known.used_calls


def test_before_the_org_spoke_nothing_is_held_back(account: Account, ledger: Ledger) -> None:
    for _ in range(3):
        ledger.settle(ledger.reserve(CALL), Settlement(Outcome.ANSWERED, 200))  # an answer without the header
    assert known_of(account, quota_of(account)) is None
    assert budget_of(account).org_left_calls is None


def test_our_calls_since_the_org_spoke_count_and_those_under_way_too(account: Account, ledger: Ledger) -> None:
    under_way = ledger.reserve(CALL)
    ledger.settle(ledger.reserve(CALL), said(500))
    assert estimate(account) == 501
    ledger.settle(under_way, Settlement(Outcome.NOT_SENT))
    assert estimate(account) == 500
    ledger.reserve(CALL)
    assert estimate(account) == 501


def test_a_figure_lower_by_noise_is_not_believed_and_one_lower_by_more_is(account: Account, ledger: Ledger) -> None:
    ledger.settle(ledger.reserve(CALL), said(500))
    ledger.settle(ledger.reserve(CALL), said(490))
    assert (estimate(account), today(account).org_used_calls) == (501, 490)
    ledger.settle(ledger.reserve(CALL), said(480))
    assert estimate(account) == 480


def test_the_org_cannot_have_used_less_than_we_spent_there(account: Account, ledger: Ledger) -> None:
    with clock_set_to(NOON):
        Window.of(account).filter(pk=current_window(account).pk).update(used_calls=700)
        ledger.settle(ledger.reserve(CALL), said(20))
        assert estimate(account) == 701
        forget_org(account)
        ledger.settle(ledger.reserve(CALL), said(20))
        assert estimate(account) == 20  # what was spent before was spent in another org


def test_the_floor_is_of_the_allowance_that_the_org_has_now(account: Account, ledger: Ledger) -> None:
    with clock_set_to(NOON):
        ledger.settle(ledger.reserve(CALL), said(ALLOWED - 100 - NOISE_CALLS - 1))
        ledger.settle(ledger.reserve(CALL), said(ALLOWED - 100 - NOISE_CALLS))
        with pytest.raises(Wait) as refused:
            ledger.reserve(CALL)
    assert (refused.value.code, refused.value.retry_utc) == ("credits.floor_reached", NOON + PROBE_EVERY)
    with clock_set_to(NOON + PROBE_EVERY):
        ledger.settle(ledger.reserve(CALL), said(ALLOWED - 100 - NOISE_CALLS, 10 * ALLOWED))
        ledger.reserve(CALL)


def test_one_call_in_a_quarter_of_an_hour_passes_below_the_floor_whoever_asks(account: Account) -> None:
    workers = [Ledger(account, job_kind=f"worker {number}") for number in range(4)]
    with clock_set_to(NOON):
        workers[0].settle(workers[0].reserve(CALL), said(950))
    granted, retries = [], set()
    for minutes in range(31):
        with clock_set_to(NOON + timedelta(minutes=minutes)):
            for worker in workers:
                try:
                    worker.reserve(CALL)  # and no answer comes
                    granted.append(minutes)
                except Wait as wait:
                    retries.add(wait.retry_utc > NOON + timedelta(minutes=minutes))
    assert granted == [15, 30]
    assert retries == {True}


@dataclass
class TrueOrg:
    """What the org really counts: others' calls, and ours as they arrive."""

    others: int = 0
    arrived: int = 0
    under_way: list[int] = field(default_factory=list)


ours = st.tuples(st.just("reserve"), st.just(0))
answers = st.tuples(st.just("answer"), st.integers(-NOISE_CALLS, 13))
lost = st.tuples(st.just("lose"), st.integers(0, 1))
theirs = st.tuples(st.just("others"), st.integers(1, 40))


class AnyWavering(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(st.lists(ours | ours | answers | lost | theirs, max_size=25))
    def test_after_each_answer_the_estimate_with_its_slack_is_at_least_the_truth(
        self, steps: list[tuple[str, int]]
    ) -> None:
        account, org = create_account("Acme"), TrueOrg()
        ledger = Ledger(account, job_kind="sync")
        for what, number in steps:
            if what == "others":
                org.others += number
            elif what == "reserve":
                org.under_way.append(ledger.reserve(CALL))
            elif org.under_way:
                entry = org.under_way.pop(0)
                org.arrived += 1 if what == "answer" else number
                used = max(0, org.others + org.arrived + number)
                ledger.settle(entry, said(used, 100_000) if what == "answer" else Settlement(Outcome.LOST))
                if what == "answer":
                    assert estimate(account) + NOISE_CALLS >= org.others + org.arrived + len(org.under_way)
