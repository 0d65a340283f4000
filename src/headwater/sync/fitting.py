"""What of a plan fits into the credits that are left, and what waits until when: fresh changes first, history last.

Exports keep their room because history may not go as far into the quota as they may (credits/priorities.py).
Not here: reading what waited (backfill.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from headwater.accounts.models import Account
from headwater.credits.budget import Budget, budget_of
from headwater.credits.priorities import Priority
from headwater.jobs.models import LIVE
from headwater.jobs.services import jobs_of
from headwater.sync.discover import price
from headwater.sync.formulas import due_wishes
from headwater.sync.models import Cycle, ReplicaTable
from headwater.sync.plan import Mode, SyncPlan, Waiting, Wish
from headwater.sync.soql import to_literal

BACKFILL_TASK = "sync.backfill"


def is_first_import(account: Account) -> bool:
    """Nothing was published yet, so there is nothing to keep fresh: all of it is history."""
    return not Cycle.of(account).filter(published_utc__isnull=False).exists()


def is_backfill_live(account: Account) -> bool:
    return jobs_of(str(account.pk)).filter(task=BACKFILL_TASK, state__in=LIVE).exists()


def fitted_plan(
    account: Account, tables: Mapping[str, ReplicaTable], wishes: Sequence[Wish], *, looking_calls: int
) -> SyncPlan:
    """The plan of a cycle. History that has no room, or that a backfill reads already, waits; the rest goes at once."""
    budget = budget_of(account)
    if is_first_import(account):
        return _with_room(price(account, wishes, looking_calls=looking_calls), budget, Priority.BACKFILL)
    history = [wish for wish in wishes if wish.mode is Mode.FULL]
    now = [] if is_backfill_live(account) else that_fits(account, history, budget.left_for(Priority.BACKFILL))
    waiting = [wish for wish in history if wish not in now]
    fresh = [wish for wish in wishes if wish.mode is not Mode.FULL] + _meanwhile(waiting, tables)
    plan = _with_room(price(account, [*fresh, *now], looking_calls=looking_calls), budget, Priority.FRESH)
    room_calls = budget.left_for(Priority.BACKFILL) - plan.reading_calls
    return replace(plan, waiting=_waiting(account, waiting, budget)).with_refresh(_refresh(account, budget, room_calls))


def _refresh(account: Account, budget: Budget, room_calls: int) -> SyncPlan | None:
    """Formulas that are due, as far as there is room beside everything else; the rest waits for the next window."""
    due = due_wishes(account)
    if not due:
        return None
    now = that_fits(account, due, room_calls)
    waiting = tuple(
        Waiting(
            wish.sobject,
            wish.rows,
            price(account, [wish], looking_calls=0).reading_calls,
            to_literal(budget.ends_utc),
            Mode.FORMULAS,
        )
        for wish in due
        if wish not in now
    )
    return replace(price(account, now, looking_calls=0), waiting=waiting)


def that_fits(account: Account, history: Sequence[Wish], room_calls: int) -> list[Wish]:
    """The smallest first, as many as there is room for."""
    fitting: list[Wish] = []
    for wish in sorted(history, key=lambda each: (each.rows, each.sobject)):
        if price(account, [*fitting, wish], looking_calls=0).reading_calls > room_calls:
            break
        fitting.append(wish)
    return fitting


def _meanwhile(waiting: Sequence[Wish], tables: Mapping[str, ReplicaTable]) -> list[Wish]:
    """Changes go on being read of what was read in full before."""
    known = ((wish, tables[wish.sobject].read_from_utc) for wish in waiting)
    return [
        replace(wish, mode=Mode.CHANGES, rows=0, since_utc=to_literal(read_from_utc), is_counted=False)
        for wish, read_from_utc in known
        if read_from_utc is not None
    ]


def _waiting(account: Account, wishes: Sequence[Wish], budget: Budget) -> tuple[Waiting, ...]:
    """`until_utc` is the end of the window in which history gets that far, at its share of each."""
    waiting, calls_before = [], 0
    for wish in sorted(wishes, key=lambda each: (each.rows, each.sobject)):
        calls = price(account, [wish], looking_calls=0).reading_calls
        calls_before += calls
        windows = 1 + (calls_before - 1) // max(1, budget.backfill_share_calls)
        until_utc = budget.ends_utc + timedelta(days=windows - 1)
        waiting.append(Waiting(wish.sobject, wish.rows, calls, to_literal(until_utc)))
    return tuple(waiting)


def _with_room(plan: SyncPlan, budget: Budget, priority: Priority) -> SyncPlan:
    """`left_calls` below zero: so many have to wait for the next window, at `resets_utc`."""
    return replace(
        plan,
        left_calls=budget.left_for(priority) - plan.reading_calls,
        floor_calls=budget.floor_calls,
        resets_utc=to_literal(budget.ends_utc),
    )
