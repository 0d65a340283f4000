"""OpenID Connect against a real provider over HTTP: the whole way there and back, and what is refused on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account, create_user
from headwater.common.errors import Fix
from headwater.signin.models import SingleSignOn
from headwater.signin.oidc import checked_issuer
from headwater.signin.sso import claim_domain, confirm_domain, keep_oidc, the_sso
from openid_provider import openid_provider

PASSWORD = "three quiet rivers"
BOB = "bob@alderfinch.example"
PEOPLE: tuple[dict[str, object], ...] = (
    {"sub": "employee-1", "email": BOB, "email_verified": True, "name": "Bob Berg"},
    {"sub": "employee-2", "email": "eve@alderfinch.example", "email_verified": False},
    {"sub": "employee-3", "email": "carol@alderfinch.example", "email_verified": True},
    {"sub": "employee-4", "email": "mallory@evil.example", "email_verified": True},
)


@dataclass
class Company:
    account: Account
    admin: User
    issuer: str
    client: Client

    def leave(self) -> str:
        """Where the browser is sent."""
        page = self.client.post(reverse("web:company"), {"email": BOB})
        return str(page["Refresh"]).partition("url=")[2]

    def log_in_there(self, address: str, subject: str) -> str:
        """Where the provider sends the browser back to."""
        answer = httpx2.post(address, data={"sub": subject}, follow_redirects=False)
        return str(answer.headers["Location"])

    def come_back(self, address: str) -> None:
        parts = urlsplit(address)
        self.client.get(f"{parts.path}?{parts.query}")

    def told(self) -> str:
        return self.client.get(reverse("web:company")).content.decode()

    def is_in(self) -> bool:
        return self.client.get("/").status_code == 200


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with openid_provider(*PEOPLE) as running:
        yield running


@pytest.fixture
def company(issuer: str, db: None, client: Client, settings: Settings) -> Company:
    settings.BASE_URL = "http://testserver"
    account = create_account("Alder & Finch")
    admin = create_user("alice@alderfinch.example", PASSWORD)
    add_member(account, admin, Role.ADMIN)
    keep_oidc(
        account, issuer=checked_issuer(issuer), client_id="headwater", secret="s", trusts_addresses=False, actor=admin
    )
    claim_domain(account, "alderfinch.example", actor=admin)
    confirm_domain(account, "alderfinch.example", actor="root (command line)")
    SingleSignOn.of(account).update(is_on=True)
    return Company(account, admin, issuer, client)


@pytest.fixture
def bob(company: Company) -> User:
    user = create_user(BOB, PASSWORD)
    add_member(company.account, user, Role.STANDARD)
    return user


def test_a_member_logs_in_at_the_company(company: Company, bob: User) -> None:
    address = company.leave()
    asked = parse_qs(urlsplit(address).query)
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert asked["redirect_uri"] == [f"http://testserver/company/{company.account.slug}/oidc/"]
    company.come_back(company.log_in_there(address, "employee-1"))
    assert company.is_in()
    assert int(company.client.session["_auth_user_id"]) == bob.pk


@pytest.mark.usefixtures("bob")
def test_a_code_and_its_state_count_once_and_in_one_browser(company: Company) -> None:
    back = company.log_in_there(company.leave(), "employee-1")
    thief = Company(company.account, company.admin, company.issuer, Client())
    thief.come_back(back)
    assert not thief.is_in()
    company.come_back(back)
    assert company.is_in()
    company.client.logout()
    company.come_back(back)
    assert "not accepted" in company.told()
    assert not company.is_in()


@pytest.mark.usefixtures("bob")
@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("employee-2", "does not say that eve@alderfinch.example is verified"),
        ("employee-3", "carol@alderfinch.example is not a member"),
        ("employee-4", "may not vouch for mallory@evil.example"),
    ],
)
def test_the_provider_may_log_in_nobody_else(company: Company, subject: str, reason: str) -> None:
    company.come_back(company.log_in_there(company.leave(), subject))
    assert reason in company.told()
    assert not company.is_in()


@pytest.mark.usefixtures("bob")
def test_whoever_says_no_at_the_provider_is_told_so(company: Company) -> None:
    back = httpx2.post(company.leave(), data={"action": "deny"}, follow_redirects=False).headers["Location"]
    company.come_back(back)
    assert "access_denied" in company.told()
    assert not company.is_in()


@pytest.mark.usefixtures("bob")
def test_an_id_token_of_another_issuer_or_for_another_client_is_refused(company: Company) -> None:
    SingleSignOn.of(company.account).update(issuer=company.issuer + "/")
    company.come_back(company.log_in_there(company.leave(), "employee-1"))
    assert "not accepted" in company.told()
    SingleSignOn.of(company.account).update(issuer=company.issuer)
    back = company.log_in_there(company.leave(), "employee-1")
    SingleSignOn.of(company.account).update(client_id="somebody-else")
    company.come_back(back)
    assert "not accepted" in company.told()
    assert not company.is_in()


def test_a_provider_that_is_away_is_told(company: Company) -> None:
    SingleSignOn.of(company.account).update(issuer="http://localhost:9")
    page = company.client.post(reverse("web:company"), {"email": BOB}).content.decode()
    assert "does not answer" in page


def test_a_trial_logs_nobody_in_and_is_for_admins_of_the_account(company: Company) -> None:
    company.client.force_login(company.admin)
    page = company.client.post(reverse("web:authentication_try"))
    back = company.log_in_there(str(page["Refresh"]).partition("url=")[2], "employee-1")
    company.come_back(back)
    shown = company.client.get(reverse("web:authentication")).content.decode()
    assert "It works: the provider vouched for bob@alderfinch.example (Bob Berg)" in shown
    assert int(company.client.session["_auth_user_id"]) == company.admin.pk
    assert the_sso(company.account).tried_utc is not None
    assert not User.objects.filter(email=BOB).exists()


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://login.example", "signin.insecure_address"),
        ("ftp://localhost", "signin.insecure_address"),
        ("login.example", "signin.insecure_address"),
        ("http://localhost:9", "signin.no_discovery"),
        ("{issuer}/elsewhere", "signin.no_discovery"),
    ],
)
def test_an_issuer_is_checked_when_it_is_kept(address: str, code: str, issuer: str) -> None:
    with pytest.raises(Fix) as refused:
        checked_issuer(address.format(issuer=issuer))
    assert refused.value.code == code


def test_an_issuer_may_be_pasted_as_its_discovery_address(issuer: str) -> None:
    assert checked_issuer(f"{issuer}/.well-known/openid-configuration") == issuer
