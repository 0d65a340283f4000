"""The org's own allowance as it is known here, and the floor that is left to the org's other users.

Salesforce's count is of a rolling 24 hours, for all users together; what it says wavers (facts B.2, B.3). So the
estimate is the last that was heard, our own calls since, and some slack; never less than the own ledger knows.
Why so: docs/decisions/0008-floor-and-priorities.md. Not here: the quota (ledger.py).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.db.models.lookups import GreaterThanOrEqual

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.credits.models import Allowance, Entry, Quota, Window
from headwater.credits.reconcile_models import LogCheck, Reading
from headwater.salesforce.meter import OrgUsage

NOISE_CALLS = 15  # facts B.3: consecutive answers differ by -11 to +13 calls
ORG_WINDOW = timedelta(hours=24)  # facts B.2: it slides
PROBE_EVERY = timedelta(minutes=15)
PROBE_UNDER_WAY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the org's allowance. `used_calls`: a cautious estimate, without the slack."""

    used_calls: int
    limit_calls: int
    floor_calls: int
    heard_utc: datetime

    @property
    def left_calls(self) -> int:
        """Above the floor."""
        return max(0, self.limit_calls - self.floor_calls - self.used_calls - NOISE_CALLS)


def known_of(account: Account, quota: Quota) -> Known | None:
    """None before the org spoke."""
    row = Allowance.of(account).first()
    if row is None or row.used_calls is None or row.limit_calls is None or row.heard_utc is None:
        return None
    floor_calls = row.limit_calls - row.limit_calls * (100 - quota.floor_percent) // 100
    return Known(row.used_calls + row.since_calls, row.limit_calls, floor_calls, row.heard_utc)


def take_one(account: Account, quota: Quota) -> bool:
    """Count one call against what the org allows above the floor; False, with nothing counted, where there is no room.

    One conditional update that must touch one row. Below the floor one call in PROBE_EVERY passes, whoever asks
    first: an account that sends nothing would never hear that there is room again.
    """
    mine = Allowance.of(account)
    after = F("used_calls") + F("since_calls") + 1 + NOISE_CALLS
    fits = GreaterThanOrEqual(F("limit_calls") * (100 - quota.floor_percent), after * 100)
    granted = mine.filter(Q(used_calls=None) | fits).update(since_calls=F("since_calls") + 1)
    return granted == 1 or _probe(mine) or _open(account)


def give_back_one(account: Account) -> None:
    """The call was never sent."""
    Allowance.of(account).filter(since_calls__gt=0).update(since_calls=F("since_calls") - 1)


def hear(account: Account, usage: OrgUsage, window: Window) -> None:
    """Take in what the org said; to be called in a transaction. `window` is the running one.

    A figure that is lower by noise alone is not believed, and none that is lower than what the own ledger knows. Our
    calls that are under way may not be in it yet.
    """
    row, _ = Allowance.of(account).select_for_update().get_or_create(account=account)
    under_way = Entry.of(account).filter(settled_utc=None).count()
    used = max(usage.used_calls, _own_calls(row, window) - under_way)
    if row.used_calls is not None and row.limit_calls == usage.limit_calls:
        expected = row.used_calls + max(0, row.since_calls - under_way)
        used = expected if used < expected <= used + NOISE_CALLS else used
    row.said_calls, row.limit_calls, row.heard_utc = usage.used_calls, usage.limit_calls, now_utc()
    row.used_calls, row.since_calls = used, under_way
    row.save()


def forget_org(account: Account) -> None:
    """Another org is about to be connected: what this one said, and what was spent in it, is not true of the next."""
    Reading.of(account).delete()
    LogCheck.of(account).delete()
    Allowance.of(account).update_or_create(
        account=account,
        defaults={
            "said_calls": None,
            "used_calls": None,
            "limit_calls": None,
            "heard_utc": None,
            "probed_utc": None,
            "since_calls": 0,
            "new_org_utc": now_utc(),
        },
    )


def probe_again(account: Account) -> None:
    """A call came to nothing before the org looked at it; if it was the one let through, the next takes its place."""
    Allowance.of(account).exclude(probed_utc=None).update(probed_utc=None)


def next_try_utc(account: Account) -> datetime:
    """When a call below the floor may be let through again."""
    now, row = now_utc(), Allowance.of(account).get()
    heard, probed = row.heard_utc or now, row.probed_utc
    if probed is not None and heard < probed and now < probed + PROBE_EVERY:
        return now + PROBE_UNDER_WAY
    return max(heard, probed or heard) + PROBE_EVERY


def _own_calls(row: Allowance, window: Window) -> int:
    """What was surely spent in the org's last 24 hours, for all that the window knows."""
    is_older = window.starts_utc <= now_utc() - ORG_WINDOW
    had_other_org = row.new_org_utc is not None and row.new_org_utc >= window.starts_utc
    return 0 if is_older or had_other_org else window.used_calls


def _open(account: Account) -> bool:
    """The first call of all: nothing is known yet."""
    _, is_new = Allowance.of(account).get_or_create(account=account, defaults={"since_calls": 1})
    return is_new


def _probe(mine: QuerySet[Allowance]) -> bool:
    now = now_utc()
    rested = Q(probed_utc=None) | Q(probed_utc__lte=now - PROBE_EVERY)
    due = mine.filter(rested, heard_utc__lte=now - PROBE_EVERY)
    return due.update(probed_utc=now, since_calls=F("since_calls") + 1) == 1
