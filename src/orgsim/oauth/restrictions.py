"""What an org refuses even a right password for: an address outside its ranges, and too many logins in an hour.

Not here: who may use which app (oauth/policies.py).
"""

import datetime as dt
from ipaddress import ip_address, ip_network

from orgsim.clock import datetime_text
from orgsim.oauth.errors import OAuthError
from orgsim.store.org import Org

_HOUR = dt.timedelta(hours=1)


def check_address(org: Org, client_host: str) -> None:
    """Without ranges every address is let in (facts A.5, `ip restricted`)."""
    ranges = org.setting("login_ip_ranges")
    if ranges and not any(ip_address(client_host) in ip_network(each) for each in ranges):
        raise OAuthError("invalid_grant", "ip restricted")


def count_login(org: Org, user_id: str) -> None:
    """One more login of this user. Past the hourly rate the user is locked out for an hour (facts A.5)."""
    most = int(org.setting("logins_per_hour"))
    if _count(org, user_id, most) > most:
        raise OAuthError("rate_limit_exceeded", "login rate exceeded")


def _count(org: Org, user_id: str, most: int) -> int:
    """Logins since the first one of this hour. The login that goes too far opens an hour of its own."""
    now = org.clock.now()
    with org.database.write() as connection:
        connection.execute("DELETE FROM _login_rate WHERE since <= ?", (datetime_text(now - _HOUR),))
        (logins,) = connection.execute(
            "INSERT INTO _login_rate VALUES (?, ?, 1) ON CONFLICT (user_id) DO UPDATE SET logins = logins + 1, "
            "since = CASE WHEN logins = ? THEN excluded.since ELSE since END RETURNING logins",
            (user_id, datetime_text(now), most),
        ).fetchone()
    return int(logins)
