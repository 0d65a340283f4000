"""The apps of an org: consumer key and secret, callbacks, and what the app insists on."""

import hmac
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from orgsim.oauth.errors import OAuthError
from orgsim.store.org import Org

INFINITE, INACTIVITY, LIFETIME, IMMEDIATE = "infinite", "inactivity", "lifetime", "immediate"
REFRESH_POLICIES = (INFINITE, INACTIVITY, LIFETIME, IMMEDIATE)


@dataclass(frozen=True, slots=True)
class AppOptions:
    """PKCE is required unless switched off (facts A.2). Rotation changes the refresh token at every use (facts A.3).

    `certificate` is the PEM text of the JWT bearer flow; `run_as` the username of the client credentials flow, which
    is closed without one (facts A.4). With `admin_approved` only members of the profiles and permission sets named in
    `approved` get in, and an `external` client app only works where it is installed (facts A.5). `refresh_seconds`
    belongs to the refresh policies "inactivity" and "lifetime". A deployed External Client App has a `developer_name`
    and the names of its `parts`, is only known from a moment on, and needs `client_credentials` beside `run_as`.
    """

    pkce_required: bool = True
    rotate_refresh_token: bool = False
    secret_required: bool = True
    certificate: str = ""
    run_as: str = ""
    admin_approved: bool = False
    approved: tuple[str, ...] = ()
    installed: bool = True
    external: bool = False
    refresh_policy: str = INFINITE
    refresh_seconds: int = 0
    developer_name: str = ""
    parts: tuple[str, ...] = ()
    known_from: str = ""
    client_credentials: bool = False


@dataclass(frozen=True, slots=True)
class App:
    client_id: str
    name: str
    client_secret: str
    callbacks: tuple[str, ...]
    options: AppOptions = AppOptions()

    def check_secret(self, given: str | None) -> None:
        """A secret that is sent is checked even where none is needed."""
        if given is None and not self.options.secret_required:
            return
        if not hmac.compare_digest((given or "").encode(), self.client_secret.encode()):
            raise OAuthError("invalid_client", "invalid client credentials")


def add_app(org: Org, app: App) -> None:
    """Register an app, or replace the one with the same consumer key."""
    row = (
        app.client_id,
        app.name,
        app.client_secret,
        orjson.dumps(app.callbacks).decode(),
        orjson.dumps(asdict(app.options)).decode(),
    )
    with org.database.write() as connection:
        connection.execute("INSERT OR REPLACE INTO _app VALUES (?, ?, ?, ?, ?)", row)


def apps_of(org: Org) -> list[App]:
    rows = org.database.connect().execute("SELECT * FROM _app ORDER BY name").fetchall()
    return [_from_row(row) for row in rows]


def find_app(org: Org, client_id: str) -> App | None:
    row = org.database.connect().execute("SELECT * FROM _app WHERE client_id = ?", (client_id,)).fetchone()
    app = _from_row(row) if row else None
    return app if app and app.options.known_from <= org.now_text() else None


def change_options(org: Org, client_id: str, changes: dict[str, Any]) -> App:
    """Raises LookupError when the org has no such app."""
    app = find_app(org, client_id)
    if app is None:
        raise LookupError(f"Org {org.org_id} has no app {client_id!r}.")
    changed = replace(app, options=replace(app.options, **changes))
    add_app(org, changed)
    return changed


def _from_row(row: tuple[str, str, str, str, str]) -> App:
    client_id, name, secret, callbacks, options = row
    kept = orjson.loads(options)
    lists = {name: tuple(kept.get(name, ())) for name in ("approved", "parts")}
    chosen = AppOptions(**{**kept, **lists})
    return App(client_id, name, secret, tuple(orjson.loads(callbacks)), chosen)
