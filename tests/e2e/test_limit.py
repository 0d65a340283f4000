"""The Daily CRM API Limit: behind its lock, refused below the least, kept with its history (rows B2, B3)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from e2e.browser import PHONE, open_window
from e2e.conftest import PASSWORD, Shot
from headwater.accounts.models import Account, User
from headwater.credits.services import change_daily_limit, daily_limit

LogIn = Callable[[User], None]
Check = Callable[[], None]
PAGE = "/settings/crm/general/"


def unlock(page: Page) -> None:
    page.get_by_role("button", name="Unlock the Daily CRM API Limit").click()
    expect(page.get_by_label("Calls in 24 hours")).to_be_focused()


def save(page: Page, typed: str) -> None:
    page.get_by_label("Calls in 24 hours").fill(typed)
    page.get_by_role("button", name="Save").click()


def test_the_limit_is_unlocked_changed_and_kept_with_its_history(
    admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto("/settings/")
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="General").click()
    expect(page.get_by_role("status")).to_have_text("100,000")
    expect(page.get_by_role("textbox")).to_have_count(0)
    shot("limit-locked")
    no_barriers()
    unlock(page)
    shot("limit-unlocked")
    no_barriers()
    save(page, "250,000")
    expect(page.get_by_role("status").first).to_have_text("The Daily CRM API Limit is 250,000 calls.")
    history = page.get_by_role("region", name="Changes of the limit").get_by_role("cell")
    expect(history).to_have_text([admin.email, "just now", "100,000", "250,000"])
    expect(page.get_by_role("textbox")).to_have_count(0)
    shot("limit-saved")
    no_barriers()
    assert daily_limit(account) == 250_000


@pytest.mark.parametrize(
    ("typed", "why"),
    [("99999", "99,999 is less than 100,000"), ("abc", "“abc” is not a whole number"), ("", "is not a whole number")],
)
def test_anything_less_is_refused_beside_the_field(
    admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check, typed: str, why: str
) -> None:
    log_in(admin)
    page.goto(PAGE)
    unlock(page)
    save(page, typed)
    expect(page.get_by_role("alert")).to_contain_text(why)
    expect(page.get_by_role("alert")).to_contain_text("The limit was not changed")
    expect(page.get_by_label("Calls in 24 hours")).to_have_value(typed)
    shot(f"limit-refused-{typed or 'empty'}")
    no_barriers()
    assert daily_limit(account) == 100_000


def test_cancel_changes_keeps_the_limit(admin: User, account: Account, page: Page, log_in: LogIn) -> None:
    log_in(admin)
    page.goto(PAGE)
    unlock(page)
    page.get_by_label("Calls in 24 hours").fill("300000")
    page.get_by_role("link", name="Cancel changes").click()
    expect(page.get_by_role("textbox")).to_have_count(0)
    expect(page.get_by_role("status")).to_have_text("100,000")
    assert daily_limit(account) == 100_000


def test_a_change_made_meanwhile_is_not_overwritten_unseen(
    admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto(PAGE)
    unlock(page)
    change_daily_limit(account, "400000", "carol@alderfinch.example")
    save(page, "300000")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("changed to 400,000 while this form was open")
    expect(alert).to_contain_text("carol@alderfinch.example")
    shot("limit-changed-meanwhile")
    no_barriers()
    assert daily_limit(account) == 400_000
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("300,000")
    assert daily_limit(account) == 300_000


def test_a_standard_user_reads_the_limit(
    standard_user: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(standard_user)
    page.goto(f"{PAGE}?edit=limit")
    expect(page.get_by_role("status")).to_have_text("100,000")
    expect(page.get_by_role("button", name="Unlock the Daily CRM API Limit")).to_have_count(0)
    shot("limit-standard-user")
    no_barriers()


def test_the_limit_is_changed_without_scripts(
    admin: User, account: Account, browser: Browser, live_server: LiveServer
) -> None:
    context = open_window(browser, live_server.url, scripts=False)
    page = context.new_page()
    page.goto(PAGE)
    page.get_by_label("Email").fill(admin.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Unlock the Daily CRM API Limit").click()
    save(page, "150000")
    expect(page.get_by_role("status").first).to_contain_text("150,000")
    context.close()
    assert daily_limit(account) == 150_000


def test_the_limit_fits_a_phone(admin: User, page: Page, log_in: LogIn, shot: Shot) -> None:
    width, height = PHONE
    page.set_viewport_size({"width": width, "height": height})
    log_in(admin)
    page.goto(PAGE)
    unlock(page)
    save(page, "99999")
    expect(page.get_by_role("alert")).to_be_visible()
    shot("phone-limit-refused")
    assert page.evaluate("document.documentElement.scrollWidth") == width
