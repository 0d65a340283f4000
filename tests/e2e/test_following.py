"""A page that follows work by asking again: an answer that went wrong takes nothing from it."""

from collections.abc import Callable

from playwright.sync_api import Page, Response, Route, expect

from e2e.browser import MADE_HERE
from e2e.test_connecting import LogIn
from headwater.accounts.models import Account, User
from headwater.wiring import sync_cycle

JOBS = "/jobs/"


def answers(status: int, text: str) -> Callable[[Route], None]:
    body = f"<p>{text}</p>"
    return lambda route: route.fulfill(status=status, body=body, headers={"Content-Type": "text/html", **MADE_HERE})


def has_status(status: int) -> Callable[[Response], bool]:
    return lambda response: response.status == status


def begin_following(page: Page, account: Account, user: User, log_in: LogIn) -> None:
    log_in(user)
    sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)
    page.goto(JOBS)
    expect(page.locator("#job-list")).to_contain_text("Queued")


def test_an_error_while_following_leaves_what_is_shown_and_the_next_round_goes_on(
    admin: User, account: Account, page: Page, log_in: LogIn
) -> None:
    begin_following(page, account, admin, log_in)
    for status in (500, 503, 409):
        page.route("**/jobs/**", answers(status, "something went wrong"))
        with page.expect_response(has_status(status)):
            pass
        expect(page.locator("#job-list")).to_contain_text("Queued")
        page.unroute("**/jobs/**")
    sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk, dedupe=False)
    expect(page.locator("#job-list").get_by_text("Queued")).to_have_count(2)
    expect(page.get_by_text("something went wrong")).to_have_count(0)


def test_a_log_in_that_ended_while_following_leads_to_the_log_in_page(
    admin: User, account: Account, page: Page, log_in: LogIn
) -> None:
    begin_following(page, account, admin, log_in)
    page.context.clear_cookies()
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.locator("#job-list")).to_have_count(0)
