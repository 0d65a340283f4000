"""Reserves a credit before a call and settles it after: the fulfilment of the Meter that every call passes.

The conditional updates of the window and of the org's allowance must touch exactly one row each, so that no number of
workers can overspend them. A crash between reserving and settling leaves an OPEN entry, which counts as spent.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.common.errors import Wait
from headwater.credits import allowance, refusals
from headwater.credits.models import Entry, EntryState, Quota, Window
from headwater.credits.opening import current_window, quota_of
from headwater.credits.priorities import Priority, ceiling_calls, share_calls
from headwater.credits.readings import keep_reading
from headwater.credits.reconcile_models import Source
from headwater.salesforce.meter import Call, Outcome, Settlement

SESSION_ENDED = 401
ABANDONED_AFTER = timedelta(hours=1)  # no request takes so long; one that did settles its entry all the same


class Ledger:
    """The meter of one job of one account. `fence`: that of the job's holder, which counts up with each taker."""

    def __init__(
        self,
        account: Account,
        *,
        job_kind: str,
        job_id: str = "",
        fence: int = 0,
        priority: Priority = Priority.FRESH,
    ) -> None:
        self._account = account
        self._job_kind = job_kind
        self._job_id = job_id
        self._fence = fence
        self._priority = priority
        self._has_buried = False
        self._read_hour: datetime | None = None

    def reserve(self, call: Call) -> int:
        self._bury_former_holders()
        while True:
            with transaction.atomic():
                quota, window = quota_of(self._account), current_window(self._account)
                if self._take_one(quota, window) and allowance.take_one(self._account, quota):
                    return self._write_entry(window, call).pk
                transaction.set_rollback(True)
            if refused := self._refusal():
                raise refused  # else there is room by now

    def settle(self, entry: int, settlement: Settlement) -> None:
        """Also of an entry that was given up meanwhile: what is known late is known better."""
        settle(self._account, entry, settlement)
        hour = now_utc().replace(minute=0, second=0, microsecond=0)
        if settlement.org_usage is not None and hour != self._read_hour:
            keep_reading(self._account, settlement.org_usage, Source.HEADER)
            self._read_hour = hour

    def _take_one(self, quota: Quota, window: Window) -> bool:
        limit, is_backfill = quota.daily_limit_calls, self._priority is Priority.BACKFILL
        fits = Q(used_calls__lt=ceiling_calls(self._priority, limit))
        if is_backfill:
            fits &= Q(backfill_calls__lt=share_calls(quota.backfill_share_percent, limit))
        mine = Window.of(self._account).filter(fits, pk=window.pk)
        taken = {"used_calls": F("used_calls") + 1, "backfill_calls": F("backfill_calls") + int(is_backfill)}
        return mine.update(**taken, limit_calls=limit) == 1

    def _refusal(self) -> Wait | None:
        """Why there is no room; None where there is."""
        quota, window = quota_of(self._account), current_window(self._account)
        if refused := refusals.of_quota(quota, window, self._priority):
            return refused
        known = allowance.known_of(self._account, quota)
        if known is None or known.left_calls:
            return None
        return refusals.of_allowance(known, quota, allowance.next_try_utc(self._account))

    def _write_entry(self, window: Window, call: Call) -> Entry:
        return Entry.of(self._account).create(
            account=self._account,
            window=window,
            job_kind=self._job_kind,
            job_id=self._job_id,
            fence=self._fence,
            priority=self._priority,
            sobject=call.sobject,
            call_kind=call.kind,
            reserved_utc=now_utc(),
        )

    def _bury_former_holders(self) -> None:
        """The job was taken from a dead holder, or from one that may write no more."""
        if self._fence and not self._has_buried:
            abandon(Entry.of(self._account).filter(job_id=self._job_id, fence__lt=self._fence))
            self._has_buried = True


def settle(account: Account, entry: int, settlement: Settlement) -> None:
    """Write how a call ended, once; NOT_SENT gives its credit back."""
    with transaction.atomic():
        row = Entry.of(account).select_for_update().select_related("window").filter(pk=entry).first()
        if row is None or row.state not in (EntryState.OPEN, EntryState.ABANDONED):
            return  # settled before, or so old that it was folded as spent (rollup.py)
        row.state = EntryState(settlement.outcome.value)
        row.status_code = settlement.status_code
        row.settled_utc = now_utc()
        row.save(update_fields=["state", "status_code", "settled_utc"])
        if settlement.outcome is Outcome.NOT_SENT:
            _give_back(account, row)
        if settlement.org_usage is not None:
            allowance.hear(account, settlement.org_usage, current_window(account))
        elif settlement.outcome is Outcome.NOT_SENT or settlement.status_code == SESSION_ENDED:
            allowance.probe_again(account)


def abandon(entries: QuerySet[Entry]) -> int:
    """Settle those of `entries` that are open as spent, with nobody left to say how they ended. Returns how many."""
    return entries.filter(settled_utc=None).update(state=EntryState.ABANDONED, settled_utc=now_utc())


def abandon_all_old() -> int:
    """Settle what was reserved so long ago, by whatever account, that nobody can be waiting for its answer."""
    old = Entry.of_all().filter(reserved_utc__lt=now_utc() - ABANDONED_AFTER, settled_utc=None)
    return abandon(old) if old.exists() else 0  # a look takes no turn of those who write


def _give_back(account: Account, row: Entry) -> None:
    is_backfill = int(row.priority == Priority.BACKFILL)
    Window.of(account).filter(pk=row.window_id).update(
        used_calls=F("used_calls") - 1, backfill_calls=F("backfill_calls") - is_backfill
    )
    allowance.give_back_one(account)
