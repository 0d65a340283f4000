"""Mails to the Account Admins: once, retried while the mail server refuses, and never in a job's way."""

import smtplib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from pytest_django import Settings

from headwater.accounts.models import Account, Role
from headwater.accounts.services import add_member, create_account, create_user
from headwater.common.clock import clock_set_to
from headwater.common.errors import Facts
from headwater.notify import mails
from headwater.notify.models import Mail
from headwater.notify.services import mail_troubles, tell

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def account(db: None, settings: Settings) -> Account:
    settings.BASE_URL = "https://headwater.example"
    account = create_account("Acme")
    for name in ("ann", "amy", "ben", "gone"):
        user = create_user(f"{name}@acme.example", "three quiet rivers")
        user.is_active = name != "gone"
        user.save()
        add_member(account, user, Role.STANDARD if name == "ben" else Role.ADMIN)
    return account


def test_each_admin_gets_one_mail_with_all_that_is_known(account: Account) -> None:
    for _ in range(3):
        tell(account, "a.b", "", "Acme wants a new authorisation.", Facts(why="It ended.", you_can="click the key"))
    assert (mails.send_due(), mails.send_due()) == (2, 0)
    assert sorted(message.to[0] for message in outbox.outbox) == ["amy@acme.example", "ann@acme.example"]
    message = outbox.outbox[0]
    assert message.subject == "[Headwater] Acme: Acme wants a new authorisation."
    for words in ("Why: It ended.", "You can: click the key", "Code: a.b", "https://headwater.example/notifications/"):
        assert words in message.body


def refusing(*_: Any, **__: Any) -> int:
    raise smtplib.SMTPServerDisconnected("the mail server hung up")


def test_a_mail_server_that_refuses_is_asked_again_ever_later_and_told(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock_set_to(NOON):
        tell(account, "a.b", "", "It failed.")
        with monkeypatch.context() as patched:
            patched.setattr(mails, "send_mail", refusing)
            assert (mails.send_due(), mails.send_due()) == (0, 0)
        assert {trouble.trouble for trouble in mail_troubles(account)} == {"the mail server hung up"}
        assert {mail.next_utc for mail in Mail.of(account)} == {NOON + timedelta(minutes=1)}
    with clock_set_to(NOON + timedelta(minutes=1)):
        assert mails.send_due() == 2
    assert not mail_troubles(account).exists()


def test_it_gives_up_after_ten_tries_and_still_says_so(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mails, "send_mail", refusing)
    with clock_set_to(NOON):
        tell(account, "a.b", "", "It failed.")
    for days in range(1, 13):
        with clock_set_to(NOON + timedelta(days=days)):
            mails.send_due()
    assert {(mail.tries, mail.next_utc) for mail in mail_troubles(account)} == {(mails.TRIES, None)}


def test_a_sender_that_died_is_taken_over(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> int:
        raise KilledError

    with clock_set_to(NOON):
        tell(account, "a.b", "", "It failed.")
        with monkeypatch.context() as patched:
            patched.setattr(mails, "send_mail", killed)
            with pytest.raises(KilledError):
                mails.send_due()
        assert mails.send_due() == 1  # the other admin's
    with clock_set_to(NOON + timedelta(minutes=11)):
        assert mails.send_due() == 1
