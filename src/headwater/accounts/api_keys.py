"""Keys by which a programme acts for an account over the REST API: made, listed, revoked, recognised.

A key belongs to its account and stays when the person who made it leaves; the list names who that was. The key itself
is shown once and kept nowhere: it is 256 random bits, so its digest cannot be turned back and needs no salt.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from headwater.accounts.models import Account, ApiKey, Role
from headwater.accounts.services import record_event
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix

MADE, REVOKED = "api_keys.made", "api_keys.revoked"
_MARK = "hw_"  # a key found in a file or a log can be told for what it is
_PREFIX_CHARACTERS = 10
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


def make_key(account: Account, *, name: str, role: Role, actor: str, days: int | None = None) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can read again. `days`: how long it works; None for no end."""
    name = name.strip()
    if not name:
        raise Fix("api_keys.name_missing", "An API key needs a name.", Facts(you_can="name what will use it"))
    if days is not None and days < 1:
        raise Fix("api_keys.bad_lifetime", "A key works for at least one day.", Facts(left="No key was made."))
    text, now = _MARK + secrets.token_urlsafe(32), now_utc()
    key = ApiKey.of(account).create(
        account=account,
        name=name[:100],
        prefix=text[:_PREFIX_CHARACTERS],
        digest=_digest(text),
        role=role,
        created_by=actor,
        created_utc=now,
        expires_utc=None if days is None else now + timedelta(days=days),
    )
    record_event(account, actor=actor, action=MADE, after=f"{key.name} ({key.prefix}…, {Role(role).label})")
    return key, text


def keys_of(account: Account) -> QuerySet[ApiKey]:
    """The keys that work, newest first."""
    return _working(ApiKey.of(account), now_utc()).order_by("-created_utc", "-pk")


def revoke_key(account: Account, key_id: int, *, actor: str) -> ApiKey:
    """Error: Fix `api_keys.unknown`. A key that is revoked never works again."""
    mine = keys_of(account).filter(pk=key_id)
    key = mine.first()
    if key is None or mine.update(revoked_utc=now_utc()) != 1:
        raise Fix(
            "api_keys.unknown",
            "This account has no such key.",
            Facts(why="It was revoked already, has expired, or never was.", left="Nothing was changed."),
        )
    record_event(account, actor=actor, action=REVOKED, before=f"{key.name} ({key.prefix}…)")
    return key


def find_key(text: str) -> ApiKey | None:
    """The key, with its account, where it works now and the account is open; its use is noted once a minute."""
    now = now_utc()
    key = (
        _working(ApiKey.of_all(), now)
        .select_related("account")
        .filter(digest=_digest(text), account__closed_utc=None)
        .first()
    )
    if key is not None and (key.last_used_utc is None or key.last_used_utc < now - _USE_IS_NOTED_EVERY):
        ApiKey.of(key.account_id).filter(pk=key.pk).update(last_used_utc=now)
    return key


def _working(keys: QuerySet[ApiKey], now: datetime) -> QuerySet[ApiKey]:
    return keys.filter(Q(expires_utc=None) | Q(expires_utc__gt=now), revoked_utc=None)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
