"""The second factor: who has one, which accounts demand it, and how a lost one is taken away.

Not here: codes, keys and the ceremonies of setting one up, which are django-allauth's (allauth.mfa).
"""

from typing import Any

from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.dispatch import receiver

from headwater.accounts.models import Account, Member, User
from headwater.accounts.services import accounts_of, members_of, record_event
from headwater.common.errors import Facts, Fix
from headwater.signin.models import SignInRules

REQUIRED, OPTIONAL = "required", "optional"
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes only stand in for one of these
KINDS = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}


def has_second_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def requires_second_factor(account: Account) -> bool:
    return SignInRules.of(account).filter(requires_second_factor=True).exists()


def members_without_factor(account: Account) -> list[Member]:
    owners = Authenticator.objects.filter(type__in=FACTORS).values("user")
    return list(members_of(account).exclude(user__in=owners))


@transaction.atomic
def require_second_factor(account: Account, *, required: bool, actor: User) -> None:
    """Demand one of every member, or no longer.

    Error: Fix `signin.own_factor_first`, so that nobody locks himself out.
    """
    if required and not has_second_factor(actor):
        raise Fix(
            "signin.own_factor_first",
            "Set up your own second factor first.",
            Facts(
                why="Everybody without one is led to setting it up, and you would be the first.",
                left="Nothing was changed.",
                you_can="set it up under My Account > Second factor, then come back",
            ),
        )
    before = requires_second_factor(account)
    if before == required:
        return
    SignInRules.of(account).update_or_create(account=account, defaults={"requires_second_factor": required})
    record_event(account, actor, "second_factor.rule", _word(before), _word(required))


def _word(required: bool) -> str:
    return REQUIRED if required else OPTIONAL


@transaction.atomic
def reset_factors(email: str, *, actor: str) -> list[str]:
    """Take every factor and recovery code of a person away, for somebody who lost them; returns what there was.

    Their password alone opens their log-in until they set one up again, so this is the operator's deed and each of
    their accounts keeps a record of it. Error: Fix `signin.no_such_person` or `signin.no_factor`.
    """
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise Fix("signin.no_such_person", f"Nobody here has the address {email}.")
    held = Authenticator.objects.filter(user=user)
    kinds = [KINDS[Authenticator.Type(kind)] for kind in sorted(held.values_list("type", flat=True))]
    if not kinds:
        raise Fix("signin.no_factor", f"{user.email} has no second factor.")
    held.delete()
    _record(user, actor, "second_factor.reset", before=f"{user.email}: {', '.join(kinds)}", after=f"{user.email}: none")
    return kinds


@receiver([signals.authenticator_added, signals.authenticator_removed, signals.authenticator_reset])
def _keep_record(signal: object, user: User, authenticator: Authenticator, **_: Any) -> None:
    deeds = {
        signals.authenticator_added: "added",
        signals.authenticator_removed: "removed",
        signals.authenticator_reset: "renewed",
    }
    kind = KINDS[Authenticator.Type(authenticator.type)]
    _record(user, user, f"second_factor.{deeds[signal]}", after=kind)


def _record(user: User, actor: User | str, action: str, *, before: str = "", after: str = "") -> None:
    for account in accounts_of(user):
        record_event(account, actor, action, before, after)
