"""Users who can log in: a User record with a username, and a password kept as a salted digest."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from orgsim.exchange import SANDBOX_DOOR, Exchange
from orgsim.oauth.errors import OAuthError
from orgsim.oauth.restrictions import check_address, count_login
from orgsim.store.access import ADMIN_PROFILE
from orgsim.store.org import Org
from orgsim.store.profiles import profile_id
from orgsim.store.rows import Row, insert_row, read_row, update_row

_COST = 2**12


@dataclass(frozen=True, slots=True)
class NewUser:
    username: str
    password: str
    first_name: str = "Ada"
    last_name: str = "Admin"
    email: str | None = None
    profile: str | None = None  # its name; else System Administrator


def add_user(org: Org, new: NewUser) -> str:
    """An active user. Returns the User Id. A known username gets the new password and the profile, if one is named."""
    with org.database.write() as connection:
        user_id = find_user(org, new.username) or _insert_user(org, new)
        if new.profile:
            _set_profile(org, user_id, new.profile)
        salt = secrets.token_bytes(16)
        connection.execute(
            "INSERT OR REPLACE INTO _login VALUES (?, ?, ?, ?)",
            (user_id, new.username, salt, _digest(new.password, salt)),
        )
    return user_id


def check_login(exchange: Exchange, username: str, password: str) -> tuple[Org, str]:
    """(org, user Id) of a login at one door. Raises OAuthError; an unknown user sounds like a wrong password."""
    for org in exchange.state.orgs():
        if org.is_sandbox != (exchange.door == SANDBOX_DOOR):
            continue
        row = (
            org.database.connect()
            .execute("SELECT user_id, salt, digest FROM _login WHERE username = ?", (username,))
            .fetchone()
        )
        if row and hmac.compare_digest(_digest(password, row[1]), row[2]):
            _refuse_inactive(org, row[0])
            check_address(org, exchange.client_host)
            count_login(org, row[0])
            return org, str(row[0])
    raise OAuthError("invalid_grant", "authentication failure - Invalid Password")


def user_row(org: Org, user_id: str) -> Row:
    row = read_row(org.database.connect(), org.catalog().get("User"), user_id)
    if row is None:
        raise OAuthError("invalid_grant", "authentication failure")
    return row


def find_user(org: Org, username: str) -> str | None:
    """The Id of the user with this name, who need not have a password."""
    row = org.database.connect().execute('SELECT "Id" FROM "User" WHERE "Username" = ?', (username,)).fetchone()
    return str(row[0]) if row else None


def usernames(org: Org) -> dict[str, str]:
    """By the id of the user."""
    return dict(org.database.connect().execute('SELECT "Id", "Username" FROM "User"').fetchall())


def any_admin(org: Org) -> str:
    """The user who stands for the org's own people in edits that nobody logged in for."""
    row = org.database.connect().execute('SELECT min("Id") FROM "User" WHERE "IsActive"').fetchone()
    if row[0] is None:
        raise LookupError(f"Org {org.org_id} has no user yet. Add one with `orgsim user add`.")
    return str(row[0])


def _refuse_inactive(org: Org, user_id: str) -> None:
    if not user_row(org, user_id)["IsActive"]:
        raise OAuthError("inactive_user", "user is inactive")


def _insert_user(org: Org, new: NewUser) -> str:
    now, user_id = org.now_text(), org.new_id("005")
    row: Row = {
        "Id": user_id,
        "Username": new.username,
        "Email": new.email or new.username,
        "FirstName": new.first_name,
        "LastName": new.last_name,
        "Name": f"{new.first_name} {new.last_name}",
        "Alias": new.last_name[:8].lower(),
        "CommunityNickname": new.username.partition("@")[0][:40],
        "IsActive": 1,
        "UserPermissionsMarketingUser": 0,
        "ProfileId": profile_id(org, new.profile or ADMIN_PROFILE, user_id),
        "UserType": "Standard",
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        **_stamps(now, user_id),
    }
    insert_row(org.database.connect(), org.catalog().get("User"), row)
    return user_id


def _set_profile(org: Org, user_id: str, profile: str) -> None:
    changes: Row = {"ProfileId": profile_id(org, profile, user_id), "SystemModstamp": org.now_text()}
    update_row(org.database.connect(), org.catalog().get("User"), user_id, changes)
    org.access_changed()


def _stamps(now: str, user_id: str) -> Row:
    by_user: Row = {"CreatedById": user_id, "LastModifiedById": user_id}
    return {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now, **by_user}


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=8, p=1)
