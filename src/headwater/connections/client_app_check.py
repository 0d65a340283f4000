"""What Salesforce says to an External Client App before anybody logs in: nothing is stored, no credit is spent.

Not here: which refusal means what (salesforce/login_refusals.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

from headwater.accounts.models import Account
from headwater.common.errors import Fix, Wait
from headwater.connections.client_apps import AppInUse, Wish, as_wished, server_grant
from headwater.salesforce import app_check, oauth


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was asked, as a sentence that holds where there is no `error`."""

    asked: str
    error: Fix | Wait | None = None


def check(account: Account, wish: Wish, *, redirect_uri: str) -> list[Finding]:
    """Try the app as it is wished, with what is stored where the wish leaves it. Raises Fix where it is incomplete."""
    used = as_wished(account, wish)
    return _asked_as_browser(used, redirect_uri) if used.needs_browser else [_asked_as_server(used)]


def _asked_as_browser(used: AppInUse, redirect_uri: str) -> list[Finding]:
    key = _finding(
        "Salesforce knows the consumer key and Headwater's callback address.",
        lambda: app_check.check_key_and_callback(used.login_url, used.app, redirect_uri),
    )
    if key.error is not None or not used.app.client_secret:
        return [key]
    secret = _finding(
        "Salesforce accepts the consumer secret.", lambda: app_check.check_secret(used.login_url, used.app)
    )
    return [key, secret]


def _asked_as_server(used: AppInUse) -> Finding:
    who = f"as {used.username}" if used.username else "as the user that the app runs as"

    def ask() -> None:
        grant = server_grant(used, oauth.CONNECTING)
        oauth.revoke(used.login_url, grant.access_token)  # it was only a question

    return _finding(f"Salesforce gave Headwater a session {who}; it was ended again.", ask)


def _finding(asked: str, deed: Callable[[], None]) -> Finding:
    try:
        deed()
    except (Fix, Wait) as error:
        return Finding(asked, error)
    return Finding(asked)
