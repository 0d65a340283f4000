from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("credits", "0001_initial")]

    operations = [
        migrations.AddField("window", "limit_calls", models.PositiveBigIntegerField(null=True)),
    ]
