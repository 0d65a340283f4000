"""Diagnose > Plan in a browser: asked for with the keyboard, read before anything is spent, on a phone too."""

from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.conftest import Shot
from e2e.test_connecting import Check, LogIn, connect
from headwater.accounts.models import Account, User
from headwater.credits.services import today
from headwater.jobs.models import State
from headwater.jobs.services import run_here
from headwater.wiring import WORK, install_package
from orgsim.seed import load_history
from orgsim.testing import RunningOrgsim

PAGE = "/plan/"


def test_a_plan_is_read_before_a_credit_is_spent_on_work(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    load_history(org.production, records=1_500, seed=3)
    log_in(admin)
    page.goto(PAGE)
    expect(page.get_by_role("heading", level=2)).to_have_text("No org to plan for")
    connect(page)
    page.goto(PAGE)
    shot("plan-empty")
    no_barriers()

    before = today(account).used_calls
    page.get_by_role("button", name="Make a plan").focus()
    page.keyboard.press("Enter")
    reading = page.get_by_role("region", name="The next sync")
    expect(reading.get_by_role("row", name="Contact").first).to_contain_text("full")
    expect(page.get_by_role("region", name="The next export")).to_contain_text("Nothing was attributed yet")
    looked = today(account).used_calls - before
    expect(reading).to_contain_text(f"{looked} of them spent on looking")
    expect(reading).to_contain_text("credits until the reset")
    shot("plan-first")
    no_barriers()

    for job in (WORK["sync"](account), WORK["attribute"](account), install_package(account, actor=admin.email)):
        assert run_here(job, poll_seconds=0.05).state == State.DONE
    page.get_by_role("button", name="Count changes first (3 credits)").click()
    writing = page.get_by_role("region", name="The next export")
    expect(writing.get_by_role("row", name="Buyer_Touchpoint__c").first).to_contain_text("upsert")
    expect(reading.get_by_role("row", name="Contact").first).to_contain_text("changes")
    shot("plan-export")
    no_barriers()
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.emulate_media(color_scheme="dark")
    shot("plan-phone-dark")
    no_barriers()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_a_standard_user_makes_no_plan(
    org: RunningOrgsim, admin: User, standard_user: User, page: Page, log_in: LogIn
) -> None:
    log_in(admin)
    connect(page)
    page.context.clear_cookies()
    log_in(standard_user)
    page.goto(PAGE)
    expect(page.get_by_role("main")).to_contain_text("An Account Admin can make one.")
    expect(page.get_by_role("button", name="Make a plan")).to_have_count(0)
