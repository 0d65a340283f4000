"""The ledger of API credits: one window a day and account, one entry a call, and what the org says of itself.

Not here: deciding (ledger.py) and showing (services.py). Why a ledger and not a counter: docs/decisions/0003.
"""

from django.db import models

from headwater.accounts.scoping import AccountScoped
from headwater.credits.priorities import Priority
from headwater.credits.reconcile_models import LogCheck, Reading  # noqa: F401 - Django finds models in this module alone
from headwater.credits.rollup_models import Aggregate, JobTotal  # noqa: F401 - Django finds models in this module alone

DEFAULT_DAILY_LIMIT_CALLS = 100_000
MINIMUM_DAILY_LIMIT_CALLS = 100_000
MAXIMUM_DAILY_LIMIT_CALLS = 1_000_000_000
DEFAULT_FLOOR_PERCENT = 10
DEFAULT_BACKFILL_SHARE_PERCENT = 50


class Quota(AccountScoped):
    """How many calls an account may spend in a window, and when its windows begin.

    reset_minute            after midnight, by the clocks of `time_zone` (an IANA name)
    floor_percent           of the org's own allowance, always left to the org's other users
    backfill_share_percent  of the quota, the most that history may take of a window
    """

    daily_limit_calls = models.PositiveBigIntegerField(default=DEFAULT_DAILY_LIMIT_CALLS)
    time_zone = models.CharField(max_length=64, default="UTC")
    reset_minute = models.PositiveSmallIntegerField(default=0)
    floor_percent = models.PositiveSmallIntegerField(default=DEFAULT_FLOOR_PERCENT)
    backfill_share_percent = models.PositiveSmallIntegerField(default=DEFAULT_BACKFILL_SHARE_PERCENT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_quota_per_account")]


class Window(AccountScoped):
    """The spending between two resets. A call is used from the moment it is reserved.

    ends_utc          the end in force: later than `promised_ends_utc` where the reset was moved meanwhile
    promised_ends_utc the end it was opened with; it never ends before
    backfill_calls    those of `used_calls` whose priority is BACKFILL
    limit_calls       the limit that the last granted call met; null in windows older than this column
    """

    starts_utc = models.DateTimeField()
    ends_utc = models.DateTimeField()
    promised_ends_utc = models.DateTimeField()
    used_calls = models.PositiveBigIntegerField(default=0)
    backfill_calls = models.PositiveBigIntegerField(default=0)
    limit_calls = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "starts_utc"], name="one_window_per_start")]


class Allowance(AccountScoped):
    """The org's own allowance over its rolling 24 hours, as it last spoke of it, for all its users together.

    said_calls      what the org last said is used, as it was said; null before it spoke
    used_calls      the same, smoothed upwards (allowance.py)
    since_calls     our own calls that `used_calls` may not hold yet
    probed_utc      when one call was last let through below the floor, to hear the org again
    new_org_utc     when the account left its former org: what was spent before, was spent there
    """

    said_calls = models.PositiveBigIntegerField(null=True)
    used_calls = models.PositiveBigIntegerField(null=True)
    limit_calls = models.PositiveBigIntegerField(null=True)
    heard_utc = models.DateTimeField(null=True)
    since_calls = models.PositiveBigIntegerField(default=0)
    probed_utc = models.DateTimeField(null=True)
    new_org_utc = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_allowance_per_account")]


class EntryState(models.TextChoices):
    """OPEN: reserved. ABANDONED: whoever reserved it is dead, and nobody knows whether it was sent: spent.

    The rest: salesforce Outcome.
    """

    OPEN = "open", "Open"
    ANSWERED = "answered", "Answered"
    REFUSED = "refused", "Refused"
    LOST = "lost", "No answer"
    NOT_SENT = "not_sent", "Never sent"
    ABANDONED = "abandoned", "Abandoned"


UNANSWERED = (EntryState.OPEN, EntryState.LOST, EntryState.ABANDONED)


class Entry(AccountScoped):
    """One call. All states but NOT_SENT count one credit. `fence` is that of the job's holder, 0 outside a job."""

    window = models.ForeignKey(Window, on_delete=models.CASCADE, related_name="entries")
    job_kind = models.CharField(max_length=60)
    job_id = models.CharField(max_length=40, blank=True)
    fence = models.BigIntegerField(default=0)
    priority = models.CharField(
        max_length=10, choices=[(each.value, each.name.title()) for each in Priority], default=Priority.FRESH.value
    )
    sobject = models.CharField(max_length=120, blank=True)
    call_kind = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=EntryState.choices, default=EntryState.OPEN)
    status_code = models.PositiveSmallIntegerField(null=True)
    reserved_utc = models.DateTimeField()
    settled_utc = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["window", "job_kind", "call_kind"], name="entries_by_job"),
            models.Index(
                fields=["account", "reserved_utc"], condition=models.Q(settled_utc=None), name="entries_under_way"
            ),
            models.Index(
                fields=["reserved_utc"], condition=models.Q(state=EntryState.ABANDONED), name="entries_abandoned"
            ),
        ]
