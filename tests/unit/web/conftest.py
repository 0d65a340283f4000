"""People before the pages: Alice, who may log in; her account; and a browser that is hers."""

import pytest
from django.test import Client
from pytest_django import Settings

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account, create_user

PASSWORD = "three quiet rivers"


@pytest.fixture
def alder(db: None) -> Account:
    return create_account("Alder & Finch")


@pytest.fixture
def alice(db: None) -> User:
    return create_user("alice@alderfinch.example", PASSWORD, "Alice Larsson")


@pytest.fixture
def browser(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def as_admin(browser: Client, alice: User, alder: Account) -> Client:
    add_member(alder, alice, Role.ADMIN)
    return browser


@pytest.fixture
def as_standard(browser: Client, alice: User, alder: Account) -> Client:
    add_member(alder, alice, Role.STANDARD)
    return browser


@pytest.fixture(autouse=True)
def _address(settings: Settings) -> None:
    settings.BASE_URL = "http://testserver"
