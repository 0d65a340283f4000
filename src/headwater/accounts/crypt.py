"""Seals secrets for the database and opens them again.

An account's number is inside its sealed text, so that a row copied to another account cannot be opened there; a
person's secret (seal_text) belongs to no account. The newest key seals; every listed key opens. SEALED_COLUMNS lists
where sealed text stands, so that a new key reaches all of it (keys.py).
"""

from dataclasses import dataclass

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from headwater.common.errors import Facts, Fix
from headwater.common.secrets_file import read_secrets


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """`model` as "app.Model"; `keys` are the sealed values inside a JSON column, empty where all of it is sealed."""

    model: str
    column: str
    keys: tuple[str, ...] = ()


SEALED_COLUMNS = (
    SealedColumn("connections.Authorization", "sealed_verifier"),
    SealedColumn("connections.ClientApp", "sealed_secrets"),
    SealedColumn("connections.Connection", "sealed_tokens"),
    SealedColumn("signin.SingleSignOn", "sealed_secret"),
    SealedColumn("mfa.Authenticator", "data", ("secret", "seed")),  # authenticator app; recovery codes
)


def encryption_keys() -> list[str]:
    """Those of the environment, else those of secrets.json as it stands now: they may be rotated at any time."""
    return settings.ENCRYPTION_KEYS or read_secrets(settings.SECRETS_FILE).encryption_keys


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in encryption_keys()])


def seal(account_id: int, secret: dict[str, str]) -> str:
    return _fernet().encrypt(orjson.dumps({"account": account_id, "secret": secret})).decode()


def unseal(account_id: int, sealed: str) -> dict[str, str]:
    """Raises Fix where no key opens the text or it was sealed for another account."""
    try:
        opened = orjson.loads(_fernet().decrypt(sealed.encode()))
    except InvalidToken as error:
        raise _unopenable("None of the configured encryption keys opens it.") from error
    if opened["account"] != account_id:
        raise _unopenable("It was sealed for another account.")
    secret: dict[str, str] = opened["secret"]
    return secret


def seal_text(text: str) -> str:
    return _fernet().encrypt(text.encode()).decode()


def unseal_text(sealed: str) -> str:
    """Raises Fix where no key opens the text."""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise _unopenable("None of the configured encryption keys opens it.") from error


def _unopenable(why: str) -> Fix:
    return Fix(
        "accounts.unopenable_secret",
        "A stored secret cannot be opened.",
        Facts(why=why, left="It stays as it is.", you_can="restore HEADWATER_ENCRYPTION_KEYS, or authorise again"),
    )
