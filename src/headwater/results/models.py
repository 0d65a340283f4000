"""The runs of attribution: which cycle each was computed from, what came out, and where its tables stand.

Not here: the tables themselves, which are Parquet files beside the replica (services.py opens them).
"""

from django.db import models

from headwater.accounts.scoping import AccountScoped


class Run(AccountScoped):
    """One computation. `won_cents` and `sums_cents` hold whole cents as text, which JSON keeps exact."""

    number = models.PositiveIntegerField()
    job_id = models.CharField(max_length=40)
    cycle = models.PositiveIntegerField()
    as_of_utc = models.DateTimeField()
    published_utc = models.DateTimeField()
    directory = models.CharField(max_length=200)
    row_counts = models.JSONField(default=dict)
    dropped = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="one_run_per_number"),
            models.UniqueConstraint(fields=["account", "job_id"], name="one_run_per_job"),
        ]
