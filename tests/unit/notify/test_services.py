"""A trouble is told once, counted while it lasts, read by each person for themselves, and over when its cause is."""

from datetime import UTC, datetime, timedelta

import pytest

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account, create_user
from headwater.common.clock import clock_set_to
from headwater.common.errors import Facts
from headwater.notify.models import Mail, Notification
from headwater.notify.services import mark_read, open_of, resolve, seen_by, tell, unread_count

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
PASSWORD = "three quiet rivers"


@pytest.fixture
def account(db: None) -> Account:
    return create_account("Acme")


@pytest.fixture
def ann(account: Account) -> User:
    user = create_user("ann@acme.example", PASSWORD)
    add_member(account, user, Role.ADMIN)
    return user


@pytest.fixture
def ben(account: Account) -> User:
    user = create_user("ben@acme.example", PASSWORD)
    add_member(account, user, Role.STANDARD)
    return user


def test_a_thousand_failures_are_told_once(account: Account, ann: User, ben: User) -> None:
    with clock_set_to(NOON):
        tell(account, "jobs.given_up", "sync.cycle", "It failed.", Facts(why="One."))
    with clock_set_to(NOON + timedelta(hours=1)):
        for number in range(999):
            tell(account, "jobs.given_up", "sync.cycle", "It failed.", Facts(why=f"{number}."))
    told = Notification.of(account).get()
    assert (told.count, told.first_utc, told.last_utc) == (1_000, NOON, NOON + timedelta(hours=1))
    assert dict(told.lines()) == {"Why": "998."}
    assert [mail.address for mail in Mail.of(account)] == ["ann@acme.example"]  # the Account Admins, once


def test_an_echo_keeps_the_first_words(account: Account) -> None:
    tell(account, "a.b", "", "Because of this.", Facts(why="Salesforce said so."))
    tell(account, "a.b", "", "Still.", is_echo=True)
    told = Notification.of(account).get()
    assert (told.sentence, told.count, dict(told.lines())) == ("Because of this.", 2, {"Why": "Salesforce said so."})


def test_other_subjects_and_accounts_are_other_troubles(account: Account) -> None:
    other = create_account("Other")
    for who, subject in ((account, "sync.cycle"), (account, "export.records"), (other, "sync.cycle")):
        tell(who, "jobs.given_up", subject, "It failed.")
    assert (open_of(account).count(), open_of(other).count()) == (2, 1)


def test_what_comes_back_is_told_anew(account: Account, ann: User) -> None:
    tell(account, "a.b", "", "It failed.")
    mark_read(account, ann, open_of(account))
    assert resolve(open_of(account)) == 1
    assert (open_of(account).count(), unread_count(account, ann)) == (0, 0)
    tell(account, "a.b", "", "It failed.")
    assert (Notification.of(account).count(), unread_count(account, ann)) == (2, 1)


def test_each_person_reads_for_themselves(account: Account, ann: User, ben: User) -> None:
    tell(account, "a.b", "", "It failed.")
    mark_read(account, ann, Notification.of(account))
    mark_read(account, ann, Notification.of(account))  # twice is no mistake
    assert (unread_count(account, ann), unread_count(account, ben)) == (0, 1)
    assert [told.is_read for told in seen_by(account, ann)] == [True]  # type: ignore[attr-defined]  # annotated


def test_nobody_marks_what_belongs_to_another_account(account: Account, ann: User) -> None:
    other = create_account("Other")
    add_member(other, ann, Role.ADMIN)
    tell(other, "a.b", "", "It failed.")
    mark_read(account, ann, Notification.of_all())
    assert unread_count(other, ann) == 1


def test_a_trouble_that_is_over_needs_no_mail(account: Account, ann: User) -> None:
    tell(account, "a.b", "", "It failed.")
    resolve(open_of(account))
    assert Mail.of(account).get().next_utc is None
