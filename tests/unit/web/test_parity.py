"""Settings > Connections > Parity over HTTP: who sees what, who may look, and that other accounts stay unseen."""

from typing import Any

import orjson
import pytest
from django.test import Client

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import now_utc
from headwater.connections.models import OrgSnapshot, Status
from unit.web.test_connections import connect

PAGE = "/settings/connections/parity/"


def taken(account: Account, kind: str, **triggers: Any) -> OrgSnapshot:
    stamp = {
        "object": "Lead",
        "events": ["BeforeUpdate"],
        "apiVersion": 60,
        "isValid": True,
        "lengthWithoutComments": 9,
    }
    return OrgSnapshot.of(account).create(
        account=account,
        org_id=f"00D0000000000{kind[0].upper()}1EA",
        org_name="Alder",
        org_kind=kind,
        username="integration@alderfinch.example",
        taken_utc=now_utc(),
        taken_by="alice@alderfinch.example",
        content={
            "objects": {},
            "triggers": {name: stamp | {"object": sobject} for name, sobject in triggers.items()},
            "flows": {},
            "validation_rules": {},
        },
        spent_calls=2,
    )


@pytest.fixture
def pair(alder: Account) -> tuple[OrgSnapshot, OrgSnapshot]:
    return taken(alder, "sandbox"), taken(alder, "production", Stamp="Lead")


def test_members_read_the_report_and_only_admins_may_look(as_standard: Client, alder: Account) -> None:
    connect(alder)
    taken(alder, "sandbox")
    taken(alder, "production", Stamp="Lead")
    page = as_standard.get(PAGE).content.decode()
    assert "The Apex trigger Stamp on Lead is active in the production org, not in the sandbox org." in page
    assert "Take a snapshot" not in page
    assert as_standard.post(f"{PAGE}take/").status_code == 403


@pytest.mark.parametrize("status", [Status.DISCONNECTED, Status.AUTHORIZATION_REQUIRED, Status.DELETING])
def test_an_org_without_a_log_in_is_not_offered_to_be_looked_at(
    as_admin: Client, alder: Account, status: Status
) -> None:
    connect(alder, status=status)
    page = as_admin.get(PAGE).content.decode()
    assert "Take a snapshot" not in page
    assert "once Headwater has a log-in to it again" in page


def test_looking_without_a_connection_is_refused_with_the_way_out(as_admin: Client) -> None:
    page = as_admin.post(f"{PAGE}take/", follow=True).content.decode()
    assert "This account is not connected to a Salesforce org." in page
    assert "Connect a sandbox first" in page


def test_another_accounts_snapshots_do_not_exist(as_admin: Client, pair: tuple[OrgSnapshot, OrgSnapshot]) -> None:
    theirs = taken(create_account("Other"), "sandbox")
    assert as_admin.get(f"{PAGE}{theirs.pk}.json").status_code == 404
    assert as_admin.get(PAGE, {"before": theirs.pk}).status_code == 404
    assert as_admin.get(f"{PAGE}report.csv", {"after": theirs.pk}).status_code == 404
    assert as_admin.get(f"{PAGE}{pair[0].pk}.json").status_code == 200


@pytest.mark.parametrize("address", [f"{PAGE}report.xlsx", f"{PAGE}?before=first", f"{PAGE}?after=999"])
def test_what_is_not_there_is_not_found(as_admin: Client, pair: tuple[OrgSnapshot, OrgSnapshot], address: str) -> None:
    assert as_admin.get(address).status_code == 404


def test_a_report_needs_two_snapshots(as_admin: Client, alder: Account) -> None:
    taken(alder, "sandbox")
    assert as_admin.get(f"{PAGE}report.json").status_code == 404


def test_the_file_keeps_the_filters_and_names_the_orgs(as_admin: Client, pair: tuple[OrgSnapshot, OrgSnapshot]) -> None:
    before, after = pair
    answer = as_admin.get(f"{PAGE}report.json", {"sobject": "Case"})
    told = orjson.loads(answer.content)
    assert (told["counts"]["matters"], told["differences"]) == (1, [])
    assert answer["Content-Disposition"] == f'attachment; filename="parity-{before.org_id}-{after.org_id}.json"'
    rows = as_admin.get(f"{PAGE}report.csv").content.decode().splitlines()
    assert rows[0].startswith("level,kind,sobject,name,attribute,before,after,sentence,effect,you_can")
    assert rows[1].startswith("matters,trigger,Lead,Stamp,,no,yes,")


def test_two_ways_round_compare_the_other_way(as_admin: Client, pair: tuple[OrgSnapshot, OrgSnapshot]) -> None:
    before, after = pair
    told = orjson.loads(as_admin.get(f"{PAGE}report.json", {"before": after.pk, "after": before.pk}).content)
    [only] = told["differences"]
    assert (only["before"], only["after"], told["before"]["org_kind"]) == ("yes", "no", "production")
