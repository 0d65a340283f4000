"""What people are told: notifications, who has read them, and the mails about them.

Not here: what is worth a notification (headwater/watch.py). Nothing in a notification is a secret.
"""

from collections.abc import Iterable

from django.db import models

from headwater.accounts.models import User
from headwater.accounts.scoping import AccountScoped
from headwater.common.errors import Facts, HeadwaterError


class Notification(AccountScoped):
    """A trouble, told once however often it comes: while it is open, `count` and `last_utc` move on.

    `subject` keeps troubles of the same code apart: a task, an org's Id, an event.
    """

    code = models.CharField(max_length=100)
    subject = models.CharField(max_length=100, blank=True)
    sentence = models.TextField()
    facts = models.JSONField(default=dict)
    first_utc = models.DateTimeField()
    last_utc = models.DateTimeField()
    count = models.PositiveBigIntegerField(default=1)
    resolved_utc = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "code", "subject"],
                condition=models.Q(resolved_utc=None),
                name="one_open_notification",
            )
        ]
        indexes = [models.Index(fields=["account", "-last_utc"], name="notification_newest")]

    def lines(self) -> Iterable[tuple[str, str]]:
        """(label, text) of each fact that is known."""
        return HeadwaterError(self.code, self.sentence, Facts(**self.facts)).lines()


class Reading(AccountScoped):
    """`user` has read the notification."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="readings")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notification", "user"], name="one_reading_per_person")]


class Mail(AccountScoped):
    """One mail to one person about one notification. `next_utc` is empty once it is sent, needless or given up."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="mails")
    address = models.EmailField()
    next_utc = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    sent_utc = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notification", "address"], name="one_mail_per_person")]
        indexes = [models.Index(fields=["next_utc"], name="mail_due")]
