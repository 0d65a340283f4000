"""What users have granted: authorization codes, refresh tokens with rotation, access tokens. Only digests are kept."""

import datetime as dt
import hashlib
import secrets
import sqlite3
from dataclasses import dataclass

import orjson

from orgsim.clock import datetime_text, parse_datetime
from orgsim.oauth.apps import IMMEDIATE, INACTIVITY, INFINITE, App
from orgsim.oauth.errors import OAuthError, expired_token
from orgsim.store.org import Org
from orgsim.store.state import State

CODE_LIFETIME = dt.timedelta(minutes=3)
APPROVALS_PER_USER_AND_APP = 5


@dataclass(frozen=True, slots=True)
class Session:
    """Who an access token speaks for."""

    org: Org
    user_id: str
    client_id: str
    scope: str
    issued: str
    expires: str


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    user_id: str
    scope: str
    access_token: str
    refresh_token: str | None = None


def issue_code(org: Org, user_id: str, request: dict[str, str]) -> str:
    """A code for one exchange within three minutes; `request` is what was asked for at the authorize endpoint."""
    code = f"aPrx{secrets.token_urlsafe(40)}"
    expires = datetime_text(org.clock.now() + CODE_LIFETIME)
    with org.database.write() as connection:
        connection.execute(
            "INSERT INTO _code VALUES (?, ?, ?, ?, 0)", (digest(code), user_id, orjson.dumps(request).decode(), expires)
        )
    return code


def take_code(org: Org, code: str) -> tuple[str, dict[str, str]] | None:
    """(user Id, the authorize request) of a code, once. None when this org never issued it."""
    with org.database.write() as connection:
        row = connection.execute(
            "SELECT user_id, request, expires, used FROM _code WHERE digest = ?", (digest(code),)
        ).fetchone()
        if row is None:
            return None
        connection.execute("UPDATE _code SET used = 1 WHERE digest = ?", (digest(code),))
    user_id, request, expires, used = row
    if used or expires < org.now_text():
        raise OAuthError("invalid_grant", "expired authorization code")
    return user_id, orjson.loads(request)


def open_grant(org: Org, user_id: str, client_id: str, scope: str, *, with_refresh: bool) -> IssuedTokens:
    """A new approval. The sixth of one user for one app revokes the oldest (facts A.3)."""
    with org.database.write() as connection:
        (grant_id,) = connection.execute(
            "INSERT INTO _grant (user_id, client_id, scope, made) VALUES (?, ?, ?, ?) RETURNING id",
            (user_id, client_id, scope, org.now_text()),
        ).fetchone()
        refresh = _new_refresh(connection, org, grant_id) if with_refresh else None
        if with_refresh:
            _revoke_oldest(connection, user_id, client_id)
        access = _new_access(connection, org, grant_id)
    return IssuedTokens(user_id, scope, access, refresh)


def refresh(org: Org, refresh_token: str, app: App) -> IssuedTokens:
    """New tokens. Showing a refresh token that was rotated away revokes everything of its grant (facts A.3)."""
    with org.database.write() as connection:
        row = connection.execute(
            "SELECT r.grant_id, r.replaced, g.user_id, g.scope, g.revoked, g.client_id, g.made FROM _refresh r "
            "JOIN _grant g ON g.id = r.grant_id WHERE r.digest = ?",
            (digest(refresh_token),),
        ).fetchone()
        if row is None or row[4] or row[5] != app.client_id:
            raise expired_token()
        grant_id, replaced, user_id, scope = row[:4]
        if not replaced:
            _refuse_expired(connection, org, app, grant_id, made=row[6])
            rotate = app.options.rotate_refresh_token
            new_refresh = _rotate(connection, org, grant_id, refresh_token) if rotate else None
            return IssuedTokens(user_id, scope, _new_access(connection, org, grant_id), new_refresh)
        _revoke_grant(connection, grant_id)
    raise expired_token()


def _refuse_expired(connection: sqlite3.Connection, org: Org, app: App, grant_id: int, *, made: str) -> None:
    """The app's refresh policy (facts A.3). A grant was last used when it last gave an access token."""
    policy = app.options.refresh_policy
    if policy == INFINITE:
        return
    since = made
    if policy == INACTIVITY:
        (since,) = connection.execute("SELECT max(issued) FROM _access WHERE grant_id = ?", (grant_id,)).fetchone()
    ends = parse_datetime(since) + dt.timedelta(seconds=app.options.refresh_seconds)
    if policy == IMMEDIATE or ends <= org.clock.now():
        raise expired_token()


def has_approved(org: Org, user_id: str, client_id: str) -> bool:
    """Whether a user once allowed an app access at any time, and nobody has revoked it."""
    row = (
        org.database.connect()
        .execute(
            "SELECT 1 FROM _grant g JOIN _refresh r ON r.grant_id = g.id "
            "WHERE g.user_id = ? AND g.client_id = ? AND g.revoked = 0",
            (user_id, client_id),
        )
        .fetchone()
    )
    return row is not None


def revoke(org: Org, token: str) -> bool:
    """True when the token was known. A refresh token takes its access tokens along."""
    with org.database.write() as connection:
        row = connection.execute("SELECT grant_id FROM _refresh WHERE digest = ?", (digest(token),)).fetchone()
        if row:
            _revoke_grant(connection, row[0])
            return True
        changed = connection.execute("UPDATE _access SET revoked = 1 WHERE digest = ?", (digest(token),))
        return changed.rowcount > 0


def revoke_all(org: Org, user_id: str | None = None) -> None:
    """What an administrator does on the Connected Apps OAuth Usage page."""
    with org.database.write() as connection:
        rows = connection.execute("SELECT id FROM _grant WHERE ? IS NULL OR user_id = ?", (user_id, user_id)).fetchall()
        for (grant_id,) in rows:
            _revoke_grant(connection, grant_id)


def session_of(state: State, access_token: str) -> Session | None:
    """The live session behind an access token, in whichever org it is."""
    try:
        org = state.org(access_token.partition("!")[0])
    except KeyError:
        return None
    row = (
        org.database.connect()
        .execute(
            "SELECT g.user_id, g.client_id, g.scope, a.issued, a.expires FROM _access a "
            'JOIN _grant g ON g.id = a.grant_id JOIN "User" u ON u."Id" = g.user_id '
            'WHERE a.digest = ? AND a.revoked = 0 AND g.revoked = 0 AND u."IsActive" = 1',
            (digest(access_token),),
        )
        .fetchone()
    )
    if row is None or row[4] <= org.now_text():
        return None
    return Session(org, *row)


def grant_of_refresh(org: Org, refresh_token: str) -> Session | None:
    row = (
        org.database.connect()
        .execute(
            "SELECT g.user_id, g.client_id, g.scope, g.made, '' FROM _refresh r JOIN _grant g ON g.id = r.grant_id "
            "WHERE r.digest = ? AND r.replaced = 0 AND g.revoked = 0",
            (digest(refresh_token),),
        )
        .fetchone()
    )
    return Session(org, *row) if row else None


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _new_access(connection: sqlite3.Connection, org: Org, grant_id: int) -> str:
    token = f"{org.org_id[:15]}!AQ{secrets.token_hex(40)}"
    now = org.clock.now()
    expires = now + dt.timedelta(seconds=int(org.setting("access_token_seconds")))
    connection.execute(
        "INSERT INTO _access (digest, grant_id, issued, expires) VALUES (?, ?, ?, ?)",
        (digest(token), grant_id, datetime_text(now), datetime_text(expires)),
    )
    return token


def _new_refresh(connection: sqlite3.Connection, org: Org, grant_id: int) -> str:
    token = f"5Aep{org.org_id[3:15]}{secrets.token_urlsafe(48)}"
    connection.execute("INSERT INTO _refresh (digest, grant_id) VALUES (?, ?)", (digest(token), grant_id))
    return token


def _rotate(connection: sqlite3.Connection, org: Org, grant_id: int, old: str) -> str:
    connection.execute("UPDATE _refresh SET replaced = 1 WHERE digest = ?", (digest(old),))
    return _new_refresh(connection, org, grant_id)


def _revoke_oldest(connection: sqlite3.Connection, user_id: str, client_id: str) -> None:
    rows = connection.execute(
        "SELECT id FROM _grant g WHERE user_id = ? AND client_id = ? AND revoked = 0 "
        "AND EXISTS (SELECT 1 FROM _refresh r WHERE r.grant_id = g.id) ORDER BY id DESC LIMIT -1 OFFSET ?",
        (user_id, client_id, APPROVALS_PER_USER_AND_APP),
    ).fetchall()
    for (grant_id,) in rows:
        _revoke_grant(connection, grant_id)


def _revoke_grant(connection: sqlite3.Connection, grant_id: int) -> None:
    connection.execute("UPDATE _grant SET revoked = 1 WHERE id = ?", (grant_id,))
    connection.execute("UPDATE _access SET revoked = 1 WHERE grant_id = ?", (grant_id,))
