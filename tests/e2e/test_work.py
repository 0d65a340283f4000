"""What a person sees of the work: the overview's next step, jobs, credits, revenue, and why a share is so."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.conftest import Shot
from e2e.test_connecting import connect
from headwater.accounts.models import Account, User
from headwater.common.clock import now_utc
from headwater.credits.models import Quota
from headwater.credits.services import daily_limit
from headwater.jobs.models import Job, State
from headwater.jobs.services import job_view, jobs_of, run_here
from headwater.results.services import OpportunityRow, opportunities, won_total_cents
from headwater.wiring import attribute, sync_cycle
from orgsim.seed import load_history
from orgsim.testing import RunningOrgsim

LogIn = Callable[[User], None]
Check = Callable[[], None]
RECORDS = 3_000


def do_next_job(account: Account) -> Job:
    """What a worker would do with the newest job."""
    job = run_here(jobs_of(str(account.pk))[0], poll_seconds=0.05)
    assert job.state == State.DONE, job_view(job)
    return job


def press_step(page: Page, account: Account, name: str) -> None:
    page.goto("/")
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    do_next_job(account)


def test_the_overview_leads_from_nothing_to_explained_revenue(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    load_history(org.production, records=RECORDS, seed=3)
    log_in(admin)
    shot("overview-empty")
    no_barriers()
    page.get_by_role("link", name="Go to Connections").click()
    connect(page)
    page.goto("/")
    shot("overview-connected")
    no_barriers()
    press_step(page, account, "Sync now")
    expect(page.locator("#job-list")).to_contain_text("Done")  # without a reload
    shot("jobs-done")
    no_barriers()
    page.get_by_role("link", name="Sync", exact=True).click()
    expect(page.get_by_role("region", name="What came of it")).to_contain_text("Rows, Opportunity")
    shot("job-detail")
    no_barriers()
    press_step(page, account, "Attribute now")
    page.goto("/settings/crm/package/")
    page.get_by_role("button", name="Check (1 credit)").click()
    page.get_by_role("button", name="Install version").click()
    expect(page.get_by_role("button", name="Cancel job")).to_be_visible()
    do_next_job(account)
    expect(page.get_by_text("Installed and up to date")).to_be_visible()
    press_step(page, account, "Export now")
    page.goto("/")
    expect(page.get_by_role("region", name="The way to the first result")).to_have_count(0)
    shot("overview-done")
    no_barriers()
    look_at_credits(page, shot, no_barriers)
    look_at_revenue(page, account, shot, no_barriers)
    look_at_an_opportunity(page, account, shot, no_barriers)
    look_on_a_phone(page, account, shot)


def all_drawn(page: Page) -> None:
    """Wait for the page's charts."""
    expect(page.locator("[data-drawn]").first).to_be_visible()
    expect(page.locator("[data-chart]:not([data-drawn])")).to_have_count(0)


def look_at_credits(page: Page, shot: Shot, no_barriers: Check) -> None:
    page.get_by_role("button", name="Diagnose").click()
    page.get_by_role("link", name="Credits", exact=True).click()
    all_drawn(page)
    expect(page.get_by_role("region", name="Where the credits went")).to_contain_text("Connecting")
    shot("credits")
    no_barriers()


def look_at_revenue(page: Page, account: Account, shot: Shot, no_barriers: Check) -> None:
    page.get_by_role("button", name="Discover").click()
    page.get_by_role("link", name="Revenue", exact=True).click()
    all_drawn(page)
    sums = page.locator("tfoot td").all_inner_texts()
    assert {int(text.replace(",", "").replace(".", "")) for text in sums} == {won_total_cents(account)}
    shot("revenue")
    no_barriers()
    page.get_by_role("navigation", name="Attribution model").get_by_role("link", name="All models").click()
    all_drawn(page)
    shot("revenue-all-models")
    no_barriers()


def look_at_an_opportunity(page: Page, account: Account, shot: Shot, no_barriers: Check) -> None:
    page.get_by_role("link", name="See the opportunities behind these numbers").click()
    shot("opportunities")
    no_barriers()
    row = most_touched(account)
    page.get_by_role("searchbox").fill(row.name)
    page.get_by_role("button", name="Search").click()
    page.locator(f'a[href="/opportunities/{row.id}/"]').click()  # names need not be unique
    sums_by_model = page.locator("tfoot .second-line")
    expect(sums_by_model).not_to_have_count(0)
    sums = sums_by_model.all_inner_texts()
    assert {int(text.replace(",", "").replace(".", "")) for text in sums} == {row.amount_cents}
    page.locator("summary").first.click()
    shot("opportunity")
    no_barriers()


def most_touched(account: Account) -> OpportunityRow:
    rows, _ = opportunities(account)
    return max((row for row in rows if row.is_won), key=lambda row: row.touches)


def look_on_a_phone(page: Page, account: Account, shot: Shot) -> None:
    width, height = PHONE
    page.set_viewport_size({"width": width, "height": height})
    paths = {
        "overview-done": "/",
        "revenue": "/revenue/",
        "opportunities": "/opportunities/",
        "opportunity": f"/opportunities/{most_touched(account).id}/",
        "credits": "/credits/",
        "jobs": "/jobs/",
    }
    for name, path in paths.items():
        page.goto(path)
        if name in ("revenue", "credits"):
            all_drawn(page)
        shot(f"phone-{name}")
        assert page.evaluate("document.documentElement.scrollWidth") == width, name


def test_work_pauses_by_itself_when_the_quota_is_used_up_and_says_so_once(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    connect(page)
    assert daily_limit(account) == 100_000
    Quota.of(account).update(daily_limit_calls=2)  # connecting took them
    run_here(sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.05)
    page.goto("/revenue/")
    banner = page.locator(".pause-banner")
    expect(banner).to_contain_text("The Daily CRM API Limit of 2 calls is used up.")
    expect(banner).to_contain_text("goes on by itself")
    shot("banner-quota-used-up")
    no_barriers()
    page.goto("/jobs/")
    expect(page.get_by_role("article")).to_contain_text("Everything read or written so far is kept")
    shot("jobs-waiting")
    no_barriers()
    page.get_by_role("button", name="Cancel job").click()
    expect(page.get_by_role("article")).to_contain_text("Cancelled")
    expect(banner).to_have_count(0)


def test_jobs_show_progress_and_reasons_and_follow_the_work(
    admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    tenant, now = str(account.pk), now_utc()
    blocked = run_here(sync_cycle.enqueue(tenant=tenant, account_id=account.pk), poll_seconds=0.05)
    assert blocked.state == State.BLOCKED
    running = Job.objects.create(
        tenant=tenant,
        task="pipeline.run",
        state=State.RUNNING,
        created_utc=now,
        started_utc=now - timedelta(minutes=2),
        progress_done=12_400,
        progress_total=50_000,
        progress_unit="records",
        progress_note="Contact",
        progress_from=0,
        progress_from_utc=now - timedelta(seconds=100),
        progress_utc=now,
        attempt=1,
    )
    log_in(admin)
    page.goto("/jobs/")
    article = page.get_by_role("article", name=f"Sync, attribution and export job {running.pk}")
    expect(article).to_contain_text("12,400 of 50,000 records · Contact · 124 records a second · 5 minutes left")
    expect(page.get_by_role("article", name=f"Sync job {blocked.pk}")).to_contain_text("Needs attention")
    shot("jobs-running")
    no_barriers()
    Job.objects.filter(pk=running.pk).update(progress_done=25_000)
    expect(article).to_contain_text("25,000 of 50,000")
    page.get_by_role("button", name=f"Cancel job {running.pk}").click()
    expect(article).to_contain_text("Stopping")


@pytest.mark.parametrize("dark", [True])
def test_the_work_is_as_readable_in_the_dark(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    load_history(org.production, records=RECORDS, seed=3)
    log_in(admin)
    connect(page)
    shot("dark-connections")
    no_barriers()
    page.get_by_role("button", name="Set Up New CRM Connection").click()
    page.get_by_role("button", name="Connect Salesforce").click()
    shot("dark-connections-environment")
    no_barriers()
    for task in (sync_cycle, attribute):
        job = task.enqueue(tenant=str(account.pk), account_id=account.pk)
        assert run_here(job, poll_seconds=0.05).state == State.DONE
    for path in ("/", "/revenue/", "/credits/", "/jobs/", f"/opportunities/{most_touched(account).id}/"):
        page.goto(path)
        if path in ("/revenue/", "/credits/"):
            all_drawn(page)
        shot(f"dark-{path.split('/')[1] or 'overview'}")
        no_barriers()
