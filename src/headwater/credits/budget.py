"""What may still be spent in the running window, by priority. Asking spends nothing.

Not here: spending it (ledger.py).
"""

from dataclasses import dataclass
from datetime import datetime

from headwater.accounts.models import Account
from headwater.credits.allowance import known_of
from headwater.credits.opening import current_window, quota_of
from headwater.credits.priorities import Priority, ceiling_calls, share_calls


@dataclass(frozen=True, slots=True)
class Budget:
    """The running window.

    backfill_calls  those of `used_calls` that went into history, of `backfill_share_calls` that it may take
    floor_calls     of the org's allowance, left to its other users; None before the org spoke
    org_left_calls  what the org's allowance still has above the floor, by a cautious estimate; None as above
    """

    starts_utc: datetime
    ends_utc: datetime
    limit_calls: int
    used_calls: int
    backfill_calls: int
    backfill_share_calls: int
    floor_calls: int | None
    org_left_calls: int | None

    @property
    def left_calls(self) -> int:
        """For what matters most."""
        return self.left_for(Priority.FRESH)

    def left_for(self, priority: Priority) -> int:
        """How many calls of this priority would be granted now, if nobody else spent any."""
        rooms = [ceiling_calls(priority, self.limit_calls) - self.used_calls]
        if priority is Priority.BACKFILL:
            rooms.append(self.backfill_share_calls - self.backfill_calls)
        if self.org_left_calls is not None:
            rooms.append(self.org_left_calls)
        return max(0, min(rooms))


def budget_of(account: Account) -> Budget:
    quota, window = quota_of(account), current_window(account)
    known = known_of(account, quota)
    return Budget(
        starts_utc=window.starts_utc,
        ends_utc=window.ends_utc,
        limit_calls=quota.daily_limit_calls,
        used_calls=window.used_calls,
        backfill_calls=window.backfill_calls,
        backfill_share_calls=share_calls(quota.backfill_share_percent, quota.daily_limit_calls),
        floor_calls=known.floor_calls if known else None,
        org_left_calls=known.left_calls if known else None,
    )
