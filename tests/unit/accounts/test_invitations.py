"""Invitations: a link that works once, for one address, until it expires, is withdrawn or sent again."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from pytest_django import Settings

from headwater.accounts.invitations import (
    LIFETIME,
    Sent,
    accept_as,
    accept_as_new,
    create_account_with_admin,
    invite,
    open_invitation,
    pending_by_email,
    pending_of,
    send_again,
    withdraw,
)
from headwater.accounts.mail import Way
from headwater.accounts.models import Account, Invitation, Role, User
from headwater.accounts.people import change_role
from headwater.accounts.services import (
    add_member,
    close_account,
    create_account,
    create_user,
    events_of,
    members_of,
    role_of,
)
from headwater.common.clock import clock_running_ahead
from headwater.common.errors import Fix

pytestmark = pytest.mark.django_db
PASSWORD = "three quiet rivers"
DORA = "dora@alderfinch.example"


@pytest.fixture
def alder() -> Account:
    return create_account("Alder & Finch")


@pytest.fixture
def alice(alder: Account) -> User:
    user = create_user("alice@alderfinch.example", PASSWORD, "Alice Larsson")
    add_member(alder, user, Role.ADMIN)
    return user


@pytest.fixture
def sent(alder: Account, alice: User) -> Sent:
    return invite(alder, " Dora@AlderFinch.example", Role.STANDARD, actor=alice)


def secret_of(sent: Sent) -> str:
    return sent.link.rstrip("/").rpartition("/")[2]


def refusal(secret: str) -> str:
    with pytest.raises(Fix) as refused:
        open_invitation(secret)
    return refused.value.code


def deeds(account: Account) -> list[tuple[str, str, str, str]]:
    return [(event.actor, event.action, event.before, event.after) for event in reversed(events_of(account))]


def test_a_mail_brings_the_link_to_the_address(sent: Sent, settings: Settings) -> None:
    assert sent.delivery.way is Way.MAILED
    [written] = mail.outbox
    assert written.to == [DORA]
    assert written.subject == "Join Alder & Finch in Headwater"
    assert f"\n{sent.link}\n" in written.body
    assert "Standard" in written.body
    assert sent.link.startswith(settings.BASE_URL)


def test_the_secret_of_the_link_is_kept_nowhere(sent: Sent, alder: Account) -> None:
    for row in (*Invitation.of(alder).values(), *events_of(alder).values()):
        assert secret_of(sent) not in str(row)


def test_a_new_person_joins_with_the_role_they_were_invited_to(sent: Sent, alder: Account) -> None:
    user = accept_as_new(secret_of(sent), name="Dora Dahl", password=PASSWORD)
    assert (user.email, user.name, role_of(user, alder)) == (DORA, "Dora Dahl", Role.STANDARD)
    assert user.check_password(PASSWORD)
    assert not pending_of(alder)
    assert deeds(alder) == [
        ("alice@alderfinch.example", "people.invited", "", f"{DORA}, Standard"),
        (DORA, "people.joined", "", f"{DORA}, Standard"),
    ]


def test_a_link_works_once(sent: Sent) -> None:
    accept_as_new(secret_of(sent), name="Dora Dahl", password=PASSWORD)
    assert refusal(secret_of(sent)) == "accounts.invitation_used"
    with pytest.raises(Fix, match="accepted already"):
        accept_as_new(secret_of(sent), name="Eve", password=PASSWORD)


def test_a_weak_password_uses_nothing_up(sent: Sent, alder: Account) -> None:
    with pytest.raises(Fix) as refused:
        accept_as_new(secret_of(sent), name="Dora", password="short")
    assert refused.value.code == "accounts.password_weak"
    assert open_invitation(secret_of(sent)).email == DORA
    assert not User.objects.filter(email=DORA).exists()


def test_whoever_has_a_user_accepts_as_that_user_and_nobody_else_does(sent: Sent, alder: Account) -> None:
    dora, eve = create_user(DORA, PASSWORD), create_user("eve@elsewhere.example", PASSWORD)
    with pytest.raises(Fix) as refused:
        accept_as(secret_of(sent), eve)
    assert refused.value.code == "accounts.invitation_for_another"
    assert role_of(eve, alder) is None
    assert accept_as(secret_of(sent), dora) == alder
    assert role_of(dora, alder) is Role.STANDARD


def test_whoever_is_a_member_by_then_keeps_the_role_they_have(sent: Sent, alder: Account) -> None:
    dora = create_user(DORA, PASSWORD)
    add_member(alder, dora, Role.ADMIN)
    accept_as(secret_of(sent), dora)
    assert role_of(dora, alder) is Role.ADMIN


def test_it_expires_after_seven_days_and_can_be_sent_again(sent: Sent, alder: Account, alice: User) -> None:
    with clock_running_ahead(LIFETIME - timedelta(minutes=1)):
        open_invitation(secret_of(sent))
    with clock_running_ahead(LIFETIME):
        assert refusal(secret_of(sent)) == "accounts.invitation_expired"
        again = send_again(pending_by_email(alder, DORA), actor=alice)
        assert open_invitation(secret_of(again)).email == DORA


def test_sending_again_ends_the_old_link(sent: Sent, alice: User) -> None:
    again = send_again(sent.invitation, actor=alice)
    assert refusal(secret_of(sent)) == "accounts.invitation_unknown"
    assert open_invitation(secret_of(again)) == sent.invitation
    assert len(mail.outbox) == 2


def test_a_withdrawn_one_is_dead(sent: Sent, alder: Account, alice: User) -> None:
    withdraw(sent.invitation, actor=alice)
    assert refusal(secret_of(sent)) == "accounts.invitation_withdrawn"
    assert not pending_of(alder)
    with pytest.raises(Fix, match="withdrawn"):
        send_again(sent.invitation, actor=alice)
    assert deeds(alder)[-1] == (alice.email, "people.invitation_withdrawn", f"{DORA}, Standard", "")


@pytest.mark.parametrize("secret", ["", "x", "0" * 43])
def test_a_guessed_link_leads_nowhere(sent: Sent, secret: str) -> None:
    assert refusal(secret) == "accounts.invitation_unknown"


@pytest.mark.parametrize("typed", ["", "dora", "dora@", "dora@alder finch.example", "a@b.example\nBcc: c@d.example"])
def test_what_is_no_address_is_refused(alder: Account, alice: User, typed: str) -> None:
    with pytest.raises(Fix) as refused:
        invite(alder, typed, Role.STANDARD, actor=alice)
    assert refused.value.code == "accounts.email_invalid"
    assert mail.outbox == []


def test_nobody_is_invited_twice_nor_into_what_they_belong_to(sent: Sent, alder: Account, alice: User) -> None:
    with pytest.raises(Fix) as refused:
        invite(alder, DORA, Role.ADMIN, actor=alice)
    assert refused.value.code == "accounts.invited_already"
    with pytest.raises(Fix) as refused:
        invite(alder, alice.email, Role.ADMIN, actor=alice)
    assert refused.value.code == "accounts.member_already"
    assert len(mail.outbox) == 1


def test_an_expired_one_gives_way_to_a_new_one(sent: Sent, alder: Account, alice: User) -> None:
    with clock_running_ahead(LIFETIME):
        anew = invite(alder, DORA, Role.ADMIN, actor=alice)
        assert open_invitation(secret_of(anew)).role == Role.ADMIN
        assert pending_of(alder).count() == 1


def test_another_account_invites_the_same_address_apart(sent: Sent, alice: User) -> None:
    other = invite(create_account("Birch Telecom"), DORA, Role.ADMIN, actor="bob@birch.example")
    dora = accept_as_new(secret_of(sent), name="Dora", password=PASSWORD)
    accept_as(secret_of(other), dora)
    assert {member.account.name: member.role for member in dora.memberships.all()} == {
        "Alder & Finch": Role.STANDARD,
        "Birch Telecom": Role.ADMIN,
    }


def test_a_closed_account_takes_nobody_in(sent: Sent, alder: Account, alice: User) -> None:
    close_account(alder, actor="operator@headwater.example")
    assert refusal(secret_of(sent)) == "accounts.closed"
    with pytest.raises(Fix, match="closed"):
        invite(alder, "eve@alderfinch.example", Role.STANDARD, actor=alice)


def test_without_a_mail_server_the_link_is_handed_back(
    alder: Account, alice: User, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "headwater.accounts.mail.LogEmailBackend"
    sent = invite(alder, DORA, Role.STANDARD, actor=alice)
    told = capsys.readouterr()
    assert sent.delivery.way is Way.LOGGED
    assert sent.link in told.err.replace("=\n", "")
    assert told.out == ""


def test_a_mail_server_that_refuses_is_told_and_the_invitation_stands(
    alder: Account, alice: User, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    sent = invite(alder, DORA, Role.STANDARD, actor=alice)
    assert sent.delivery.way is Way.FAILED
    assert re.search("refused", sent.delivery.trouble)
    assert open_invitation(secret_of(sent)).email == DORA


def test_an_account_and_its_first_admin_come_together_or_not_at_all() -> None:
    with pytest.raises(Fix):
        create_account_with_admin("Birch Telecom", "nobody", actor="operator")
    assert not Account.objects.exists()
    sent = create_account_with_admin("Birch Telecom", "bob@birch.example", actor="operator")
    bob = accept_as_new(secret_of(sent), name="Bob", password=PASSWORD)
    assert role_of(bob, Account.objects.get()) is Role.ADMIN


def test_changing_a_role_by_invitation_is_not_possible(alder: Account, alice: User, sent: Sent) -> None:
    dora = accept_as_new(secret_of(sent), name="Dora", password=PASSWORD)
    change_role(members_of(alder).get(user=dora), Role.ADMIN, actor=alice)
    with pytest.raises(Fix, match="already"):
        invite(alder, DORA, Role.STANDARD, actor=dora)
