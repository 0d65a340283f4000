"""The preflight as people meet it: offered after connecting, run, read, sent to the admin, mended, run again."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.test_connecting import answer_org, choose, confirm
from headwater.accounts.models import Account, User
from headwater.wiring import preflight
from orgsim.testing import PASSWORD, RunningOrgsim

PAGE = "/settings/connections/"
LIMITED = "integration@acme.example"
PROFILE = "Read Only"


def connect_as_limited(page: Page, org: RunningOrgsim) -> None:
    org.add_user(LIMITED, profile=PROFILE)
    page.goto(PAGE)
    choose(page)
    answer_org(page, LIMITED, PASSWORD)
    expect(page.get_by_role("main")).to_contain_text("for 2 credits")
    confirm(page)


def test_an_admin_runs_the_preflight_and_sends_what_is_missing(
    org: RunningOrgsim,
    admin: User,
    page: Page,
    log_in: Callable[[User], None],
    shot: Callable[[str], Path],
    no_barriers: Callable[[], None],
) -> None:
    log_in(admin)
    connect_as_limited(page, org)
    offered = page.get_by_role("region", name="Preflight")
    expect(offered).to_contain_text("Not run for this user yet")
    shot("preflight-offered")
    no_barriers()
    run = offered.get_by_role("button", name="Run the preflight (2 credits)")
    run.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Preflight")
    result = page.get_by_role("region", name=LIMITED)
    expect(result).to_contain_text("2 must be granted before records can be read in full")
    expect(result).to_contain_text("View and Edit Converted Leads is off.")
    link = result.get_by_role("link", name="Open Setup for: View All Data is off.")
    expect(link).to_have_attribute("href", f"{org.url}/lightning/setup/PermSets/home")
    shot("preflight-found")
    no_barriers()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy as text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "Grant: View All Data (ViewAllData)" in page.evaluate("navigator.clipboard.readText()")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download as text").click()
    assert "Grant: View All Data (ViewAllData)" in started.value.path().read_text()
    page.goto("/")
    expect(page.get_by_role("status").first).to_contain_text("2 must be granted")
    page.get_by_role("link", name="what to grant, and where").click()
    for name in ("ViewAllData", "AllowViewEditConvertedLeads"):
        org.grant(name, profile=PROFILE)
    page.get_by_role("button", name="Run again (2 credits)").click()
    expect(result).to_contain_text("Reading is fine")
    expect(page.get_by_role("region", name="Earlier")).to_contain_text("2 must be granted")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    shot("preflight-phone")
    no_barriers()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_a_standard_user_reads_what_was_found_and_cannot_run_it(
    org: RunningOrgsim,
    admin: User,
    standard_user: User,
    account: Account,
    page: Page,
    log_in: Callable[[User], None],
) -> None:
    log_in(admin)
    connect_as_limited(page, org)
    expect(page.get_by_role("status").first).to_contain_text("Connected to Acme")
    preflight(account, actor=admin.email)
    page.context.clear_cookies()
    log_in(standard_user)
    page.goto(f"{PAGE}preflight/")
    expect(page.get_by_role("region", name=LIMITED)).to_contain_text("View All Data is off.")
    expect(page.get_by_role("button", name="Run again (2 credits)")).to_have_count(0)
