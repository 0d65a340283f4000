"""What an administrator does in the org: deploys Headwater's External Client App and reads its key in Setup."""

import time

import httpx2

from headwater.connections.client_app_files import PERMISSION_SET, AppFiles, metadata_files
from headwater.connections.client_apps import Wish
from headwater.connections.metadata_xml import zipped
from headwater.connections.models import LogIn
from integration.callbacks import REDIRECT_URI
from orgsim.oauth.apps import App, apps_of
from orgsim.testing import CLIENT_ID, USERNAME, RunningOrgsim


def deploy_app(org: RunningOrgsim, log_in: LogIn = LogIn.BROWSER, certificate: str = "", run_as: str = "") -> App:
    """The app as Setup shows it, after Headwater's files were deployed by the org's administrator."""
    return deploy_files(org, metadata_files(AppFiles(REDIRECT_URI, "ann@acme.example", log_in, certificate, run_as)))


def deploy_files(org: RunningOrgsim, files: dict[str, bytes]) -> App:
    parts = {
        "json": (None, b'{"deployOptions": {"rollbackOnError": true}}', "application/json"),
        "file": ("deploy.zip", zipped(files), "application/zip"),
    }
    headers = {"Authorization": f"Bearer {org.access_token()}"}
    with httpx2.Client(base_url=f"{org.url}/services/data/v64.0", headers=headers) as client:
        sent = client.post("/metadata/deployRequest", files=parts).json()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            path = f"/metadata/deployRequest/{sent['id']}?includeDetails=true"
            result = client.get(path).json()["deployResult"]
            if result["done"]:
                assert result["success"], result
                return next(app for app in apps_of(org.production) if app.options.developer_name == "Headwater")
            time.sleep(0.02)
    raise AssertionError("The deployment did not end in 20 s")


def let_in(org: RunningOrgsim, user_id: str = "") -> None:
    """Give a user the permission set whose members the app lets in."""
    soql = f"SELECT Id FROM PermissionSet WHERE Name = '{PERMISSION_SET}'"
    headers = {"Authorization": f"Bearer {org.access_token()}"}
    with httpx2.Client(base_url=f"{org.url}/services/data/v64.0", headers=headers) as client:
        [found] = client.get("/query", params={"q": soql}).json()["records"]
        row = {"PermissionSetId": found["Id"], "AssigneeId": user_id or org.production_user_id}
        assert client.post("/sobjects/PermissionSetAssignment", json=row).status_code == 201


def wish_for(app: App, **changed: object) -> Wish:
    """As an Account Admin would type it."""
    values: dict[str, object] = {
        "consumer_key": app.client_id,
        "consumer_secret": app.client_secret,
        "log_in": LogIn.BROWSER,
        "login_url": "",
        **changed,
    }
    return Wish(**values)  # type: ignore[arg-type]


def jwt_wish(org: RunningOrgsim, app: App, **changed: object) -> Wish:
    return wish_for(app, **{"log_in": LogIn.JWT, "login_url": org.url, "username": USERNAME, **changed})


def forget_apps(org: RunningOrgsim) -> None:
    """As if nobody had deployed or allowed anything: for tests that share a server."""
    with org.production.database.write() as connection:
        connection.execute("DELETE FROM _app WHERE client_id <> ?", (CLIENT_ID,))
        connection.execute("UPDATE _grant SET revoked = 1")
    org.production.set("app_propagation_seconds", 0)
    org.production.set("login_ip_ranges", [])


def end_sessions(org: RunningOrgsim) -> None:
    """Every access token dies, as after the session time-out."""
    with org.production.database.write() as connection:
        connection.execute("UPDATE _access SET revoked = 1")
