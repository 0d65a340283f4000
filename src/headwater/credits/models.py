"""The ledger of API credits: one window a day and account, one entry a call.

Not here: deciding (ledger.py) and showing (services.py). Why a ledger and not a counter: docs/decisions/0003.
"""

from django.db import models

from headwater.accounts.scoping import AccountScoped

DEFAULT_DAILY_LIMIT_CALLS = 100_000
MINIMUM_DAILY_LIMIT_CALLS = 100_000
MAXIMUM_DAILY_LIMIT_CALLS = 1_000_000_000


class Quota(AccountScoped):
    """How many calls an account may spend in a window, and when its windows begin (minutes after midnight UTC)."""

    daily_limit_calls = models.PositiveBigIntegerField(default=DEFAULT_DAILY_LIMIT_CALLS)
    reset_minute_utc = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_quota_per_account")]


class Window(AccountScoped):
    """24 hours of spending. `used_calls`: reserved or spent; a call is used from the moment it is reserved.

    limit_calls   the limit that the last granted call met; null in windows older than this column
    """

    starts_utc = models.DateTimeField()
    used_calls = models.PositiveBigIntegerField(default=0)
    limit_calls = models.PositiveBigIntegerField(null=True)
    org_used_calls = models.PositiveBigIntegerField(null=True)
    org_limit_calls = models.PositiveBigIntegerField(null=True)
    org_read_utc = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "starts_utc"], name="one_window_per_start")]


class EntryState(models.TextChoices):
    """OPEN: reserved, and spent until the contrary is known (a crash leaves it so). The rest: salesforce Outcome."""

    OPEN = "open", "Open"
    ANSWERED = "answered", "Answered"
    REFUSED = "refused", "Refused"
    LOST = "lost", "No answer"
    NOT_SENT = "not_sent", "Never sent"


class Entry(AccountScoped):
    """One call. All states but NOT_SENT count one credit."""

    window = models.ForeignKey(Window, on_delete=models.CASCADE, related_name="entries")
    job_kind = models.CharField(max_length=60)
    job_id = models.CharField(max_length=40, blank=True)
    sobject = models.CharField(max_length=120, blank=True)
    call_kind = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=EntryState.choices, default=EntryState.OPEN)
    status_code = models.PositiveSmallIntegerField(null=True)
    reserved_utc = models.DateTimeField()
    settled_utc = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["window", "job_kind", "call_kind"], name="entries_by_job")]
