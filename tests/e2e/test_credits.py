"""The credits page as a person looks at it: today, where it goes, three months, the org, what waits (row B6)."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.conftest import Shot
from e2e.ledger_story import tell_story
from e2e.test_work import all_drawn
from headwater.accounts.models import Account, User
from headwater.accounts.services import create_account, name_operator
from headwater.common.clock import now_utc
from headwater.credits.models import Quota, Window
from headwater.credits.opening import current_window
from headwater.credits.services import daily_limit
from headwater.jobs.models import Job, State
from headwater.salesforce.meter import OrgUsage

LogIn = Callable[[User], None]
Check = Callable[[], None]
PAGE = "/credits/"


def show(page: Page, path: str = PAGE) -> None:
    page.goto(path)
    all_drawn(page)


def pause(account: Account) -> Job:
    return Job.objects.create(
        tenant=str(account.pk),
        task="sync.cycle",
        state=State.WAITING,
        created_utc=now_utc(),
        not_before_utc=now_utc() + timedelta(hours=3, minutes=1),
        reason_code="credits.floor_reached",
        reason="What is left of the org's own API allowance is kept for its other users.",
        reason_facts={"why": "The org allows 115,000 calls.", "left": "", "next": "", "you_can": "wait"},
    )


def test_the_page_shows_today_the_split_three_months_and_the_org(
    standard_user: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    tell_story(account, org_usage=OrgUsage(4_321, 115_000))
    today = current_window(account)
    yesterday = Window.of(account).get(ends_utc=today.starts_utc)
    log_in(standard_user)
    show(page)
    expect(page.get_by_role("region", name="Used")).to_contain_text(f"{today.used_calls:,} of 100,000")
    expect(page.get_by_role("region", name="The org's own allowance")).to_contain_text("4,321 of 115,000")
    shot("credits-story")
    no_barriers()
    days = page.get_by_role("table").filter(has=page.get_by_role("columnheader", name="Limit"))
    days.get_by_role("link").nth(1).click()
    split = page.get_by_role("region", name="Where the credits went")
    day = f"{yesterday.starts_utc:%b} {yesterday.starts_utc.day}"
    expect(split.get_by_role("heading")).to_have_text(f"Where the credits went: {day}")
    expect(split.get_by_role("row", name=f"Used {yesterday.used_calls:,}")).to_be_visible()
    split.get_by_role("link", name="Object", exact=True).click()
    expect(split.get_by_role("rowheader", name="CampaignMember")).to_be_visible()
    split.get_by_role("link", name="By hour", exact=True).click()
    split.get_by_role("link", name="08:00").click()
    expect(split.get_by_role("heading")).to_contain_text(f"{day}, 08:00 UTC")
    expect(split.get_by_label("Hour, UTC")).to_have_value(f"{yesterday.starts_utc:%Y-%m-%d}T08")
    with page.expect_download() as kept:
        split.get_by_role("link", name="Split as CSV").click()
    assert kept.value.suggested_filename.startswith("headwater-alder-finch-split-")
    assert Path(kept.value.path()).read_text().startswith("job_kind,job_id,sobject,call_kind,outcome,calls")
    shot("credits-hour")
    show(page)
    chart = page.get_by_label("Chart of credits by day")
    box = chart.bounding_box()
    assert box is not None
    chart.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    expect(page).to_have_url(re.compile(r"/credits/\?window=20.*#split"))


@pytest.mark.parametrize("dark", [True])
def test_a_short_day_says_when_it_runs_out_and_what_waits_and_fits_a_phone(
    standard_user: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    tell_story(account, days=15, org_usage=OrgUsage(103_000, 115_000))
    Quota.of(account).update(daily_limit_calls=current_window(account).used_calls + 1)
    pause(account)
    log_in(standard_user)
    show(page, f"{PAGE}?by=object")
    expect(page.get_by_role("region", name="What waits now")).to_contain_text("Goes on by itself in 3")
    shot("credits-short-dark")
    no_barriers()
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    show(page)
    shot("phone-credits")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_the_operator_sets_the_limit_of_an_account(
    admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    name_operator(admin, is_operator=True)
    tell_story(account, days=3, org_usage=OrgUsage(4_321, 115_000))
    pause(create_account("Birch Telecom"))
    log_in(admin)
    page.goto("/operator/")
    shot("operator-credits")
    no_barriers()
    page.get_by_role("button", name="Set the limit of Alder & Finch").click()
    field = page.get_by_label("Calls in 24 hours")
    expect(field).to_be_focused()
    field.fill("99999")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("99,999 is less than 100,000")
    shot("operator-limit-refused")
    no_barriers()
    field.fill("250000")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("is 250,000 calls")
    assert daily_limit(account) == 250_000
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.goto("/operator/")
    shot("phone-operator-credits")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
