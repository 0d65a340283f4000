"""Settings > CRM > Schedule: how often the org is read, chosen in a browser, with the keyboard too."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from e2e.conftest import Shot
from headwater.accounts.models import Account, User
from headwater.common.clock import now_utc
from headwater.connections.models import Connection, Status
from headwater.sync.formulas import formulas_every_days
from headwater.sync.models import DescribedObject, ReplicaTable
from headwater.sync.schedule import chosen_minutes

PAGE = "/settings/crm/schedule/"


def test_an_admin_chooses_how_often_and_sees_what_it_costs(
    admin: User,
    account: Account,
    page: Page,
    log_in: Callable[[User], None],
    shot: Shot,
    no_barriers: Callable[[], None],
) -> None:
    Connection.of(account).create(
        account=account,
        status=Status.CONNECTED,
        org_id="00D000000000001EAA",
        org_kind="production",
        connected_utc=now_utc(),
    )
    columns = [["Id", "VARCHAR"], ["SystemModstamp", "TIMESTAMP"], ["IsDeleted", "BOOLEAN"]]
    ReplicaTable.of(account).create(account=account, sobject="Contact", columns=columns, read_from_utc=now_utc())
    log_in(admin)
    page.goto("/settings/")
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Schedule").click()
    expect(page.get_by_role("radio", name="Every 15 minutes")).to_be_checked()
    expect(page.get_by_text("97 credits a day while nothing changes")).to_be_visible()
    shot("schedule")
    no_barriers()
    page.get_by_role("radio", name="Every 15 minutes").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="Every 30 minutes")).to_be_checked()
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.get_by_text("The org is read every 30 minutes.")).to_be_visible()
    expect(page.get_by_role("cell", name="every 30 minutes")).to_be_visible()
    page.get_by_role("radio", name="Only when started by hand").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("none: it is off")).to_be_visible()
    assert chosen_minutes(account) is None


def test_an_admin_chooses_how_often_formulas_are_read_anew(
    admin: User,
    account: Account,
    page: Page,
    log_in: Callable[[User], None],
    shot: Shot,
    no_barriers: Callable[[], None],
) -> None:
    columns = [["Id", "VARCHAR"], ["SystemModstamp", "TIMESTAMP"], ["IsDeleted", "BOOLEAN"], ["Staff__c", "DOUBLE"]]
    ReplicaTable.of(account).create(
        account=account,
        sobject="Contact",
        columns=columns,
        kinds={"Staff__c": "double formula"},
        read_from_utc=now_utc(),
    )
    DescribedObject.of(account).create(account=account, sobject="Contact", fields={"Id": ["id", False, "Id"]})
    log_in(admin)
    page.goto(PAGE)
    expect(page.get_by_text("That costs 1 credit each time, for Contact.Staff__c.")).to_be_visible()
    expect(page.get_by_role("radio", name="Once a day 1 credit a day")).to_be_checked()
    shot("schedule_formulas")
    no_barriers()
    page.get_by_role("radio", name="Once a week").check()
    page.get_by_role("button", name="Save formulas").click()
    expect(page.get_by_text("Formulas are read anew once a week.")).to_be_visible()
    expect(page.get_by_role("cell", name="once a week")).to_be_visible()
    page.get_by_role("radio", name="Never").check()
    page.get_by_role("button", name="Save formulas").click()
    expect(page.get_by_text("Formulas are never read anew.")).to_be_visible()
    assert formulas_every_days(account) is None


def test_a_standard_user_sees_it_and_changes_nothing(
    standard_user: User, page: Page, log_in: Callable[[User], None]
) -> None:
    log_in(standard_user)
    page.goto(PAGE)
    expect(page.get_by_text("The org is read every 15 minutes. An Account Admin can change it.")).to_be_visible()
    expect(page.get_by_role("radio")).to_have_count(0)
    expect(page.get_by_text("Formulas are read anew once a day. An Account Admin can change it.")).to_be_visible()
    expect(page.get_by_role("button", name="Read now")).to_have_count(0)
