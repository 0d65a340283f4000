"""Whom an account's own provider may log in: its members, by verified addresses of its confirmed domains, nobody else.

Not here: how the provider's word was checked (oidc.py, saml.py).
"""

from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from headwater.accounts.models import Account, Member, Role, User
from headwater.accounts.services import add_member, record_event, role_of
from headwater.common.errors import Facts, Fix
from headwater.signin.models import LinkedIdentity, Protocol, SingleSignOn
from headwater.signin.sso import domain_of, domains_of


@dataclass(frozen=True, slots=True)
class Assertion:
    """What the provider said of a person, signature checked. `is_verified` is None where it said nothing of it."""

    subject: str
    email: str
    is_verified: bool | None
    name: str = ""


def require_trustworthy(row: SingleSignOn, assertion: Assertion) -> None:
    """Error: Fix `signin.no_address`, `signin.foreign_address` or `signin.address_not_verified`."""
    email = assertion.email
    if not assertion.subject or "@" not in email:
        raise Fix(
            "signin.no_address",
            "The provider told no e-mail address.",
            Facts(you_can="let it send the address: claim or attribute `email`"),
        )
    if not domains_of(row.account).filter(name=domain_of(email), confirmed_utc__isnull=False).exists():
        raise Fix(
            "signin.foreign_address",
            f"The single sign-on of {row.account} may not vouch for {email}.",
            Facts(why="Only addresses of the account's confirmed domains count.", left="Nobody was logged in."),
        )
    # What its own SAML provider signs is its word on the address; OpenID Connect has a claim of its own for that.
    counts_unsaid = row.protocol == Protocol.SAML or row.trusts_addresses
    if not (assertion.is_verified or (assertion.is_verified is None and counts_unsaid)):
        raise Fix(
            "signin.address_not_verified",
            f"The provider does not say that {email} is verified.",
            Facts(
                left="Nobody was logged in.",
                you_can="let it send email_verified, or trust its addresses under Settings > Security > Authentication",
            ),
        )


@transaction.atomic
def person_for(row: SingleSignOn, assertion: Assertion) -> User:
    """The member that the provider means; where `joins` is on, a new one if need be.

    Error: as require_trustworthy, and Fix `signin.not_a_member`, `signin.other_identity` or `signin.operator_here`.
    """
    require_trustworthy(row, assertion)
    linked = LinkedIdentity.of(row.account).select_related("user").filter(subject=assertion.subject).first()
    user = linked.user if linked else User.objects.filter(email=assertion.email.lower()).first()
    if user is not None and (user.is_superuser or user.is_staff):
        raise Fix(
            "signin.operator_here",
            "Operators of this Headwater log in with their own password.",
            Facts(why="They may act for every account; one account's provider cannot vouch for that."),
        )
    if user is not None and linked is None and LinkedIdentity.of(row.account).filter(user=user).exists():
        raise Fix(
            "signin.other_identity",
            f"{user.email} belongs to another identity at the provider.",
            Facts(
                why="An address that was given to somebody else must not open their predecessor's log-in.",
                left="Nobody was logged in.",
                you_can="let an Account Admin remove the former member and invite the new one",
            ),
        )
    if user is None or role_of(user, row.account) is None:
        user = _joined(row, user, assertion)
    LinkedIdentity.of(row.account).get_or_create(account=row.account, subject=assertion.subject, user=user)
    return user


@receiver(post_delete, sender=Member)
def _unlink(instance: Member, **_: Any) -> None:
    """Whoever is no member any more is nobody's identity: the address may be given to another person."""
    LinkedIdentity.of(instance.account_id).filter(user=instance.user_id).delete()


def _joined(row: SingleSignOn, user: User | None, assertion: Assertion) -> User:
    account: Account = row.account
    if not row.joins:
        raise Fix(
            "signin.not_a_member",
            f"{assertion.email} is not a member of {account}.",
            Facts(left="Nobody was logged in.", you_can="ask an Account Admin for an invitation"),
        )
    if user is None:
        user = User.objects.create_user(assertion.email, None, name=assertion.name.strip()[:200])
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    add_member(account, user, Role.STANDARD)
    record_event(account, "single sign-on", "member.joined", after=f"{user.email}, {Role.STANDARD.label}")
    return user
