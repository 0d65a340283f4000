"""What the replica consists of: tables, cycles, and the manifest of Parquet parts.

A reader sees the parts of published cycles that are not retired, so always one consistent cycle.
Not here: the parts themselves (the lake room).
"""

from django.db import models

from headwater.accounts.scoping import AccountScoped


class Cycle(AccountScoped):
    """One pass over all objects. Published once every object is in."""

    number = models.PositiveIntegerField()
    job_id = models.CharField(max_length=40)
    started_utc = models.DateTimeField()
    published_utc = models.DateTimeField(null=True)
    plan = models.JSONField(default=dict)
    rows_read = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="one_cycle_per_number"),
            models.UniqueConstraint(fields=["account", "job_id"], name="one_cycle_per_job"),
        ]


class ReplicaTable(AccountScoped):
    """One object's copy. `read_from_utc`: Salesforce's clock as the last published read began; null: never read."""

    sobject = models.CharField(max_length=120)
    columns = models.JSONField(default=list)
    described_utc = models.DateTimeField(null=True)
    read_from_utc = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "sobject"], name="one_table_per_object")]


class ManifestPart(AccountScoped):
    """One Parquet file of a table."""

    table = models.ForeignKey(ReplicaTable, on_delete=models.CASCADE, related_name="parts")
    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="parts")
    path = models.CharField(max_length=200, unique=True)
    row_count = models.PositiveBigIntegerField()
    size_bytes = models.PositiveBigIntegerField()
    is_retired = models.BooleanField(default=False)
    retired_utc = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["table", "is_retired"], name="live_parts")]
