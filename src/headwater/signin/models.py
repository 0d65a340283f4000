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


class Protocol(models.TextChoices):
    OIDC = "oidc", "OpenID Connect"
    SAML = "saml", "SAML 2.0"


class SingleSignOn(AccountScoped):
    """The account's own identity provider. A change of its values forgets that it was tried."""

    protocol = models.CharField(max_length=10, choices=Protocol.choices)
    issuer = models.CharField(max_length=500)  # OpenID Connect: issuer; SAML: the provider's entity id
    client_id = models.CharField(max_length=300, blank=True)
    sealed_secret = models.TextField(blank=True)
    trusts_addresses = models.BooleanField(
        default=False
    )  # an address counts as verified where email_verified is absent
    metadata_url = models.CharField(max_length=500, blank=True)
    login_url = models.CharField(max_length=1000, blank=True)
    certificates = models.JSONField(default=list)  # public, base64 without header lines
    changed_utc = models.DateTimeField()
    tried_utc = models.DateTimeField(null=True)
    is_on = models.BooleanField(default=False)
    is_only_way = models.BooleanField(default=False)  # passwords are refused, but for Account Admins
    joins = models.BooleanField(default=False)  # whoever it vouches for becomes a Standard member

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_single_sign_on_per_account")]


class ClaimedDomain(AccountScoped):
    """E-mail addresses that the account's provider may vouch for, once the operator confirmed that they are theirs."""

    name = models.CharField(max_length=253)
    claimed_by = models.CharField(max_length=254)
    confirmed_utc = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="a_domain_is_claimed_once_per_account"),
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(confirmed_utc__isnull=False),
                name="a_confirmed_domain_has_one_account",
            ),
        ]


class LinkedIdentity(AccountScoped):
    """Whom the account's provider means by `subject`; an address that is given to another person takes nobody over."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "subject"], name="a_subject_is_one_person"),
            models.UniqueConstraint(fields=["account", "user"], name="a_person_is_one_subject"),
        ]
