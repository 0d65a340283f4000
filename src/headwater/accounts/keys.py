"""The encryption keys: which of them opens how much, and sealing everything anew with a newer one.

Safe while others seal and open, and after a kill: a value is sealed by one key of the list at any moment, and no key
leaves the list while it may still be needed. Not here: sealing itself (crypt.py).
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db import models, transaction

from headwater.accounts.crypt import SEALED_COLUMNS, SealedColumn, encryption_keys
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, Wait
from headwater.common.secrets_file import new_encryption_key, only_one_changes, read_secrets, set_encryption_keys

SETTLING = timedelta(minutes=10)  # longer than anything between sealing a value and storing it
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Key:
    """`fingerprint` names a key without telling it. `values` are the sealed values that this key opens."""

    fingerprint: str
    seals: bool
    values: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value stands."""

    model: str
    row: int
    column: str

    def __str__(self) -> str:
        return f"{self.model} {self.row}, {self.column}"


@dataclass(frozen=True, slots=True)
class Survey:
    """The keys in their order, and what none of them opens."""

    keys: tuple[Key, ...]
    unopenable: tuple[Place, ...]

    @property
    def behind(self) -> int:
        """Values that another key than the first one sealed."""
        return sum(key.values for key in self.keys if not key.seals)

    @property
    def unused(self) -> tuple[str, ...]:
        """Fingerprints of the older keys that open nothing any more."""
        return tuple(key.fingerprint for key in self.keys if not key.seals and key.values == 0)


@dataclass(frozen=True, slots=True)
class Rotation:
    """`made` is the fingerprint of a new key; empty where an earlier rotation was finished, or the keys are given."""

    made: str
    resealed: int
    survey: Survey


def are_given() -> bool:
    """Whether the environment names the keys; then Headwater does not change them."""
    return bool(settings.ENCRYPTION_KEYS)


def fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def survey() -> Survey:
    keys = encryption_keys()
    counts, unopenable = dict.fromkeys(keys, 0), []
    for place, text in _values():
        key = _opening_key(keys, text)
        if key is None:
            unopenable.append(place)
        else:
            counts[key] += 1
    found = tuple(Key(fingerprint(key), key == keys[0], count) for key, count in counts.items())
    return Survey(found, tuple(unopenable))


def rotate(tell: Callable[[int], None] = lambda _resealed: None) -> Rotation:
    """Seal everything anew with the first key; in an embedded installation with a new one, made here.

    A rotation that was killed is finished by the next one, which then makes no key of its own. `tell` hears how many
    values are done.
    """
    if are_given():
        return _reseal_all("", tell)
    with only_one_changes(settings.SECRETS_FILE):
        made = "" if survey().behind else _add_key()
        return _reseal_all(made, tell)


def forget_unused() -> tuple[str, ...]:
    """Take the older keys that open nothing out of secrets.json; returns their fingerprints.

    Errors    Fix accounts.keys_given      the environment names the keys; they are removed there.
              Wait accounts.keys_settling  a process may still store what it sealed before the latest change of keys.
    """
    if are_given():
        raise Fix(
            "accounts.keys_given",
            "HEADWATER_ENCRYPTION_KEYS names the keys; Headwater does not change them.",
            Facts(left="Nothing was changed.", you_can="remove the keys there that headwater keys lists as unused"),
        )
    with only_one_changes(settings.SECRETS_FILE):
        changed_utc = datetime.fromtimestamp(settings.SECRETS_FILE.stat().st_mtime, UTC)
        if now_utc() < changed_utc + SETTLING:
            raise _settling(changed_utc + SETTLING)
        unused = survey().unused
        kept = [key for key in encryption_keys() if fingerprint(key) not in unused]
        if unused:
            set_encryption_keys(settings.SECRETS_FILE, kept)
    return unused


def _add_key() -> str:
    made = new_encryption_key()
    set_encryption_keys(settings.SECRETS_FILE, [made, *read_secrets(settings.SECRETS_FILE).encryption_keys])
    return fingerprint(made)


def _reseal_all(made: str, tell: Callable[[int], None]) -> Rotation:
    """Once more than is needed: what others sealed with the old key while the first round went by is found then."""
    resealed = 0
    while True:
        before = resealed
        for sealed in SEALED_COLUMNS:
            for row in _rows(sealed):
                resealed += _reseal(sealed, row)
                tell(resealed)
        if resealed == before:
            return Rotation(made, resealed, survey())


def _reseal(sealed: SealedColumn, row: Any) -> int:
    """Seal one row's values anew where an older key sealed them; what no key opens stays as it is (survey tells it)."""
    keys = encryption_keys()
    if all(_opening_key(keys, text) in (keys[0], None) for _, text in _texts(sealed, getattr(row, sealed.column))):
        return 0
    manager, fernet, resealed = type(row)._base_manager, MultiFernet([Fernet(key) for key in keys]), 0
    with transaction.atomic():
        now = manager.select_for_update().filter(pk=row.pk).first()
        if now is None:
            return 0
        value = getattr(now, sealed.column)
        for name, text in list(_texts(sealed, value)):
            if _opening_key(keys, text) not in (keys[0], None):
                again = fernet.rotate(text.encode()).decode()
                value = {**value, name: again} if name else again
                resealed += 1
        manager.filter(pk=row.pk).update(**{sealed.column: value})
    return resealed


def _opening_key(keys: list[str], text: str) -> str | None:
    for key in keys:
        try:
            Fernet(key).decrypt(text.encode())
        except InvalidToken:
            continue
        return key
    return None


def _values() -> Iterator[tuple[Place, str]]:
    for sealed in SEALED_COLUMNS:
        for row in _rows(sealed):
            for name, text in _texts(sealed, getattr(row, sealed.column)):
                column = f"{sealed.column}.{name}" if name else sealed.column
                yield Place(sealed.model, row.pk, column), text


def _rows(sealed: SealedColumn) -> Iterator[models.Model]:
    manager: models.Manager[models.Model] = apps.get_model(sealed.model)._base_manager
    return manager.order_by("pk").only("pk", sealed.column).iterator(chunk_size=_ROWS_AT_ONCE)


def _texts(sealed: SealedColumn, value: Any) -> Iterator[tuple[str, str]]:
    """(key inside a JSON column or "", sealed text); an empty value holds no secret."""
    if not sealed.keys:
        yield from [("", value)] if value else []
        return
    for name in sealed.keys:
        if value.get(name):
            yield name, value[name]


def _settling(retry_utc: datetime) -> Wait:
    return Wait(
        "accounts.keys_settling",
        "The keys were changed a moment ago; none is removed yet.",
        retry_utc=retry_utc,
        facts=Facts(
            why="A process may still store what it sealed with the key before.",
            left="Nothing was changed.",
            you_can=f"run headwater keys --forget after {retry_utc:%H:%M} UTC",
        ),
    )
