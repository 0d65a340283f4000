"""A person logs in and finds the settings, on a desk and on a phone, in light and in dark."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.conftest import PASSWORD, Shot
from headwater.accounts.models import Role, User
from headwater.accounts.services import add_member, create_account, create_user, record_event

LogIn = Callable[[User], None]
Check = Callable[[], None]


def test_a_wrong_password_is_told(admin: User, page: Page, shot: Shot, no_barriers: Check) -> None:
    page.goto("/settings/")
    expect(page).to_have_title("Log in · Headwater")
    shot("login")
    page.get_by_label("Email").fill(admin.email)
    page.get_by_label("Password").fill("not my password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("not correct")
    shot("login-wrong-password")
    no_barriers()


def test_settings_stand_under_my_account(
    admin: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    shot("overview")
    no_barriers()
    page.get_by_role("button", name="My Account").click()
    shot("my-account")
    no_barriers()
    page.get_by_role("link", name="Settings", exact=True).click()
    column = page.get_by_role("navigation", name="Settings")
    expect(column.get_by_role("list", name="Integrations").get_by_role("link")).to_have_text(["Connections"])
    expect(column.get_by_role("list", name="CRM").get_by_role("link")).to_have_text(
        ["General", "Fields", "Schedule", "Salesforce package"]
    )
    expect(column.get_by_role("link", name="Connections")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("heading", level=1)).to_have_text("Connections")
    shot("settings-connections")
    no_barriers()


def test_account_configuration_shows_changes_and_leads_to_people(
    admin: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    account = admin.memberships.get().account
    record_event(account, admin, "crm.daily_limit", "100,000", "150,000")
    log_in(admin)
    page.goto("/settings/account/")
    expect(page.get_by_role("region", name="Changes")).to_contain_text("150,000")
    page.get_by_role("button", name="Copy alder-finch").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    shot("settings-account")
    no_barriers()
    page.get_by_role("link", name="See who").click()
    expect(page.get_by_role("region", name="Members")).to_contain_text("Account Admin")


def test_the_settings_fit_a_phone(admin: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check) -> None:
    width, height = PHONE
    add_member(create_account("Birch Telecom International"), admin, Role.ADMIN)
    page.set_viewport_size({"width": width, "height": height})
    log_in(admin)
    shot("phone-overview")
    page.goto("/settings/account/")
    shot("phone-settings-account")
    page.get_by_role("button", name="Settings menu").click()
    page.get_by_role("link", name="Connections").wait_for()
    shot("phone-settings-menu")
    no_barriers()
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("dark", [True])
def test_the_dark_theme_is_as_readable(admin: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check) -> None:
    page.goto("/accounts/login/")
    shot("dark-login")
    no_barriers()
    log_in(admin)
    page.goto("/settings/account/")
    page.get_by_role("button", name="My Account").click()
    shot("dark-settings-account")
    no_barriers()


def test_a_person_of_two_accounts_switches(
    admin: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    add_member(create_account("Birch Telecom"), admin, Role.STANDARD)
    log_in(admin)
    page.get_by_role("button", name="Account Alder & Finch, switch").click()
    shot("account-switcher")
    page.get_by_role("button", name="Birch Telecom").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Birch Telecom")
    shot("overview-standard-user")
    no_barriers()


def test_logging_out_closes_the_door(admin: User, page: Page, log_in: LogIn) -> None:
    log_in(admin)
    page.get_by_role("button", name="My Account").click()
    page.get_by_role("button", name="Log out").click()
    page.goto("/settings/")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_the_keyboard_reaches_the_content_first(admin: User, page: Page, log_in: LogIn) -> None:
    log_in(admin)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_the_menu_opens_and_closes_by_keyboard(admin: User, page: Page, log_in: LogIn) -> None:
    log_in(admin)
    button = page.get_by_role("button", name="My Account")
    button.press("ArrowDown")
    expect(page.get_by_role("link", name="Settings", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")


def test_the_theme_is_kept_from_page_to_page(admin: User, page: Page, log_in: LogIn) -> None:
    log_in(admin)
    page.get_by_role("button", name="Switch between light and dark theme").click()
    page.goto("/settings/connections/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/no/such/page/", "page-not-found"),
        ("/accounts/password/change/", "change-password"),
        ("/accounts/logout/", "log-out"),
    ],
)
def test_the_pages_at_the_edge_have_the_same_look(
    admin: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check, path: str, name: str
) -> None:
    log_in(admin)
    page.goto(path)
    shot(name)
    no_barriers()


def test_a_user_of_no_account_is_told_what_to_do(page: Page, log_in: LogIn, shot: Shot, no_barriers: Check) -> None:
    log_in(create_user("dora@alderfinch.example", PASSWORD))
    expect(page.get_by_role("main")).to_contain_text("Ask an Account Admin")
    shot("no-account")
    no_barriers()


def test_a_forgotten_password_can_be_reset(page: Page, shot: Shot, no_barriers: Check) -> None:
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Forgot your password?").click()
    shot("password-reset")
    no_barriers()
