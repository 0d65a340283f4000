"""The Daily CRM API Limit: behind its lock, refused below the least, kept with its history (rows B2, B3)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from e2e.browser import PHONE, open_window
from e2e.conftest import PASSWORD, Shot
from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_user
from headwater.credits.quota_settings import settings_of
from headwater.credits.services import daily_limit

LogIn = Callable[[User], None]
Check = Callable[[], None]
PAGE = "/settings/crm/general/"


@contextmanager
def other_window(browser: Browser, url: str, user: User) -> Iterator[Page]:
    """The same page in a browser of another person's own."""
    context = open_window(browser, url)
    page = context.new_page()
    page.goto(url)
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="General").wait_for()
    yield page
    context.close()


def unlock(page: Page) -> None:
    page.get_by_role("button", name="Unlock: Daily CRM API Limit").click()
    expect(page.get_by_label("Calls in 24 hours")).to_be_focused()


def limit_shown(page: Page) -> Locator:
    return page.get_by_role("region", name="Daily CRM API Limit").get_by_role("status")


def save(page: Page, typed: str) -> None:
    page.get_by_label("Calls in 24 hours").fill(typed)
    page.get_by_role("button", name="Save").click()


def test_the_limit_is_unlocked_changed_and_kept_with_its_history(
    admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto("/settings/")
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="General").click()
    expect(limit_shown(page)).to_have_text("100,000")
    expect(page.get_by_role("textbox")).to_have_count(0)
    shot("limit-locked")
    no_barriers()
    unlock(page)
    shot("limit-unlocked")
    no_barriers()
    save(page, "250,000")
    expect(page.get_by_role("status").first).to_have_text("The Daily CRM API Limit is 250,000 calls.")
    history = page.get_by_role("region", name="Changes").get_by_role("cell")
    expect(history).to_have_text([admin.email, "just now", "Daily CRM API Limit", "100,000", "250,000"])
    expect(page.get_by_role("textbox")).to_have_count(0)
    shot("limit-saved")
    no_barriers()
    assert daily_limit(account) == 250_000


def test_anything_less_is_refused_beside_the_field(
    admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto(PAGE)
    unlock(page)
    refused = {
        "99999": "99,999 is less than 100,000",
        "1000000001": "at most 1,000,000,000",
        "abc": "“abc” is not a whole number",
        "": "is not a whole number",
    }
    for typed, why in refused.items():
        save(page, typed)
        expect(page.get_by_role("alert")).to_contain_text(why)
        expect(page.get_by_role("alert")).to_contain_text("The limit was not changed")
        expect(page.get_by_label("Calls in 24 hours")).to_have_value(typed)
        assert daily_limit(account) == 100_000
    shot("limit-refused")
    no_barriers()


def test_the_least_and_the_most_are_accepted(admin: User, account: Account, page: Page, log_in: LogIn) -> None:
    log_in(admin)
    page.goto(PAGE)
    for typed, limit in (("1000000000", 1_000_000_000), ("100 000", 100_000)):
        unlock(page)
        save(page, typed)
        expect(limit_shown(page)).to_have_text(f"{limit:,}")
        assert daily_limit(account) == limit


def test_cancel_changes_keeps_the_limit(admin: User, account: Account, page: Page, log_in: LogIn) -> None:
    log_in(admin)
    page.goto(PAGE)
    unlock(page)
    page.get_by_label("Calls in 24 hours").fill("300000")
    page.get_by_role("link", name="Cancel changes").click()
    expect(page.get_by_role("textbox")).to_have_count(0)
    expect(limit_shown(page)).to_have_text("100,000")
    assert daily_limit(account) == 100_000


def test_two_admins_at_once_see_what_the_other_did(
    admin: User, account: Account, browser: Browser, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    carol = create_user("carol@alderfinch.example", PASSWORD, "Carol Quist")
    add_member(account, carol, Role.ADMIN)
    log_in(admin)
    page.goto(PAGE)
    unlock(page)
    with other_window(browser, page.url, carol) as hers:
        unlock(hers)
        save(hers, "400000")
        expect(limit_shown(hers)).to_have_text("400,000")
        save(page, "300000")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("changed to 400,000 while this form was open")
        expect(alert).to_contain_text(carol.email)
        expect(page.get_by_label("Calls in 24 hours")).to_have_value("300000")
        shot("limit-changed-meanwhile")
        no_barriers()
        assert daily_limit(account) == 400_000
        page.get_by_role("button", name="Save").click()
        expect(limit_shown(page)).to_have_text("300,000")
        hers.reload()
        expect(hers.get_by_role("region", name="Changes").get_by_role("row")).to_have_count(3)
    assert daily_limit(account) == 300_000


def test_the_keyboard_alone_unlocks_changes_cancels_and_saves(
    admin: User, account: Account, page: Page, log_in: LogIn
) -> None:
    log_in(admin)
    page.goto(PAGE)
    lock = page.get_by_role("button", name="Unlock: Daily CRM API Limit")
    field = page.get_by_label("Calls in 24 hours")
    lock.focus()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.type("7")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Cancel changes")).to_be_focused()
    page.keyboard.press("Enter")
    expect(limit_shown(page)).to_have_text("100,000")
    expect(lock).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("120000")
    page.keyboard.press("Enter")
    expect(limit_shown(page)).to_have_text("120,000")
    assert daily_limit(account) == 120_000


def test_the_reset_the_floor_and_the_share_of_history_have_locks_of_their_own(
    admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto(PAGE)
    page.get_by_role("button", name="Unlock: Daily reset").click()
    page.get_by_label("Time", exact=True).fill("25:00")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("“25:00” is not a time of day")
    expect(page.get_by_label("Time", exact=True)).to_have_attribute("aria-invalid", "true")
    shot("reset-refused")
    no_barriers()
    page.get_by_label("Time", exact=True).fill("06:30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Daily reset").get_by_role("status")).to_have_text("06:30 Europe/Berlin")
    for card, label, typed in (
        ("Left to the org's other users", "Percent of the org's allowance", "25"),
        ("Share for reading history", "Percent of the limit", "80"),
    ):
        page.get_by_role("button", name=f"Unlock: {card}").click()
        page.get_by_label(label).fill(typed)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("region", name=card).get_by_role("status")).to_have_text(typed)
    expect(page.get_by_role("region", name="Changes").get_by_role("row")).to_have_count(5)
    shot("general-changed")
    no_barriers()
    present = settings_of(account)
    assert (present.reset_time, present.time_zone) == ("06:30", "Europe/Berlin")
    assert (present.floor_percent, present.backfill_share_percent) == (25, 80)


def test_a_standard_user_reads_the_limit(
    standard_user: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(standard_user)
    page.goto(f"{PAGE}?edit=daily-limit")
    expect(limit_shown(page)).to_have_text("100,000")
    expect(page.get_by_role("button", name="Unlock: Daily CRM API Limit")).to_have_count(0)
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
    page.get_by_role("button", name="Unlock: Daily CRM API Limit").click()
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
