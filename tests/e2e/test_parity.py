"""The switch from a sandbox to production in a browser, with what differs shown before it is confirmed (row A10)."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.conftest import Shot
from e2e.test_connecting import answer_org, choose, confirm, press_until_focused, row
from headwater.accounts.models import Account, User
from headwater.connections.models import Connection, OrgSnapshot, Status
from headwater.connections.services import begin, callback_address, finish, login_url_for
from headwater.jobs.services import jobs_of, run_here
from headwater.wiring import confirm_connection, delete_connection, deletion, take_snapshot
from integration.callbacks import callback_of
from orgsim.person import answer_login
from orgsim.server.flows import set_flow
from orgsim.server.triggers import set_trigger
from orgsim.testing import PASSWORD as ORG_PASSWORD
from orgsim.testing import SANDBOX_USERNAME, RunningOrgsim

LogIn = Callable[[User], None]
Check = Callable[[], None]
ACTOR = "alice@alderfinch.example"
PAGE = "/settings/connections/parity/"


def make_different(org: RunningOrgsim) -> None:
    trigger = {"sobject": "Lead", "name": "Stamp_Lead", "cpu_ms_per_record": 1, "events": ["before update"]}
    set_trigger(org.production, trigger)
    set_flow(org.production, {"sobject": "Case", "name": "Welcome", "on": "create"})
    org.revoke("Contact.Title", profile="System Administrator")


def try_sandbox(account: Account) -> None:
    """Connect the sandbox, confirm it and delete it again, without the pages."""
    connect_sandbox(account)
    run_here(delete_connection(account, typed_name=account.name, actor=ACTOR), poll_seconds=0.05)


def connect_sandbox(account: Account) -> None:
    address = begin(account, login_url=login_url_for("sandbox"), redirect_uri=callback_address(), actor=ACTOR)
    came_back = callback_of(answer_login(address, SANDBOX_USERNAME, ORG_PASSWORD))
    confirm_connection(account, org_id=finish(account, came_back, actor=ACTOR).org_id, actor=ACTOR)


def delete_sandbox(page: Page, account: Account) -> None:
    page.get_by_role("button", name="Delete the connection to Acme").click()
    dialog = page.get_by_role("dialog", name="Delete the connection to Acme?")
    expect(dialog).to_contain_text("noted once more if the org still answers, for 2 credits")
    dialog.get_by_label("Type the account's name").fill(account.name)
    dialog.get_by_role("button", name="I understand the consequences, delete this connection").click()
    expect(page.get_by_role("main")).to_contain_text("Deletion in progress")
    [job] = jobs_of(str(account.pk)).filter(task=deletion.name)
    run_here(job, poll_seconds=0.05)
    expect(page.get_by_role("main")).to_contain_text("No CRM is connected")


def log_in_to_production(page: Page) -> None:
    page.goto("/settings/connections/")
    choose(page)
    answer_org(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Is this the right org?")


def on_both_widths(page: Page, shot: Shot, name: str, no_barriers: Check) -> None:
    no_barriers()
    shot(name)
    desktop = page.viewport_size
    assert desktop is not None
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    no_barriers()
    shot(f"phone-{name}")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    page.set_viewport_size(desktop)


def test_the_switch_shows_what_differs_before_production_is_confirmed(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    make_different(org)
    log_in(admin)
    page.goto("/settings/connections/")
    choose(page, "Sandbox")
    answer_org(page, SANDBOX_USERNAME)
    confirm(page)
    delete_sandbox(page, account)
    log_in_to_production(page)
    switch = page.get_by_role("region", name="Compared with Acme (Sandbox)")
    expect(switch).to_contain_text("Contact.Title is not in the production org, or hidden from its user.")
    expect(switch).to_contain_text("The Apex trigger Stamp_Lead on Lead is active in the production org")
    expect(switch).not_to_contain_text("Welcome")  # it does not matter
    counts = switch.locator("dl dd")
    expect(counts).to_have_text(["2 differences", "1 difference", "0 differences"])
    on_both_widths(page, shot, "parity-switch", no_barriers)
    press_until_focused(page, "Yes, read this org")  # by keyboard, all the same
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Connected to Acme (Production)")
    assert row(page)[4] == "Production"
    page.get_by_role("link", name="Parity").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Parity")
    expect(page.get_by_role("region", name="Differences")).to_contain_text("3 of 3")
    on_both_widths(page, shot, "parity-report", no_barriers)


def test_the_report_is_filtered_by_keyboard_and_downloaded(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot
) -> None:
    make_different(org)
    connect_sandbox(account)
    take_snapshot(account, actor=ACTOR)
    run_here(delete_connection(account, typed_name=account.name, actor=ACTOR), poll_seconds=0.05)
    log_in(admin)
    log_in_to_production(page)
    page.get_by_role("link", name="All 3 differences").click()
    differences = page.get_by_role("region", name="Differences")
    expect(differences).to_contain_text("3 of 3")
    page.get_by_label("Level").focus()
    page.keyboard.type("Matters")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(differences).to_contain_text("2 of 3")
    page.get_by_label("Object").select_option("Lead")
    page.get_by_role("button", name="Show").click()
    expect(differences).to_contain_text("1 of 3")
    expect(page.get_by_label("Level")).to_have_value("matters")
    shot("parity-filtered")
    with page.expect_download() as started:
        differences.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(started.value.path()).read_text())))
    assert [(each["level"], each["sobject"], each["name"]) for each in rows] == [("matters", "Lead", "Stamp_Lead")]
    assert started.value.suggested_filename == f"parity-{org.sandbox.org_id}-{org.production.org_id}.csv"
    page.get_by_label("Object").select_option("")
    page.get_by_label("Level").select_option("")
    page.get_by_role("button", name="Show").click()
    expect(differences).to_contain_text("3 of 3")
    with page.expect_download() as started:
        differences.get_by_role("link", name="JSON").click()
    told = json.loads(Path(started.value.path()).read_text())
    assert told["counts"] == {"matters": 2, "worth_knowing": 1, "cosmetic": 0}
    assert {each["name"] for each in told["differences"]} == {"Stamp_Lead", "Welcome", "Title"}
    with page.expect_download() as started:
        page.get_by_role("region", name="Snapshots").get_by_role("link").first.click()
    assert "Stamp_Lead" in json.loads(Path(started.value.path()).read_text())["content"]["triggers"]
    sandboxes = page.get_by_label("Compare", exact=True).locator("option", has_text="Sandbox")
    expect(sandboxes).to_have_count(2)  # on demand, and before the deletion
    page.get_by_label("With", exact=True).select_option(sandboxes.last.get_attribute("value"))
    page.get_by_role("button", name="Show").click()
    expect(differences).to_contain_text("Nothing differs")
    shot("parity-nothing-differs")


def test_every_empty_state_says_what_to_do_next(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto(PAGE)
    expect(page.get_by_role("main")).to_contain_text("Connect a sandbox first")
    on_both_widths(page, shot, "parity-no-connection", no_barriers)
    connect_sandbox(account)
    page.goto(PAGE)
    expect(page.get_by_role("main")).to_contain_text("No org was looked at yet")
    shot("parity-not-looked-at")
    page.get_by_role("button", name="Take a snapshot of Acme (2 credits)").click()
    expect(page.get_by_role("status").first).to_contain_text("A snapshot of Acme is kept. It cost 2 credits.")
    expect(page.get_by_role("main")).to_contain_text("it is looked at before you confirm it")
    on_both_widths(page, shot, "parity-one-snapshot", no_barriers)
    Connection.of(account).update(status=Status.AUTHORIZATION_REQUIRED)
    page.reload()
    expect(page.get_by_role("button", name="Take a snapshot")).to_have_count(0)


def test_what_could_not_be_compared_is_told_and_never_called_equal(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    org.revoke("ViewSetup", profile="System Administrator")
    try_sandbox(account)
    log_in(admin)
    log_in_to_production(page)
    switch = page.get_by_role("region", name="Compared with Acme (Sandbox)")
    expect(switch).to_contain_text("Triggers could not be compared: the connected user of the production org")
    expect(switch).to_contain_text("Of what could be compared, nothing differs that matters")
    on_both_widths(page, shot, "parity-not-compared", no_barriers)


def test_a_look_that_fails_is_told_and_can_be_taken_again(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    try_sandbox(account)
    log_in(admin)
    log_in_to_production(page)
    OrgSnapshot.of(account).filter(org_id=org.production.org_id).delete()
    Connection.of(account).update(instance_url="http://127.0.0.1:1")
    page.reload()
    switch = page.get_by_role("region", name="Compared with Acme (Sandbox)")
    expect(switch).to_contain_text("was not compared yet")
    switch.get_by_role("button", name="Compare now (2 credits)").click()
    expect(page.get_by_role("alert")).to_contain_text("Salesforce could not be reached")
    expect(page.get_by_role("button", name="Yes, read this org")).to_be_visible()
    shot("parity-look-failed")
    no_barriers()
    Connection.of(account).update(instance_url=org.url)
    switch.get_by_role("button", name="Compare now (2 credits)").click()
    expect(switch).to_contain_text("Nothing differs that matters to Headwater.")
    shot("parity-nothing-matters")
