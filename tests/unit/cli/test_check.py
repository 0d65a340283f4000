"""`headwater check` on accounts that are not connected yet."""

import json

import pytest
from pytest_django import Settings
from typer.testing import CliRunner

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.cli.app import app
from headwater.connections.client_apps import Wish, keep
from headwater.connections.models import LogIn

KEY = "walk-key"


@pytest.fixture
def alder(db: None, settings: Settings) -> Account:
    settings.SALESFORCE_CLIENT_ID = ""
    return create_account("Alder & Finch")


def found() -> list[str]:
    done = CliRunner().invoke(app, ["check", "--json"])
    assert done.exit_code == 0, done.output
    return [finding["code"] for finding in json.loads(done.stdout)["findings"]]


def test_an_account_without_an_app_cannot_be_connected(alder: Account) -> None:
    assert found() == ["connections.W001", "connections.W002"]


def test_an_app_of_its_own_will_do(alder: Account) -> None:
    wish = Wish(KEY, "a secret", LogIn.BROWSER, "https://login.salesforce.com")
    keep(alder, wish, actor="alice@alderfinch.example")
    assert found() == ["connections.W002"]


def test_the_installations_app_will_do(alder: Account, settings: Settings) -> None:
    settings.SALESFORCE_CLIENT_ID = KEY
    assert found() == ["connections.W002"]
