"""Single sign-on from a person's side: an admin sets a real provider up, and a member comes by it."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.conftest import Shot
from headwater.accounts.models import Account, User
from headwater.signin.saml import read_metadata
from headwater.signin.sso import claim_domain, confirm_domain, keep_saml, mark_tried, switch
from openid_provider import openid_provider
from unit.signin.saml_idp import Answer, IdentityProvider, request_of

PAGE = "/settings/security/authentication/"


@pytest.fixture
def issuer() -> Iterator[str]:
    bob = {"sub": "employee-1", "email": "bob@alderfinch.example", "email_verified": True, "name": "Bob Berg"}
    with openid_provider(bob) as running:
        yield running


def log_in_there(page: Page) -> None:
    expect(page.get_by_role("heading", name="Authorize Client")).to_be_visible()
    page.get_by_role("button", name="employee-1").press("Enter")


def test_an_admin_sets_it_up_and_a_member_comes_by_it(
    page: Page,
    shot: Shot,
    no_barriers: Callable[[], None],
    log_in: Callable[[User], None],
    account: Account,
    admin: User,
    standard_user: User,
    issuer: str,
) -> None:
    log_in(admin)
    page.goto(PAGE)
    expect(page.get_by_text("Not set up")).to_be_visible()
    no_barriers()
    shot("single-sign-on-empty")
    page.get_by_label("Issuer").fill(issuer)
    page.get_by_label("Client ID").fill("headwater")
    page.get_by_label("Client secret").fill("s3cret")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not tried yet")).to_be_visible()
    page.get_by_role("textbox", name="Domain").fill("alderfinch.example")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Waits for the operator")).to_be_visible()
    page.get_by_role("button", name="Switch on").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Try it before you switch it on.")
    confirm_domain(account, "alderfinch.example", actor="root (command line)")
    page.get_by_role("button", name="Try it").press("Enter")
    log_in_there(page)
    expect(page.get_by_text("It works: the provider vouched for bob@alderfinch.example (Bob Berg)")).to_be_visible()
    page.get_by_role("button", name="Switch on").press("Enter")
    expect(page.get_by_text("Switched on.")).to_be_visible()
    page.get_by_role("button", name="Let nobody else in").press("Enter")
    expect(page.get_by_role("button", name="Let passwords in again")).to_be_visible()
    no_barriers()
    shot("single-sign-on")
    page.get_by_role("button", name="My Account").press("Enter")
    page.get_by_role("button", name="Log out").press("Enter")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    shot("log-in-phone")
    no_barriers()
    page.get_by_role("link", name="Log in with your company").press("Enter")
    expect(page.get_by_role("heading", name="Log in with your company")).to_be_visible()
    no_barriers()
    page.get_by_label("Email").fill(standard_user.email)
    page.keyboard.press("Enter")
    log_in_there(page)
    expect(page.get_by_role("button", name="My Account")).to_be_visible()
    page.goto(PAGE)
    expect(page.get_by_text("Only an Account Admin can change this.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    no_barriers()
    shot("single-sign-on-phone")


def test_an_admin_pastes_the_metadata_of_a_saml_provider_and_copies_our_values(
    page: Page,
    shot: Shot,
    no_barriers: Callable[[], None],
    log_in: Callable[[User], None],
    account: Account,
    admin: User,
) -> None:
    log_in(admin)
    page.goto(PAGE)
    page.get_by_label("Or pasted").fill("<nonsense/>")
    page.get_by_role("button", name="Keep SAML").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not the metadata of a SAML identity provider")
    page.get_by_label("Or pasted").fill(IdentityProvider().metadata)
    page.get_by_role("button", name="Keep SAML").press("Enter")
    expect(page.get_by_text("SAML 2.0, ")).to_be_visible()
    acs = page.locator("dt", has_text="ACS address").locator("xpath=following-sibling::dd")
    expect(acs.get_by_role("button", name=f"/company/{account.slug}/saml/")).to_be_visible()
    no_barriers()
    shot("single-sign-on-saml")
    page.get_by_role("button", name="Remove", exact=True).press("Enter")
    expect(page.get_by_text("Single sign-on is removed")).to_be_visible()


class _SamlLogin(BaseHTTPRequestHandler):
    """The log-in page of a company on another site: one button, which posts the signed answer back."""

    provider: IdentityProvider
    email: str

    def do_GET(self) -> None:
        asked = request_of(self.path)
        acs = asked.attrib["AssertionConsumerServiceURL"]
        told = Answer(
            asked.attrib["ID"], acs, f"{acs}metadata/", email=self.email, assertion_id=f"{asked.attrib['ID']}a"
        )
        form = (
            f'<!doctype html><title>Company</title><form method="post" action="{acs}">'
            f'<input type="hidden" name="SAMLResponse" value="{self.provider.answer(told)}">'
            "<button>Log in as Bob</button>"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(form.encode())

    def log_message(self, *_: object) -> None:
        """The test's own output stays readable."""


@pytest.fixture
def saml_login(account: Account, admin: User) -> Iterator[type[_SamlLogin]]:
    """A provider on 127.0.0.1, which to the browser is another site than localhost; switched on for the account."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _SamlLogin) as server:
        _SamlLogin.provider = IdentityProvider(login_url=f"http://127.0.0.1:{server.server_port}/login")
        found = read_metadata(_SamlLogin.provider.metadata)
        kept = keep_saml(
            account,
            issuer=found.issuer,
            login_url=found.login_url,
            certificates=found.certificates,
            metadata_url="",
            actor=admin,
        )
        mark_tried(kept)
        claim_domain(account, "alderfinch.example", actor=admin)
        confirm_domain(account, "alderfinch.example", actor="root (command line)")
        switch(account, "is_on", on=True, actor=admin)
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield _SamlLogin
        server.shutdown()
        thread.join()


def test_a_member_comes_by_saml_from_another_site_and_a_refusal_says_why(
    page: Page, saml_login: type[_SamlLogin], standard_user: User
) -> None:
    for email, is_welcome in (("mallory@evil.example", False), (standard_user.email, True)):
        saml_login.email = email
        page.goto("/company/")
        page.get_by_label("Email").fill(standard_user.email)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Log in as Bob").press("Enter")
        if is_welcome:
            expect(page.get_by_role("button", name="My Account")).to_be_visible()
        else:
            expect(page.get_by_role("alert")).to_contain_text("may not vouch for mallory@evil.example")
