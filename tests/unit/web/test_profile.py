"""One's own name, address and password; and the forgotten one: the same answer to everybody, and not without end."""

import html
import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_user, events_of
from unit.web.conftest import PASSWORD

ANOTHER = "four loud mountains"
NEW = "alice.larsson@alderfinch.example"


@pytest.fixture(autouse=True)
def _count_anew() -> None:
    cache.clear()


@pytest.fixture
def hers(client: Client, alice: User) -> Client:
    """A browser in which Alice has just typed her password."""
    client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    return client


def text_of(browser: Client, path: str) -> str:
    return html.unescape(browser.get(path).content.decode())


def link_in_mail() -> str:
    [link] = re.findall(r"http://testserver(/\S+)", str(mail.outbox[-1].body))
    return str(link)


def change_address(browser: Client, email: str) -> None:
    """Type the new address; show once more that it is you."""
    asked = browser.post("/accounts/email/", {"email": email, "action_add": ""}).headers["Location"]
    assert asked.startswith("/accounts/reauthenticate/")
    assert mail.outbox == []
    assert "show once more that it is you" in text_of(browser, asked)
    browser.post(asked, {"password": PASSWORD, "next": "/accounts/email/"})


def can_log_in(email: str, password: str) -> bool:
    cache.clear()
    browser = Client()
    browser.post("/accounts/login/", {"login": email, "password": password})
    return "_auth_user_id" in browser.session


def test_the_name_is_changed_by_its_owner_whatever_their_role(as_standard: Client, alice: User) -> None:
    page = as_standard.post("/profile/", {"name": "  Alice   Lind "}, follow=True).content.decode()
    assert "Your name is saved." in page
    alice.refresh_from_db()
    assert alice.name == "Alice Lind"
    assert "This field is required" in as_standard.post("/profile/", {"name": " "}).content.decode()


def test_a_new_address_counts_once_its_mail_was_answered(hers: Client, alice: User, alder: Account) -> None:
    add_member(alder, alice, Role.STANDARD)
    change_address(hers, NEW)
    assert mail.outbox[-1].to == [NEW]
    assert "takes its place as soon as the link" in text_of(hers, "/accounts/email/")
    assert can_log_in(alice.email, PASSWORD)
    assert not can_log_in(NEW, PASSWORD)
    link = link_in_mail()
    assert "logs in as" in text_of(hers, link)
    hers.post(link)
    assert can_log_in(NEW, PASSWORD)
    assert not can_log_in(alice.email, PASSWORD)
    alice.refresh_from_db()
    assert alice.email == NEW
    [event] = events_of(alder, "people.address_changed")
    assert (event.before, event.after) == ("alice@alderfinch.example", NEW)
    assert mail.outbox[-1].to == ["alice@alderfinch.example"]  # the old address hears of it
    assert "This link does not work" in text_of(hers, link)


def test_an_address_of_somebody_else_cannot_be_taken(hers: Client, alice: User) -> None:
    bob = create_user("bob@alderfinch.example", PASSWORD)
    change_address(hers, bob.email)
    assert mail.outbox[-1].to == [bob.email]
    link = link_in_mail()
    assert "belongs to another user" in text_of(hers, link)
    hers.post(link)
    alice.refresh_from_db()
    assert alice.email == "alice@alderfinch.example"
    assert can_log_in(bob.email, PASSWORD)


def test_the_password_is_changed_with_the_old_one_and_other_browsers_are_logged_out(
    hers: Client, alice: User, alder: Account
) -> None:
    add_member(alder, alice, Role.STANDARD)
    other = Client()
    other.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    form = {"password1": ANOTHER, "password2": ANOTHER}
    refused = hers.post("/accounts/password/change/", {"oldpassword": "guessed", **form})
    assert refused.status_code == 200
    assert can_log_in(alice.email, PASSWORD)
    hers.post("/accounts/password/change/", {"oldpassword": PASSWORD, **form})
    assert can_log_in(alice.email, ANOTHER)
    assert hers.get("/").status_code == 200
    assert other.get("/").status_code == 302
    assert mail.outbox[-1].to == [alice.email]


def test_a_forgotten_password_gets_the_same_answer_for_every_address(client: Client, alice: User) -> None:
    answers = []
    for email in (alice.email, "nobody@elsewhere.example"):
        answer = client.post("/accounts/password/reset/", {"email": email}, follow=True)
        page = re.sub(r'"X-CSRFToken": "\w+"', "", answer.content.decode())  # new in every answer
        answers.append((answer.redirect_chain, page))
        assert mail.outbox[-1].to == [email]
    assert answers[0] == answers[1]
    assert "No user here has this address" in mail.outbox[-1].body
    assert "/accounts/password/reset/key/" not in mail.outbox[-1].body


def test_the_link_of_the_mail_sets_another_password_once(client: Client, hers: Client, alice: User) -> None:
    other = Client()
    other.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    stranger = Client()
    stranger.post("/accounts/password/reset/", {"email": alice.email})
    link = link_in_mail()
    form = stranger.get(link, follow=True)
    assert "Choose a password" in form.content.decode()
    [(address, _)] = form.redirect_chain
    weak = stranger.post(address, {"password1": "short", "password2": "short"}).content.decode()
    assert "too short" in weak
    stranger.post(address, {"password1": ANOTHER, "password2": ANOTHER})
    assert can_log_in(alice.email, ANOTHER)
    assert other.get("/profile/").status_code == 302  # logged out
    assert "This link does not work" in Client().get(link, follow=True).content.decode()


def test_links_in_mails_lead_to_the_address_that_people_use(client: Client, alice: User, settings: Settings) -> None:
    settings.BASE_URL, settings.ALLOWED_HOSTS = "https://headwater.alder.example", ["*"]
    client.post("/accounts/password/reset/", {"email": alice.email}, headers={"host": "evil.example"})
    assert "https://headwater.alder.example/accounts/password/reset/key/" in mail.outbox[-1].body
    assert "evil.example" not in mail.outbox[-1].body


def test_mails_are_not_sent_without_end(client: Client, alice: User) -> None:
    answers = [client.post("/accounts/password/reset/", {"email": alice.email}) for _ in range(8)]
    assert answers[-1].status_code == 429
    assert "Too many tries" in answers[-1].content.decode()
    assert len(mail.outbox) <= 5


def test_who_was_never_verified_does_not_get_in(client: Client, db: None) -> None:
    User.objects.create_user("eve@elsewhere.example", PASSWORD)
    answer = client.post("/accounts/login/", {"login": "eve@elsewhere.example", "password": PASSWORD}, follow=True)
    assert "This address was never confirmed" in answer.content.decode()
    assert client.get("/").status_code == 302
    client.post(link_in_mail())
    assert can_log_in("eve@elsewhere.example", PASSWORD)


def test_without_a_mail_server_the_page_says_where_the_mail_stands(
    client: Client, alice: User, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "headwater.accounts.mail.LogEmailBackend"
    page = client.post("/accounts/password/reset/", {"email": alice.email}, follow=True).content.decode()
    assert "the mail stands in its log" in page
    assert "/accounts/password/reset/key/" in capsys.readouterr().err
