"""The account is connected to its org in a browser, over the org's own log-in pages; and every way that can fail."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from e2e.browser import PHONE, open_window
from e2e.conftest import PASSWORD, Shot
from headwater.accounts.models import Account, User
from headwater.connections.models import Connection, Status
from headwater.connections.services import connection_of
from headwater.jobs.services import jobs_of, run_here
from orgsim.testing import PASSWORD as ORG_PASSWORD
from orgsim.testing import SANDBOX_USERNAME, USERNAME, RunningOrgsim

LogIn = Callable[[User], None]
Check = Callable[[], None]
PAGE = "/settings/connections/"


def choose(page: Page, environment: str = "Production") -> None:
    """From the Connections page to the org's own log-in page."""
    page.get_by_role("button", name="Set Up New CRM Connection").click()
    page.get_by_role("dialog", name="Select CRM Connection").get_by_role("button", name="Connect Salesforce").click()
    page.get_by_role("radio", name=environment).check()
    page.get_by_role("button", name="Continue to Salesforce").click()


def answer_org(page: Page, username: str = USERNAME, password: str = ORG_PASSWORD, answer: str = "Allow") -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log In").click()
    page.get_by_role("button", name=answer).click()


def confirm(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Is this the right org?")
    page.get_by_role("button", name="Yes, read this org").click()


def connect(page: Page) -> None:
    page.goto(PAGE)
    choose(page)
    answer_org(page)
    confirm(page)
    expect(page.get_by_role("status").first).to_contain_text("Connected to Acme")


def row(page: Page) -> list[str]:
    cells = page.get_by_role("region", name="CRM", exact=True).locator("tbody td").all_inner_texts()
    return [" ".join(cell.split()) for cell in cells]


def test_an_admin_connects_production(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.get_by_role("button", name="My Account").click()
    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Connections").click()
    expect(page.get_by_role("main")).to_contain_text("no records are read from Salesforce")
    shot("connections-empty")
    no_barriers()
    page.get_by_role("button", name="Set Up New CRM Connection").click()
    select = page.get_by_role("dialog", name="Select CRM Connection")
    expect(select.get_by_role("columnheader")).to_have_text(["Platform", "Actions"])
    shot("connections-select-crm")
    no_barriers()
    select.get_by_role("button", name="Connect Salesforce").click()
    expect(select).to_be_hidden()
    shot("connections-environment")
    no_barriers()
    page.get_by_role("radio", name="Production").check()
    page.get_by_role("button", name="Continue to Salesforce").click()
    expect(page).to_have_title("Login | Salesforce")
    assert page.url.startswith(f"{org.url}/services/oauth2/authorize?")
    shot("connections-salesforce-login")
    page.get_by_label("Username").fill(USERNAME)
    page.get_by_label("Password").fill(ORG_PASSWORD)
    page.get_by_role("button", name="Log In").click()
    shot("connections-salesforce-allow")
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is this the right org?")
    for words in ("Production", org.production.org_id, USERNAME, "stays on it for good", "OpportunityContactRole"):
        expect(page.get_by_role("main")).to_contain_text(words)
    shot("connections-confirm")
    no_barriers()
    confirm(page)
    expect(page.get_by_role("status").first).to_have_text(f"Connected to Acme (Production) as {USERNAME}.")
    expect(page).to_have_url(page.url.partition("?")[0])
    platform, org_id, name, username, environment, status, _ = row(page)
    assert (platform, org_id, name, environment, status) == (
        "Salesforce", org.production.org_id, "Acme", "Production", "Connected",
    )  # fmt: skip
    assert username.startswith(USERNAME)
    shot("connections-connected")
    no_barriers()
    assert Connection.of(account).get().connected_by == admin.email


def test_a_sandbox_is_shown_as_what_it_is(
    org: RunningOrgsim, admin: User, page: Page, log_in: LogIn, shot: Shot
) -> None:
    log_in(admin)
    page.goto(PAGE)
    choose(page, "Sandbox")
    assert page.url.startswith(org.sandbox_url)
    answer_org(page, SANDBOX_USERNAME)
    confirm(page)
    expect(page.get_by_role("status").first).to_contain_text("(Sandbox)")
    assert row(page)[1] == org.sandbox.org_id
    assert row(page)[4] == "Sandbox"
    shot("connections-sandbox")


def test_denying_access_changes_nothing(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto(PAGE)
    choose(page)
    answer_org(page, answer="Deny")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The connection was not authorised")
    expect(alert).to_contain_text("end-user denied authorization")
    expect(alert).to_contain_text("Nothing was changed")
    expect(page.get_by_role("button", name="Set Up New CRM Connection")).to_be_visible()
    shot("connections-denied")
    no_barriers()
    assert connection_of(account) is None


def test_a_wrong_password_stays_on_the_orgs_page_and_can_be_mended(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot
) -> None:
    log_in(admin)
    page.goto(PAGE)
    choose(page)
    page.get_by_label("Username").fill(USERNAME)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log In").click()
    expect(page.get_by_role("alert")).to_contain_text("check your username and password")
    shot("connections-org-wrong-password")
    assert connection_of(account) is None
    answer_org(page)
    confirm(page)
    expect(page.get_by_role("status").first).to_contain_text("Connected to Acme")


@pytest.mark.parametrize("state", ["", "forged"])
def test_a_forged_answer_is_refused(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, state: str
) -> None:
    log_in(admin)
    page.goto(f"{PAGE}callback/?state={state}&code=stolen")
    expect(page.get_by_role("alert")).to_contain_text("does not belong to a connection that you started here")
    expect(page.get_by_role("heading", level=1)).to_have_text("Connections")
    shot("connections-forged-state")
    assert connection_of(account) is None


def test_an_answer_works_once(org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn) -> None:
    answers: list[str] = []
    page.on("request", lambda request: answers.append(request.url) if "callback/?" in request.url else None)
    log_in(admin)
    connect(page)
    before = Connection.of(account).get().token_version
    page.goto(answers[0])
    expect(page.get_by_role("alert")).to_contain_text("used before")
    assert row(page)[5] == "Connected"
    assert Connection.of(account).get().token_version == before


def test_an_unreachable_org_is_told_on_our_own_page(
    org: RunningOrgsim,
    admin: User,
    account: Account,
    page: Page,
    log_in: LogIn,
    shot: Shot,
    no_barriers: Check,
    settings: Settings,
) -> None:
    settings.SALESFORCE_LOGIN_URL = "http://127.0.0.1:1"
    log_in(admin)
    page.goto(PAGE)
    choose(page)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Salesforce could not be reached at http://127.0.0.1:1")
    expect(alert).to_contain_text("check the address")
    shot("connections-unreachable")
    no_barriers()
    assert connection_of(account) is None


def test_a_second_org_is_refused_with_the_reason_and_the_way_out(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    connect(page)
    page.get_by_role("button", name="Set Up New CRM Connection").click()
    expect(page.get_by_role("dialog")).to_contain_text("An account reads exactly one org")
    shot("connections-select-crm-connected")
    page.keyboard.press("Escape")
    choose(page, "Sandbox")
    answer_org(page, SANDBOX_USERNAME)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(f"connected to Acme (production, {org.production.org_id}) already")
    expect(alert).to_contain_text("The connection stays as it was")
    expect(alert).to_contain_text("in an account of its own")
    assert row(page)[1] == org.production.org_id
    shot("connections-second-org")
    no_barriers()
    assert Connection.of(account).get().org_id == org.production.org_id


def test_a_name_that_is_no_my_domain_is_refused_in_the_dialog(
    org: RunningOrgsim, admin: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto(PAGE)
    page.get_by_role("button", name="Set Up New CRM Connection").click()
    page.get_by_role("button", name="Connect Salesforce").click()
    page.get_by_role("radio", name="My Domain").check()
    page.get_by_label("Host name").fill("evil.example.com")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Connect Salesforce")
    expect(dialog.get_by_role("alert")).to_contain_text("is not a My Domain address")
    expect(dialog.get_by_label("Host name")).to_have_value("evil.example.com")
    shot("connections-bad-my-domain")
    no_barriers()


def test_a_dead_token_turns_the_key_red_and_logging_in_again_heals_it(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    connect(page)
    Connection.of(account).update(status=Status.AUTHORIZATION_REQUIRED)
    page.reload()
    assert row(page)[5] == "Authorization Required"
    expect(page.get_by_role("button", name="Re-authorise Acme")).to_have_css("color", "rgb(179, 38, 30)")
    shot("connections-authorization-required")
    no_barriers()
    page.get_by_role("button", name="Re-authorise Acme").click()
    answer_org(page)
    expect(page.get_by_role("status").first).to_contain_text("Connected to Acme")
    assert row(page)[5] == "Connected"


def test_the_keyboard_alone_connects(org: RunningOrgsim, admin: User, page: Page, log_in: LogIn, shot: Shot) -> None:
    log_in(admin)
    page.goto(PAGE)
    press_until_focused(page, "Set Up New CRM Connection")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Connect Salesforce")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Set Up New CRM Connection")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="Production")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Sandbox")).to_be_checked()
    page.keyboard.press("ArrowUp")
    shot("connections-environment-keyboard")
    press_until_focused(page, "Continue to Salesforce")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Username")).to_be_visible()
    for typed in (USERNAME, ORG_PASSWORD):
        page.keyboard.press("Tab")
        page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Allow")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Is this the right org?")
    press_until_focused(page, "Yes, read this org")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Connected to Acme")


def press_until_focused(page: Page, name: str) -> None:
    button = page.get_by_role("button", name=name)
    for _ in range(40):
        page.keyboard.press("Tab")
        if button.evaluate("button => button === document.activeElement"):
            return
    raise AssertionError(f"The keyboard does not reach {name!r}.")


def test_it_connects_without_scripts(
    org: RunningOrgsim, admin: User, account: Account, browser: Browser, live_server: LiveServer
) -> None:
    context = open_window(browser, live_server.url, scripts=False)
    page = context.new_page()
    page.goto(PAGE)
    page.get_by_label("Email").fill(admin.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    choose(page)
    answer_org(page)
    confirm(page)
    expect(page.get_by_role("status").first).to_contain_text("Connected to Acme")
    context.close()
    assert connection_of(account) is not None


def test_a_standard_user_sees_the_connection_and_no_buttons(
    org: RunningOrgsim, admin: User, standard_user: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    connect(page)
    page.context.clear_cookies()
    log_in(standard_user)
    page.goto(PAGE)
    assert row(page)[1] == org.production.org_id
    for name in (
        "Set Up New CRM Connection",
        "Re-authorise Acme",
        "Disconnect Acme",
        "Install",
        "Check (1 or 2 credits)",
    ):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    shot("connections-standard-user")
    no_barriers()


def test_connecting_fits_a_phone(
    org: RunningOrgsim, admin: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    width, height = PHONE
    page.set_viewport_size({"width": width, "height": height})
    log_in(admin)
    page.goto(PAGE)
    shot("phone-connections-empty")
    page.get_by_role("button", name="Set Up New CRM Connection").click()
    shot("phone-connections-select-crm")
    page.get_by_role("button", name="Connect Salesforce").click()
    shot("phone-connections-environment")
    no_barriers()
    page.get_by_role("button", name="Continue to Salesforce").click()
    answer_org(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Is this the right org?")
    shot("phone-connections-confirm")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    confirm(page)
    expect(page.get_by_role("status").first).to_contain_text("Connected to Acme")
    shot("phone-connections-connected")
    no_barriers()
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_sandbox_is_deleted_and_production_takes_its_place(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto(PAGE)
    choose(page, "Sandbox")
    answer_org(page, SANDBOX_USERNAME)
    confirm(page)
    page.get_by_role("button", name="Delete the connection to Acme").click()
    dialog = page.get_by_role("dialog", name="Delete the connection to Acme?")
    sure = dialog.get_by_role("button", name="I understand the consequences, delete this connection")
    expect(sure).to_be_disabled()
    dialog.get_by_label("Type the account's name").fill("alder")
    expect(sure).to_be_disabled()
    shot("connections-delete")
    no_barriers()
    dialog.get_by_label("Type the account's name").fill(account.name)
    sure.click()
    assert row(page)[5] == "Deletion in progress"
    expect(page.get_by_role("button", name="Set Up New CRM Connection")).to_have_count(0)
    shot("connections-deleting")
    no_barriers()
    run_here(jobs_of(str(account.pk))[0], poll_seconds=0.05)
    expect(page.get_by_role("main")).to_contain_text("No CRM is connected")  # without a reload
    connect(page)
    assert row(page)[4] == "Production"
    expect(page.get_by_role("button", name="Delete the connection to Acme")).to_have_count(0)


def test_the_wrong_org_is_left_on_the_confirmation_page(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot
) -> None:
    log_in(admin)
    page.goto(PAGE)
    choose(page)
    answer_org(page)
    page.get_by_role("link", name="Connections").first.click()
    assert row(page)[5] == "Awaiting confirmation"
    shot("connections-awaiting-confirmation")
    page.get_by_role("link", name="Confirm").click()
    page.get_by_role("button", name="No, leave it").click()
    expect(page.get_by_role("status").first).to_contain_text("the log-in is revoked")
    expect(page.get_by_role("main")).to_contain_text("No CRM is connected")
    assert connection_of(account) is None


def test_disconnecting_keeps_what_was_read_and_the_key_brings_it_back(
    org: RunningOrgsim, admin: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    connect(page)
    page.get_by_role("button", name="Disconnect Acme").click()
    dialog = page.get_by_role("dialog", name="Disconnect Acme?")
    shot("connections-disconnect")
    no_barriers()
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Disconnect Acme").click()
    dialog.get_by_role("button", name="Disconnect", exact=True).click()
    assert row(page)[5] == "Disconnected"
    shot("connections-disconnected")
    page.get_by_role("button", name="Re-authorise Acme").click()
    answer_org(page)
    expect(page.get_by_role("status").first).to_contain_text("Connected to Acme")
