"""`headwater people`, `headwater accounts` and who becomes an operator: what they print and what they change."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from pytest_django import Settings
from typer.testing import CliRunner, Result

from headwater.accounts.invitations import accept_as_new, open_invitation, pending_of
from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import accounts_of, add_member, create_account, create_user, events_of, role_of
from headwater.cli.app import app
from headwater.common.errors import Fix

pytestmark = pytest.mark.django_db
PASSWORD = "three quiet rivers"
DORA = "dora@alderfinch.example"
Command = Callable[..., Any]


@pytest.fixture
def alder() -> Account:
    account = create_account("Alder & Finch")
    add_member(account, create_user("alice@alderfinch.example", PASSWORD, "Alice Larsson"), Role.ADMIN)
    return account


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(app, arguments)
    if isinstance(done.exception, Fix):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done


def told(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_an_invitation_by_command_is_mailed_and_listed(alder: Account) -> None:
    invited = told("people", "invite", DORA, "--role", "admin")
    assert (invited["email"], invited["role"], invited["mail"]) == (DORA, "admin", "mailed")
    assert "link" not in invited
    assert [written.to for written in mail.outbox] == [[DORA]]
    listed = told("people", "list")
    assert [(one["email"], one["role"]) for one in listed["members"]] == [("alice@alderfinch.example", "admin")]
    assert [(one["email"], one["is_expired"]) for one in listed["invitations"]] == [(DORA, False)]
    assert DORA in run("people", "list").stdout
    assert events_of(alder)[0].actor.endswith("(command line)")


def test_without_a_mail_server_the_link_is_printed_and_works(alder: Account, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "headwater.accounts.mail.LogEmailBackend"
    link = told("people", "invite", DORA)["link"]
    user = accept_as_new(link.rstrip("/").rpartition("/")[2], name="Dora", password=PASSWORD)
    assert role_of(user, alder) is Role.STANDARD
    assert "/invitation/" in run("people", "invite", "eve@alderfinch.example").stdout


def test_an_invitation_is_sent_again_and_withdrawn(alder: Account) -> None:
    run("people", "invite", DORA)
    run("people", "send-again", DORA)
    assert len(mail.outbox) == 2
    assert told("people", "withdraw", DORA) == {"withdrawn": DORA}
    assert not pending_of(alder)
    with pytest.raises(Fix) as refused:
        run("people", "withdraw", DORA)
    assert refused.value.code == "accounts.not_invited"


def test_roles_and_removals(alder: Account) -> None:
    dora = create_user(DORA, PASSWORD)
    add_member(alder, dora, Role.STANDARD)
    assert told("people", "role", DORA, "admin") == {"email": DORA, "role": "admin"}
    assert role_of(dora, alder) is Role.ADMIN
    assert told("people", "remove", DORA) == {"removed": DORA}
    assert role_of(dora, alder) is None
    with pytest.raises(Fix, match="last Account Admin"):
        run("people", "remove", "alice@alderfinch.example")
    with pytest.raises(Fix, match="not a member"):
        run("people", "role", DORA, "admin")


def test_accounts_are_made_listed_closed_and_opened_again(alder: Account) -> None:
    made = told("accounts", "create", "Birch Telecom", "--admin", "bob@birch.example")
    assert (made["account"], made["role"]) == ("birch-telecom", "admin")
    assert told("accounts", "close", "alder-finch") == {"account": "alder-finch", "is_closed": True}
    assert not accounts_of(User.objects.get(email="alice@alderfinch.example"))
    listed = told("accounts", "list")["accounts"]
    assert [(one["account"], one["is_closed"], one["people"]) for one in listed] == [
        ("alder-finch", True, 1),
        ("birch-telecom", False, 0),
    ]
    assert listed[0]["limit_calls"] == 100_000
    assert "Not connected" in run("accounts", "list").stdout
    assert told("accounts", "reopen", "alder-finch")["is_closed"] is False


def test_setup_makes_the_first_operator_and_no_second_one() -> None:
    first = told("setup", "--account", "Alder & Finch", "--email", "olga@headwater.example")
    second = told("setup", "--account", "Birch Telecom", "--email", "bob@birch.example")
    assert (first["is_operator"], second["is_operator"]) == (True, False)
    assert told("accounts", "operator", "bob@birch.example") == {"email": "bob@birch.example", "is_operator": True}
    assert told("accounts", "operator", "bob@birch.example", "--take-away")["is_operator"] is False


def test_a_link_that_was_mailed_is_the_one_that_opens(alder: Account) -> None:
    run("people", "invite", DORA)
    link = next(line for line in mail.outbox[0].body.splitlines() if line.startswith("http"))
    assert open_invitation(link.rstrip("/").rpartition("/")[2]).email == DORA
