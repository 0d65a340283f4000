"""Mails about people: where a mail goes, and what became of it.

Without a mail server mails go to the log, and a page must show the link that would have been mailed. Not here: the
mails of log-in, password and address, which are django-allauth's, and notifications.
"""

import sys
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.core.mail.backends.console import EmailBackend
from django.urls import reverse

from headwater.accounts.models import Invitation, Role


class LogEmailBackend(EmailBackend):
    """Writes mails to the standard error, where the log goes: a command's output stays its own."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"stream": sys.stderr, **options})


class Way(Enum):
    MAILED = "mailed"
    LOGGED = "logged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """`trouble` holds the mail server's own words where it refused."""

    way: Way
    trouble: str = ""


def is_mail_only_logged() -> bool:
    return f"{LogEmailBackend.__module__}.{LogEmailBackend.__qualname__}" == settings.EMAIL_BACKEND


def send_invitation(invitation: Invitation, secret: str) -> tuple[str, Delivery]:
    """The link, and how its mail went. A refusing mail server is told, not raised: the link works all the same.

    The address is asked from the urlconf by name, so that this room need not know the pages.
    """
    link = settings.BASE_URL.rstrip("/") + reverse("web:invitation", args=[secret])
    try:
        send_mail(f"Join {invitation.account} in Headwater", _text(invitation, link), None, [invitation.email])
    except OSError as refused:  # smtplib's errors are of this kind too
        return link, Delivery(Way.FAILED, str(refused))
    return link, Delivery(Way.LOGGED if is_mail_only_logged() else Way.MAILED)


def _text(invitation: Invitation, link: str) -> str:
    until = f"{invitation.expires_utc:%Y-%m-%d %H:%M} UTC"
    return f"""{invitation.invited_by} invites you to {invitation.account} in Headwater.
Your role will be {Role(invitation.role).label}.

Accept here:
{link}

The link works once, until {until}. If you did not expect it, you need not do anything.
"""
