"""Settings > CRM > Fields in a browser: a field is named with the keyboard and taken back, on a phone too."""

from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.conftest import Shot
from e2e.test_connecting import Check, LogIn, connect
from headwater.accounts.models import Account, User
from headwater.jobs.models import State
from headwater.jobs.services import run_here
from headwater.sync.models import ReplicaTable
from headwater.wiring import WORK
from orgsim.seed import load_history
from orgsim.testing import RunningOrgsim

PAGE = "/settings/crm/fields/"


def test_a_field_is_named_and_taken_back(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    load_history(org.production, records=300, seed=3)
    log_in(admin)
    connect(page)
    assert run_here(WORK["sync"](account), poll_seconds=0.05).state == State.DONE
    page.goto(PAGE)
    shot("fields")
    no_barriers()
    page.get_by_role("link", name="Contact", exact=True).click()
    page.get_by_label("API name of the field").fill("MailingAddress")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("is of the type address")
    page.get_by_label("API name of the field").fill("MailingCity")
    page.keyboard.press("Enter")
    table = page.get_by_role("region", name="Fields", exact=True)
    row = table.get_by_role("row", name="MailingCity")
    expect(row).to_contain_text("From the next sync on")
    assert run_here(WORK["sync"](account), poll_seconds=0.05).state == State.DONE
    page.goto(PAGE + "?object=Contact")
    expect(row.get_by_role("cell").nth(3)).to_have_text("Read")
    shot("fields-contact")
    no_barriers()
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.emulate_media(color_scheme="dark")
    shot("fields-contact-phone-dark")
    no_barriers()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.get_by_role("button", name="Take back MailingCity").click()
    expect(page.get_by_role("main")).to_contain_text("Contact.MailingCity is no longer read by hand.")
    ReplicaTable.of(account).filter(sobject="Case").update(full_read_due=True)
    page.goto(PAGE)
    shot("fields-phone-dark")
    no_barriers()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
