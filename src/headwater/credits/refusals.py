"""Why a call is not granted, when to ask again, and what a person can do: one reason, one code.

Each has its section in docs/reference/errors.md. Not here: deciding (ledger.py, allowance.py).
"""

from datetime import datetime

from headwater.common.errors import Facts, Wait
from headwater.credits.allowance import Known
from headwater.credits.models import Quota, Window
from headwater.credits.priorities import CEILING_PERCENT, Priority, ceiling_calls, share_calls
from headwater.salesforce.limits import REQUESTS

BY_SETTINGS = frozenset(  # what other settings may end at once
    {"credits.quota_reached", "credits.kept_for_fresh", "credits.backfill_share_used", "credits.floor_reached"}
)
_LEFT = "The call that would have gone over was not sent. Everything read or written so far is kept."
_WORK = {
    Priority.EXPORT: "writing to Salesforce",
    Priority.BACKFILL: "reading history",
    Priority.FRESH: "fresh changes",
}


def of_quota(quota: Quota, window: Window, priority: Priority) -> Wait | None:
    """The reason that the quota gives against a call of this priority; None where it has room."""
    limit = quota.daily_limit_calls
    if window.used_calls >= limit:
        return _quota_reached(window, limit)
    if window.used_calls >= ceiling_calls(priority, limit):
        return _kept_for_fresh(window, limit, priority)
    share = share_calls(quota.backfill_share_percent, limit)
    if priority is Priority.BACKFILL and window.backfill_calls >= share:
        return _share_used(window, share, quota.backfill_share_percent)
    return None


def of_allowance(known: Known, quota: Quota, retry_utc: datetime) -> Wait:
    """The org's own allowance is used up, or what it has left is kept for others."""
    heard = f"About {known.used_calls:,} of {known.limit_calls:,} calls are used, heard {known.heard_utc:%H:%M} UTC."
    if known.used_calls >= known.limit_calls:
        return REQUESTS.as_wait(heard, retry_utc)
    return Wait(
        "credits.floor_reached",
        "What is left of the org's own API allowance is kept for its other users.",
        retry_utc=retry_utc,
        facts=Facts(
            why=f"{heard} They are for all the org's users and programs together, in the last 24 hours; "
            f"{known.floor_calls:,} ({quota.floor_percent} %) are left to others.",
            left=_LEFT,
            next=f"One call asks the org again at {retry_utc:%H:%M} UTC, and work goes on when there is room. The "
            "org's 24 hours slide: what was used at an hour is free again at the same hour of the next day.",
            you_can="wait, see who else uses the API (Setup > Company Information), ask Salesforce for more calls, or "
            "lower the floor in Settings > CRM > General",
        ),
    )


def _quota_reached(window: Window, limit: int) -> Wait:
    return Wait(
        "credits.quota_reached",
        f"The Daily CRM API Limit of {limit:,} calls is used up.",
        retry_utc=window.ends_utc,
        facts=Facts(
            why=f"{window.used_calls:,} of {limit:,} calls are spent since {window.starts_utc:%Y-%m-%d %H:%M} UTC.",
            left=_LEFT,
            next=f"Goes on by itself when the window resets, {window.ends_utc:%Y-%m-%d %H:%M} UTC.",
            you_can="wait, or raise the limit in Settings > CRM > General (headwater credits --limit N)",
        ),
    )


def _kept_for_fresh(window: Window, limit: int, priority: Priority) -> Wait:
    return Wait(
        "credits.kept_for_fresh",
        f"The last calls of the Daily CRM API Limit are kept for what matters more than {_WORK[priority]}.",
        retry_utc=window.ends_utc,
        facts=Facts(
            why=f"{window.used_calls:,} of {limit:,} calls are spent since {window.starts_utc:%Y-%m-%d %H:%M} UTC; "
            f"{_WORK[priority]} stops at {CEILING_PERCENT[priority]} %, so that fresh changes are still read.",
            left=_LEFT,
            next=f"Goes on by itself when the window resets, {window.ends_utc:%Y-%m-%d %H:%M} UTC.",
            you_can="wait, or raise the limit in Settings > CRM > General (headwater credits --limit N)",
        ),
    )


def _share_used(window: Window, share: int, percent: int) -> Wait:
    return Wait(
        "credits.backfill_share_used",
        "Reading history has had its share of this day's calls.",
        retry_utc=window.ends_utc,
        facts=Facts(
            why=f"{window.backfill_calls:,} calls since {window.starts_utc:%Y-%m-%d %H:%M} UTC went into history; its "
            f"share is {share:,} ({percent} % of the limit).",
            left=_LEFT,
            next=f"Goes on by itself when the window resets, {window.ends_utc:%Y-%m-%d %H:%M} UTC. Fresh changes are "
            "read meanwhile.",
            you_can="wait, or give history a larger share in Settings > CRM > General",
        ),
    )
