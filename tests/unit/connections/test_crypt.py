"""Secrets are sealed at rest, for one account, and outlive a change of keys."""

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from headwater.common.errors import Fix
from headwater.connections.crypt import seal, unseal

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
    assert refused.value.code == "connections.unopenable_secret"
