"""Settings > Salesforce package over HTTP: who sees what, who may act, and that a visit asks the org nothing."""

import io
import zipfile

import pytest
from django.test import Client

from headwater.accounts.models import Account, AuditEvent
from headwater.common.clock import now_utc
from headwater.connections.models import PackageCheck
from headwater.connections.package import VERSION, is_read_only
from headwater.jobs.models import Job
from headwater.jobs.services import jobs_of
from unit.web.test_connections import connect

PAGE = "/settings/crm/package/"
ACTS = ["check/", "install/", "writing/"]


def text_of(browser: Client, path: str = PAGE) -> str:
    return browser.get(path).content.decode()


def keep_check(account: Account, **found: object) -> None:
    """As if the org had shown this."""
    row = connect(account)
    told = {
        "state": "not_installed",
        "version": None,
        "components": [["CustomObject", "Buyer_Touchpoint__c", "Object", "new", []]],
        "missing": ["Buyer_Touchpoint__c"],
        "left_alone": [],
        "is_ungranted": False,
    } | found
    names = ("kind", "name", "is_a", "change", "details")
    told["components"] = [dict(zip(names, each, strict=True)) for each in told["components"]]  # type: ignore[attr-defined]
    PackageCheck.of(account).create(
        account=account, org_id=row.org_id, user_id=row.user_id, checked_utc=now_utc(), found=told
    )


def test_without_an_org_the_page_leads_to_connections(as_standard: Client) -> None:
    page = text_of(as_standard)
    assert "No CRM is connected" in page
    assert 'href="/settings/connections/"' in page


def test_a_visit_asks_the_org_nothing_and_says_that_nobody_looked_yet(as_admin: Client, alder: Account) -> None:
    connect(alder, instance_url="http://127.0.0.1:1")
    page = text_of(as_admin)
    assert "Not checked yet" in page
    assert "Check (1 credit)" in page
    assert f"Install version {VERSION}" not in page


def test_the_button_stands_under_what_it_does_and_what_it_costs(as_admin: Client, alder: Account) -> None:
    keep_check(alder)
    page = text_of(as_admin)
    assert f"Install version {VERSION}" in page
    assert "about 8 credits" in page
    assert "1 of 1 component" in page


def test_a_standard_user_sees_all_and_is_told_who_can(as_standard: Client, alder: Account) -> None:
    keep_check(alder)
    page = text_of(as_standard)
    assert "Not installed" in page
    assert f"Install version {VERSION}" not in page
    assert "An Account Admin can install it" in page


def test_over_a_newer_package_there_is_no_button(as_admin: Client, alder: Account) -> None:
    keep_check(alder, state="newer", version=VERSION + 1, missing=[])
    page = text_of(as_admin)
    assert "Update this Headwater" in page
    assert 'action="/settings/crm/package/install/"' not in page


def test_what_is_not_headwaters_is_named_and_there_is_no_button(as_admin: Client, alder: Account) -> None:
    clash = ["CustomField", "Buyer_Touchpoint__c.Medium__c", "Text(255)", "another's", ["it is of type double there"]]
    keep_check(alder, state="clash", components=[clash])
    page = text_of(as_admin)
    assert "it is of type double there" in page
    assert 'action="/settings/crm/package/install/"' not in page


@pytest.mark.parametrize("act", ACTS)
def test_only_an_admin_acts(as_standard: Client, alder: Account, act: str) -> None:
    connect(alder)
    assert as_standard.post(PAGE + act, {"writing": "read_only"}).status_code == 403
    assert not is_read_only(alder)
    assert jobs_of(str(alder.pk)).count() == 0


@pytest.mark.parametrize("act", ACTS)
def test_no_act_hides_behind_a_link(as_admin: Client, act: str) -> None:
    assert as_admin.get(PAGE + act).status_code == 405


def test_the_package_cannot_be_checked_before_an_org_is_connected(as_admin: Client) -> None:
    assert "connections.not_connected" in as_admin.post(PAGE + "check/", follow=True).content.decode()


def test_read_only_is_chosen_kept_and_taken_back(as_admin: Client, alder: Account) -> None:
    keep_check(alder)
    page = as_admin.post(PAGE + "writing/", {"writing": "read_only"}, follow=True).content.decode()
    assert "Nothing is written to Salesforce from now on" in page
    assert f"Install version {VERSION}" not in page
    assert "connections.read_only" in as_admin.post(PAGE + "install/", follow=True).content.decode()
    assert Job.objects.count() == 0
    as_admin.post(PAGE + "writing/", {"writing": "write_back"})
    assert not is_read_only(alder)
    assert [each.after for each in AuditEvent.of(alder).order_by("pk")] == ["Read only", "Write back"]
    assert as_admin.post(PAGE + "writing/", {"writing": "maybe"}).status_code == 404


def test_an_installation_is_one_job_however_often_it_is_asked_for(as_admin: Client, alder: Account) -> None:
    keep_check(alder)
    for _ in range(2):
        as_admin.post(PAGE + "install/")
    [job] = jobs_of(str(alder.pk))
    assert job.task == "package.install"
    page = text_of(as_admin)
    assert f"Cancel job {job.pk}" in page
    assert f"Install version {VERSION}" not in page


def test_the_files_are_offered_and_nothing_else_is(as_standard: Client) -> None:
    page = text_of(as_standard)
    for name in (f"headwater-package-{VERSION}.zip", f"headwater-source-{VERSION}.zip", "README.md"):
        assert name in page
    answer = as_standard.get(f"{PAGE}files/headwater-package-{VERSION}.zip")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="headwater-package-{VERSION}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "package.xml" in archive.namelist()
    assert as_standard.get(f"{PAGE}files/secrets.json").status_code == 404
