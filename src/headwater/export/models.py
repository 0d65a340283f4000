"""What stands in the org because we wrote it, and what the org refused.

Not here: what should stand there (wanted.py).
"""

from django.db import models

from headwater.accounts.scoping import AccountScoped


class WrittenRecord(AccountScoped):
    """One record of ours in the org. `content_hash` is of all the fields that were written."""

    sobject = models.CharField(max_length=120)
    unique_id = models.CharField(max_length=120)
    salesforce_id = models.CharField(max_length=18)
    content_hash = models.CharField(max_length=32)
    written_utc = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "sobject", "unique_id"], name="one_written_record_per_id")
        ]


class ExportError(AccountScoped):
    """A record that the org refused, in Salesforce's own words; every run sends it again until it goes through."""

    sobject = models.CharField(max_length=120)
    unique_id = models.CharField(max_length=120)
    status_code = models.CharField(max_length=120)
    message = models.TextField()
    fields = models.JSONField(default=list)
    job_id = models.CharField(max_length=40)  # the export that met it last
    first_utc = models.DateTimeField()
    last_utc = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "sobject", "unique_id"], name="one_error_per_record")]


class BulkRefusal(AccountScoped):
    """The org would not take Bulk jobs, in its own words: plans do without them for a while (bulk_refusals.py)."""

    org_id = models.CharField(max_length=18)
    words = models.TextField()
    refused_utc = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_bulk_refusal_per_account")]
