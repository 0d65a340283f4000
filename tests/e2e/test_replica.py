"""Diagnose > Replica in a browser: a real read followed live and cancelled, then the whole copy, on a phone too."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from django.db import connections
from playwright.sync_api import Page, expect
from pytest_django import Settings

from e2e.browser import PHONE
from e2e.conftest import Shot
from e2e.test_connecting import Check, LogIn, connect
from e2e.test_work import all_drawn
from headwater.accounts.models import Account, User
from headwater.jobs.models import State
from headwater.jobs.services import jobs_of
from headwater.jobs.worker import Worker
from headwater.sync.services import replica_counts
from integration.test_audit import lose
from integration.test_vanished import ids
from orgsim.rest.latency import Latency, clear_latencies, set_latency
from orgsim.seed import load_history
from orgsim.server.admin import move_clock
from orgsim.testing import RunningOrgsim

PAGE = "/replica/"
RECORDS = 3_000
PATIENCE_MILLISECONDS = 40_000


@contextmanager
def a_worker() -> Iterator[None]:
    """Does what is in the queue, beside the test; the test goes on when all of it is done."""

    def work() -> None:
        Worker("beside").run_until_idle()
        connections.close_all()

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@pytest.fixture
def slow_org(org: RunningOrgsim, settings: Settings) -> RunningOrgsim:
    """Enough rows, in small pages that take their time, for a person to look on."""
    load_history(org.production, records=RECORDS, seed=3)
    move_clock(org.state, {"jump_seconds": 1_200})  # what is read is older than rows that may become visible late
    settings.QUERY_PAGE_ROWS = 40
    return org


def in_the_dark(page: Page, look: Callable[[], object]) -> None:
    page.emulate_media(color_scheme="dark")
    look()
    page.emulate_media(color_scheme="light")


def test_a_read_is_followed_live_cancelled_and_done_again(
    slow_org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    page.goto(PAGE)
    expect(page.get_by_role("heading", name="No org to read")).to_be_visible()
    connect(page)
    page.get_by_role("button", name="Diagnose").click()
    page.get_by_role("link", name="Replica", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing was read yet")).to_be_visible()
    shot("replica-empty")
    no_barriers()
    set_latency(slow_org.production.usage, Latency(seconds=0.7))
    page.get_by_role("button", name="Read now").press("Enter")
    job = page.get_by_role("region", name=re.compile(r"Sync job \d+"))
    expect(job).to_contain_text("Queued")
    with a_worker():
        follow_and_cancel(page, shot, no_barriers)
    expect(job).to_have_count(0)
    assert jobs_of(str(account.pk))[0].state == State.CANCELLED
    clear_latencies(slow_org.production.usage)
    page.get_by_role("button", name="Read now").click()
    with a_worker():
        pass
    expect(page.get_by_text("Cycle 2 was published meanwhile.")).to_be_visible()
    page.get_by_role("link", name="Show it").click()
    have_it_compared(slow_org, page, account)
    look_at_the_copy(page, account, shot, no_barriers)


def have_it_compared(org: RunningOrgsim, page: Page, account: Account) -> None:
    """Two contacts were lost here; the audit finds and repairs it."""
    card = page.get_by_role("region", name="Compared with the org")
    expect(card).to_contain_text("never yet")
    lose(account, "Contact", ids(org, "Contact")[:2])
    card.get_by_role("button", name=re.compile(r"Compare now \(\d credits\)")).press("Enter")
    expect(page.get_by_role("region", name=re.compile(r"Comparing with the org job \d+"))).to_contain_text("Queued")
    with a_worker():
        pass
    expect(page.get_by_text("Cycle 3 was published meanwhile.")).to_be_visible()
    page.get_by_role("link", name="Show it").click()
    expect(card).to_contain_text("2 rows repaired")
    months = card.get_by_role("group", name="Table of the months that differed").get_by_role("row")
    expect(months.last).to_contain_text("Repaired")


def follow_and_cancel(page: Page, shot: Shot, no_barriers: Check) -> None:
    job = page.get_by_role("region", name=re.compile(r"Sync job \d+"))
    followed = re.compile(r"[\d,]+ of [\d,]+ rows · \w+ · [\d,.]+ rows a second · .* left")
    expect(job).to_contain_text(followed, timeout=PATIENCE_MILLISECONDS)
    expect(job).to_contain_text(re.compile(r"[1-9]\d* of [1-9]\d* planned"))
    before = job.get_by_role("progressbar").get_attribute("value")
    bar = job.get_by_role("progressbar")
    expect(bar).not_to_have_attribute("value", before or "", timeout=PATIENCE_MILLISECONDS)
    shot("replica-reading")
    no_barriers()
    in_the_dark(page, lambda: shot("replica-reading-dark"))
    job.get_by_role("button", name=re.compile("Cancel job")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Replica")


def look_at_the_copy(page: Page, account: Account, shot: Shot, no_barriers: Check) -> None:
    all_drawn(page)
    table = page.get_by_role("group", name="Table of what is held of each object")
    for sobject, rows in replica_counts(account).items():
        row = table.get_by_role("row").filter(has=page.get_by_role("link", name=sobject, exact=True))
        expect(row.get_by_role("cell").nth(1)).to_have_text(f"{rows:,}")
    contacts = table.get_by_role("row").filter(has=page.get_by_role("link", name="Contact", exact=True))
    expect(contacts.get_by_role("cell").nth(9)).to_contain_text("Repaired")
    shot("replica")
    no_barriers()
    page.emulate_media(color_scheme="dark")
    page.reload()
    all_drawn(page)
    shot("replica-dark")
    no_barriers()
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.reload()
    all_drawn(page)
    shot("replica-phone-dark")
    no_barriers()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_a_standard_user_looks_on_and_can_stop_nothing(
    standard_user: User, account: Account, page: Page, log_in: LogIn, no_barriers: Check
) -> None:
    log_in(standard_user)
    page.goto(PAGE)
    expect(page.get_by_role("heading", name="No org to read")).to_be_visible()
    expect(page.get_by_role("button", name="Read now")).to_have_count(0)
    expect(page.get_by_role("button", name="Compare now")).to_have_count(0)
    no_barriers()
