"""The External Client App that Headwater presents itself with: the account's own, else the installation's.

Not here: the log-in itself (services.py), the files to deploy (client_app_files.py).
"""

from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction

from headwater.accounts.crypt import seal, unseal
from headwater.accounts.models import Account
from headwater.accounts.services import record_event
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix
from headwater.connections.certificates import new_key_pair
from headwater.connections.models import Authorization, ClientApp, Connection, LogIn, Status
from headwater.salesforce import oauth

CHANGED = "connections.client_app"
_SECRET, _PRIVATE_KEY = "consumer_secret", "private_key"
_KEY_MIN_CHARACTERS, _KEY_MAX_CHARACTERS = 8, 256


@dataclass(frozen=True, slots=True)
class AppInUse:
    """`is_own` is false where consumer key and secret are the installation's."""

    app: oauth.ClientApp
    is_own: bool
    log_in: LogIn = LogIn.BROWSER
    login_url: str = ""
    username: str = ""
    private_key: str = ""

    @property
    def needs_browser(self) -> bool:
        return self.log_in == LogIn.BROWSER


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants the app to be.

    consumer_key      Empty for the installation's app.
    consumer_secret   Empty to keep the stored one; with `has_no_secret` there is none (a public client).
    accepts_new_log_in   They know that a connection must be authorised anew when its app changes.
    """

    consumer_key: str
    consumer_secret: str
    log_in: LogIn
    login_url: str
    username: str = ""
    has_no_secret: bool = False
    accepts_new_log_in: bool = False


def row_of(account: Account) -> ClientApp | None:
    return ClientApp.of(account).first()


def in_use(account: Account) -> AppInUse:
    """Raises Fix `connections.no_client_app` where neither the account nor the installation has one."""
    found = find(account)
    if found is None:
        raise Fix(
            "connections.no_client_app",
            "Headwater has no External Client App to present itself with.",
            Facts(
                why="Neither this account nor this installation has one.",
                you_can="create it in the org as Settings > Connections > Set up the External Client App shows, and "
                "enter its consumer key there",
            ),
        )
    return found


@dataclass(frozen=True, slots=True)
class AppShown:
    """What may be shown of the app in use; nothing is unsealed for it."""

    consumer_key: str
    is_own: bool
    log_in: LogIn
    login_url: str
    username: str
    has_secret: bool

    @property
    def needs_browser(self) -> bool:
        return self.log_in == LogIn.BROWSER


def shown(account: Account) -> AppShown | None:
    row = row_of(account) or ClientApp(account=account)
    if row.consumer_key:
        key, has_secret = row.consumer_key, row.secret_set_utc is not None
    else:
        key, has_secret = settings.SALESFORCE_CLIENT_ID, bool(settings.SALESFORCE_CLIENT_SECRET)
    way = LogIn(row.log_in)
    return AppShown(key, bool(row.consumer_key), way, row.login_url, row.username, has_secret) if key else None


def find(account: Account) -> AppInUse | None:
    row = row_of(account)
    return _used(row, _secrets(account, row)) if row else _installations()


def present_wish(account: Account) -> Wish:
    """What is stored, as a wish to change single parts of."""
    row = row_of(account)
    if row is None:
        return Wish("", "", LogIn.BROWSER, str(settings.SALESFORCE_LOGIN_URL))
    return Wish(
        row.consumer_key,
        "",
        LogIn(row.log_in),
        row.login_url,
        username=row.username,
        has_no_secret=bool(row.consumer_key) and row.secret_set_utc is None,
    )


def keep(account: Account, wish: Wish, *, actor: str) -> ClientApp:
    """Store the app. Raises Fix where something is missing, or where a connection would end and nobody said yes."""
    wish = _stripped(wish)
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        row = row_of(account) or ClientApp(account=account)
        before, was_used = _told(row), _used(row, _secrets(account, row))
        secrets = _wished_secrets(row, _secrets(account, row), wish)
        _require_complete(wish, secrets)
        if wish.consumer_secret or not secrets.get(_SECRET):
            row.secret_set_utc = now_utc() if secrets.get(_SECRET) else None
        _take(row, wish)
        if wish.log_in == LogIn.JWT and not row.certificate:
            secrets = _with_new_key(account, row, secrets)
        _end_log_ins_of_another_app(account, was_used, _used(row, secrets), accepted=wish.accepts_new_log_in)
        _save(account, row, secrets, actor)
        record_event(account, actor=actor, action=CHANGED, before=before, after=_told(row))
    return row


def renew_key(account: Account, *, actor: str, accepts_new_log_in: bool = False) -> ClientApp:
    """Make a new key pair, whose certificate the org's app must be given; from now on Headwater signs with it."""
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        row = row_of(account) or ClientApp(account=account)
        secrets = _secrets(account, row)
        signs_now = Connection.of(account).filter(status=Status.CONNECTED, log_in=LogIn.JWT).exists()
        if signs_now and secrets.get(_PRIVATE_KEY) and not accepts_new_log_in:
            raise _in_use("The connection signs with the present key; a new one is refused until the org has it.")
        secrets = _with_new_key(account, row, secrets)
        _save(account, row, secrets, actor)
        record_event(account, actor=actor, action=CHANGED, after="a new key pair and certificate")
    return row


def remove(account: Account, *, actor: str, accepts_new_log_in: bool = False) -> None:
    """Forget the account's own app, its secret and key: the installation's is used again, if it has one."""
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        row = row_of(account)
        if row is None:
            return
        used, before = _used(row, _secrets(account, row)), _told(row)
        _end_log_ins_of_another_app(account, used, _installations(), accepted=accepts_new_log_in)
        row.delete()
        record_event(account, actor=actor, action=CHANGED, before=before, after="the installation's app")


def as_wished(account: Account, wish: Wish) -> AppInUse:
    """What the app would be, to be tried before it is stored. Raises Fix where something is missing."""
    wish = _stripped(wish)
    row = row_of(account) or ClientApp(account=account)
    secrets = _wished_secrets(row, _secrets(account, row), wish)
    _require_complete(wish, secrets)
    _take(row, wish)
    used = _used(row, secrets)
    if used is None:
        raise _incomplete("There is no consumer key.", "enter the one of the org's External Client App")
    return used


def server_grant(used: AppInUse, doing: str) -> oauth.Grant:
    """A session without a browser; asked for again when it ends, as there is no refresh token (facts A.4)."""
    if used.log_in == LogIn.CLIENT_CREDENTIALS:
        return oauth.client_credentials(used.login_url, used.app, doing)
    if not used.private_key:
        raise _incomplete("There is no key to sign with.", "make one on the page, and give the org its certificate")
    return oauth.jwt_bearer(used.login_url, used.app, username=used.username, private_key=used.private_key, doing=doing)


def _stripped(wish: Wish) -> Wish:
    return replace(
        wish,
        consumer_key=wish.consumer_key.strip(),
        consumer_secret=wish.consumer_secret.strip(),
        username=wish.username.strip() if wish.log_in == LogIn.JWT else "",
    )


def _wished_secrets(row: ClientApp, stored: dict[str, str], wish: Wish) -> dict[str, str]:
    """A stored secret belongs to its consumer key: another key does not take it over."""
    secrets = dict(stored)
    if wish.has_no_secret or wish.consumer_key != row.consumer_key:
        secrets.pop(_SECRET, None)
    if wish.consumer_secret and not wish.has_no_secret:
        secrets[_SECRET] = wish.consumer_secret
    return secrets


def _require_complete(wish: Wish, secrets: dict[str, str]) -> None:
    key = wish.consumer_key
    if key and not (
        _KEY_MIN_CHARACTERS <= len(key) <= _KEY_MAX_CHARACTERS
        and key.isascii()
        and key.isprintable()
        and " " not in key
    ):
        raise _incomplete("This is no consumer key.", "copy it whole: it is one long word, such as 3MVG9…")
    if not key and not settings.SALESFORCE_CLIENT_ID and wish.log_in == LogIn.BROWSER:
        # For a server the way is chosen first: it decides what the app's files hold, and the org then makes the key.
        raise _incomplete("There is no consumer key.", "enter the one of the org's External Client App")
    needs_secret = wish.log_in == LogIn.CLIENT_CREDENTIALS or (wish.log_in == LogIn.BROWSER and not wish.has_no_secret)
    if key and needs_secret and not secrets.get(_SECRET):
        raise _incomplete(
            "There is no consumer secret for this key.",
            "enter it; only an app that a person logs in by may have none (a public client)",
        )
    if wish.log_in == LogIn.JWT and not wish.username:
        raise _incomplete("JWT bearer speaks for one user, who is not named.", "enter the integration user's username")
    if wish.log_in == LogIn.CLIENT_CREDENTIALS and wish.login_url in _general_addresses():
        raise _incomplete(
            "Client credentials work at the org's own My Domain address only.",
            "choose My Domain and enter its host: acme.my.salesforce.com",
        )


def _general_addresses() -> tuple[str, str]:
    return settings.SALESFORCE_LOGIN_URL, settings.SALESFORCE_SANDBOX_LOGIN_URL


def _take(row: ClientApp, wish: Wish) -> None:
    row.consumer_key, row.log_in = wish.consumer_key, wish.log_in
    row.login_url, row.username = wish.login_url, wish.username


def _with_new_key(account: Account, row: ClientApp, secrets: dict[str, str]) -> dict[str, str]:
    pair = new_key_pair(f"Headwater {account.name}")
    row.certificate = pair.certificate
    return {**secrets, _PRIVATE_KEY: pair.private_key}


def _save(account: Account, row: ClientApp, secrets: dict[str, str], actor: str) -> None:
    row.sealed_secrets = seal(account.pk, secrets) if secrets else ""
    row.changed_utc, row.changed_by = now_utc(), actor
    row.save()


def _end_log_ins_of_another_app(
    account: Account, before: AppInUse | None, after: AppInUse | None, *, accepted: bool
) -> None:
    """Refresh tokens belong to the app they were given to; with another app only a new log-in helps."""
    if before and after and before.app.client_id == after.app.client_id:
        return
    live = Connection.of(account).filter(status=Status.CONNECTED)
    if live.exists() and not accepted:
        raise _in_use("A log-in belongs to the app that it was given to, and is worth nothing to another.")
    live.update(status=Status.AUTHORIZATION_REQUIRED, renewal_until_utc=None)
    Authorization.of(account).filter(used_utc=None).delete()


def _secrets(account: Account, row: ClientApp) -> dict[str, str]:
    return unseal(account.pk, row.sealed_secrets) if row.sealed_secrets else {}


def _used(row: ClientApp, secrets: dict[str, str]) -> AppInUse | None:
    """The row's own key and secret, or the installation's, with the row's way to log in."""
    if row.consumer_key:
        app = oauth.ClientApp(row.consumer_key, secrets.get(_SECRET, ""))
    else:
        shared = _installations()
        if shared is None:
            return None
        app = shared.app
    return AppInUse(
        app,
        is_own=bool(row.consumer_key),
        log_in=LogIn(row.log_in),
        login_url=row.login_url,
        username=row.username,
        private_key=secrets.get(_PRIVATE_KEY, ""),
    )


def _installations() -> AppInUse | None:
    if not settings.SALESFORCE_CLIENT_ID:
        return None
    app = oauth.ClientApp(settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET)
    return AppInUse(app, is_own=False)


def _told(row: ClientApp) -> str:
    """For the history, which never holds a secret."""
    if row._state.adding:
        return ""
    shared = "the installation's app" if settings.SALESFORCE_CLIENT_ID else "no consumer key yet"
    key = row.consumer_key or shared
    who = f" as {row.username}" if row.username else ""
    secret = f"secret set {row.secret_set_utc:%Y-%m-%d %H:%M} UTC" if row.secret_set_utc else "no secret"
    return f"{key}, {LogIn(row.log_in).label}{who} at {row.login_url}, {secret}"


def _in_use(why: str) -> Fix:
    return Fix(
        "connections.client_app_in_use",
        "The connected org is read through the present app.",
        Facts(
            why=why,
            left="Nothing was changed.",
            next="After the change the connection says Authorization Required until somebody clicks its key; then "
            "everything missed is caught up.",
            you_can="tick that you know this, and save again",
        ),
    )


def _incomplete(sentence: str, you_can: str) -> Fix:
    return Fix("connections.client_app_incomplete", sentence, Facts(left="Nothing was changed.", you_can=you_can))
