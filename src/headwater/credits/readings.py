"""What the org said of its allowance, one reading an hour and source, for a chart of weeks and for comparing.

Not here: judging it (reconcile.py), guarding it (allowance.py), asking for `/limits` (connections/org_accounts.py).
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.credits.allowance import ORG_WINDOW
from headwater.credits.models import EntryState
from headwater.credits.reconcile_models import LogCheck, Reading, Source
from headwater.credits.spending import calls_between
from headwater.salesforce.meter import OrgUsage

READINGS_KEPT = timedelta(days=400)
LIMITS_EVERY = timedelta(hours=24)
SETTLED_IN = timedelta(hours=1)  # an account that has been at work for so long is worth the credit


def keep_reading(account: Account, usage: OrgUsage, source: Source) -> None:
    """In place of an earlier one of the same hour."""
    now = now_utc()
    own = calls_between(account, now - ORG_WINDOW, now).exclude(state=EntryState.NOT_SENT).count()
    Reading.of(account).update_or_create(
        account=account,
        hour_utc=now.replace(minute=0, second=0, microsecond=0),
        source=source,
        defaults={
            "read_utc": now,
            "used_calls": usage.used_calls,
            "limit_calls": usage.limit_calls,
            "own_calls": own,
        },
    )


def readings(account: Account, since_utc: datetime) -> list[Reading]:
    """The oldest first."""
    return list(Reading.of(account).filter(hour_utc__gte=since_utc).order_by("hour_utc", "source"))


def last_of_limits(account: Account) -> Reading | None:
    """What `/limits` said in the last 24 hours."""
    recent = Reading.of(account).filter(source=Source.LIMITS, read_utc__gt=now_utc() - ORG_WINDOW)
    return recent.order_by("-read_utc").first()


def accounts_to_read(moment: datetime) -> list[Account]:
    """Those that have been at work for an hour today, and whose `/limits` were not asked for in a day."""
    at_work = Reading.of_all().filter(
        source=Source.HEADER, read_utc__gt=moment - LIMITS_EVERY, read_utc__lte=moment - SETTLED_IN
    )
    ids = set(at_work.values_list("account_id", flat=True))
    asked = LogCheck.of_all().filter(limits_asked_utc__gt=moment - LIMITS_EVERY, account__in=ids)
    ids -= set(asked.values_list("account_id", flat=True))
    return list(Account.objects.filter(pk__in=ids, closed_utc=None).order_by("pk"))


def claim_limits(account: Account) -> bool:
    """Whether to ask today; of several workers one is told so."""
    now = now_utc()
    with transaction.atomic():
        row, _ = LogCheck.of(account).get_or_create(account=account)
        rested = Q(limits_asked_utc=None) | Q(limits_asked_utc__lte=now - LIMITS_EVERY)
        return LogCheck.of(account).filter(rested, pk=row.pk).update(limits_asked_utc=now) == 1


def forget_old_readings() -> None:
    old = Reading.of_all().filter(hour_utc__lt=now_utc() - READINGS_KEPT)
    if old.exists():
        old.delete()
