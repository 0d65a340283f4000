"""Windows end at a stored moment; the reset is local; what the org says of itself has a row of its own."""

from datetime import timedelta
from typing import Any

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


def end_windows_after_24_hours(apps: Any, _schema: object) -> None:
    for window in apps.get_model("credits", "Window").rows.all().iterator():
        window.ends_utc = window.promised_ends_utc = window.starts_utc + timedelta(hours=24)
        window.save(update_fields=["ends_utc", "promised_ends_utc"])


def keep_what_the_org_said_last(apps: Any, _schema: object) -> None:
    windows, allowances = apps.get_model("credits", "Window").rows, apps.get_model("credits", "Allowance").rows
    for window in windows.exclude(org_read_utc=None).order_by("org_read_utc").iterator():
        said = {
            "said_calls": window.org_used_calls,
            "used_calls": window.org_used_calls,
            "limit_calls": window.org_limit_calls,
            "heard_utc": window.org_read_utc,
        }
        allowances.update_or_create(account_id=window.account_id, defaults=said)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("credits", "0002_window_limit")]

    operations = [
        migrations.RenameField("quota", "reset_minute_utc", "reset_minute"),
        migrations.AddField("quota", "time_zone", models.CharField(default="UTC", max_length=64)),
        migrations.AddField("quota", "floor_percent", models.PositiveSmallIntegerField(default=10)),
        migrations.AddField("quota", "backfill_share_percent", models.PositiveSmallIntegerField(default=50)),
        migrations.AddField("window", "ends_utc", models.DateTimeField(null=True)),
        migrations.AddField("window", "promised_ends_utc", models.DateTimeField(null=True)),
        migrations.AddField("window", "backfill_calls", models.PositiveBigIntegerField(default=0)),
        migrations.CreateModel(
            name="Allowance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("said_calls", models.PositiveBigIntegerField(null=True)),
                ("used_calls", models.PositiveBigIntegerField(null=True)),
                ("limit_calls", models.PositiveBigIntegerField(null=True)),
                ("heard_utc", models.DateTimeField(null=True)),
                ("since_calls", models.PositiveBigIntegerField(default=0)),
                ("probed_utc", models.DateTimeField(null=True)),
                ("new_org_utc", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.account"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account",), name="one_allowance_per_account")],
            },
            managers=[("rows", django.db.models.manager.Manager())],
        ),
        migrations.RunPython(end_windows_after_24_hours, migrations.RunPython.noop),
        migrations.RunPython(keep_what_the_org_said_last, migrations.RunPython.noop),
    ]
