"""Seals secrets for the database and opens them again.

The account's number is inside the sealed text, so that a row copied to another account cannot be opened there.
The newest key seals; every listed key opens (settings ENCRYPTION_KEYS).
"""

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from headwater.common.errors import Facts, Fix


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])


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


def _unopenable(why: str) -> Fix:
    return Fix(
        "connections.unopenable_secret",
        "A stored secret cannot be opened.",
        Facts(why=why, left="It stays as it is.", you_can="restore HEADWATER_ENCRYPTION_KEYS, or authorise again"),
    )
