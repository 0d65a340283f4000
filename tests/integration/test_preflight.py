"""The preflight against a real session: what is taken away is found, and giving exactly what it names mends it."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from headwater.accounts.models import Account
from headwater.cli.app import app
from headwater.connections.models import Connection, PreflightRun
from headwater.connections.package import PERMISSION_SET, VERSION
from headwater.connections.package.definition import VERSION_MARK
from headwater.connections.preflight import (
    INTEGRATION_SET,
    PRICE_CALLS,
    as_text,
    count_of,
    earlier_preflights,
    findings_of,
    latest_preflight,
    permission_set_zip,
)
from headwater.connections.preflight_rules import TO_INSTALL, TO_READ, Finding, Grant, Kind, Level, granted_as
from headwater.credits.services import today
from headwater.jobs.models import State
from headwater.jobs.services import run_here
from headwater.sync.objects import OBJECTS
from headwater.wiring import delete_connection, preflight, sync_cycle
from integration.conftest import ACTOR, connect, have_package
from orgsim.oauth.users import any_admin
from orgsim.server.access import assign, unassign
from orgsim.store.access import is_granted_object, permissionable
from orgsim.testing import SANDBOX_USERNAME, USERNAME, RunningOrgsim

LIMITED = "integration@acme.example"
PROFILE = "Read Only"  # reads the standard objects and their fields, and no more


def run(account: Account) -> PreflightRun:
    return preflight(account, actor=ACTOR)


def missing(account: Account) -> list[Finding]:
    return [finding for finding in findings_of(run(account)) if finding.level is not Level.FINE]


def fields_read(org: RunningOrgsim) -> list[str]:
    """Those that rights can be given on."""
    catalog = org.production.catalog()
    named = {
        f"{name}.{granted_as(field)}"
        for name, fields in OBJECTS.items()
        for field in fields
        if permissionable(catalog.get(name), granted_as(field))
    }
    return sorted(named)


def tick_marketing(org: RunningOrgsim, *, ticked: bool) -> None:
    user_id = next(iter(user_ids(org)))
    org.writer().update("User", user_id, {"UserPermissionsMarketingUser": ticked})


def user_ids(org: RunningOrgsim) -> list[str]:
    sql = 'SELECT "Id" FROM "User" WHERE "Username" = ?'
    return [row[0] for row in org.production.database.connect().execute(sql, (LIMITED,))]


def give(org: RunningOrgsim, grant: Grant) -> None:
    """What an administrator does who reads the finding, and no more."""
    match grant.kind:
        case Kind.SYSTEM:
            org.grant(grant.name, profile=PROFILE)
        case Kind.OBJECT | Kind.FIELD:
            org.grant(grant.name, "read", profile=PROFILE)
        case Kind.USER_BOX:
            org.writer().update("User", user_ids(org)[0], {grant.name: True})
        case Kind.ASSIGNMENT:
            assign(org.production, user=LIMITED, permission_set=grant.name)
        case _:
            pytest.fail(f"nobody can give {grant}")


def give_all(org: RunningOrgsim, findings: list[Finding]) -> None:
    for grant in dict.fromkeys(grant for finding in findings for grant in finding.grants):
        give(org, grant)


@pytest.fixture
def limited(org: RunningOrgsim, account: Account) -> Account:
    """Connected as a user who holds all that is needed and nothing besides; Headwater's objects are there."""
    connect(account)
    have_package(account)
    org.add_user(LIMITED, profile=PROFILE)
    for name in TO_READ:
        org.grant(name, profile=PROFILE)
    tick_marketing(org, ticked=True)
    assign(org.production, user=LIMITED, permission_set=PERMISSION_SET)
    connect(account, username=LIMITED)
    return account


TAKEN: list[tuple[str, Level, Callable[[RunningOrgsim], None]]] = [
    ("api_enabled", Level.MUST, lambda org: org.revoke("ApiEnabled", profile=PROFILE)),
    ("view_setup", Level.MUST, lambda org: org.revoke("ViewSetup", profile=PROFILE)),
    ("converted_leads", Level.MUST, lambda org: org.revoke("AllowViewEditConvertedLeads", profile=PROFILE)),
    ("view_all_data", Level.MUST, lambda org: org.revoke("ViewAllData", profile=PROFILE)),
    ("marketing_user", Level.SHOULD, lambda org: tick_marketing(org, ticked=False)),
    ("field_readable", Level.MUST, lambda org: org.revoke("Lead.Email", profile=PROFILE)),
    (
        "package",
        Level.WRITING,
        lambda org: unassign(org.production, user=LIMITED, permission_set=PERMISSION_SET),
    ),
]


def test_what_is_taken_away_is_found_and_giving_exactly_what_is_named_mends_it(
    org: RunningOrgsim, limited: Account
) -> None:
    before = today(limited).used_calls
    assert missing(limited) == []
    assert today(limited).used_calls - before == PRICE_CALLS
    for code, level, take_away in TAKEN:
        take_away(org)
        found = next(finding for finding in missing(limited) if finding.code == code)
        assert found.level is level
        assert found.cost
        assert found.where
        give_all(org, [found])
        assert missing(limited) == [], code


def test_an_object_that_is_hidden_is_named_with_those_that_follow_it(org: RunningOrgsim, limited: Account) -> None:
    org.revoke("ViewAllData", profile=PROFILE)
    granted = [name for name in OBJECTS if is_granted_object(org.production.catalog().get(name))]
    for name in granted:
        org.revoke(name, profile=PROFILE)
    found = [finding for finding in missing(limited) if finding.code == "object_readable"]
    assert {finding.sentence.split()[0] for finding in found} == set(OBJECTS) - {"User", "Task", "Event"}
    assert {grant.name for finding in found for grant in finding.grants} == set(granted)
    give_all(org, found)
    assert "object_readable" not in {finding.code for finding in missing(limited)}


def test_every_field_that_is_read_is_looked_at(org: RunningOrgsim, limited: Account) -> None:
    org.production.database.connect().execute('DELETE FROM "FieldPermissions"')
    org.production.access_changed()
    found = [finding for finding in missing(limited) if finding.code == "field_readable"]
    assert sorted(grant.name for finding in found for grant in finding.grants) == sorted(fields_read(org))


def test_view_all_records_does_instead_but_for_activities_and_what_is_hidden_is_never_fine(
    org: RunningOrgsim, limited: Account
) -> None:
    org.revoke("ViewAllData", profile=PROFILE)
    for name in ("Account", "Campaign", "Case", "Contact", "Lead", "Opportunity"):
        org.grant(name, "ViewAllRecords", profile=PROFILE)
    [found] = missing(limited)
    assert (found.code, found.level) == ("view_all_data", Level.SHOULD)
    org.revoke("ViewSetup", profile=PROFILE)
    levels = {finding.code: finding.level for finding in findings_of(run(limited))}
    assert {levels[code] for code in ("converted_leads", "view_all_data", "package")} == {Level.UNKNOWN}


def test_the_rights_to_install_are_asked_for_while_the_package_is_absent(org: RunningOrgsim, account: Account) -> None:
    org.add_user(LIMITED, profile=PROFILE)
    connect(account, username=LIMITED)
    found = {finding.code: finding for finding in missing(account)}
    assert found["package"].grants[0].kind is Kind.INSTALL
    assert [grant.name for grant in found["package_install"].grants] == list(TO_INSTALL)
    for grant in found["package_install"].grants:
        give(org, grant)
    assert "package_install" not in {finding.code for finding in missing(account)}
    have_package(account)
    assert "package" not in {finding.code for finding in missing(account)}


def test_an_older_package_is_told_by_its_version_and_updating_it_mends_it(
    org: RunningOrgsim, connected: Connection
) -> None:
    account = connected.account
    have_package(account)
    assert "package" not in {finding.code for finding in missing(account)}
    sql = 'SELECT "Id" FROM "PermissionSet" WHERE "Name" = ?'
    [(set_id,)] = org.production.database.connect().execute(sql, (PERMISSION_SET,))
    org.writer().update("PermissionSet", set_id, {"Description": f"{VERSION_MARK} {VERSION - 1}."})
    found = next(finding for finding in missing(account) if finding.code == "package")
    assert (found.level, [grant.kind for grant in found.grants]) == (Level.WRITING, [Kind.INSTALL])
    assert f"version {VERSION - 1} of the package" in found.sentence
    have_package(account)
    assert "package" not in {finding.code for finding in missing(account)}


def test_the_permission_set_grants_all_that_reading_needs(org: RunningOrgsim, account: Account) -> None:
    org.add_user(LIMITED)
    org.grant("ViewSetup")
    connect(account, username=LIMITED)
    for _ in range(2):  # what is hidden by its object is seen at the second look
        deploy(org, permission_set_zip(run(account)))
        if not assigned_sets(org):
            assign(org.production, user=LIMITED, permission_set=INTEGRATION_SET)
    assert [finding for finding in missing(account) if finding.level is Level.MUST] == []
    job = sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)
    assert run_here(job).state == State.DONE


def assigned_sets(org: RunningOrgsim) -> int:
    sql = 'SELECT count(*) FROM "PermissionSetAssignment" WHERE "AssigneeId" = ?'
    [(count,)] = org.production.database.connect().execute(sql, (user_ids(org)[0],))
    return int(count)


def deploy(org: RunningOrgsim, content: bytes) -> None:
    assert "package.xml" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    headers = {"Authorization": f"Bearer {org.access_token(user_id=any_admin(org.production))}"}
    answer = httpx2.post(
        f"{org.url}/services/data/v64.0/metadata/deployRequest",
        headers=headers,
        files={
            "json": (None, b'{"deployOptions": {"rollbackOnError": true}}', "application/json"),
            "file": ("deploy.zip", content, "application/zip"),
        },
    )
    assert answer.status_code == 201, answer.text
    address = f"{org.url}/services/data/v64.0/metadata/deployRequest/{answer.json()['id']}?includeDetails=true"
    result = {"done": False}
    while not result["done"]:
        reply = httpx2.get(address, headers=headers)
        result = reply.json()["deployResult"]
    assert result["success"], result


def test_a_look_is_kept_and_only_that_of_the_connected_user_is_shown(connected: Connection, org: RunningOrgsim) -> None:
    account = connected.account
    first = run(account)
    assert latest_preflight(account) == first
    assert first.ran_by == ACTOR
    org.add_user(LIMITED)
    connect(account, username=LIMITED)
    assert latest_preflight(account) is None
    second = run(account)
    assert latest_preflight(account) == second
    assert earlier_preflights(account) == [first]
    assert count_of(second, Level.MUST) > count_of(first, Level.MUST)
    text = as_text(second, connected.instance_url)
    assert "View Setup and Configuration (ViewSetup)" in text
    assert f"{connected.instance_url}/lightning/setup/PermSets/home" in text


def test_looks_go_with_the_connection(org: RunningOrgsim, account: Account) -> None:
    connect(account, "sandbox", SANDBOX_USERNAME)
    run(account)
    assert run_here(delete_connection(account, typed_name=account.name, actor=ACTOR)).state == State.DONE
    assert not PreflightRun.of(account).exists()
    connect(account, "production", USERNAME)
    assert latest_preflight(account) is None


def test_the_command_tells_the_same_and_ends_with_4_while_something_must_be_granted(
    org: RunningOrgsim, account: Account, tmp_path: Path
) -> None:
    org.add_user(LIMITED, profile=PROFILE)
    connect(account, username=LIMITED)
    text, permission_set = tmp_path / "missing.txt", tmp_path / "set.zip"
    told = CliRunner().invoke(app, ["preflight", "--text-to", str(text), "--permission-set-to", str(permission_set)])
    assert told.exit_code == 4
    assert "View All Data (ViewAllData)" in text.read_text()
    assert f"permissionsets/{INTEGRATION_SET}.permissionset" in zipfile.ZipFile(permission_set).namelist()
    give_all(org, [finding for finding in missing(account) if finding.level is Level.MUST])
    mended = CliRunner().invoke(app, ["preflight", "--json"])
    assert mended.exit_code == 0
    levels = {finding["level"] for finding in orjson.loads(mended.stdout)["findings"]}
    assert levels == {Level.SHOULD, Level.WRITING, Level.FINE}
