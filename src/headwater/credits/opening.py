"""The row of the window that runs now: opened at its first call, its end moved where the reset is moved.

A running window never ends before the end it was opened with, so moving the reset never gives a second allowance.
Not here: where the boundaries lie (windows.py).
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.credits.models import Quota, Window
from headwater.credits.windows import Span, first_reset_from, span_at


def quota_of(account: Account) -> Quota:
    quota, _ = Quota.of(account).get_or_create(account=account)
    return quota


def current_window(account: Account) -> Window:
    return running_window(account, now_utc()) or _open(account)


def running_window(account: Account, moment: datetime) -> Window | None:
    return Window.of(account).filter(starts_utc__lte=moment, ends_utc__gt=moment).first()


def move_end(window: Window, quota: Quota) -> None:
    """Let the running `window` end at the first of the new resets that is to come, and not before its promised end.

    One that is past would put calls that this window holds into the time of the next.
    """
    earliest = max(window.promised_ends_utc, now_utc() + timedelta(microseconds=1))
    ends = first_reset_from(earliest, ZoneInfo(quota.time_zone), quota.reset_minute)
    later = Window.of(window.account_id).filter(starts_utc__gt=window.starts_utc).order_by("starts_utc").first()
    window.ends_utc = ends if later is None else min(ends, later.starts_utc)
    window.save(update_fields=["ends_utc"])


@transaction.atomic
def _open(account: Account) -> Window:
    """Behind the lock of the quota, so that nobody moves the reset meanwhile."""
    quota, now = Quota.of(account).select_for_update().get(pk=quota_of(account).pk), now_utc()
    span = _between_neighbours(account, span_at(now, ZoneInfo(quota.time_zone), quota.reset_minute), now)
    return running_window(account, now) or Window.of(account).create(
        account=account, starts_utc=span.starts_utc, ends_utc=span.ends_utc, promised_ends_utc=span.ends_utc
    )


def _between_neighbours(account: Account, span: Span, now: datetime) -> Span:
    """`span` without what belongs to windows that are there: a machine's clock or the zone's rules may have changed."""
    windows = Window.of(account)
    before = windows.filter(ends_utc__lte=now).order_by("-ends_utc").values_list("ends_utc", flat=True).first()
    after = windows.filter(starts_utc__gt=now).order_by("starts_utc").values_list("starts_utc", flat=True).first()
    starts = span.starts_utc if before is None else max(span.starts_utc, before)
    return Span(starts, span.ends_utc if after is None else min(span.ends_utc, after))
