"""What is remembered of asking the org for its own account of calls.

Not here: asking (connections/org_accounts.py) and judging (abandoned.py, reconcile.py).
"""

from django.db import models

from headwater.accounts.scoping import AccountScoped


class LogCheck(AccountScoped):
    """When the org was last asked for its own account: its event log, for calls that a dead process left, and /limits.

    unavailable_utc   when the org last kept it from the connected user, for the reason `told`; null: it shows it
    told              why the last asking came to nothing; empty where it was answered
    """

    asked_utc = models.DateTimeField(null=True)
    unavailable_utc = models.DateTimeField(null=True)
    told = models.TextField(blank=True)
    limits_asked_utc = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_log_check_per_account")]


class Source(models.TextChoices):
    HEADER = "header", "Header"
    LIMITS = "limits", "Limits"


class Reading(AccountScoped):
    """What the org said of its allowance, one in each hour. `own_calls`: ours in the same rolling 24 hours."""

    hour_utc = models.DateTimeField()
    source = models.CharField(max_length=6, choices=Source.choices)
    read_utc = models.DateTimeField()
    used_calls = models.PositiveBigIntegerField()
    limit_calls = models.PositiveBigIntegerField()
    own_calls = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "hour_utc", "source"], name="one_reading_per_hour_and_source")
        ]
