"""Reserves a credit before a call and settles it after: the fulfilment of the Meter that every call passes.

The conditional update of the window must touch exactly one row, so that no number of workers can overspend it.
A crash between the two leaves an OPEN entry, which counts as spent.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Wait
from headwater.credits.models import Entry, EntryState, Quota, Window
from headwater.salesforce.meter import Call, Outcome, Settlement

WINDOW = timedelta(hours=24)


def window_start(moment: datetime, reset_minute_utc: int) -> datetime:
    """The beginning of the window that `moment` falls into."""
    reset = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(minutes=reset_minute_utc)
    return reset if reset <= moment else reset - WINDOW


def quota_of(account: Account) -> Quota:
    quota, _ = Quota.of(account).get_or_create(account=account)
    return quota


def current_window(account: Account) -> Window:
    start = window_start(now_utc(), quota_of(account).reset_minute_utc)
    window, _ = Window.of(account).get_or_create(starts_utc=start, account=account)
    return window


class Ledger:
    """The meter of one job of one account."""

    def __init__(self, account: Account, *, job_kind: str, job_id: str = "") -> None:
        self._account = account
        self._job_kind = job_kind
        self._job_id = job_id

    def reserve(self, call: Call) -> int:
        with transaction.atomic():
            limit = quota_of(self._account).daily_limit_calls
            window = current_window(self._account)
            granted = (
                Window.of(self._account)
                .filter(pk=window.pk, used_calls__lt=limit)
                .update(used_calls=F("used_calls") + 1, limit_calls=limit)
            )
            if granted:
                return self._write_entry(window, call).pk
        raise _quota_reached(window, limit)

    def _write_entry(self, window: Window, call: Call) -> Entry:
        return Entry.of(self._account).create(
            account=self._account,
            window=window,
            job_kind=self._job_kind,
            job_id=self._job_id,
            sobject=call.sobject,
            call_kind=call.kind,
            reserved_utc=now_utc(),
        )

    def settle(self, entry: int, settlement: Settlement) -> None:
        with transaction.atomic():
            row = Entry.of(self._account).select_for_update().select_related("window").get(pk=entry)
            if row.state != EntryState.OPEN:
                return
            row.state = EntryState(settlement.outcome.value)
            row.status_code = settlement.status_code
            row.settled_utc = now_utc()
            row.save(update_fields=["state", "status_code", "settled_utc"])
            self._note_on_window(row.window, settlement)

    def _note_on_window(self, window: Window, settlement: Settlement) -> None:
        mine = Window.of(self._account).filter(pk=window.pk)
        if settlement.outcome is Outcome.NOT_SENT:
            mine.update(used_calls=F("used_calls") - 1)
        if settlement.org_usage is not None:
            mine.update(
                org_used_calls=settlement.org_usage.used_calls,
                org_limit_calls=settlement.org_usage.limit_calls,
                org_read_utc=now_utc(),
            )


def _quota_reached(window: Window, limit: int) -> Wait:
    ends = window.starts_utc + WINDOW
    return Wait(
        "credits.quota_reached",
        f"The Daily CRM API Limit of {limit:,} calls is used up.",
        retry_utc=ends,
        facts=Facts(
            why=f"{window.used_calls:,} of {limit:,} calls are spent since {window.starts_utc:%Y-%m-%d %H:%M} UTC.",
            left="The call that would have gone over was not sent. Everything read or written so far is kept.",
            next=f"Goes on by itself when the window resets, {ends:%Y-%m-%d %H:%M} UTC.",
            you_can="wait, or raise the limit in Settings > CRM > General (headwater credits --limit N)",
        ),
    )
