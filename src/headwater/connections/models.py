"""Which org an account is connected to, by which app, the log-ins under way, and how its orgs looked.

Not here: the rules (services.py) and the tokens' plain text, which stands nowhere (accounts/crypt.py).
"""

from django.db import models

from headwater.accounts.scoping import AccountScoped


class Status(models.TextChoices):
    AWAITING_CONFIRMATION = "awaiting_confirmation", "Awaiting confirmation"
    CONNECTED = "connected", "Connected"
    AUTHORIZATION_REQUIRED = "authorization_required", "Authorization Required"
    DISCONNECTED = "disconnected", "Disconnected"
    DELETING = "deleting", "Deletion in progress"


class LogIn(models.TextChoices):
    """How Headwater gets a session. The last two need no browser, and renew by asking again (facts A.4)."""

    BROWSER = "browser", "A person logs in once"
    JWT = "jwt", "JWT bearer"
    CLIENT_CREDENTIALS = "client_credentials", "Client credentials"


class Connection(AccountScoped):
    """The one org of an account (row A7: the constraint makes a second impossible).

    `status` follows the drawing in docs/reference/connections.md; lifecycle.py moves it.
    """

    status = models.CharField(max_length=30, choices=Status.choices, default=Status.CONNECTED)
    org_id = models.CharField(max_length=18)
    org_name = models.CharField(max_length=200)
    org_kind = models.CharField(max_length=20)  # production, sandbox, scratch, trial, developer (facts A.8)
    instance_name = models.CharField(max_length=40, blank=True)
    instance_url = models.URLField(max_length=300)
    login_url = models.URLField(max_length=300)
    log_in = models.CharField(max_length=20, choices=LogIn.choices, default=LogIn.BROWSER)
    user_id = models.CharField(max_length=18)
    username = models.CharField(max_length=120)
    user_name = models.CharField(max_length=200)
    connected_utc = models.DateTimeField()
    connected_by = models.CharField(max_length=254)
    sealed_tokens = models.TextField()
    token_version = models.PositiveBigIntegerField(default=1)
    renewal_until_utc = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_org_per_account")]


class ClientApp(AccountScoped):
    """The External Client App of the account's org, and how Headwater logs in by it.

    Without a consumer key the installation's own app is used (settings.SALESFORCE_CLIENT_ID). `sealed_secrets` holds
    the consumer secret and the private key, each where there is one; the certificate is what the app is shown.
    """

    consumer_key = models.CharField(max_length=256, blank=True)
    sealed_secrets = models.TextField(blank=True)
    secret_set_utc = models.DateTimeField(null=True)  # null: no secret, as of a public client
    log_in = models.CharField(max_length=20, choices=LogIn.choices, default=LogIn.BROWSER)
    login_url = models.URLField(max_length=300, blank=True)
    username = models.CharField(max_length=120, blank=True)  # of JWT bearer: whom Headwater speaks for
    certificate = models.TextField(blank=True)
    changed_utc = models.DateTimeField()
    changed_by = models.CharField(max_length=254)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_client_app_per_account")]


class KnownOrg(AccountScoped):
    """An org that was confirmed for the account once; kept when its connection is deleted (row A8)."""

    org_id = models.CharField(max_length=18)
    org_name = models.CharField(max_length=200)
    org_kind = models.CharField(max_length=20)  # as it was when it was last connected
    first_connected_utc = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "org_id"], name="one_known_org_per_id")]


class PackageCheck(AccountScoped):
    """What the org showed of Headwater's package when it was last asked, as `user_id` sees it."""

    org_id = models.CharField(max_length=18)
    user_id = models.CharField(max_length=18)
    checked_utc = models.DateTimeField()
    found = models.JSONField()  # a Comparison of package/compare.py

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_package_check_per_account")]


class WritingChoice(AccountScoped):
    """Whether the account is read only; a setting, which outlives the connection. Without a row it is not."""

    is_read_only = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account"], name="one_writing_choice_per_account")]


class OrgSnapshot(AccountScoped):
    """An org's fields, triggers and flows as they were once; no record of it. Kept when its connection is deleted.

    content   See snapshot.py; spent_calls: credits that taking it cost.
    """

    org_id = models.CharField(max_length=18)
    org_name = models.CharField(max_length=200)
    org_kind = models.CharField(max_length=20)
    username = models.CharField(max_length=120)  # through whose eyes
    taken_utc = models.DateTimeField()
    taken_by = models.CharField(max_length=254)
    content = models.JSONField()
    spent_calls = models.PositiveIntegerField()

    class Meta:
        ordering = ["-taken_utc", "-pk"]
        indexes = [models.Index(fields=["account", "org_id", "taken_utc"], name="snapshots_of_org")]


class Authorization(AccountScoped):
    """A log-in under way: what must come back with the callback, usable once and for ten minutes."""

    state_digest = models.CharField(max_length=64, unique=True)
    sealed_verifier = models.TextField()
    actor = models.CharField(max_length=254)
    login_url = models.URLField(max_length=300)
    redirect_uri = models.URLField(max_length=300)
    started_utc = models.DateTimeField()
    used_utc = models.DateTimeField(null=True)


class PreflightRun(AccountScoped):
    """One look at what the connected user may (row A12); all are kept, until the connection is deleted.

    findings   preflight_rules.Finding, each as a dictionary.
    needed     preflight_rules.Grant, all that a permission set for reading must hold.
    """

    org_id = models.CharField(max_length=18)
    username = models.CharField(max_length=120)
    ran_utc = models.DateTimeField()
    ran_by = models.CharField(max_length=254)
    findings = models.JSONField()
    needed = models.JSONField()
