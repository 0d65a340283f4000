"""What an account demands of whoever logs in.

Not here: passwords, factors and recovery codes themselves, which are django-allauth's tables.
"""

from django.db import models

from headwater.accounts.scoping import AccountScoped


class SignInRules(AccountScoped):
    """One row an account; an account without one demands nothing."""

    requires_second_factor = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_set_of_sign_in_rules_per_account")]
