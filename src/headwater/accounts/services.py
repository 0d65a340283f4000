"""Tenants and people: make and join them, ask who may do what, keep who changed what.

Not here: the members of an account and their roles (people.py), invitations, logging in (django-allauth), and choosing
the account a page acts for (web/middleware.py).
"""

from collections.abc import Collection
from functools import reduce
from operator import or_

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.text import slugify

from headwater.accounts.models import Account, AuditEvent, Member, Role, User
from headwater.common.clock import now_utc
from headwater.common.errors import Bug, Facts, Fix

_SLUG_CHARACTERS = 50  # leaves room for the number that keeps a slug apart from its namesakes


@transaction.atomic
def create_account(name: str) -> Account:
    """Error: Fix `accounts.name_taken` or `accounts.name_missing`."""
    name = " ".join(name.split())
    if not name:
        raise Fix("accounts.name_missing", "An account needs a name.")
    if Account.objects.filter(name__iexact=name).exists():
        raise Fix(
            "accounts.name_taken",
            f"There is an account called {name} already.",
            Facts(why="The name confirms dangerous acts, so it must be unmistakable.", you_can="choose another"),
        )
    return Account.objects.create(name=name, slug=_free_slug(name), created_utc=now_utc())


def _free_slug(name: str) -> str:
    base = slugify(name)[:_SLUG_CHARACTERS].strip("-") or "account"
    taken = set(Account.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug


@transaction.atomic
def create_user(email: str, password: str, name: str = "") -> User:
    """Error: Fix `accounts.email_taken` or `accounts.password_weak`. The address is kept in lower case.

    It counts as verified: whoever calls this had the address from an operator, or from a link that was mailed to it.
    """
    address = email.strip().lower()
    if User.objects.filter(email=address).exists():
        raise Fix("accounts.email_taken", f"{address} belongs to a user already.")
    try:
        validate_password(password, User(email=address, name=name))
    except ValidationError as refused:
        raise Fix(
            "accounts.password_weak",
            "The password is too easy to guess.",
            Facts(why=" ".join(refused.messages)),
        ) from refused
    user = User.objects.create_user(address, password, name=name.strip())
    EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    return user


def add_member(account: Account, user: User, role: Role) -> Member:
    """Let `user` act for `account`; someone who is a member already gets the new role."""
    member, _ = Member.of(account).update_or_create(account=account, user=user, defaults={"role": role})
    return member


def members_of(account: Account) -> QuerySet[Member]:
    return Member.of(account).select_related("user").order_by("user__email")


def accounts_of(user: User) -> QuerySet[Account]:
    """The open accounts that this person is a member of, by name."""
    mine = Member.of_all().filter(user=user)
    return Account.objects.filter(pk__in=mine.values("account"), closed_utc=None).order_by("name")


def open_account(key: int) -> Account | None:
    """None where it is closed, or gone."""
    return Account.objects.filter(pk=key, closed_utc=None).first()


def enter_account(account: Account, operator: User) -> None:
    """Keep, for the admins of the account, that an operator came to act in it. Error: Fix `accounts.closed`."""
    require_open(account)
    record_event(account, operator, "operator.entered")


def leave_account(account: Account, operator: User) -> None:
    record_event(account, operator, "operator.left")


def close_account(account: Account, *, actor: User | str) -> None:
    """Nobody acts for it and no job of it runs until it is opened again; nothing of it is deleted."""
    if Account.objects.filter(pk=account.pk, closed_utc=None).update(closed_utc=now_utc()):
        record_event(account, actor, "account.closed")
    account.refresh_from_db()


def reopen_account(account: Account, *, actor: User | str) -> None:
    if Account.objects.filter(pk=account.pk).exclude(closed_utc=None).update(closed_utc=None):
        record_event(account, actor, "account.reopened")
    account.refresh_from_db()


def user_by_email(email: str) -> User:
    """Error: Fix `accounts.no_such_user`."""
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise Fix("accounts.no_such_user", f"There is no user with the address {email}.")
    return user


def has_operator() -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exists()


def rename_user(user: User, name: str) -> None:
    user.name = " ".join(name.split())
    user.save(update_fields=["name"])


def name_operator(user: User, *, is_operator: bool) -> None:
    user.is_superuser = is_operator
    user.save(update_fields=["is_superuser"])


def account_of_job(tenant: str, account_id: int) -> Account:
    """The account that a job works for: its tenant's, and no other's. Error: Bug `accounts.foreign_job`."""
    if tenant != str(account_id):
        raise Bug("accounts.foreign_job", f"A job of tenant {tenant} asked for account {account_id}.")
    return Account.objects.get(pk=account_id)


def open_account_of_job(tenant: str, account_id: int) -> Account:
    """As account_of_job, for work that rests while the account is closed. Error: Fix `accounts.closed`."""
    account = account_of_job(tenant, account_id)
    require_open(account)
    return account


def require_open(account: Account) -> None:
    """Asks the database, as a job may hold an account from before it was closed. Error: Fix `accounts.closed`."""
    if Account.objects.filter(pk=account.pk).exclude(closed_utc=None).exists():
        raise Fix(
            "accounts.closed",
            f"{account} is closed.",
            Facts(
                why="An operator of this Headwater closed it.",
                left="Everything that it holds is kept.",
                you_can="ask the operator to open it again",
            ),
        )


def role_of(user: User, account: Account) -> Role | None:
    """None where the user is no member: there is no right that comes from anywhere else."""
    role = Member.of(account).filter(user=user).values_list("role", flat=True).first()
    return Role(role) if role else None


def require_admin(user: User, account: Account, held: Role) -> None:
    """Pass where the role that `user` holds is that of an Account Admin.

    Error: Fix `accounts.admin_needed`.
    """
    if held is not Role.ADMIN:
        raise Fix(
            "accounts.admin_needed",
            f"Only an Account Admin of {account} may do this.",
            Facts(
                why=f"{user} has the role {held.label}, which reads everything and changes nothing.",
                left="Nothing was changed.",
                you_can="ask an Account Admin to do it, or to give you that role",
            ),
        )


def record_event(
    account: Account, actor: User | str, action: str, before: object = "", after: object = ""
) -> AuditEvent:
    """Keep who did what. `actor` is the person, or the name of a programme part that acted by itself.

    `before` and `after` are shown to people as text; a secret never goes in.
    """
    who = actor.email if isinstance(actor, User) else actor
    return AuditEvent.of(account).create(
        account=account, at_utc=now_utc(), actor=who, action=action, before=str(before), after=str(after)
    )


def events_of(account: Account, action: str = "") -> QuerySet[AuditEvent]:
    """Newest first; `action` picks one kind of deed."""
    events = AuditEvent.of(account).order_by("-at_utc", "-pk")
    return events.filter(action=action) if action else events


def events_about(account: Account, subjects: Collection[str]) -> QuerySet[AuditEvent]:
    """Newest first, of the deeds whose name begins with one of `subjects` and a dot."""
    named = [Q(action__startswith=f"{subject}.") for subject in subjects]
    return events_of(account).filter(reduce(or_, named))
