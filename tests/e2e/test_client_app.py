"""The guide to the External Client App: from its files or its steps to a key that is checked, and to a connection."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from e2e.browser import PHONE, barriers, open_window, take
from e2e.conftest import PASSWORD, Shot
from e2e.test_connecting import answer_org, choose, confirm, press_until_focused, row
from headwater.accounts.models import Account, User
from headwater.connections.client_apps import in_use, row_of
from headwater.connections.models import Connection, LogIn, Status
from integration.client_apps import deploy_files, let_in
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, USERNAME, RunningOrgsim

LogInAs = Callable[[User], None]
Check = Callable[[], None]
APP_PAGE = "/settings/connections/client-app/"
GUIDE = "/settings/connections/client-app/guide/"


@pytest.fixture
def org(org: RunningOrgsim, settings: Settings) -> RunningOrgsim:
    """An installation without an app of its own."""
    settings.SALESFORCE_CLIENT_ID = settings.SALESFORCE_CLIENT_SECRET = ""
    return org


def downloaded(page: Page, name: str) -> dict[str, bytes]:
    """The files of a zip that a link of the page brings."""
    with page.expect_download() as download:
        page.get_by_role("link", name=name).click()
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        return {each: archive.read(each) for each in archive.namelist()}


def enter(page: Page, key: str, secret: str = "") -> None:
    page.get_by_role("textbox", name="Consumer key").fill(key)
    if secret:
        page.get_by_label("Consumer secret").fill(secret)


def test_the_guide_leads_from_its_files_to_a_connection(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogInAs, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto("/settings/connections/")
    expect(page.get_by_role("region", name="External Client App")).to_contain_text("Not set up yet")
    shot("client-app-none")
    no_barriers()
    page.get_by_role("link", name="Set up the External Client App").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up the External Client App")
    expect(page.get_by_role("img", name="Sketch of Setup")).to_be_visible()
    shot("client-app-guide")
    no_barriers()
    app = deploy_files(org, downloaded(page, "Metadata (zip)"))
    enter(page, app.client_id, app.client_secret)
    page.get_by_role("button", name="Check").click()
    findings = page.get_by_role("list", name="What the check found")
    expect(findings).to_contain_text("Salesforce knows the consumer key and Headwater's callback address.")
    expect(findings).to_contain_text("Salesforce accepts the consumer secret.")
    shot("client-app-checked")
    no_barriers()
    assert row_of(account) is None
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    expect(page.get_by_role("region", name="In use")).to_contain_text("This account's own")
    expect(page.get_by_label("Consumer secret")).to_have_value("")
    expect(page.locator("#consumer-secret-hint")).to_contain_text("Set just now")
    assert app.client_secret not in page.content()
    shot("client-app-saved")
    no_barriers()
    page.get_by_role("link", name="Connect", exact=True).click()
    choose(page)
    answer_org(page)
    confirm(page)
    expect(page.get_by_role("status").first).to_contain_text("Connected to Acme")
    expect(page.get_by_role("region", name="External Client App")).to_contain_text(app.client_id)


def test_a_check_names_what_is_wrong_and_keeps_what_was_typed(
    org: RunningOrgsim, admin: User, page: Page, log_in: LogInAs, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto(APP_PAGE)
    enter(page, "3MVG9.no.such.key", "secret")
    page.get_by_role("button", name="Check").click()
    findings = page.get_by_role("list", name="What the check found")
    expect(findings).to_contain_text("Salesforce does not know this consumer key here.")
    expect(findings).to_contain_text("up to ten minutes")
    shot("client-app-unknown-key")
    no_barriers()
    enter(page, CLIENT_ID, "wrong")
    page.get_by_role("button", name="Check").click()
    expect(findings).to_contain_text("Salesforce knows the consumer key and refuses the consumer secret.")
    expect(page.get_by_label("Consumer secret")).to_have_value("wrong")
    page.get_by_role("textbox", name="Consumer key").fill("")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#client-app-findings").get_by_role("alert")).to_contain_text("There is no consumer key")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").first).to_contain_text("There is no consumer key")
    shot("client-app-incomplete")


def test_a_foreign_host_is_refused_and_the_address_of_a_page_is_understood(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogInAs
) -> None:
    log_in(admin)
    page.goto(APP_PAGE)
    page.get_by_role("radio", name="Client credentials").check()
    page.get_by_role("radio", name="My Domain").check()
    enter(page, CLIENT_ID, CLIENT_SECRET)
    page.get_by_label("Host name").fill("acme.my.salesforce.com@evil.example")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("is not a My Domain address")
    page.get_by_label("Host name").fill("https://acme--uat.sandbox.lightning.force.com/lightning/setup/OrgDomain/home")
    page.get_by_label("Consumer secret").fill(CLIENT_SECRET)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="In use")).to_contain_text("https://acme--uat.sandbox.my.salesforce.com")
    assert in_use(account).log_in == LogIn.CLIENT_CREDENTIALS


def test_a_server_is_connected_on_the_pages_without_a_log_in(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogInAs, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto(GUIDE)
    page.get_by_role("link", name="JWT bearer").click()
    expect(page.get_by_role("img", name="Sketch of the form's part Flow Enablement")).to_be_visible()
    page.get_by_label("Username of the integration user").fill(USERNAME)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Now create the app in the org")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download headwater.crt").click()
    assert b"BEGIN CERTIFICATE" in Path(download.value.path()).read_bytes()
    page.goto(f"{GUIDE}?log_in=jwt")
    shot("client-app-guide-jwt")
    app = deploy_files(org, downloaded(page, "Metadata (zip)"))
    enter(page, app.client_id)
    page.get_by_role("button", name="Check").click()
    findings = page.get_by_role("list", name="What the check found")
    expect(findings).to_contain_text("The user may not use this External Client App.")
    let_in(org)
    page.get_by_role("button", name="Check").click()
    expect(findings).to_contain_text(f"Salesforce gave Headwater a session as {USERNAME}")
    page.get_by_role("button", name="Save").click()
    shot("client-app-jwt")
    no_barriers()
    page.goto("/settings/connections/")
    page.get_by_role("button", name="Set Up New CRM Connection").click()
    page.get_by_role("button", name="Connect Salesforce").click()
    dialog = page.get_by_role("dialog", name="Connect Salesforce")
    expect(dialog).to_contain_text(f"JWT bearer as {USERNAME}")
    shot("client-app-jwt-dialog")
    no_barriers()
    dialog.get_by_role("button", name="Connect", exact=True).click()
    confirm(page)
    expect(page.get_by_role("status").first).to_contain_text("Connected to Acme")
    assert row(page)[5] == "Connected"
    assert Connection.of(account).get().log_in == LogIn.JWT
    page.get_by_role("button", name="Re-authorise Acme").click()  # at once, as nobody has to log in
    expect(page.get_by_role("status").first).to_contain_text(f"Connected to Acme (Production) as {USERNAME}")


def test_another_app_under_a_connection_says_what_that_means(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogInAs, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto(APP_PAGE)
    enter(page, CLIENT_ID, CLIENT_SECRET)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Connect", exact=True).click()
    choose(page)
    answer_org(page)
    confirm(page)
    page.get_by_role("link", name="Client app", exact=True).click()
    enter(page, "3MVG9.another.key", "secret")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("The connected org is read through the present app.")
    shot("client-app-in-use")
    no_barriers()
    page.get_by_label("Consumer secret").fill("secret")
    page.get_by_label("I know, and will authorise it again").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    assert Connection.of(account).get().status == Status.AUTHORIZATION_REQUIRED
    changes = page.get_by_role("region", name="Changes of the app")
    expect(changes).to_contain_text("3MVG9.another.key")
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_role("status").first).to_contain_text("forgotten here")
    assert row_of(account) is None


def test_the_keyboard_alone_checks_and_saves(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogInAs
) -> None:
    log_in(admin)
    page.goto(APP_PAGE)
    page.get_by_role("textbox", name="Consumer key").focus()
    page.keyboard.type(CLIENT_ID)
    page.keyboard.press("Tab")
    page.keyboard.type(CLIENT_SECRET)
    press_until_focused(page, "Check")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="What the check found")).to_contain_text("accepts the consumer secret")
    page.get_by_label("Consumer secret").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    assert in_use(account).app.client_secret == CLIENT_SECRET


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_guide_and_form_fit_a_phone_and_work_without_scripts(
    org: RunningOrgsim, admin: User, browser: Browser, live_server: LiveServer, dark: bool
) -> None:
    context = open_window(browser, live_server.url, dark=dark, scripts=dark)
    page = context.new_page()
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.goto(GUIDE)
    page.get_by_label("Email").fill(admin.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up the External Client App")
    for path, name in ((GUIDE, "guide"), (APP_PAGE, "page")):
        page.goto(path)
        assert page.locator("html").evaluate("e => e.scrollWidth") <= PHONE[0] if dark else True
        take(page, f"client-app-{name}-phone-{'dark' if dark else 'no-scripts'}")
        if dark:
            assert barriers(page) == []
    enter(page, CLIENT_ID, CLIENT_SECRET)
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("list", name="What the check found")).to_contain_text("accepts the consumer secret")
    context.close()
