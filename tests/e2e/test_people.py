"""People come and go: invited by mail, joined in a browser of their own, given roles, removed; and their passwords."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.core import mail
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from e2e.browser import PHONE, Visit, barriers, open_window, take
from e2e.conftest import PASSWORD, Shot
from headwater.accounts.invitations import invite, withdraw
from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account, create_user, name_operator, role_of

LogIn = Callable[[User], None]
Check = Callable[[], None]
PAGE = "/settings/people/"
DORA = "dora@alderfinch.example"


@pytest.fixture
def theirs(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """The browser of the person who is invited."""
    context = open_window(browser, live_server.url)
    visit = Visit(context.new_page())
    yield visit.page
    context.close()
    assert visit.complaints == []


def link_of_mail(to: str) -> str:
    [written] = [one for one in mail.outbox if one.to == [to]]
    found = re.search(r"http://\S+", str(written.body))
    assert found
    return found[0]


def row(page: Page, name: str) -> str:
    return " ".join(page.get_by_role("row").filter(has_text=name).inner_text().split())


def test_somebody_is_invited_joins_and_acts_with_the_role_and_is_removed(
    admin: User, account: Account, page: Page, theirs: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto("/settings/")
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="People").click()
    expect(page.get_by_role("region", name="Invitations")).to_contain_text("Nobody is invited")
    shot("people-empty")
    no_barriers()
    page.get_by_label("E-mail address").fill(DORA)
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("status").first).to_contain_text("has a mail with a link that works once")
    expect(page.get_by_role("region", name="Invitations")).to_contain_text("Not accepted yet")
    shot("people-invited")
    no_barriers()

    theirs.goto(link_of_mail(DORA))
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Join Alder & Finch")
    theirs.get_by_label("Your name").fill("Dora Dahl")
    theirs.get_by_label("Password").fill("short")
    theirs.get_by_role("button", name="Join").click()
    expect(theirs.get_by_role("main")).to_contain_text("too short")
    take(theirs, "people-join")
    assert barriers(theirs) == []
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Join").click()
    expect(theirs.get_by_role("status").first).to_contain_text("Welcome to Alder & Finch")
    theirs.goto("/settings/crm/general/")
    expect(theirs.get_by_role("img", name="Locked")).to_have_count(4)  # a Standard user reads

    page.goto(PAGE)
    page.get_by_role("button", name="Make Account Admin: Dora Dahl").click()
    expect(page.get_by_role("status").first).to_contain_text("Dora Dahl is Account Admin now")
    theirs.reload()
    theirs.get_by_role("button", name="Unlock: Daily CRM API Limit").click()
    expect(theirs.get_by_label("Calls in 24 hours")).to_be_focused()

    page.get_by_role("button", name="Remove Dora Dahl").click()
    dialog = page.get_by_role("dialog", name="Remove Dora Dahl?")
    expect(dialog).to_contain_text("loses Alder & Finch at once")
    shot("people-remove")
    no_barriers()
    dialog.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status").first).to_contain_text("cannot act for Alder & Finch any more")
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("Removed")
    assert [cell.split(",")[0] for cell in history.locator("tbody td:nth-child(3)").all_inner_texts()] == [
        "Removed",
        "Changed the role",
        "Joined",
        "Invited",
    ]
    shot("people-history")
    no_barriers()
    theirs.reload()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("You are not a member of any account yet")


def test_a_person_of_another_account_logs_in_to_accept_and_switches(
    admin: User, account: Account, page: Page, theirs: Page, log_in: LogIn, shot: Shot
) -> None:
    bob = create_user("bob@birch.example", PASSWORD, "Bob Berg")
    add_member(create_account("Birch Telecom"), bob, Role.ADMIN)
    sent = invite(account, bob.email, Role.STANDARD, actor=admin)
    log_in(admin)
    page.goto(sent.link)
    expect(page.get_by_role("main")).to_contain_text("You are logged in as alice@alderfinch.example")
    shot("people-link-of-another")
    theirs.goto(sent.link)
    take(theirs, "people-log-in-to-accept")
    assert barriers(theirs) == []
    theirs.get_by_role("link", name="Log in to accept").click()
    theirs.get_by_label("Email").fill(bob.email)
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Log in").click()
    theirs.get_by_role("button", name="Accept as Bob Berg").click()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Alder & Finch")
    theirs.get_by_role("button", name="Account Alder & Finch, switch").click()
    theirs.get_by_role("button", name="Birch Telecom").click()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Birch Telecom")
    theirs.goto(sent.link)
    expect(theirs.get_by_role("heading", level=1)).to_have_text("This invitation was accepted already.")


def test_a_withdrawn_link_has_a_clear_page(admin: User, account: Account, page: Page, shot: Shot) -> None:
    sent = invite(account, DORA, Role.STANDARD, actor=admin)
    withdraw(sent.invitation, actor=admin)
    page.goto(sent.link)
    expect(page.get_by_role("heading", level=1)).to_have_text("This invitation was withdrawn.")
    shot("people-withdrawn")
    assert barriers(page) == []


def test_without_a_mail_server_the_link_is_copied_from_the_page(
    admin: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "headwater.accounts.mail.LogEmailBackend"
    log_in(admin)
    page.goto(PAGE)
    page.get_by_label("E-mail address").fill(DORA)
    page.get_by_role("button", name="Invite").click()
    block = page.get_by_role("region", name=f"Give {DORA} this link")
    expect(block).to_contain_text("No mail was sent")
    block.get_by_role("button", name="Copy http").click()
    expect(block.get_by_role("button", name="Copied")).to_be_visible()
    shot("people-link-to-copy")
    no_barriers()


def test_the_keyboard_alone_invites_and_withdraws(admin: User, page: Page, log_in: LogIn) -> None:
    log_in(admin)
    page.goto(PAGE)
    page.get_by_label("E-mail address").focus()
    page.keyboard.type(DORA)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")  # from Standard to Account Admin
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Invitations")).to_contain_text("Account Admin")
    withdrawing = page.get_by_role("button", name=f"Withdraw the invitation of {DORA}")
    for _ in range(60):
        page.keyboard.press("Tab")
        if withdrawing.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("is withdrawn; its link is dead")


def test_people_fit_a_phone(
    admin: User, account: Account, standard_user: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    width, height = PHONE
    page.set_viewport_size({"width": width, "height": height})
    invite(account, "a.person.with.a.very.long.address@subsidiary.alderfinch.example", Role.STANDARD, actor=admin)
    log_in(admin)
    for path, name in ((PAGE, "people"), (f"{PAGE}?remove=1", "people-remove"), ("/profile/", "profile")):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        shot(f"phone-{name}")
        no_barriers()
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_forgotten_password_is_reset_by_mail(admin: User, page: Page, shot: Shot, no_barriers: Check) -> None:
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email").fill(admin.email)
    page.get_by_role("button", name="Send the mail").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A mail is on its way")
    shot("password-reset-sent")
    no_barriers()
    page.goto(link_of_mail(admin.email))
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a password")
    shot("password-reset-choose")
    no_barriers()
    page.get_by_label("New Password", exact=True).fill("four loud mountains")
    page.get_by_label("New Password (again)").fill("four loud mountains")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Log in").click()
    page.get_by_label("Email").fill(admin.email)
    page.get_by_label("Password").fill("four loud mountains")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="My Account")).to_be_visible()


def test_a_person_changes_their_name_password_and_address(
    standard_user: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(standard_user)
    page.get_by_role("button", name="My Account").click()
    page.get_by_role("link", name="My profile").click()
    page.get_by_label("Your name").fill("Bob Björk")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Your name is saved")
    shot("profile-name")
    no_barriers()
    menu = page.get_by_role("navigation", name="My profile")
    menu.get_by_role("link", name="Password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Password")
    shot("profile-password")
    no_barriers()
    menu.get_by_role("link", name="E-mail address").click()
    page.get_by_label("Email").fill("bob.bjork@alderfinch.example")
    page.get_by_role("button", name="Change address").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it you?")
    shot("profile-is-it-you")
    no_barriers()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("main")).to_contain_text("takes its place as soon as")
    shot("profile-address-pending")
    no_barriers()
    page.goto(link_of_mail("bob.bjork@alderfinch.example"))
    shot("profile-address-confirm")
    no_barriers()
    page.get_by_role("button", name="Confirm").click()
    page.goto("/profile/")
    expect(page.get_by_role("main")).to_contain_text("You log in as bob.bjork@alderfinch.example")


def test_an_operator_makes_enters_and_closes_accounts(
    account: Account, admin: User, page: Page, theirs: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    olga = create_user("olga@headwater.example", PASSWORD, "Olga Operator")
    name_operator(olga, is_operator=True)
    log_in(olga)
    page.get_by_role("link", name="All accounts").click()
    page.get_by_label("Name of the company").fill("Birch Telecom")
    page.get_by_label("E-mail address of its first Account Admin").fill("bob@birch.example")
    page.get_by_role("button", name="Make it and invite").click()
    expect(page.get_by_role("status").first).to_contain_text("Birch Telecom is there")
    shot("operator-accounts")
    no_barriers()
    theirs.goto(link_of_mail("bob@birch.example"))
    theirs.get_by_label("Your name").fill("Bob Berg")
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Join").click()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Birch Telecom")

    page.get_by_role("button", name="Act in Birch Telecom").click()
    expect(page.get_by_role("status").first).to_contain_text("You act in Birch Telecom as an operator")
    page.goto("/settings/crm/general/")
    expect(page.get_by_role("button", name="Unlock: Daily CRM API Limit")).to_be_visible()
    shot("operator-acting")
    no_barriers()
    theirs.goto(PAGE)
    expect(theirs.get_by_role("region", name="History")).to_contain_text("Came in as an operator")
    page.get_by_role("button", name="Leave Birch Telecom").click()

    page.get_by_role("button", name="Close Birch Telecom").click()
    dialog = page.get_by_role("dialog", name="Close Birch Telecom?")
    expect(dialog.get_by_role("button", name="Close the account")).to_be_disabled()
    dialog.get_by_label("Type the account's name").fill("Birch Telecom")
    shot("operator-close")
    no_barriers()
    dialog.get_by_role("button", name="Close the account").click()
    expect(page.get_by_role("status").first).to_contain_text("Birch Telecom is closed")
    assert "Closed" in row(page, "Birch Telecom")
    theirs.reload()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("You are not a member of any account yet")
    page.get_by_role("button", name="Open again: Birch Telecom").click()
    expect(page.get_by_role("status").first).to_contain_text("Birch Telecom is open again")
    theirs.reload()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("People")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    shot("phone-operator")
    no_barriers()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert role_of(olga, account) is None
