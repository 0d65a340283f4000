"""The bell: a lost log-in is told where the person is, read with the keyboard or on a phone, and gone once mended."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.conftest import Shot
from e2e.test_connecting import answer_org, connect
from headwater.accounts.models import Account, User
from headwater.common.errors import Facts
from headwater.jobs.services import run_here
from headwater.notify.services import tell
from headwater.wiring import sync_cycle
from orgsim.oauth.grants import revoke_all
from orgsim.testing import RunningOrgsim

LogIn = Callable[[User], None]
Check = Callable[[], None]


def test_a_lost_log_in_rings_the_bell_and_a_new_one_silences_it(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.get_by_role("button", name="Notifications").click()
    panel = page.get_by_role("region", name="Notifications")
    expect(panel).to_contain_text("Nothing to tell")
    shot("bell-empty")
    no_barriers()
    page.goto("/notifications/")
    expect(page.get_by_role("main")).to_contain_text("Nothing to tell")
    shot("notifications-empty")
    no_barriers()
    page.goto("/settings/connections/")
    connect(page)
    revoke_all(org.production)
    run_here(sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.05)
    page.reload()
    page.get_by_role("button", name="Notifications, 1 unread").click()
    expect(panel).to_contain_text("Acme wants a new authorisation")
    shot("bell-lost-log-in")
    no_barriers()
    panel.get_by_role("link", name="Acme wants a new authorisation").click()
    expect(page.get_by_role("main")).to_contain_text("expired access/refresh token")
    shot("notification-lost-log-in")
    no_barriers()
    expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()  # it is read
    page.get_by_role("link", name="Go to Connections").click()
    page.get_by_role("button", name="Re-authorise Acme").click()
    answer_org(page)
    expect(page.get_by_role("status").filter(has_text="Connected to Acme")).to_be_visible()
    page.goto("/notifications/")
    expect(page.get_by_role("article")).to_contain_text("Resolved")
    shot("notifications-resolved")
    no_barriers()


def test_the_keyboard_alone_opens_the_bell_and_marks_all_as_read(
    admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot
) -> None:
    for subject in ("sync.cycle", "export.records"):
        tell(account, "jobs.given_up", subject, "The job was given up.", Facts(why="One.", you_can="look"))
    log_in(admin)
    button = page.get_by_role("button", name="Notifications, 2 unread")
    button.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("region", name="Notifications")
    expect(panel).to_contain_text("Export")
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    mark = panel.get_by_role("button", name="Mark all as read")
    expect(mark).to_be_visible()
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(mark).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    expect(panel.locator(".is-unread")).to_have_count(0)
    shot("bell-all-read")


def test_the_bell_fits_a_phone(
    admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    width, height = PHONE
    page.set_viewport_size({"width": width, "height": height})
    tell(account, "jobs.given_up", "sync.cycle", "The job was given up.", Facts(why="One.", you_can="look"))
    log_in(admin)
    page.get_by_role("button", name="Notifications, 1 unread").click()
    panel = page.get_by_role("region", name="Notifications")
    expect(panel).to_contain_text("The job was given up")
    shot("phone-bell")
    no_barriers()
    box = panel.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    panel.get_by_role("link", name="View all").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Notifications")
    shot("phone-notifications")
    no_barriers()
    assert page.evaluate("document.documentElement.scrollWidth") == width
