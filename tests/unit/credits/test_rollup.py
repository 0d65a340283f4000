"""Folding old entries into hours and days: nothing is lost, nothing counted twice, and little is left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import watch
from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import clock_set_to
from headwater.credits import rollup
from headwater.credits.ledger import settle
from headwater.credits.models import Entry, EntryState, Quota, Window
from headwater.credits.rollup import ENTRIES_KEPT, HOURS_KEPT, fold_entries, fold_hours, fold_some
from headwater.credits.rollup_models import Aggregate, JobTotal, Span
from headwater.credits.spending import By, calls_of_job, history, spending
from headwater.salesforce.meter import Outcome, Settlement
from unit.credits.calls import spend

DAY = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = timedelta(days=1)
LONG_AFTER = DAY + 500 * DAYS
NAMES: tuple[By, ...] = ("job_kind", "sobject", "call_kind", "outcome")

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return create_account("Acme")


def fold_everything(at: datetime) -> None:
    with clock_set_to(at):
        while fold_some():
            pass


def everything(account: Account, by: Sequence[By]) -> list[object]:
    return list(spending(account, DAY - DAYS, LONG_AFTER, by=by))


def test_old_entries_become_hours_and_the_answers_stay(account: Account) -> None:
    spend(account, DAY + 9 * HOUR, 3, job_id="1")
    spend(account, DAY + 9.5 * HOUR, 2, job_id="2")
    spend(account, DAY + 10 * HOUR, 1, job_id="2", outcome=Outcome.REFUSED)
    by: tuple[By, ...] = ("hour", "job_id", *NAMES)
    before = everything(account, by)
    fold_everything(DAY + 10 * DAYS)
    assert Entry.of(account).count() == 0
    assert Aggregate.of(account).filter(span=Span.HOUR).count() == 3
    assert everything(account, by) == before


def test_a_worker_folds_between_its_jobs(account: Account) -> None:
    spend(account, DAY, 3)
    with clock_set_to(DAY + 10 * DAYS):
        watch.chores()
    assert (Entry.of(account).count(), Aggregate.of(account).get().calls) == (0, 3)


def test_recent_entries_stay_single(account: Account) -> None:
    spend(account, DAY, 3)
    fold_everything(DAY + ENTRIES_KEPT)
    assert (Entry.of(account).count(), Aggregate.of(account).count()) == (3, 0)


def test_old_hours_become_days_and_jobs_keep_their_totals(account: Account) -> None:
    for hour in range(20):
        spend(account, DAY + hour * HOUR, 1, job_id="1")
    spend(account, DAY, 1, job_id="2")
    by: tuple[By, ...] = ("day", *NAMES)
    before = everything(account, by)
    fold_everything(DAY + HOURS_KEPT + 2 * DAYS)
    assert [(row.span, row.calls) for row in Aggregate.of(account)] == [(Span.DAY, 21)]
    assert everything(account, by) == before
    assert (calls_of_job(account, "1"), calls_of_job(account, "2")) == (20, 1)


def test_a_jobs_calls_add_up_wherever_they_are(account: Account) -> None:
    spend(account, DAY, 2, job_id="7")
    fold_everything(DAY + HOURS_KEPT + 2 * DAYS)
    spend(account, DAY + HOURS_KEPT, 3, job_id="7")
    fold_everything(DAY + HOURS_KEPT + 5 * DAYS)
    spend(account, DAY + HOURS_KEPT + 6 * DAYS, 4, job_id="7")
    spend(account, DAY + HOURS_KEPT + 6 * DAYS, 1, job_id="8")
    spend(account, DAY + HOURS_KEPT + 6 * DAYS, 1, job_id="7", outcome=Outcome.NOT_SENT)
    assert (JobTotal.of(account).get().calls, Aggregate.of(account).filter(job_id="7").get().calls) == (2, 3)
    assert calls_of_job(account, "7") == 9


def test_the_history_of_windows_stays(account: Account) -> None:
    Quota.of(account).update_or_create(account=account, defaults={"reset_minute": 9 * 60 + 30})
    for hour in range(0, 48, 5):
        spend(account, DAY + hour * HOUR, 1, outcome=Outcome.REFUSED)
        spend(account, DAY + hour * HOUR + timedelta(minutes=40), 1, outcome=Outcome.LOST)
    with clock_set_to(DAY + 10 * DAYS):
        before = history(account)
    fold_everything(DAY + 10 * DAYS)
    with clock_set_to(DAY + 10 * DAYS):
        assert history(account) == before
    fold_everything(LONG_AFTER)
    with clock_set_to(DAY + 10 * DAYS):
        assert history(account) == before
    assert sum(window.refused for window in before) == 10


def test_one_crash_in_the_middle_changes_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    spend(account, DAY, 3)
    before = everything(account, NAMES)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with clock_set_to(DAY + 10 * DAYS):
        add = rollup._add

        def add_and_crash(window: Window, span: Span, calls: Mapping[rollup.Key, int]) -> None:
            add(window, span, calls)
            crash()

        monkeypatch.setattr(rollup, "_add", add_and_crash)
        with pytest.raises(KeyboardInterrupt):
            fold_entries()
        assert (Entry.of(account).count(), Aggregate.of(account).count()) == (3, 0)
        monkeypatch.setattr(rollup, "_add", add)
        fold_entries()
        monkeypatch.setattr(rollup, "_add_to_jobs", crash)
        with clock_set_to(LONG_AFTER), pytest.raises(KeyboardInterrupt):
            fold_hours()
    assert everything(account, NAMES) == before
    assert Aggregate.of(account).get().span == Span.HOUR


def test_each_time_a_bounded_amount_is_done(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup, "BATCH_ENTRIES", 10)
    spend(account, DAY, 95)
    before = everything(account, ["hour", *NAMES])
    with clock_set_to(DAY + 10 * DAYS):
        assert fold_some() == rollup.BATCHES_A_TIME
        assert Entry.of(account).count() == 55
        assert everything(account, ["hour", *NAMES]) == before
        while fold_some():
            pass
    assert everything(account, ["hour", *NAMES]) == before
    assert (Entry.of(account).count(), Aggregate.of(account).count()) == (0, 1)


def test_a_call_that_nobody_settled_is_folded_as_spent(account: Account) -> None:
    [entry] = spend(account, DAY, 1, outcome=None)
    fold_everything(DAY + 10 * DAYS)
    [row] = spending(account, DAY, DAY + DAYS, by=["outcome"])
    assert (row.outcome, row.calls, row.unanswered) == ("abandoned", 1, 1)
    settle(account, entry, Settlement(Outcome.NOT_SENT))  # too late to be believed
    assert spending(account, DAY, DAY + DAYS, by=["outcome"]) == [row]


def test_each_account_keeps_its_own(account: Account) -> None:
    other = create_account("Other")
    spend(account, DAY, 2, job_id="1")
    spend(other, DAY, 5, job_id="1")
    fold_everything(LONG_AFTER)
    assert (calls_of_job(account, "1"), calls_of_job(other, "1")) == (2, 5)
    assert [row.calls for row in spending(account, DAY, DAY + DAYS, by=["day"])] == [2]


calls = st.lists(
    st.tuples(
        st.integers(0, 9 * 24 * 60),  # the minute after DAY
        st.sampled_from(["sync", "export"]),
        st.sampled_from(["", "1", "2"]),
        st.sampled_from(["", "Lead"]),
        st.sampled_from(["query", "bulk_poll"]),
        st.sampled_from([state for state in EntryState if state != EntryState.OPEN]),
    ),
    min_size=1,
    max_size=40,
)
Told = tuple[int, str, str, str, str, EntryState]


@settings(max_examples=25, deadline=None)
@given(calls, st.integers(0, 24 * 60 - 1), st.lists(st.integers(0, 130), max_size=6), st.integers(1, 7))
def test_whenever_it_is_folded_every_answer_over_whole_hours_and_days_is_the_same(
    told: list[Told], reset_minute: int, fold_days: list[int], batch: int
) -> None:
    """Against the calls themselves, counted in memory: recent ones by hour, all of them by day."""
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        account = create_account("Acme")
        _write(account, told, reset_minute)
        patch.setattr(rollup, "BATCH_ENTRIES", batch)
        for day in sorted(fold_days):
            with clock_set_to(DAY + day * DAYS):
                fold_some()
            _compare(account, told, has_days=bool(Aggregate.of(account).filter(span=Span.DAY)))
        transaction.set_rollback(True)


def _write(account: Account, told: list[Told], reset_minute: int) -> None:
    """The rows as the ledger leaves them, which is what is folded."""
    windows: dict[datetime, Window] = {}
    entries = []
    for minute, job_kind, job_id, sobject, call_kind, state in sorted(told):
        at = DAY + timedelta(minutes=minute)
        reset = at.replace(hour=0, minute=0) + timedelta(minutes=reset_minute)
        start = reset if reset <= at else reset - DAYS
        window = windows.get(start) or _window(account, start)
        windows[start] = window
        entries.append(
            Entry(
                account=account, window=window, job_kind=job_kind, job_id=job_id, sobject=sobject, call_kind=call_kind,
                state=state, reserved_utc=at,
            )
        )  # fmt: skip
    Entry.of(account).bulk_create(entries)


def _window(account: Account, starts_utc: datetime) -> Window:
    ends = starts_utc + DAYS
    return Window.of(account).create(account=account, starts_utc=starts_utc, ends_utc=ends, promised_ends_utc=ends)


def _compare(account: Account, told: list[Told], *, has_days: bool) -> None:
    sent = [call for call in told if call[5] != EntryState.NOT_SENT]
    groups: list[tuple[By, ...]] = [names for size in range(4) for names in combinations(NAMES, size)]
    for names in groups:
        moments: tuple[By, ...] = ("day",) if has_days else ("day", "hour")
        for moment in moments:
            assert _told(account, (moment, *names)) == _counted(sent, (moment, *names))
    if not has_days:
        assert _told(account, ("hour", "job_id")) == _counted(sent, ("hour", "job_id"))
    for job_id in ("1", "2"):
        assert calls_of_job(account, job_id) == sum(call[2] == job_id for call in sent)


def _told(account: Account, by: Sequence[By]) -> Counter[tuple[object, ...]]:
    counts = Counter[tuple[object, ...]]()
    for row in spending(account, DAY, DAY + 10 * DAYS, by=by):
        counts[tuple(getattr(row, name) for name in by)] += row.calls
    return counts


def _counted(sent: list[Told], by: Sequence[By]) -> Counter[tuple[object, ...]]:
    counts = Counter[tuple[object, ...]]()
    for minute, job_kind, job_id, sobject, call_kind, state in sent:
        at = DAY + timedelta(minutes=minute)
        known = {
            "hour": at.replace(minute=0), "day": at.replace(hour=0, minute=0), "job_kind": job_kind, "job_id": job_id,
            "sobject": sobject, "call_kind": call_kind, "outcome": state.value,
        }  # fmt: skip
        counts[tuple(known[name] for name in by)] += 1
    return counts
