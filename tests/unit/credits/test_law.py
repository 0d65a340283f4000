"""The law of the ledger: whatever is reserved, settled, given up or set, a window holds what its entries cost."""

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from headwater.accounts.services import create_account
from headwater.common.clock import clock_set_to
from headwater.common.errors import Wait
from headwater.credits.ledger import Ledger, abandon_all_old
from headwater.credits.models import Entry, EntryState, Quota, Window
from headwater.credits.opening import current_window, quota_of
from headwater.credits.priorities import Priority
from headwater.credits.quota_settings import TypedSettings, change_settings
from headwater.salesforce.meter import Call, CallKind, Outcome, Settlement

CALL = Call(CallKind.QUERY, "Lead")
_numbers = count(1)
FIRST = datetime(2026, 3, 28, 12, tzinfo=UTC)  # clocks are put forward the next day


class Law(RuleBasedStateMachine):
    """One account, whose calls are reserved and settled in any order by jobs that change hands."""

    def __init__(self) -> None:
        super().__init__()
        self.account = create_account(f"Acme {next(_numbers)}")
        self.moment = FIRST
        self.fence = 1
        self.known: list[int] = []
        self.most: Counter[int] = Counter()  # the largest limit in force in each window
        self._set_limit(4)

    def _set_limit(self, calls: int) -> None:
        Quota.of(self.account).filter(pk=quota_of(self.account).pk).update(daily_limit_calls=calls)

    @rule(priority=st.sampled_from(Priority), calls=st.integers(1, 3))
    def reserve(self, priority: Priority, calls: int) -> None:
        ledger = Ledger(self.account, job_kind="sync", job_id="7", fence=self.fence, priority=priority)
        with clock_set_to(self.moment):
            window = current_window(self.account).pk
            self.most[window] = max(self.most[window], quota_of(self.account).daily_limit_calls)
            with suppress(Wait):
                for _ in range(calls):
                    self.known.append(ledger.reserve(CALL))

    @precondition(lambda self: self.known)
    @rule(data=st.data(), outcome=st.sampled_from(Outcome))
    def settle(self, data: st.DataObject, outcome: Outcome) -> None:
        entry = data.draw(st.sampled_from(self.known))
        with clock_set_to(self.moment):
            Ledger(self.account, job_kind="sync").settle(entry, Settlement(outcome))

    @rule()
    def change_hands(self) -> None:
        self.fence += 1

    @rule(minutes=st.integers(1, 30 * 60))
    def let_time_pass(self, minutes: int) -> None:
        self.moment += timedelta(minutes=minutes)

    @rule()
    def give_up(self) -> None:
        with clock_set_to(self.moment):
            abandon_all_old()

    @rule(calls=st.integers(0, 9))
    def set_limit(self, calls: int) -> None:
        self._set_limit(calls)

    @rule(hour=st.integers(0, 23), zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland"]))
    def move_reset(self, hour: int, zone: str) -> None:
        with clock_set_to(self.moment):
            change_settings(self.account, TypedSettings(reset_time=f"{hour}:00", time_zone=zone), actor="ann")

    @invariant()
    def a_window_holds_what_its_entries_cost(self) -> None:
        costing = Entry.of(self.account).exclude(state=EntryState.NOT_SENT)
        spent = Counter(costing.values_list("window", flat=True))
        history = Counter(costing.filter(priority=Priority.BACKFILL).values_list("window", flat=True))
        for window in Window.of(self.account):
            assert (window.used_calls, window.backfill_calls) == (spent[window.pk], history[window.pk])
            assert window.used_calls <= self.most[window.pk]

    @invariant()
    def every_entry_was_reserved_in_its_window(self) -> None:
        for entry in Entry.of(self.account).select_related("window"):
            assert entry.window.starts_utc <= entry.reserved_utc < entry.window.ends_utc


class AnyInterleaving(TestCase):
    def test_sums_agree(self) -> None:
        run_state_machine_as_test(Law, settings=settings(max_examples=15, stateful_step_count=25, deadline=None))
