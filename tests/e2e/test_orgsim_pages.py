"""The pages of orgsim's side door in a real browser: levers are pulled by hand, in light and dark, wide and narrow."""

from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.conftest import Shot
from orgsim.seed import load_history
from orgsim.testing import RunningOrgsim

Check = Callable[[], None]


def make_calls(org: RunningOrgsim) -> None:
    headers = {"Authorization": f"Bearer {org.access_token()}"}
    with httpx2.Client(base_url=f"{org.url}/services/data/v60.0", headers=headers) as client:
        for path in ("/limits", "/query?q=SELECT+Id+FROM+Lead", "/sobjects/Nothing/describe"):
            client.get(path)


def test_levers_are_pulled_by_hand(org: RunningOrgsim, page: Page, shot: Shot, no_barriers: Check) -> None:
    load_history(org.production, records=1_000, seed=3)
    for minutes_ago in range(0, 1_440, 47):
        org.production.usage.use_elsewhere(minutes_ago % 310, minutes_ago)
    make_calls(org)
    page.goto(f"{org.url}/orgsim/")
    page.get_by_label("Move on by seconds").fill("7200")
    page.get_by_role("button", name="Move on").click()
    expect(page.get_by_role("region", name="Clock")).to_contain_text("+7,200 seconds away")
    page.get_by_label("Name of a new one").fill("calm")
    page.get_by_role("button", name="Take").click()
    expect(page.get_by_role("button", name="Restore calm")).to_be_visible()
    shot("orgsim-overview")
    no_barriers()
    page.get_by_role("link", name="Acme (production)").click()
    page.get_by_label("Calls by number").fill("2, 5")
    page.get_by_label("What the client meets").select_option("503")
    page.get_by_role("button", name="Lay a fault").click()
    expect(page.get_by_role("region", name="Faults laid")).to_contain_text("503")
    page.get_by_role("button", name="Make them").click()
    page.get_by_label("Value of edition").fill('"Unlimited Edition"')
    page.get_by_role("button", name="Set edition").click()
    expect(page.get_by_text("Unlimited Edition").first).to_be_visible()
    page.get_by_label("Calls allowed in 24 hours").fill("-1")
    page.get_by_label("Calls allowed in 24 hours").evaluate("field => field.removeAttribute('min')")
    page.get_by_role("button", name="Set the allowance").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be less than 0")
    shot("orgsim-org")
    no_barriers()
    page.get_by_role("link", name="Records and checksums").click()
    expect(page.get_by_role("cell", name="Lead", exact=True)).to_be_visible()
    shot("orgsim-records")
    no_barriers()


@pytest.mark.parametrize("dark", [True])
def test_the_pages_fit_a_phone_and_the_dark(
    org: RunningOrgsim, page: Page, shot: Shot, no_barriers: Check, dark: bool
) -> None:
    width, height = PHONE
    page.set_viewport_size({"width": width, "height": height})
    for name, path in {"overview": "", "org": f"org/{org.production.org_id}"}.items():
        page.goto(f"{org.url}/orgsim/{path}")
        shot(f"orgsim-phone-{name}")
        no_barriers()
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
