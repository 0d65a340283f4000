"""What entries of the ledger become when they are old: sums by hour, later by day, and the total of each job.

Not here: when and how they are folded (rollup.py).
"""

from django.db import models

from headwater.accounts.scoping import AccountScoped


class Span(models.TextChoices):
    HOUR = "hour", "Hour"
    DAY = "day", "Day"


class Aggregate(AccountScoped):
    """Calls of one window, hour or day, job, kind of call, object and outcome.

    starts_utc   of the hour or day (UTC); of the window, where it begins within
    job_id       empty in rows of a day, whose jobs have a JobTotal
    state        a settled EntryState other than NOT_SENT, which costs nothing
    """

    window = models.ForeignKey("credits.Window", on_delete=models.CASCADE, related_name="+")
    span = models.CharField(max_length=4, choices=Span.choices)
    starts_utc = models.DateTimeField()
    job_kind = models.CharField(max_length=60)
    job_id = models.CharField(max_length=40, blank=True)
    sobject = models.CharField(max_length=120, blank=True)
    call_kind = models.CharField(max_length=40)
    state = models.CharField(max_length=10)
    calls = models.PositiveBigIntegerField()

    KEY = ("window", "span", "starts_utc", "job_kind", "job_id", "sobject", "call_kind", "state")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["window", "span", "starts_utc", "job_kind", "job_id", "sobject", "call_kind", "state"],
                name="one_aggregate_per_group",
            )
        ]
        indexes = [
            models.Index(fields=["span", "starts_utc"], name="aggregates_by_age"),
            models.Index(fields=["account", "job_id"], condition=~models.Q(job_id=""), name="aggregates_by_job"),
        ]


class JobTotal(AccountScoped):
    """What a job spent in hours that have become days."""

    job_id = models.CharField(max_length=40)
    calls = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "job_id"], name="one_total_per_job")]
