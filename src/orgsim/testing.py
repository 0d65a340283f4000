"""For test suites: a ready org with its sandbox, served over real HTTP by a thread on free ports."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from orgsim.founding import add_organization_row
from orgsim.oauth.apps import App, AppOptions, add_app
from orgsim.oauth.grants import open_grant
from orgsim.oauth.users import NewUser, add_user
from orgsim.server.access import set_rights
from orgsim.server.run import Listening, serving
from orgsim.store.org import Org
from orgsim.store.state import NewOrg, State
from orgsim.store.write import Writer
from orgsim.tls import ensure_tls_files

CLIENT_ID = "3MVG9.test.consumer.key"
CLIENT_SECRET = "test-consumer-secret"  # noqa: S105  opens nothing but a simulated org
CALLBACK = "http://127.0.0.1:8000/connections/callback"
USERNAME = "admin@acme.example"
SANDBOX_USERNAME = "admin@acme.example.sandbox"
PASSWORD = "test-password-1"  # noqa: S105  opens nothing but a simulated org

LIMITED_PROFILE = "Integration"


@dataclass(frozen=True, slots=True)
class RunningOrgsim:
    """`url` is the production door, `sandbox_url` the sandbox door; both serve the data of every org by its token.

    `proxy_url` is the CONNECT proxy, where `listening` asked for one.
    """

    url: str
    sandbox_url: str
    state: State
    production: Org
    sandbox: Org
    production_user_id: str
    sandbox_user_id: str
    proxy_url: str | None = None

    @property
    def state_folder(self) -> Path:
        return self.state.folder

    @property
    def ca_file(self) -> Path:
        """With `tls`, the certificate of the authority that signed the server's."""
        return self.state_folder / "tls" / "ca.pem"

    def user_of(self, org: Org) -> str:
        return self.sandbox_user_id if org is self.sandbox else self.production_user_id

    def writer(self, org: Org | None = None) -> Writer:
        """Edits records as the org's administrator, away from the counted API."""
        chosen = org or self.production
        return Writer(chosen, self.user_of(chosen))

    def add_user(self, username: str, *, profile: str = LIMITED_PROFILE, org: Org | None = None) -> str:
        """The id of another user, who can log in with PASSWORD. The profile they have else may use the API, no more."""
        return add_user(org or self.production, NewUser(username, PASSWORD, last_name="Limited", profile=profile))

    def grant(self, on: str, *rights: str, profile: str = LIMITED_PROFILE, org: Org | None = None) -> None:
        """Let a profile do more: `on` is `Lead`, `Lead.Email` or `ViewSetup`, `rights` are `read`, `edit` and so on."""
        set_rights(org or self.production, on=on, rights=rights, profile=profile, granted=True)

    def revoke(self, on: str, *rights: str, profile: str = LIMITED_PROFILE, org: Org | None = None) -> None:
        """Let a profile do less. Without `rights` nothing is left of it."""
        set_rights(org or self.production, on=on, rights=rights, profile=profile, granted=False)

    def access_token(self, org: Org | None = None, *, user_id: str | None = None) -> str:
        """A token as a finished login would have given."""
        return self.tokens(org, user_id=user_id)[0]

    def tokens(self, org: Org | None = None, *, user_id: str | None = None) -> tuple[str, str]:
        """(access token, refresh token) of the administrator, or of another user."""
        chosen = org or self.production
        user_id = user_id or self.user_of(chosen)
        issued = open_grant(chosen, user_id, CLIENT_ID, "api refresh_token", with_refresh=True)
        return issued.access_token, issued.refresh_token or ""


@contextmanager
def running_orgsim(
    folder: Path,
    *,
    options: AppOptions = AppOptions(),  # noqa: B008  frozen
    callbacks: tuple[str, ...] = (CALLBACK,),
    bulk_delay_seconds: float = 0.0,
    listening: Listening = Listening(port=0, sandbox_port=0),  # noqa: B008  frozen
    tls: bool = False,
) -> Iterator[RunningOrgsim]:
    """Production org "Acme" and its sandbox, each with an administrator and the same app; no other records.

    `tls`: over HTTPS, for clients that speak nothing else; let them trust `ca_file`.
    """
    if tls:
        files = ensure_tls_files(folder / "tls")
        listening = replace(listening, certificate=files.certificate, key=files.key)
    state = State(folder)
    production = state.create_org(NewOrg(name="Acme"))
    sandbox = state.create_org(NewOrg(name="Acme", is_sandbox=True, sandbox_of=production.org_id))
    users = {}
    for org, username in ((production, USERNAME), (sandbox, SANDBOX_USERNAME)):
        users[org.org_id] = add_user(org, NewUser(username, PASSWORD))
        add_app(org, App(CLIENT_ID, "Headwater", CLIENT_SECRET, callbacks, options))
        org.set("bulk_delay_seconds", bulk_delay_seconds)
        org.set("deploy_delay_seconds", 0.0)
        add_organization_row(org, users[org.org_id])
    try:
        with serving(state, listening) as addresses:
            yield RunningOrgsim(
                addresses.url,
                addresses.sandbox_url,
                state,
                production,
                sandbox,
                users[production.org_id],
                users[sandbox.org_id],
                addresses.proxy_url,
            )
    finally:
        state.close()
