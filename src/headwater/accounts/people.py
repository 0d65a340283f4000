"""The members of an account: their roles, and how they leave it. An account keeps at least one Account Admin.

Not here: how they come (invitations.py) and which account a page acts for (web/middleware.py).
"""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_changed
from django.db import transaction
from django.dispatch import receiver

from headwater.accounts.models import Account, Member, Role, User
from headwater.accounts.services import accounts_of, record_event
from headwater.common.errors import Facts, Fix

Actor = User | str
JOINED, ROLE_CHANGED, REMOVED = "people.joined", "people.role_changed", "people.removed"
ADDRESS_CHANGED = "people.address_changed"


def member_by_email(account: Account, email: str) -> Member:
    """Error: Fix `accounts.not_a_member`."""
    member = Member.of(account).select_related("user").filter(user__email=email.strip().lower()).first()
    if member is None:
        raise Fix("accounts.not_a_member", f"{email} is not a member of {account}.")
    return member


def change_role(member: Member, role: Role, *, actor: Actor) -> None:
    """Error: Fix `accounts.last_admin`, `accounts.not_a_member`."""
    with transaction.atomic():
        held = Role(_locked(member).role)
        if held is role:
            return
        if role is not Role.ADMIN:
            _require_another_admin(member)
        Member.of(member.account_id).filter(pk=member.pk).update(role=role)
        record_event(member.account, actor, ROLE_CHANGED, _said(member, held), _said(member, role))


def remove(member: Member, *, actor: Actor) -> None:
    """From the next request on, the person's sessions cannot act for the account.

    Error: Fix `accounts.last_admin`, `accounts.not_a_member`.
    """
    with transaction.atomic():
        held = Role(_locked(member).role)
        _require_another_admin(member)
        Member.of(member.account_id).filter(pk=member.pk).delete()
        record_event(member.account, actor, REMOVED, before=_said(member, held))


def join(account: Account, user: User, role: Role) -> Member:
    """Make `user` a member, by their own deed. Whoever is one already keeps the role that they have."""
    member, is_new = Member.of(account).get_or_create(account=account, user=user, defaults={"role": role})
    if is_new:
        record_event(account, user, JOINED, after=_said(member, role))
    return member


def _locked(member: Member) -> Member:
    """The member as it stands now, while nobody else can change the people of the account."""
    Account.objects.select_for_update().get(pk=member.account_id)
    now = Member.of(member.account_id).filter(pk=member.pk).first()
    if now is None:
        raise Fix("accounts.not_a_member", f"{member.user} is not a member of {member.account} any more.")
    return now


def _require_another_admin(member: Member) -> None:
    admins = Member.of(member.account_id).filter(role=Role.ADMIN, user__is_active=True)
    if not admins.exclude(pk=member.pk).exists():
        raise Fix(
            "accounts.last_admin",
            f"{member.user} is the last Account Admin of {member.account}.",
            Facts(
                why="Without one, nobody could change its settings or invite people.",
                left="Nothing was changed.",
                you_can="make somebody else an Account Admin first",
            ),
        )


def _said(member: Member, role: Role) -> str:
    return f"{member.user.email}, {role.label}"


@receiver(email_changed)
def keep_address_change(
    user: User, from_email_address: EmailAddress | None, to_email_address: EmailAddress, **_signal: Any
) -> None:
    """A person's new address is told in the history of each of their accounts, whose older rows name the old one."""
    before = from_email_address.email if from_email_address else ""
    for account in accounts_of(user):
        record_event(account, user, ADDRESS_CHANGED, before, to_email_address.email)
