"""Tenants and people: make and join them, ask who may do what, keep who changed what.

Not here: logging in (django-allauth) and choosing the account a page acts for (web/middleware.py).
"""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.text import slugify

from headwater.accounts.models import Account, AuditEvent, Member, Role, User
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix

_SLUG_CHARACTERS = 50  # leaves room for the number that keeps a slug apart from its namesakes


@transaction.atomic
def create_account(name: str) -> Account:
    """Error: Fix `accounts.name_taken` or `accounts.name_missing`."""
    name = name.strip()
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
    """Error: Fix `accounts.email_taken` or `accounts.password_weak`. The address is kept in lower case."""
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
    return User.objects.create_user(address, password, name=name.strip())


def add_member(account: Account, user: User, role: Role) -> Member:
    """Let `user` act for `account`; someone who is a member already gets the new role."""
    member, _ = Member.of(account).update_or_create(account=account, user=user, defaults={"role": role})
    return member


def members_of(account: Account) -> QuerySet[Member]:
    return Member.of(account).select_related("user").order_by("user__email")


def accounts_of(user: User) -> QuerySet[Account]:
    """The accounts this person may act for, by name."""
    mine = Member.of_all().filter(user=user)
    return Account.objects.filter(pk__in=mine.values("account")).order_by("name")


def role_of(user: User, account: Account) -> Role | None:
    """None where the user is no member: there is no right that comes from anywhere else."""
    role = Member.of(account).filter(user=user).values_list("role", flat=True).first()
    return Role(role) if role else None


def require_role(user: User, account: Account, role: Role) -> None:
    """Pass where `user` holds `role`; an Account Admin may do all that a Standard user may.

    Error: Fix `accounts.not_a_member` or `accounts.admin_needed`.
    """
    held = role_of(user, account)
    if held is None:
        raise Fix("accounts.not_a_member", f"{user} is not a member of {account}.")
    if role is Role.ADMIN and held is not Role.ADMIN:
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
