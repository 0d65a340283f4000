"""What an attacker may try around connecting an org, each with what comes of it: nothing.

The list with its reasons: docs/reference/security.md. Not here: other accounts' pages, one by one.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from headwater.accounts.crypt import unseal
from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account, create_user
from headwater.common.clock import now_utc
from headwater.common.errors import Fix
from headwater.connections.models import Authorization, Connection, Status
from headwater.connections.services import AUTHORIZATION_LIFETIME, connection_of, login_url_for
from integration.callbacks import REDIRECT_URI
from integration.conftest import connect
from integration.test_connecting import live_grants
from orgsim.person import answer_login
from orgsim.testing import CLIENT_SECRET, PASSWORD, USERNAME, RunningOrgsim

OURS = "three quiet rivers"
PAGE = "/settings/connections/"
CALLBACK = PAGE + "callback/"
SALESFORCE_HOST = re.compile(r"https://[a-z0-9-]+(\.sandbox)?\.my\.salesforce\.com")


@pytest.fixture(autouse=True)
def _address(settings: Settings) -> None:
    settings.BASE_URL = REDIRECT_URI.removesuffix(CALLBACK)
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]


@pytest.fixture
def alice(account: Account) -> User:
    return admin_of(account, "alice@alderfinch.example")


def admin_of(account: Account, address: str) -> User:
    user = create_user(address, OURS)
    add_member(account, user, Role.ADMIN)
    return user


def browser_of(user: User, *, enforce_csrf_checks: bool = False) -> Client:
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(user)
    return client


def start(browser: Client) -> str:
    """The address at Salesforce that a press of Connect leads to."""
    answer = browser.post(PAGE + "connect/", {"environment": "production"})
    assert answer.status_code == 302, answer.content
    return answer.headers["Location"]


def log_in_at_the_org(address: str) -> dict[str, str]:
    """The person logs in there and allows; what the org's redirect carries back."""
    return query_of(answer_login(address, USERNAME, PASSWORD))


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def bring_back(browser: Client, answer: dict[str, str]) -> str:
    return browser.get(f"{CALLBACK}?{urlencode(answer)}", follow=True).content.decode()


# The answer of Salesforce


def test_a_forged_state_is_refused(org: RunningOrgsim, account: Account, alice: User) -> None:
    browser = browser_of(alice)
    answer = log_in_at_the_org(start(browser))
    for state in ("", "x", answer["state"][:-1], answer["state"] + "x", answer["state"].swapcase()):
        assert "connections.wrong_state" in bring_back(browser, {**answer, "state": state})
    assert connection_of(account) is None
    assert live_grants(org.production) == 0, "the code was given away"


def test_a_replayed_answer_is_refused(org: RunningOrgsim, account: Account, alice: User) -> None:
    browser = browser_of(alice)
    answer = log_in_at_the_org(start(browser))
    assert "Is this the right org?" in bring_back(browser, answer)
    before = Connection.of(account).values().get()
    assert "connections.wrong_state" in bring_back(browser, answer)
    assert Connection.of(account).values().get() == before


def test_an_answer_that_comes_too_late_is_refused(org: RunningOrgsim, account: Account, alice: User) -> None:
    browser = browser_of(alice)
    answer = log_in_at_the_org(start(browser))
    Authorization.of(account).update(started_utc=now_utc() - AUTHORIZATION_LIFETIME - timedelta(seconds=1))
    assert "connections.wrong_state" in bring_back(browser, answer)
    assert connection_of(account) is None


def test_an_attackers_answer_in_a_victims_browser_connects_nothing(
    org: RunningOrgsim, account: Account, alice: User
) -> None:
    """Log-in CSRF: the victim's account would read, and write into, an org that the attacker owns."""
    eve = admin_of(create_account("Eve and Sons"), "eve@example.com")
    answer = log_in_at_the_org(start(browser_of(eve)))
    assert "connections.wrong_state" in bring_back(browser_of(alice), answer)
    assert connection_of(account) is None


def test_another_admin_of_the_same_account_cannot_finish_it_either(
    org: RunningOrgsim, account: Account, alice: User
) -> None:
    answer = log_in_at_the_org(start(browser_of(alice)))
    colleague = admin_of(account, "carol@alderfinch.example")
    assert "connections.wrong_state" in bring_back(browser_of(colleague), answer)
    assert connection_of(account) is None


def test_a_stolen_code_is_of_no_use_in_a_log_in_of_ones_own(org: RunningOrgsim, account: Account, alice: User) -> None:
    """The thief sends the victim's code with a state of his own: the code is bound to the victim's verifier (PKCE)."""
    theirs = create_account("Eve and Sons")
    eve = browser_of(admin_of(theirs, "eve@example.com"))
    stolen = log_in_at_the_org(start(browser_of(alice)))["code"]
    state = query_of(start(eve))["state"]
    assert "salesforce.not_connected" in bring_back(eve, {"state": state, "code": stolen})
    assert connection_of(theirs) is None
    assert live_grants(org.production) == 0


def test_a_planted_code_is_refused_in_the_victims_log_in(org: RunningOrgsim, account: Account, alice: User) -> None:
    """The other way round: the attacker's code beside the victim's own state."""
    eve = browser_of(admin_of(create_account("Eve and Sons"), "eve@example.com"))
    planted = log_in_at_the_org(start(eve))["code"]
    victim = browser_of(alice)
    state = query_of(start(victim))["state"]
    assert "salesforce.not_connected" in bring_back(victim, {"state": state, "code": planted})
    assert connection_of(account) is None


def test_an_answer_belongs_to_the_account_that_asked(org: RunningOrgsim, account: Account, alice: User) -> None:
    """The same person, who went over to another of her accounts while she was at Salesforce."""
    other = create_account("Birch Telecom")
    add_member(other, alice, Role.ADMIN)
    browser = browser_of(alice)
    answer = log_in_at_the_org(start(browser))
    browser.post(f"/account/{other.slug}/choose/")
    assert "connections.wrong_state" in bring_back(browser, answer)
    assert connection_of(account) is connection_of(other) is None


def test_who_lost_the_right_meanwhile_cannot_finish(org: RunningOrgsim, account: Account, alice: User) -> None:
    browser = browser_of(alice)
    answer = log_in_at_the_org(start(browser))
    add_member(account, alice, Role.STANDARD)
    assert "accounts.admin_needed" in bring_back(browser, answer)
    assert connection_of(account) is None


def test_a_confirmation_of_another_org_than_the_one_shown_is_refused(
    org: RunningOrgsim, account: Account, alice: User
) -> None:
    browser = browser_of(alice)
    bring_back(browser, log_in_at_the_org(start(browser)))
    answer = browser.post(PAGE + "confirm/", {"org_id": org.sandbox.org_id}, follow=True)
    assert "connections.nothing_to_confirm" in answer.content.decode()
    assert Connection.of(account).get().status == Status.AWAITING_CONFIRMATION


def test_words_of_salesforces_answer_are_shown_as_text(org: RunningOrgsim, account: Account, alice: User) -> None:
    browser = browser_of(alice)
    state = query_of(start(browser))["state"]
    script = "<script>alert(1)</script>"
    page = bring_back(browser, {"state": state, "error": script, "error_description": f"“{script}"})
    assert "connections.refused" in page
    assert script not in page


# Where a browser is sent


@pytest.mark.parametrize(
    "typed",
    [
        "https://evil.example",
        "acme.my.salesforce.com.evil.example",
        "https://acme.my.salesforce.com@evil.example/",
        "https://evil.example/acme.my.salesforce.com",
        "https://evil.example#.my.salesforce.com",
        "https://evil.example?.my.salesforce.com",
        "https://evil.example\\.my.salesforce.com",
        "javascript:alert(1)//.my.salesforce.com",
        "//evil.example",
        "http://127.0.0.1:8710/",
        "169.254.169.254",
    ],
)
def test_no_typed_host_leads_away_from_salesforce(typed: str) -> None:
    """Neither the browser nor this server, which asks the host whether it is there, goes anywhere else."""
    with suppress(Fix):
        address = login_url_for("my_domain", typed)
        assert SALESFORCE_HOST.fullmatch(address), address


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_log_in_page_leads_to_pages_of_headwater_alone(account: Account, alice: User, target: str) -> None:
    answer = Client().post(
        f"/accounts/login/?{urlencode({'next': target})}",
        {"login": alice.email, "password": OURS, "next": target},
    )
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/"


def test_a_forged_host_name_does_not_move_the_callback(org: RunningOrgsim, account: Account, alice: User) -> None:
    browser = browser_of(alice)
    assert browser.post(PAGE + "connect/", {"environment": "production"}, HTTP_HOST="evil.example").status_code == 400
    answer = browser.post(
        PAGE + "connect/", {"environment": "production"}, HTTP_HOST="testserver", HTTP_X_FORWARDED_HOST="evil.example"
    )
    assert query_of(answer.headers["Location"])["redirect_uri"] == REDIRECT_URI


def test_the_code_in_the_callbacks_address_goes_to_no_other_page(
    org: RunningOrgsim, account: Account, alice: User
) -> None:
    """It leaves the address bar by a redirect, and no page sends its address to another host."""
    browser = browser_of(alice)
    answer = browser.get(f"{CALLBACK}?{urlencode(log_in_at_the_org(start(browser)))}")
    assert answer.status_code == 302
    assert "code" not in answer.headers["Location"]
    assert answer.headers["Referrer-Policy"] == "same-origin"


# Acts that a foreign page triggers


def acts() -> list[str]:
    return ["connect", "confirm", "decline", "disconnect", "delete"]


@pytest.mark.parametrize("act", acts())
def test_a_foreign_page_cannot_press_a_button(org: RunningOrgsim, account: Account, alice: User, act: str) -> None:
    before = Connection.of(connect(account).account_id).values().get()
    browser = browser_of(alice, enforce_csrf_checks=True)
    posted = {"environment": "production", "org_id": before["org_id"], "name": account.name}
    assert browser.post(f"{PAGE}{act}/", posted).status_code == 403
    assert browser.get(f"{PAGE}{act}/", posted).status_code in {302, 405}
    assert Connection.of(account).values().get() == before


def test_no_page_can_be_put_into_a_foreign_frame(alice: User) -> None:
    answer = browser_of(alice).get(PAGE)
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


# Secrets


def test_no_page_holds_a_token_or_secret(org: RunningOrgsim, account: Account, alice: User) -> None:
    browser = browser_of(alice)
    pages = [bring_back(browser, log_in_at_the_org(start(browser)))]
    row = Connection.of(account).get()
    browser.post(PAGE + "confirm/", {"org_id": row.org_id})
    pages += [browser.get(path).content.decode() for path in ("/", PAGE, "/settings/account/", "/jobs/", "/credits/")]
    kept = unseal(account.pk, row.sealed_tokens)
    for secret in (kept["access_token"], kept["refresh_token"], CLIENT_SECRET, row.sealed_tokens):
        assert secret
        assert not [page for page in pages if secret in page]


def test_what_is_logged_of_a_connection_holds_no_secret(
    org: RunningOrgsim, account: Account, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    browser = browser_of(alice)
    answer = log_in_at_the_org(start(browser))
    verifier = unseal(account.pk, Authorization.of(account).get().sealed_verifier)["verifier"]
    caplog.clear()  # what the person's own browser did is not ours
    bring_back(browser, {**answer, "state": "forged"})
    bring_back(browser, answer)
    bring_back(browser, answer)
    kept = unseal(account.pk, Connection.of(account).get().sealed_tokens)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("orgsim", "uvicorn"))]
    assert ours, "nothing was logged, so nothing was tested"
    for secret in (*kept.values(), CLIENT_SECRET, verifier, answer["code"]):
        assert not [line for line in ours if secret in line]


# Other people's things


def shown_pages(browser: Client) -> str:
    return "".join(browser.get(path).content.decode() for path in (PAGE, PAGE + "confirm/", "/", "/settings/account/"))


@pytest.mark.parametrize("act", ["confirm", "decline", "disconnect", "delete"])
def test_an_act_never_reaches_another_accounts_connection(
    org: RunningOrgsim, account: Account, act: str, log_in_only: Callable[[], Connection]
) -> None:
    before = Connection.of(log_in_only().account_id).values().get()
    eve = browser_of(admin_of(create_account("Eve and Sons"), "eve@example.com"))
    posted = {"org_id": before["org_id"], "name": account.name, "account": account.pk, "account_id": account.pk}
    eve.post(f"{PAGE}{act}/", posted)
    eve.post(f"/account/{account.slug}/choose/")
    eve.post(f"{PAGE}{act}/", posted)
    assert before["org_id"] not in shown_pages(eve)
    assert Connection.of(account).values().get() == before


@pytest.fixture
def log_in_only(org: RunningOrgsim, account: Account, alice: User) -> Callable[[], Connection]:
    """Alice's account, logged in at its org and not confirmed yet: every act could hit it."""

    def deed() -> Connection:
        browser = browser_of(alice)
        bring_back(browser, log_in_at_the_org(start(browser)))
        return Connection.of(account).get()

    return deed
