"""The apps of an org: consumer key and secret, callbacks, and what the app insists on."""

import hmac
from dataclasses import asdict, dataclass

import orjson

from orgsim.oauth.errors import OAuthError
from orgsim.store.org import Org


@dataclass(frozen=True, slots=True)
class AppOptions:
    """PKCE is required unless switched off (facts A.2). Rotation changes the refresh token at every use (facts A.3)."""

    pkce_required: bool = True
    rotate_refresh_token: bool = False
    secret_required: bool = True


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
    return _from_row(row) if row else None


def _from_row(row: tuple[str, str, str, str, str]) -> App:
    client_id, name, secret, callbacks, options = row
    return App(client_id, name, secret, tuple(orjson.loads(callbacks)), AppOptions(**orjson.loads(options)))
