"""People of before e-mail verification keep their log-in: an operator had named each address."""

from django.db import migrations


def mark_verified(apps, _editor):
    address = apps.get_model("account", "EmailAddress")
    for user in apps.get_model("accounts", "User").objects.all():
        address.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_people"), ("account", "0009_emailaddress_unique_primary_email")]
    operations = [migrations.RunPython(mark_verified, migrations.RunPython.noop)]
