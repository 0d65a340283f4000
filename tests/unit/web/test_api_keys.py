"""Settings > Security > API keys."""

import re

from django.test import Client

from headwater.accounts.api_keys import find_key, keys_of, make_key
from headwater.accounts.models import Account, Role
from headwater.accounts.services import create_account

PAGE = "/settings/security/api-keys/"
NEW = {"name": "Looker", "role": "standard", "days": "90"}


def test_a_key_is_shown_once_and_works(as_admin: Client, alder: Account) -> None:
    page = as_admin.post(PAGE + "make/", NEW)
    [text] = set(re.findall(r'data-copy="(hw_[\w-]+)"', page.content.decode()))
    assert page.headers["Cache-Control"] == "no-store"
    found = find_key(text)
    assert found is not None
    assert (found.account, found.role) == (alder, Role.STANDARD)
    assert text not in as_admin.get(PAGE).content.decode()
    answer = Client().get("/api/v1/account", headers={"Authorization": f"Bearer {text}"})
    assert answer.json()["name"] == alder.name


def test_a_revoked_key_is_gone_from_the_page(as_admin: Client, alder: Account) -> None:
    key, text = make_key(alder, name="Looker", role=Role.ADMIN, actor="x")
    as_admin.post(f"{PAGE}{key.pk}/revoke/")
    assert find_key(text) is None
    assert "There is no key" in as_admin.get(PAGE).content.decode()
    assert "api_keys.unknown" in as_admin.post(f"{PAGE}{key.pk}/revoke/", follow=True).content.decode()


def test_a_key_without_a_name_is_refused_beside_the_field(as_admin: Client, alder: Account) -> None:
    page = as_admin.post(PAGE + "make/", {**NEW, "name": ""})
    assert page.status_code == 409
    assert "This field is required." in page.content.decode()
    assert keys_of(alder).count() == 0


def test_a_standard_user_sees_keys_and_makes_none(as_standard: Client, alder: Account) -> None:
    key, _ = make_key(alder, name="Looker", role=Role.ADMIN, actor="x")
    page = as_standard.get(PAGE).content.decode()
    assert "Looker" in page
    assert "Make key" not in page
    assert as_standard.post(PAGE + "make/", NEW).status_code == 403
    assert as_standard.post(f"{PAGE}{key.pk}/revoke/").status_code == 403
    assert keys_of(alder).get() == key


def test_another_accounts_keys_are_not_shown_or_revoked(as_admin: Client) -> None:
    birch = create_account("Birch Telecom")
    key, text = make_key(birch, name="Birch nightly", role=Role.ADMIN, actor="x")
    assert "Birch nightly" not in as_admin.get(PAGE).content.decode()
    as_admin.post(f"{PAGE}{key.pk}/revoke/")
    assert find_key(text) is not None
