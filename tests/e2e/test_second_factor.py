"""A second factor from a person's side: an authenticator app, kept codes, a passkey, an account that demands one."""

import re
from collections.abc import Callable
from pathlib import Path

import pyotp
from allauth.mfa.totp.internal.auth import TOTP
from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.conftest import PASSWORD, Shot
from headwater.accounts.models import User

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def prove(page: Page) -> None:
    """Before a factor is changed, the password is asked once more."""
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def log_out(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="My Account").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def type_password(page: Page, user: User) -> None:
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_an_authenticator_app_is_set_up_with_the_keyboard_and_asked_at_the_next_log_in(
    page: Page, shot: Shot, no_barriers: Callable[[], None], log_in: Callable[[User], None], admin: User, tmp_path: Path
) -> None:
    log_in(admin)
    page.get_by_role("button", name="My Account").press("Enter")
    page.get_by_role("link", name="Second factor").press("Enter")
    expect(page.get_by_role("heading", name="Second factor", exact=True)).to_be_visible()
    no_barriers()
    page.get_by_role("link", name="Set up").press("Enter")
    prove(page)
    expect(page.get_by_role("heading", name="Set up an authenticator app")).to_be_visible()
    qr = page.get_by_alt_text("QR code")
    assert qr.evaluate("image => image.complete && image.naturalWidth > 0")
    no_barriers()
    shot("factor-set-up")
    secret = page.locator("[data-copy]").get_attribute("data-copy")
    assert secret is not None
    page.get_by_label("Authenticator code").fill(pyotp.TOTP(secret).now())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    shown = page.locator("#recovery-codes li")
    expect(shown).to_have_count(10)
    codes = shown.all_inner_texts()
    no_barriers()
    shot("factor-recovery-codes")
    with page.expect_download() as started:
        page.get_by_role("button", name="Download").press("Enter")
    kept = tmp_path / "codes.txt"
    started.value.save_as(kept)
    assert kept.read_text().split() == codes
    page.reload()
    expect(page.get_by_text("They were shown once")).to_be_visible()
    expect(page.get_by_text(codes[0])).to_have_count(0)
    log_out(page)
    type_password(page, admin)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    no_barriers()
    shot("factor-asked")
    page.get_by_label("Code").fill(codes[0])
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="My Account")).to_be_visible()


def test_a_passkey_logs_in_without_a_password_and_stands_in_for_the_code(
    page: Page, shot: Shot, no_barriers: Callable[[], None], log_in: Callable[[User], None], admin: User
) -> None:
    log_in(admin)
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto("/accounts/2fa/webauthn/add/")
    prove(page)
    page.get_by_label("Passwordless").check()
    page.get_by_label("Name").fill("Alice's laptop")
    no_barriers()
    shot("factor-passkey")
    page.get_by_role("button", name="Add a passkey").press("Enter")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto("/accounts/2fa/webauthn/")
    expect(page.get_by_role("heading", name="Alice's laptop")).to_be_visible()
    no_barriers()
    log_out(page)
    page.get_by_role("button", name="Use a passkey").press("Enter")
    expect(page.get_by_role("button", name="My Account")).to_be_visible()
    log_out(page)
    type_password(page, admin)
    page.get_by_role("button", name="Use a passkey").press("Enter")
    expect(page.get_by_role("button", name="My Account")).to_be_visible()


def test_a_passkey_that_was_not_used_says_why(page: Page) -> None:
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    page.goto("/")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    tools.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}},
    )
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The passkey was not used.")


def test_an_admin_requires_one_of_everybody_and_members_are_led_to_it(
    page: Page,
    shot: Shot,
    no_barriers: Callable[[], None],
    log_in: Callable[[User], None],
    admin: User,
    standard_user: User,
) -> None:
    log_in(admin)
    page.goto("/settings/security/authentication/")
    page.get_by_role("button", name="Require it of everybody").click()
    expect(page.get_by_role("alert")).to_contain_text("Set up your own second factor first.")
    TOTP.activate(admin, SECRET)
    page.get_by_role("button", name="Require it of everybody").click()
    expect(page.get_by_text("Required of everybody")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("Without a second factor: 1 of 2"))).to_be_visible()
    no_barriers()
    shot("authentication")
    page.goto("/settings/account/")
    expect(page.get_by_text("second_factor.rule")).to_be_visible()
    log_out(page)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    type_password(page, standard_user)
    expect(page.get_by_role("heading", name="A second factor is needed")).to_be_visible()
    no_barriers()
    shot("factor-needed-phone")
    page.goto("/credits/")
    expect(page.get_by_role("heading", name="A second factor is needed")).to_be_visible()
    page.get_by_role("link", name="Set up an authenticator app").click()
    prove(page)
    secret = page.locator("[data-copy]").get_attribute("data-copy")
    assert secret is not None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot("factor-set-up-phone")
    page.get_by_label("Authenticator code").fill(pyotp.TOTP(secret).now())
    page.keyboard.press("Enter")
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="Back to the overview").click()
    expect(page.get_by_role("button", name="My Account")).to_be_visible()
