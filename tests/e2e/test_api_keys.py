"""An Account Admin makes a key for a programme in the browser, by keyboard, and takes it away again."""

from collections.abc import Callable

from django.test import Client
from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.conftest import Shot
from headwater.accounts.models import User

PAGE = "/settings/security/api-keys/"


def answers(key: str) -> int:
    return Client().get("/api/v1/account", headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_is_made_used_and_revoked_by_keyboard_alone(
    admin: User, page: Page, log_in: Callable[[User], None], shot: Shot, no_barriers: Callable[[], None]
) -> None:
    log_in(admin)
    page.goto(PAGE)
    expect(page.get_by_text("There is no key")).to_be_visible()
    page.get_by_label("Name").focus()
    page.keyboard.type("Looker")
    page.keyboard.press("Enter")
    made = page.get_by_role("region", name="Looker has its key")
    expect(made).to_be_visible()
    key = made.locator(".ident code").inner_text()
    assert answers(key) == 200
    no_barriers()
    shot("api-keys")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    no_barriers()
    shot("api-keys-phone")
    page.get_by_role("button", name="Revoke Looker").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("The key Looker is revoked")
    assert answers(key) == 401
