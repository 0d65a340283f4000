"""What the replica consists of: tables, cycles, and the manifest of Parquet parts.

A reader sees the parts of published cycles that are not retired, so always one consistent cycle.
Not here: the parts themselves (the lake room).
"""

from django.db import models

from headwater.accounts.models import Account
from headwater.accounts.scoping import AccountScoped

DEFAULT_EVERY_MINUTES = 15
DEFAULT_FORMULAS_EVERY_DAYS = 1


class Cycle(AccountScoped):
    """One pass over all objects, or, as a backfill, over history that was to wait. Published once all of it is in.

    plan, final_plan   As made before a credit was spent, and as it was once the first pages had told the true counts.
    actual             What became of it: rows, pages and credits (sync/actual.py).
    schemas            The columns it reads of each object, which stay while the org's fields change (sync/schemas.py).
    """

    number = models.PositiveIntegerField()
    job_id = models.CharField(max_length=40)
    started_utc = models.DateTimeField()
    published_utc = models.DateTimeField(null=True)
    plan = models.JSONField(default=dict)
    final_plan = models.JSONField(default=dict)
    actual = models.JSONField(default=dict)
    rows_read = models.JSONField(default=dict)
    schemas = models.JSONField(default=dict)
    is_backfill = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="one_cycle_per_number"),
            models.UniqueConstraint(fields=["account", "job_id"], name="one_cycle_per_job"),
        ]


class DescribedObject(AccountScoped):
    """What the org last told of an object, whether we read it or not.

    fields      By name: Salesforce's type, whether it is a formula, its label. Empty: the object is not seen.
    lost_utc    When it was first missed; null while it is there.
    """

    sobject = models.CharField(max_length=120)
    fields = models.JSONField(default=dict)
    row_bytes = models.PositiveIntegerField(default=0)
    is_replicateable = models.BooleanField(default=True)
    described_utc = models.DateTimeField(null=True)
    lost_utc = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "sobject"], name="one_description_per_object")]

    @property
    def is_there(self) -> bool:
        return bool(self.fields)


class ExtraField(AccountScoped):
    """A field that is read because something names it: a person, a setting or a rule.

    named_by    Who or what: `by hand`, or the setting's or rule's own words.
    lost_utc    When the org last stopped showing it; null while it is there.
    """

    sobject = models.CharField(max_length=120)
    field = models.CharField(max_length=120)
    named_by = models.CharField(max_length=200)
    added_by = models.CharField(max_length=254)
    added_utc = models.DateTimeField()
    lost_utc = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "sobject", "field", "named_by"], name="one_field_per_namer")
        ]


class ReplicaTable(AccountScoped):
    """One object's copy, and what its reads have taught.

    columns                 (name, type) as they are read from now on.
    kinds                   By column: Salesforce's own type, and whether it is a formula.
    stored_types            By the name that a column has in parts: the one type it ever has there (sync/schemas.py).
    shown_as                The type that readers still see of a column whose type changed, until all rows are there.
    reload_number           Counted up whenever a full read comes due.
    without_currency_rows   Live rows with an amount and no currency, in an org with several.
    read_from_utc           Salesforce's clock as the last published read began; null: never read.
    full_read_due           Its columns changed since it was read in full: the rows there lack values.
    vanished_until_utc      Salesforce's clock up to which records that are gone without a trace are known; null: not.
    vanished_checked_utc    Salesforce's clock as the cycle began to read that last looked for them.
    formulas_read_utc       As of when the values of its formulas are known for every row; null: not.
    row_bytes               Width of a row as CSV, from the rows that came, or else from the described fields.
    page_rows               Rows that a page of a query holds, fewer than asked where rows are wide; null: all of them.
    changed_rows_per_hour   Between the latest cycles; null: not known yet.
    full_read_utc           When all of it was last read and published; null too where that was before it was kept.
    counted                 Rows as they were last counted, and `of` which parts (sync/inventory.py).
    """

    sobject = models.CharField(max_length=120)
    columns = models.JSONField(default=list)
    kinds = models.JSONField(default=dict)
    stored_types = models.JSONField(default=dict)
    shown_as = models.JSONField(default=dict)
    reload_number = models.PositiveIntegerField(default=0)
    without_currency_rows = models.PositiveBigIntegerField(default=0)
    read_from_utc = models.DateTimeField(null=True)
    full_read_due = models.BooleanField(default=False)
    vanished_until_utc = models.DateTimeField(null=True)
    vanished_checked_utc = models.DateTimeField(null=True)
    formulas_read_utc = models.DateTimeField(null=True)
    row_bytes = models.PositiveIntegerField(null=True)
    page_rows = models.PositiveIntegerField(null=True)
    changed_rows_per_hour = models.FloatField(null=True)
    full_read_utc = models.DateTimeField(null=True)
    counted = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "sobject"], name="one_table_per_object")]


class ReadingPace(AccountScoped):
    """How fast an account's org was when it was last read; null where that is not known yet."""

    seconds_per_call = models.FloatField(null=True)
    bulk_rows_per_second = models.FloatField(null=True)
    fetched_rows_per_second = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_pace_per_account")]


class CycleSetting(AccountScoped):
    """What a person chose.

    every_minutes         How often the account is read by itself; null: only when somebody starts it.
    formulas_every_days   How often a read takes formulas anew (sync/formulas.py); null: never.
    """

    every_minutes = models.PositiveSmallIntegerField(null=True, default=DEFAULT_EVERY_MINUTES)
    formulas_every_days = models.PositiveSmallIntegerField(null=True, default=DEFAULT_FORMULAS_EVERY_DAYS)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_cycle_setting_per_account")]


class Audit(AccountScoped):
    """A comparison of the replica with the org, and what it repaired; carried out by the job `job_id`.

    after_cycle     Number of the published cycle that it compares.
    finished_utc    Null while it is under way.
    findings        One an object, as JSON (audit_findings.ObjectFinding).
    planned_calls   What comparing was to cost if nothing differed.
    """

    job_id = models.CharField(max_length=40)
    after_cycle = models.PositiveIntegerField()
    started_utc = models.DateTimeField()
    finished_utc = models.DateTimeField(null=True)
    findings = models.JSONField(default=list)
    repaired_rows = models.PositiveBigIntegerField(default=0)
    planned_calls = models.PositiveIntegerField()
    spent_calls = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "job_id"], name="one_audit_per_job")]

    @classmethod
    def latest(cls, account: Account) -> "Audit | None":
        """The newest that came to its end; None before the first."""
        return cls.of(account).exclude(finished_utc=None).order_by("-finished_utc", "-pk").first()


class ManifestPart(AccountScoped):
    """One Parquet file of a table. is_base: as in the lake's Part."""

    table = models.ForeignKey(ReplicaTable, on_delete=models.CASCADE, related_name="parts")
    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="parts")
    path = models.CharField(max_length=200, unique=True)
    row_count = models.PositiveBigIntegerField()
    size_bytes = models.PositiveBigIntegerField()
    is_base = models.BooleanField(default=False)
    is_retired = models.BooleanField(default=False)
    retired_utc = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["table", "is_retired"], name="live_parts")]
