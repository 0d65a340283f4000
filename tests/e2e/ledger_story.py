"""Three months of an account's ledger for pictures: days that differ, jobs, objects, a refusal here and there.

Rows are written as the ledger leaves them; going through it call by call would take minutes.
"""

from datetime import datetime, timedelta

from headwater.accounts.models import Account
from headwater.common.clock import clock_set_to, now_utc
from headwater.credits.models import Entry, EntryState, Window
from headwater.credits.opening import current_window
from headwater.credits.reconcile_models import Reading, Source
from headwater.credits.services import meter_for
from headwater.salesforce.meter import Call, CallKind, OrgUsage, Outcome, Settlement

DAYS = 90
_HOURS = (0, 2, 6, 7, 8, 9, 10, 11, 13, 14, 15, 17, 20, 22)
_CALLS = (
    ("sync", CallKind.COMPOSITE_QUERY, ""),
    ("sync", CallKind.QUERY, "CampaignMember"),
    ("sync", CallKind.BULK_POLL, "Task"),
    ("export", CallKind.UPSERT, "Buyer_Touchpoint__c"),
    ("sync", CallKind.QUERY, "Lead"),
    ("export", CallKind.UPSERT, "Buyer_Attribution_Touchpoint__c"),
)


def tell_story(account: Account, *, days: int = DAYS, org_usage: OrgUsage | None = None) -> None:
    """Ends with one call of now, through the ledger, whose answer says `org_usage`."""
    now = now_utc()
    for back in range(days - 1, -1, -1):
        _tell_day(account, now - timedelta(days=back), back, now)
    if org_usage is not None:
        _tell_readings(account, org_usage, now)
    entry = (meter := meter_for(account, job_kind="sync", job_id="1")).reserve(Call(CallKind.LIMITS))
    meter.settle(entry, Settlement(Outcome.ANSWERED, 200, org_usage))


def _tell_readings(account: Account, org_usage: OrgUsage, now: datetime) -> None:
    """What the org said in the hours of the last week; more by day than by night."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    Reading.of(account).bulk_create(
        Reading(
            account=account,
            hour_utc=(at := hour - timedelta(hours=back)),
            source=Source.HEADER,
            read_utc=at,
            used_calls=org_usage.used_calls * (55 + 3 * abs(12 - at.hour)) // 100,
            limit_calls=org_usage.limit_calls,
            own_calls=40 + 7 * (back % 9),
        )
        for back in range(1, 7 * 24, 3)
    )


def _tell_day(account: Account, moment: datetime, back: int, now: datetime) -> None:
    with clock_set_to(moment):
        window = current_window(account)
    busy = 3 + (back * 7) % 5 - (2 if moment.weekday() >= 5 else 0)
    entries = [
        _entry(account, window, window.starts_utc + timedelta(hours=hour, minutes=number), back + hour + number)
        for hour in _HOURS
        for number in range(busy + (hour * back) % 4 + (back % 5 if hour > 18 else 0))
    ]
    past = [entry for entry in entries if entry.reserved_utc <= now]
    Entry.of(account).bulk_create(past)
    Window.of(account).filter(pk=window.pk).update(used_calls=len(past), limit_calls=100_000)


def _entry(account: Account, window: Window, at: datetime, number: int) -> Entry:
    job_kind, call_kind, sobject = _CALLS[number % len(_CALLS)]
    state = EntryState.REFUSED if number % 41 == 0 else EntryState.ANSWERED
    return Entry(
        account=account,
        window=window,
        job_kind=job_kind,
        job_id=str(number // 6),
        sobject=sobject,
        call_kind=call_kind,
        state=state,
        reserved_utc=at,
        settled_utc=at,
    )
