"""Tenants, the people who may act for them, and what they did.

Not here: logging in (django-allauth does it) and what a page shows. Who may do what is asked in services.py.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

from headwater.accounts.scoping import AccountScoped


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_superuser=True, is_staff=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by e-mail address. What they may do is decided per account, by their memberships.

    `is_superuser` marks an operator, who runs the accounts of this installation and acts in one only after
    entering it, for its admins to see (docs/decisions/0005-operators.md).
    """

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_operator(self) -> bool:
        return self.is_superuser and self.is_active


class Account(models.Model):
    """A tenant: one company's settings, connection and replica. `slug` stands in addresses and commands."""

    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    created_utc = models.DateTimeField()
    closed_utc = models.DateTimeField(null=True)  # while set, nobody acts for it and no job of it runs

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    ADMIN = "admin", "Account Admin"
    STANDARD = "standard", "Standard"


class Member(AccountScoped):
    """`user` may act for `account`: an Account Admin changes settings, a Standard user reads."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.STANDARD)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "user"], name="one_membership_per_account")]


class Invitation(AccountScoped):
    """`email` may join `account` once, by a link whose secret only its reader knows: here stands its digest.

    Pending until accepted or withdrawn; a pending one may have expired, and is then sent again with a new link.
    """

    email = models.EmailField()
    role = models.CharField(max_length=20, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.CharField(max_length=254)
    sent_utc = models.DateTimeField()
    expires_utc = models.DateTimeField()
    accepted_utc = models.DateTimeField(null=True)
    withdrawn_utc = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "email"],
                condition=models.Q(accepted_utc=None, withdrawn_utc=None),
                name="one_pending_invitation_per_address",
            )
        ]


class AuditEvent(AccountScoped):
    """Who changed what and when; kept for good. `before` and `after` are shown to people: never a secret."""

    at_utc = models.DateTimeField()
    actor = models.CharField(max_length=254)
    action = models.CharField(max_length=80)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["account", "action", "-at_utc"], name="audit_by_action")]


class ApiKey(AccountScoped):
    """A programme's right to act for one account, with the rights of `role`. Only the key's digest is kept."""

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)  # its first characters, for people to recognise it by
    digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.STANDARD)
    created_by = models.CharField(max_length=254)
    created_utc = models.DateTimeField()
    expires_utc = models.DateTimeField(null=True)
    last_used_utc = models.DateTimeField(null=True)
    revoked_utc = models.DateTimeField(null=True)
