"""Secrets are sealed at rest, for one account, and outlive a change of keys."""

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from pytest_django import Settings

from headwater.accounts.crypt import SEALED_COLUMNS, seal, seal_text, unseal, unseal_text
from headwater.common.errors import Fix

SECRET = {"access_token": "00Dxx!token", "refresh_token": "5Aep"}


def test_a_sealed_secret_opens_for_its_account_only() -> None:
    sealed = seal(1, SECRET)
    assert "token" not in sealed
    assert unseal(1, sealed) == SECRET
    with pytest.raises(Fix, match="cannot be opened"):
        unseal(2, sealed)


def test_a_new_key_goes_first_and_the_old_one_still_opens(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [old]
    sealed = seal(1, SECRET)
    settings.ENCRYPTION_KEYS = [new, old]
    assert unseal(1, sealed) == SECRET
    settings.ENCRYPTION_KEYS = [new]
    with pytest.raises(Fix) as refused:
        unseal(1, sealed)
    assert refused.value.code == "accounts.unopenable_secret"


def test_a_persons_secret_is_sealed_without_an_account(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    sealed = seal_text("JBSWY3DPEHPK3PXP")
    assert "JBSW" not in sealed
    assert unseal_text(sealed) == "JBSWY3DPEHPK3PXP"
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(Fix, match="cannot be opened"):
        unseal_text(sealed)


def test_every_listed_sealed_column_is_a_column() -> None:
    for sealed in SEALED_COLUMNS:
        assert apps.get_model(sealed.model)._meta.get_field(sealed.column).column == sealed.column


def test_every_column_named_sealed_is_listed() -> None:
    named = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.name.startswith("sealed_")
    }
    assert named <= {(sealed.model, sealed.column) for sealed in SEALED_COLUMNS}
