"""Whether the org admits Bulk jobs, as far as it has told: a refusal is kept for a day, and named by plans.

Not here: what is done without Bulk (credits/write_prices.py).
"""

from datetime import timedelta

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.connections.services import connection_of
from headwater.export.models import BulkRefusal

KEPT_FOR = timedelta(hours=24)  # the Bulk allowances come back over 24 hours (facts B.4)


def why_no_bulk(account: Account) -> str:
    """Empty where the connected org has not refused Bulk jobs within a day."""
    row = connection_of(account)
    kept = row and BulkRefusal.of(account).filter(org_id=row.org_id, refused_utc__gt=now_utc() - KEPT_FOR).first()
    if not kept:
        return ""
    again = kept.refused_utc + KEPT_FOR
    return f"{kept.words} (asked at {kept.refused_utc:%Y-%m-%d %H:%M} UTC; asked again after {again:%Y-%m-%d %H:%M})"


def remember_refusal(account: Account, words: str) -> None:
    row = connection_of(account)
    kept = {"org_id": row.org_id if row else "", "words": words, "refused_utc": now_utc()}
    BulkRefusal.of(account).update_or_create(account=account, defaults=kept)


def forget_refusal(account: Account) -> None:
    BulkRefusal.of(account).delete()
