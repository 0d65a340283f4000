"""Invitations into an account: a link that works once, for one address and one role, until it expires.

Only the digest of a link's secret is stored, so sending again makes a new link and ends the old one. Following a link
changes nothing; accepting does. Not here: who may invite (web/acting.py) and what the mail says (mail.py).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from headwater.accounts.mail import Delivery, send_invitation
from headwater.accounts.models import Account, Invitation, Member, Role, User
from headwater.accounts.people import Actor, join
from headwater.accounts.services import create_account, create_user, record_event, require_open
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix

LIFETIME = timedelta(days=7)
INVITED, SENT_AGAIN, WITHDRAWN = "people.invited", "people.invitation_sent_again", "people.invitation_withdrawn"


@dataclass(frozen=True, slots=True)
class Sent:
    """An invitation and what became of its mail. `link` is known here only, and to whoever reads the mail."""

    invitation: Invitation
    link: str
    delivery: Delivery


def invite(account: Account, email: str, role: Role, *, actor: Actor) -> Sent:
    """Error: Fix `accounts.email_invalid`, `accounts.member_already`, `accounts.invited_already`, `accounts.closed`."""
    require_open(account)
    return _mailed(*_new(account, email, role, actor))


def create_account_with_admin(name: str, admin_email: str, *, actor: Actor) -> Sent:
    """A new account and the invitation of its first Account Admin; both or neither.

    Error: Fix as of `create_account` and `invite`.
    """
    with transaction.atomic():
        made = _new(create_account(name), admin_email, Role.ADMIN, actor)
    return _mailed(*made)


def _new(account: Account, email: str, role: Role, actor: Actor) -> tuple[Invitation, str]:
    """The row and the secret of its link. An expired invitation of the same address gives way."""
    address = _checked(email)
    if Member.of(account).filter(user__email=address).exists():
        raise Fix(
            "accounts.member_already",
            f"{address} is a member of {account} already.",
            Facts(left="Nothing was changed.", you_can="change the role in the list of members"),
        )
    pending = pending_of(account).filter(email=address).first()
    if pending is not None and not has_expired(pending):
        raise _invited_already(address)
    secret = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            if pending is not None:
                Invitation.of(account).filter(pk=pending.pk).update(withdrawn_utc=now_utc())
            invitation = Invitation.of(account).create(
                account=account, email=address, role=role, digest=_digest(secret), **_sent_now(actor)
            )
            record_event(account, actor, INVITED, after=_said(invitation))
    except IntegrityError as raced:  # somebody else invited the same address at the same time
        raise _invited_already(address) from raced
    return invitation, secret


def send_again(invitation: Invitation, *, actor: Actor) -> Sent:
    """With a new link and seven more days; the old link is dead. Error: Fix as of `open_invitation`."""
    require_open(invitation.account)
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        _take(invitation, digest=_digest(secret), **_sent_now(actor))
        record_event(invitation.account, actor, SENT_AGAIN, after=_said(invitation))
    invitation.refresh_from_db()
    return _mailed(invitation, secret)


def withdraw(invitation: Invitation, *, actor: Actor) -> None:
    """Error: Fix as of `open_invitation`."""
    with transaction.atomic():
        _take(invitation, withdrawn_utc=now_utc())
        record_event(invitation.account, actor, WITHDRAWN, before=_said(invitation))


def pending_of(account: Account) -> QuerySet[Invitation]:
    """Neither accepted nor withdrawn, by address; expired ones too, as they can be sent again."""
    return Invitation.of(account).filter(accepted_utc=None, withdrawn_utc=None).order_by("email")


def pending_by_email(account: Account, email: str) -> Invitation:
    """Error: Fix `accounts.not_invited`."""
    found = pending_of(account).filter(email=email.strip().lower()).first()
    if found is None:
        raise Fix("accounts.not_invited", f"No invitation of {account} to {email} is pending.")
    return found


def has_expired(invitation: Invitation) -> bool:
    return invitation.expires_utc <= now_utc()


def open_invitation(secret: str) -> Invitation:
    """The invitation that a link leads to, while it can be accepted.

    Error: Fix `accounts.invitation_unknown`, `..._used`, `..._withdrawn`, `..._expired`, or `accounts.closed`.
    """
    invitation = Invitation.of_all().select_related("account").filter(digest=_digest(secret)).first()
    if invitation is None:
        raise Fix(
            "accounts.invitation_unknown",
            "This is not the link of an invitation.",
            Facts(
                why="It is incomplete, or a newer mail has taken its place: only the last link that was sent works.",
                you_can="open the link of the newest mail, or ask for another one",
            ),
        )
    _require_pending(invitation)
    if has_expired(invitation):
        raise Fix(
            "accounts.invitation_expired",
            "This invitation has expired.",
            Facts(why="A link works for seven days.", you_can=f"ask {invitation.invited_by} to send it again"),
        )
    require_open(invitation.account)
    return invitation


def user_invited(invitation: Invitation) -> User | None:
    """The person who has a user with this address already, and must log in as that user to accept."""
    return User.objects.filter(email=invitation.email).first()


@transaction.atomic
def accept_as_new(secret: str, *, name: str, password: str) -> User:
    """Make the user, whose address the link has verified, and the membership.

    Error: Fix as of `open_invitation` and `create_user`.
    """
    invitation = open_invitation(secret)
    user = create_user(invitation.email, password, name)
    _accept(invitation, user)
    return user


@transaction.atomic
def accept_as(secret: str, user: User) -> Account:
    """Error: Fix as of `open_invitation`, or `accounts.invitation_for_another`."""
    invitation = open_invitation(secret)
    if user.email != invitation.email:
        raise Fix(
            "accounts.invitation_for_another",
            f"This invitation is for {invitation.email}.",
            Facts(
                why=f"You are logged in as {user.email}.",
                left="Nothing was changed.",
                you_can=f"log out, and log in as {invitation.email}",
            ),
        )
    _accept(invitation, user)
    return invitation.account


def _accept(invitation: Invitation, user: User) -> None:
    _take(invitation, accepted_utc=now_utc())
    join(invitation.account, user, Role(invitation.role))


def _take(invitation: Invitation, **changes: object) -> None:
    """Change a pending invitation by a conditional update of exactly one row: of two who try, one succeeds."""
    if pending_of(invitation.account).filter(pk=invitation.pk, digest=invitation.digest).update(**changes) != 1:
        invitation.refresh_from_db()
        _require_pending(invitation)
        raise Fix("accounts.invitation_unknown", "This invitation was sent again meanwhile; only its last link works.")


def _require_pending(invitation: Invitation) -> None:
    if invitation.accepted_utc is not None:
        raise Fix(
            "accounts.invitation_used",
            "This invitation was accepted already.",
            Facts(why="A link works once.", you_can=f"log in as {invitation.email}"),
        )
    if invitation.withdrawn_utc is not None:
        raise Fix(
            "accounts.invitation_withdrawn",
            "This invitation was withdrawn.",
            Facts(you_can=f"ask an Account Admin of {invitation.account} to invite you again"),
        )


def _checked(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as refused:
        raise Fix(
            "accounts.email_invalid",
            f"“{email}” is not an e-mail address." if address else "An e-mail address is missing.",
            Facts(left="Nobody was invited.", you_can="write it as name@company.com"),
        ) from refused
    return address


def _invited_already(address: str) -> Fix:
    return Fix(
        "accounts.invited_already",
        f"{address} is invited already.",
        Facts(left="The invitation stays as it was.", you_can="send it again, or withdraw it first"),
    )


def _sent_now(actor: Actor) -> dict[str, object]:
    now = now_utc()
    return {
        "invited_by": actor.email if isinstance(actor, User) else actor,
        "sent_utc": now,
        "expires_utc": now + LIFETIME,
    }


def _mailed(invitation: Invitation, secret: str) -> Sent:
    link, delivery = send_invitation(invitation, secret)
    return Sent(invitation, link, delivery)


def _said(invitation: Invitation) -> str:
    return f"{invitation.email}, {Role(invitation.role).label}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
