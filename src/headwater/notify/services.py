"""Telling people about a trouble once, and that it is over; what each of them has read.

Not here: which events are worth telling (headwater/watch.py), sending mails (mails.py).
"""

from dataclasses import asdict

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import members_of
from headwater.common.clock import now_utc
from headwater.common.errors import NO_FACTS, Facts
from headwater.notify.models import Mail, Notification, Reading


def tell(
    account: Account, code: str, subject: str, sentence: str, facts: Facts = NO_FACTS, *, is_echo: bool = False
) -> Notification:
    """Open a notification and mail it to the Account Admins; where it is open already, only count it up.

    is_echo   It says less than the first telling did: words and facts stay as they are.
    """
    told = {} if is_echo else {"sentence": sentence, "facts": asdict(facts)}
    same = Notification.of(account).filter(code=code, subject=subject, resolved_utc=None)
    now = now_utc()
    with transaction.atomic():
        if same.update(count=F("count") + 1, last_utc=now, **told):
            return same.get()
        try:
            with transaction.atomic():
                opened = Notification.of(account).create(
                    account=account,
                    code=code,
                    subject=subject,
                    sentence=sentence,
                    facts=asdict(facts),
                    first_utc=now,
                    last_utc=now,
                )
        except IntegrityError:  # another process told it at the same moment: there is one now
            same.update(count=F("count") + 1, last_utc=now)
            return same.get()
        _put_mails(opened)
    return opened


def resolve(notifications: QuerySet[Notification]) -> int:
    """The cause is gone. Mails that were not sent yet are needless."""
    with transaction.atomic():
        over = list(notifications.filter(resolved_utc=None).select_for_update().values_list("pk", flat=True))
        Mail.of_all().filter(notification__in=over).update(next_utc=None)
        return Notification.of_all().filter(pk__in=over).update(resolved_utc=now_utc())


def open_of(account: Account) -> QuerySet[Notification]:
    return Notification.of(account).filter(resolved_utc=None)


def seen_by(account: Account, user: User) -> QuerySet[Notification]:
    """The account's notifications, newest first; each says as `is_read` whether this person has read it."""
    readings = Reading.of(account).filter(user=user, notification=OuterRef("pk"))
    return Notification.of(account).annotate(is_read=Exists(readings)).order_by("-last_utc", "-pk")


def unread_count(account: Account, user: User) -> int:
    """Troubles that are still there and that this person has not read."""
    return open_of(account).exclude(readings__user=user).count()


def mark_read(account: Account, user: User, notifications: QuerySet[Notification]) -> None:
    unread = notifications.filter(account=account)
    Reading.of(account).bulk_create(
        [Reading(account=account, notification=each, user=user) for each in unread], ignore_conflicts=True
    )


def mail_troubles(account: Account) -> QuerySet[Mail]:
    """Mails that the mail server refused at the last try, of what is still open."""
    return Mail.of(account).filter(notification__resolved_utc=None, sent_utc=None, tries__gt=0).order_by("-pk")


def _put_mails(opened: Notification) -> None:
    admins = members_of(opened.account).filter(role=Role.ADMIN, user__is_active=True)
    Mail.of(opened.account).bulk_create(
        Mail(account=opened.account, notification=opened, address=admin.user.email, next_utc=opened.first_utc)
        for admin in admins
    )
