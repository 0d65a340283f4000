"""Sends the mails that are due, each to one Account Admin; a mail server that refuses is asked again, ever later.

A process killed between the mail server's answer and our commit sends that one mail twice: mails have no memory.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F
from django.urls import reverse

from headwater.common.clock import now_utc
from headwater.notify.models import Mail

logger = logging.getLogger(__name__)
TRIES = 10
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
_CLAIM = timedelta(minutes=10)  # longer than a mail server takes; a dead sender's mail is taken over then
_AT_ONCE = 50


def send_due() -> int:
    """Send what is due; returns how many mails went out."""
    due = Mail.of_all().filter(next_utc__lte=now_utc()).select_related("notification", "account")
    return sum(_send(mail) for mail in due.order_by("next_utc")[:_AT_ONCE])


def _send(mail: Mail) -> bool:
    as_read = Mail.of_all().filter(pk=mail.pk, next_utc=mail.next_utc)
    if as_read.update(next_utc=now_utc() + _CLAIM, tries=F("tries") + 1) != 1:
        return False  # another worker has it, or its trouble is over
    mine = Mail.of_all().filter(pk=mail.pk, sent_utc=None)
    try:
        send_mail(f"[Headwater] {mail.account}: {mail.notification.sentence}", _text(mail), None, [mail.address])
    except OSError as refused:  # smtplib's errors are of this kind too
        tries = mail.tries + 1
        again_utc = now_utc() + min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE) if tries < TRIES else None
        mine.update(next_utc=again_utc, trouble=str(refused)[:300])
        logger.warning("Mail %d about %s was refused (try %d): %s", mail.pk, mail.notification.code, tries, refused)
        return False
    return mine.update(next_utc=None, sent_utc=now_utc(), trouble="") == 1


def _text(mail: Mail) -> str:
    """The page's address is asked from the urlconf by name, so that this room need not know the pages."""
    told = mail.notification
    facts = "".join(f"\n{label}: {text}" for label, text in told.lines())
    link = settings.BASE_URL.rstrip("/") + reverse("web:notifications_detail", args=[told.pk])
    return f"""{told.sentence}
{facts}
Code: {told.code}

{link}

You get this mail once, as an Account Admin of {mail.account} in Headwater. While the trouble lasts, it is only counted.
"""
