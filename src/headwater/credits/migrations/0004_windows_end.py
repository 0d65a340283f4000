"""After every window has its end: no window without one, and no second place for what the org says."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("credits", "0003_windows_floor_priorities")]

    operations = [
        migrations.AlterField("window", "ends_utc", models.DateTimeField()),
        migrations.AlterField("window", "promised_ends_utc", models.DateTimeField()),
        migrations.RemoveField("window", "org_used_calls"),
        migrations.RemoveField("window", "org_limit_calls"),
        migrations.RemoveField("window", "org_read_utc"),
        migrations.AddField("entry", "fence", models.BigIntegerField(default=0)),
        migrations.AddField(
            "entry",
            "priority",
            models.CharField(
                choices=[("fresh", "Fresh"), ("export", "Export"), ("backfill", "Backfill")],
                default="fresh",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            "entry",
            "state",
            models.CharField(
                choices=[
                    ("open", "Open"),
                    ("answered", "Answered"),
                    ("refused", "Refused"),
                    ("lost", "No answer"),
                    ("not_sent", "Never sent"),
                    ("abandoned", "Abandoned"),
                ],
                default="open",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            "entry",
            models.Index(
                fields=["account", "reserved_utc"],
                condition=models.Q(("settled_utc", None)),
                name="entries_under_way",
            ),
        ),
    ]
