"""Headwater's package in the org: what a check shows, what an installation changes, and what it never does."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import orjson
import pytest

from headwater.accounts.models import Account
from headwater.accounts.services import events_of
from headwater.common.errors import Fix
from headwater.connections.models import Connection
from headwater.connections.package import (
    CHOOSING,
    INSTALLING,
    PERMISSION_SET,
    VERSION,
    Change,
    PackageState,
    choose_read_only,
    files,
    installed,
    last_check,
    price_of,
)
from headwater.connections.package.files import all_names
from headwater.credits.models import Entry
from headwater.credits.services import today
from headwater.jobs.models import Job, State
from headwater.jobs.progress import Progress
from headwater.jobs.services import cancel, job_view, retry, run_here
from headwater.wiring import install_package
from integration.conftest import ACTOR, connect, have_package, log_in, result_of
from integration.orgsim.deploying import XMLNS, deploy_only, field
from orgsim.testing import RunningOrgsim

BT = "Buyer_Touchpoint__c"
NUMBERED = "<nameField><type>AutoNumber</type><label>Name</label><displayFormat>X-{0}</displayFormat></nameField>"
LABELS = "<label>Buyer Touchpoint</label><pluralLabel>Buyer Touchpoints</pluralLabel>"
By = Callable[..., dict[str, Any]]


@pytest.fixture
def account(transactional_db: None, org: RunningOrgsim) -> Account:
    from headwater.accounts.services import create_account

    made = create_account("Acme")
    connect(made)
    return made


@pytest.fixture
def by_hand(org: RunningOrgsim) -> Iterator[By]:
    """Deploys as somebody else would: with a client of their own, granting nothing."""
    headers = {"Authorization": f"Bearer {org.access_token()}"}
    with httpx2.Client(base_url=f"{org.url}/services/data/v64.0", headers=headers) as client:

        def finished(path: str) -> dict[str, Any]:
            while not (answer := client.get(path).json())["deployResult"]["done"]:
                time.sleep(0.02)
            return dict(answer)

        yield lambda contents: deploy_only(client, finished, contents)


def deployments(org: RunningOrgsim) -> list[dict[str, Any]]:
    rows = org.production.database.connect().execute("SELECT plain FROM _deploy ORDER BY rowid").fetchall()
    return [orjson.loads(row[0]) for row in rows]


def install(account: Account) -> Job:
    return run_here(install_package(account, actor=ACTOR), poll_seconds=0.05)


def version_1() -> dict[str, str]:
    """What was installed before there was a mark of the version: the objects and one permission set."""
    made = files()
    one = made[f"permissionsets/{PERMISSION_SET}.permissionset"].decode()
    start, end = one.index("    <description>"), one.index("</description>") + len("</description>\n")
    objects = {path: content.decode() for path, content in made.items() if path.startswith("objects/")}
    return {**objects, f"permissionsets/{PERMISSION_SET}.permissionset": one[:start] + one[end:]}


def test_what_a_check_shows_is_what_an_installation_creates(org: RunningOrgsim, account: Account) -> None:
    before = installed(account)
    assert (before.state, before.version) == (PackageState.NOT_INSTALLED, None)
    assert sorted(each.name for each in before.to_deploy) == sorted(all_names())
    assert {each.change for each in before.components} == {Change.NEW}
    assert deployments(org) == []

    job = install(account)
    result = result_of(job)
    assert sorted(result["created"]) == sorted(each.name for each in before.to_deploy)
    assert (result["changed"], result["assigned"], result["state"]) == ([], True, "current")
    after = last_check(account)
    assert after is not None
    assert (after.comparison.version, after.comparison.missing) == (VERSION, ())
    assert {each.change for each in after.comparison.components} == {Change.THERE}
    spent = Counter(Entry.of(account).filter(job_id=str(job.pk)).values_list("call_kind", flat=True))
    assert spent.pop("deploy") >= 2  # one to send, the others as long as the org took
    priced = [each for each in price_of(before) if each.kind != "deploy"]
    assert spent == Counter({kind: sum(each.calls for each in priced if each.kind == kind) for kind in spent})
    assert set(spent) == {each.kind for each in priced}
    assert today(account).used_calls == org.production.usage.used_calls()
    again = have_package(account)
    assert (again["created"], again["changed"], again["assigned"], len(deployments(org))) == ([], [], False, 1)
    [event] = events_of(account, INSTALLING)
    assert event.after == f"version {VERSION}: {len(all_names())} created, 0 changed"


def test_an_update_sends_only_what_is_new(org: RunningOrgsim, account: Account, by_hand: By) -> None:
    assert by_hand(version_1())["status"] == "Succeeded"
    found = installed(account)
    assert (found.state, found.version) == (PackageState.OLDER, 1)
    sets = {
        PERMISSION_SET: Change.CHANGED,
        "Headwater_Marketing_User": Change.NEW,
        "Headwater_Standard_User": Change.NEW,
    }
    assert {each.name: each.change for each in found.to_deploy} == sets
    # What its own set grants is there, though the connected user does not have the set and sees none of it.
    assert {each.change for each in found.components if each.kind == "CustomField"} == {Change.HIDDEN}

    result = have_package(account)
    assert sorted(result["created"]) == ["Headwater_Marketing_User", "Headwater_Standard_User"]
    assert (result["changed"], result["state"]) == ([PERMISSION_SET], "current")
    assert deployments(org)[-1]["numberComponentsTotal"] == 3


def test_a_newer_package_is_never_deployed_over_and_who_may_not_look_at_setup_cannot_tell(
    org: RunningOrgsim, account: Account
) -> None:
    have_package(account)
    [row] = (
        org.production.database.connect()
        .execute('SELECT "Id" FROM "PermissionSet" WHERE "Name" = ?', (PERMISSION_SET,))
        .fetchall()
    )
    org.writer().update("PermissionSet", row[0], {"Description": f"Headwater package version {VERSION + 1}."})
    found = installed(account)
    assert (found.state, found.version, found.to_deploy) == (PackageState.NEWER, VERSION + 1, ())
    assert found.is_complete  # and it can be written to
    job = install(account)
    assert (job.state, job.reason_code) == (State.BLOCKED, "connections.package_newer")
    assert len(deployments(org)) == 1

    org.add_user("reader@acme.example")
    org.grant("ViewAllData", profile="Integration")
    log_in(account, username="reader@acme.example")
    assert last_check(account) is None  # another user has not been asked yet
    found = installed(account)
    assert {each.change for each in found.components if each.kind == "PermissionSet"} == {Change.UNSEEN}
    assert not found.is_complete


def test_what_somebody_took_out_is_put_back_and_fields_of_others_are_left_alone(
    org: RunningOrgsim, account: Account, by_hand: By
) -> None:
    have_package(account)
    [row] = (
        org.production.database.connect()
        .execute('SELECT "Id" FROM "PermissionSet" WHERE "Name" = \'Headwater_Standard_User\'')
        .fetchall()
    )
    org.writer().delete("PermissionSet", row[0])
    shorter = field("Medium__c", "Text", length=100).replace("<label>Medium__c", "<label>Medium")
    others = field("Their_Note__c", "Text", length=20)
    assert by_hand({f"objects/{BT}.object": f"<CustomObject {XMLNS}>{shorter}{others}</CustomObject>"})["success"]
    org.grant(f"{BT}.Their_Note__c", "read", profile="System Administrator")

    found = installed(account)
    assert found.state is PackageState.DAMAGED
    assert {each.name: (each.change, each.details) for each in found.to_deploy} == {
        f"{BT}.Medium__c": (Change.CHANGED, ("length 100 → 255",)),
        "Headwater_Standard_User": (Change.NEW, ()),
    }
    assert found.left_alone == (f"{BT}.Their_Note__c",)
    assert have_package(account)["state"] == "current"
    assert deployments(org)[-1]["numberComponentsTotal"] == 3  # the object's file carries its one field


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<nameField><type>Text</type><label>Name</label></nameField>", "Name is text"),
        (NUMBERED, "no permission set of Headwater grants it"),
    ],
)
def test_an_object_of_the_same_name_is_left_to_its_owner(
    org: RunningOrgsim, account: Account, by_hand: By, body: str, reason: str
) -> None:
    made = by_hand({f"objects/{BT}.object": f"<CustomObject {XMLNS}>{LABELS}{body}</CustomObject>"})
    assert made["status"] == "Succeeded"
    found = installed(account)
    assert (found.state, found.to_deploy, price_of(found)) == (PackageState.CLASH, (), ())
    job = install(account)
    assert (job.state, job.reason_code) == (State.BLOCKED, "connections.package_name_taken")
    assert reason in job_view(job).facts.why
    assert len(deployments(org)) == 1  # theirs


def test_what_the_org_refuses_is_told_in_its_own_words_and_a_retry_sends_anew(
    org: RunningOrgsim, account: Account, by_hand: By
) -> None:
    """A hidden field of our name and another type: only the org knows of it."""
    key = field("UniqueId__c", "Text", length=120, externalId="true", unique="true")
    body = f"{LABELS}{NUMBERED}{key}{field('Medium__c', 'Number', precision=5, scale=0)}"
    by_hand({f"objects/{BT}.object": f"<CustomObject {XMLNS}>{body}</CustomObject>"})
    org.grant(f"{BT}.UniqueId__c", "read", "edit", profile="System Administrator")
    job = install(account)
    assert (job.state, job.reason_code) == (State.BLOCKED, "connections.package_refused")
    assert f"{BT}.Medium__c: Cannot change the type" in job_view(job).facts.why
    assert installed(account).version is None  # rolled back: the permission sets are not there
    assert len(deployments(org)) == 2
    job = run_here(retry(job), poll_seconds=0.05)
    assert (job.state, job.reason_code) == (State.BLOCKED, "connections.package_refused")
    assert len(deployments(org)) == 3


def test_without_the_right_to_deploy_nothing_is_sent(org: RunningOrgsim, account: Account) -> None:
    org.revoke("CustomizeApplication", profile="System Administrator")
    job = install(account)
    assert (job.state, job.reason_code) == (State.BLOCKED, "salesforce.refused")
    assert "CustomizeApplication" in job_view(job).facts.why
    assert deployments(org) == []


def test_a_cancelled_installation_is_cancelled_in_the_org(org: RunningOrgsim, account: Account) -> None:
    org.production.set("deploy_delay_seconds", 4.0)
    job = install_package(account, actor=ACTOR)

    def give_up(_: Progress) -> None:  # once the org was asked how far it is
        cancel(Job.objects.get(pk=job.pk))

    job = run_here(job, give_up, poll_seconds=0.05)
    assert job.state == State.CANCELLED
    while not deployments(org)[0]["done"]:
        time.sleep(0.05)
    assert deployments(org)[0]["status"] == "Canceled"
    assert installed(account).state is PackageState.NOT_INSTALLED


def test_a_read_only_account_installs_nothing_and_keeps_who_chose_it(org: RunningOrgsim, account: Account) -> None:
    assert choose_read_only(account, read_only=True, actor=ACTOR)
    assert not choose_read_only(account, read_only=True, actor=ACTOR)
    with pytest.raises(Fix) as refused:
        install_package(account, actor=ACTOR)
    assert refused.value.code == "connections.read_only"
    assert deployments(org) == []
    choose_read_only(account, read_only=False, actor="bob@example.com")
    told = [(each.actor, each.before, each.after) for each in events_of(account, CHOOSING)]
    assert told == [("bob@example.com", "Read only", "Write back"), (ACTOR, "Write back", "Read only")]
    assert install_package(account, actor=ACTOR).state == State.QUEUED


def test_a_test_orgs_check_goes_with_its_connection(org: RunningOrgsim, connected: Connection) -> None:
    installed(connected.account)
    assert last_check(connected.account) is not None
    Connection.of(connected.account).update(org_id="00D000000000000AAA")
    assert last_check(connected.account) is None
