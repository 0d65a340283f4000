"""Settings > People and the link of an invitation, over HTTP: who is told what, and what each deed changes."""

import html
import re

import pytest
from django.core import mail
from django.test import Client
from django.utils.html import escape
from pytest_django import Settings

from headwater.accounts.invitations import Sent, invite, pending_of, withdraw
from headwater.accounts.models import Account, Member, Role, User
from headwater.accounts.services import add_member, close_account, create_account, create_user, role_of
from unit.web.conftest import PASSWORD

PAGE = "/settings/people/"
DORA = "dora@alderfinch.example"


@pytest.fixture
def bob(alder: Account) -> Member:
    return add_member(alder, create_user("bob@alderfinch.example", PASSWORD, "Bob Berg"), Role.STANDARD)


@pytest.fixture
def sent(alder: Account) -> Sent:
    return invite(alder, DORA, Role.STANDARD, actor="alice@alderfinch.example")


def path_of(sent: Sent) -> str:
    return sent.link.removeprefix("http://testserver")


def text_of(browser: Client, path: str = PAGE) -> str:
    return html.unescape(browser.get(path).content.decode())


def test_an_admin_invites_and_sees_that_the_mail_is_gone(as_admin: Client, alder: Account) -> None:
    answer = as_admin.post(f"{PAGE}invite/", {"email": DORA, "role": "standard"}, follow=True)
    page = answer.content.decode()
    assert f"{DORA} has a mail with a link that works once" in page
    assert "Not accepted yet" in page
    assert "/invitation/" not in page  # whoever reads the mail has the link, not the admin
    assert [written.to for written in mail.outbox] == [[DORA]]
    assert pending_of(alder).get().invited_by == "alice@alderfinch.example"


def test_without_a_mail_server_the_answer_shows_the_link_to_copy(
    as_admin: Client, client: Client, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "headwater.accounts.mail.LogEmailBackend"
    page = as_admin.post(f"{PAGE}invite/", {"email": DORA, "role": "standard"}).content.decode()
    assert "No mail was sent" in page
    [link] = set(re.findall(r'data-copy="(http://testserver/invitation/[\w-]+/)"', page))
    assert "/invitation/" not in text_of(as_admin)
    assert "Join Alder & Finch" in text_of(Client(), link.removeprefix("http://testserver"))


def test_a_refusing_mail_server_is_told_with_its_words(as_admin: Client, sent: Sent, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    page = as_admin.post(f"{PAGE}invited/{sent.invitation.pk}/again/").content.decode()
    assert "The mail server refused the mail" in page
    assert "Connection refused" in page
    assert 'data-copy="http://testserver/invitation/' in page


def test_a_refused_invitation_says_why_and_keeps_what_was_typed(as_admin: Client, bob: Member) -> None:
    answer = as_admin.post(f"{PAGE}invite/", {"email": bob.user.email, "role": "admin"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "is a member of Alder &amp; Finch already" in page
    assert f'value="{bob.user.email}"' in page
    assert '<option value="admin" selected>' in page


def test_a_role_that_does_not_exist_is_no_role(as_admin: Client, bob: Member, alder: Account) -> None:
    assert as_admin.post(f"{PAGE}{bob.pk}/role/", {"role": "owner"}).status_code == 404
    assert as_admin.post(f"{PAGE}invite/", {"email": DORA, "role": "owner"}).status_code == 404
    assert role_of(bob.user, alder) is Role.STANDARD


def test_roles_and_removals_are_told_and_kept(as_admin: Client, bob: Member, alder: Account) -> None:
    page = as_admin.post(f"{PAGE}{bob.pk}/role/", {"role": "admin"}, follow=True).content.decode()
    assert "Bob Berg is Account Admin now." in page
    assert "Remove Bob Berg?" in text_of(as_admin, f"{PAGE}?remove={bob.pk}")
    page = as_admin.post(f"{PAGE}{bob.pk}/remove/", follow=True).content.decode()
    assert "Bob Berg cannot act for Alder &amp; Finch any more." in page
    assert "Changed the role" in page
    assert "bob@alderfinch.example, Account Admin" in page
    assert role_of(bob.user, alder) is None


def test_the_last_admin_can_neither_leave_nor_step_down(as_admin: Client, alice: User, alder: Account) -> None:
    me = alice.memberships.get().pk
    for deed in (f"{PAGE}{me}/remove/", f"{PAGE}{me}/role/"):
        page = as_admin.post(deed, {"role": "standard"}, follow=True).content.decode()
        assert "is the last Account Admin" in page
    assert role_of(alice, alder) is Role.ADMIN


def test_who_is_removed_loses_the_account_in_every_open_browser(as_admin: Client, bob: Member, alder: Account) -> None:
    theirs = Client()
    theirs.force_login(bob.user)
    assert theirs.get("/").status_code == 200
    as_admin.post(f"{PAGE}{bob.pk}/remove/")
    assert theirs.get("/").status_code == 403
    assert theirs.post("/jobs/start/sync/").status_code == 403


def test_a_standard_user_sees_people_and_no_buttons(as_standard: Client, bob: Member, sent: Sent) -> None:
    page = text_of(as_standard, f"{PAGE}?remove={bob.pk}")
    assert "Bob Berg" in page
    assert DORA in page
    assert "Invite somebody" not in page
    assert "Remove" not in page


def test_a_new_person_joins_and_is_logged_in(client: Client, sent: Sent, alder: Account) -> None:
    assert f"<strong>{DORA}</strong>" in text_of(client, path_of(sent))
    answer = client.post(path_of(sent), {"name": "Dora Dahl", "password": PASSWORD}, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain == [("/", 302)]
    assert "Welcome to Alder &amp; Finch." in page
    assert "Dora Dahl" in page
    later = Client()
    assert later.post("/accounts/login/", {"login": DORA, "password": PASSWORD}).headers["Location"] == "/"


def test_following_a_link_uses_nothing_up(client: Client, sent: Sent, alder: Account) -> None:
    for _ in range(3):
        assert client.get(path_of(sent)).status_code == 200
    assert pending_of(alder).exists()
    assert "no-store" in client.get(path_of(sent)).headers["Cache-Control"]


def test_a_weak_password_is_told_beside_its_field(client: Client, sent: Sent) -> None:
    page = client.post(path_of(sent), {"name": "Dora Dahl", "password": "short"}).content.decode()
    assert "This password is too short" in page
    assert 'value="Dora Dahl"' in page
    assert not User.objects.filter(email=DORA).exists()


def test_whoever_has_a_user_must_log_in_first(client: Client, sent: Sent, alder: Account) -> None:
    dora = create_user(DORA, PASSWORD)
    assert f"/accounts/login/?next={path_of(sent)}" in text_of(client, path_of(sent))
    client.post(path_of(sent), {"name": "Eve", "password": "another good password"})
    assert role_of(dora, alder) is None
    entered = client.post(f"/accounts/login/?next={path_of(sent)}", {"login": DORA, "password": PASSWORD})
    assert entered.headers["Location"] == path_of(sent)
    assert "Accept as dora@alderfinch.example" in text_of(client, path_of(sent))
    assert client.post(path_of(sent)).headers["Location"] == "/"
    assert role_of(dora, alder) is Role.STANDARD


def test_a_link_of_somebody_else_asks_to_log_out(browser: Client, alice: User, sent: Sent, alder: Account) -> None:
    for answer in (browser.get(path_of(sent)), browser.post(path_of(sent))):
        page = answer.content.decode()
        assert answer.status_code == 403
        assert "You are logged in as alice@alderfinch.example" in page
        assert f'name="next" value="{path_of(sent)}"' in page
    assert role_of(alice, alder) is None


@pytest.mark.parametrize("logged_in", [False, True])
def test_a_link_that_is_withdrawn_or_unknown_has_a_clear_page(
    client: Client, alice: User, sent: Sent, logged_in: bool
) -> None:
    if logged_in:
        client.force_login(alice)
    withdraw(sent.invitation, actor="alice")
    answer = client.get(path_of(sent))
    assert answer.status_code == 410
    assert "This invitation was withdrawn." in answer.content.decode()
    assert "ask an Account Admin" in answer.content.decode()
    assert client.post("/invitation/guessed/", {"name": "Eve", "password": PASSWORD}).status_code == 410


def test_the_account_that_was_joined_is_the_one_that_is_shown(browser: Client, alice: User, alder: Account) -> None:
    add_member(alder, alice, Role.ADMIN)
    sent = invite(create_account("Birch Telecom"), alice.email, Role.STANDARD, actor="bob@birch.example")
    browser.post(path_of(sent))
    assert "<h1>Birch Telecom</h1>" in text_of(browser, "/")


def test_a_closed_account_is_shown_to_nobody(as_admin: Client, alder: Account) -> None:
    close_account(alder, actor="olga@headwater.example")
    answer = as_admin.get("/")
    assert answer.status_code == 403
    assert escape("Alder & Finch") not in answer.content.decode()
