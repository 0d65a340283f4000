"""Settings > Salesforce package in a browser: look, read the plan, install with progress, take the files, read only."""

import pytest
from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.conftest import Shot
from e2e.test_connecting import Check, LogIn, connect
from headwater.accounts.models import Account, User
from headwater.connections.package import VERSION
from headwater.jobs.models import Job
from headwater.jobs.services import jobs_of, run_here
from orgsim.testing import RunningOrgsim

PAGE = "/settings/crm/package/"


@pytest.fixture(autouse=True)
def _ask_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headwater.connections.package.install.poll_delay_seconds", lambda _: 0.2)
    monkeypatch.setattr("headwater.connections.package.install.POLLS_IN_A_ROW", 300)


def job_of(account: Account) -> Job:
    return jobs_of(str(account.pk))[0]


def test_the_plan_is_read_before_the_package_is_installed_and_the_files_can_be_taken(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    connect(page)
    page.get_by_role("link", name="Salesforce package").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Salesforce package")
    expect(page.get_by_text("Not checked yet")).to_be_visible()
    shot("package-not-checked")
    no_barriers()

    page.get_by_role("button", name="Check (1 credit)").focus()
    page.keyboard.press("Enter")
    plan = page.get_by_role("region", name="What an installation changes")
    expect(plan.get_by_role("row", name="Buyer_Touchpoint__c.Lead__c")).to_contain_text("Lookup(Lead)")
    expect(plan.get_by_role("row", name="Headwater_Standard_User")).to_contain_text("new")
    expect(page.get_by_text("costs about 8 credits")).to_be_visible()
    shot("package-plan")
    no_barriers()

    page.get_by_role("button", name=f"Install version {VERSION}").focus()
    page.keyboard.press("Enter")
    status = page.get_by_role("status").filter(has_text="installation")
    expect(status).to_contain_text("Queued")
    shot("package-queued")
    no_barriers()
    run_here(job_of(account), poll_seconds=0.05)
    expect(page.get_by_text("Installed and up to date")).to_be_visible()  # without a reload
    expect(page.get_by_role("region", name="What is there")).to_contain_text("there already")
    page.reload()
    expect(page.get_by_role("region", name="History")).to_contain_text(f"version {VERSION}")
    shot("package-installed")
    no_barriers()

    for name in (f"headwater-package-{VERSION}.zip", f"headwater-uninstall-{VERSION}.zip", "README.md"):
        with page.expect_download() as arriving:
            page.get_by_role("link", name=name).click()
        assert arriving.value.suggested_filename == name


def test_a_refused_installation_says_why_in_the_orgs_words(
    org: RunningOrgsim, admin: User, account: Account, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    connect(page)
    org.revoke("CustomizeApplication", profile="System Administrator")
    page.goto(PAGE)
    page.get_by_role("button", name="Check (1 credit)").click()
    page.get_by_role("button", name=f"Install version {VERSION}").click()
    expect(page.get_by_role("button", name="Cancel job")).to_be_visible()
    run_here(job_of(account), poll_seconds=0.05)
    expect(page.get_by_text("a deployment requires a user with the CustomizeApplication permission")).to_be_visible()
    expect(page.get_by_role("button", name=f"Install version {VERSION}")).to_be_visible()  # to try again
    shot("package-refused")
    no_barriers()


def test_read_only_is_chosen_on_a_phone(
    org: RunningOrgsim, admin: User, page: Page, log_in: LogIn, shot: Shot, no_barriers: Check
) -> None:
    log_in(admin)
    connect(page)
    width, height = PHONE
    page.set_viewport_size({"width": width, "height": height})
    page.goto(PAGE)
    page.get_by_role("button", name="Check (1 credit)").click()
    expect(page.get_by_role("button", name=f"Install version {VERSION}")).to_be_visible()
    shot("phone-package-plan")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_label("Read only: never write to Salesforce").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Nothing is written to Salesforce from now on")
    expect(page.get_by_role("button", name=f"Install version {VERSION}")).to_have_count(0)
    expect(page.get_by_role("region", name="History")).to_contain_text("Write back → Read only")
    shot("phone-package-read-only")
    no_barriers()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.goto("/settings/connections/")
    expect(page.get_by_role("region", name="Salesforce package")).to_contain_text("Read only")
    no_barriers()
