"""What an administrator decides about an app: flows without a person, who may use it, how long it stays connected."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from typer.testing import CliRunner

from integration.certificates import certificate_of, new_key
from integration.orgsim.test_orgsim_oauth import APP, ASKED, answer, exchange, log_in, refresh
from orgsim.cli import app
from orgsim.clock import ClockSetting
from orgsim.oauth.apps import App, AppOptions, add_app, change_options
from orgsim.oauth.grants import revoke_all
from orgsim.oauth.users import NewUser, add_user
from orgsim.testing import CALLBACK, CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME, RunningOrgsim

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MY_DOMAIN = {"Host": "acme.my.salesforce.com"}
SELLER = "seller@acme.example"
KEY = new_key()
OTHER_KEY = new_key()
CERTIFICATE = certificate_of(KEY)


@pytest.fixture
def org_defaults(running: RunningOrgsim) -> Iterator[None]:
    """Every test starts with an app as it is made, no approvals, and the settings and clock of a new org."""
    yield
    running.state.set_clock(ClockSetting())
    for name, value in (("my_domain_host", ""), ("login_ip_ranges", []), ("logins_per_hour", 3600)):
        running.production.set(name, value)
    with running.production.database.write() as connection:
        connection.execute("DELETE FROM _login_rate")
    revoke_all(running.production)
    set_options(running)


pytestmark = pytest.mark.usefixtures("org_defaults")


def set_options(running: RunningOrgsim, **changes: Any) -> None:
    change_options(running.production, CLIENT_ID, {**asdict(AppOptions()), **changes})


def add_seller(running: RunningOrgsim) -> str:
    """A user who can log in and is no administrator."""
    user_id = add_user(running.production, NewUser(SELLER, PASSWORD))
    profiles = running.production.database.connect().execute('SELECT "Id" FROM "Profile" WHERE "Name" = \'Seller\'')
    found = profiles.fetchone()
    profile_id = found[0] if found else running.writer().insert("Profile", {"Name": "Seller"})
    running.writer().update("User", user_id, {"ProfileId": profile_id})
    return user_id


def claims(running: RunningOrgsim, **changes: Any) -> dict[str, Any]:
    expires = int(running.state.clock.now().timestamp()) + 180
    usual = {"iss": CLIENT_ID, "sub": USERNAME, "aud": "https://login.salesforce.com", "exp": expires}
    return {**usual, **changes}


def assert_as(client: httpx2.Client, said: dict[str, Any], key: rsa.RSAPrivateKey = KEY) -> httpx2.Response:
    return send_assertion(client, jwt.encode(said, key, algorithm="RS256"))


def send_assertion(client: httpx2.Client, assertion: str) -> httpx2.Response:
    return client.post("/services/oauth2/token", data={"grant_type": JWT_BEARER, "assertion": assertion})


def refused(response: httpx2.Response) -> tuple[str, str]:
    assert response.status_code == 400
    return response.json()["error"], response.json()["error_description"]


def client_credentials(client: httpx2.Client, headers: dict[str, str], **app: str) -> httpx2.Response:
    body = {**APP, **app, "grant_type": "client_credentials"}
    return client.post("/services/oauth2/token", data=body, headers=headers)


# JWT bearer


@pytest.mark.conformance(
    area="OAuth and identity", feature="JWT bearer flow", source="facts A.4", endpoint="POST /services/oauth2/token"
)
def test_it_gives_a_session_for_an_assertion_of_a_user_who_approved(
    anyone: httpx2.Client, running: RunningOrgsim
) -> None:
    set_options(running, certificate=CERTIFICATE)
    running.tokens()
    tokens = assert_as(anyone, claims(running)).json()
    assert "refresh_token" not in tokens
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert anyone.get("/services/oauth2/userinfo", headers=headers).json()["preferred_username"] == USERNAME


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="JWT bearer flow: exp as text, aud as the address used",
    source="facts A.4",
    endpoint="POST /services/oauth2/token",
)
def test_it_takes_the_expiry_as_text_and_the_address_the_client_used(
    anyone: httpx2.Client, running: RunningOrgsim
) -> None:
    set_options(running, certificate=CERTIFICATE)
    running.tokens()
    said = claims(running, aud=running.url)
    assert assert_as(anyone, {**said, "exp": str(said["exp"])}).status_code == 200


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="JWT bearer flow needs the user's approval",
    source="facts A.4",
    refused=True,
    endpoint="POST /services/oauth2/token",
)
def test_it_refuses_an_assertion_before_the_user_approved_and_after_the_approval_is_revoked(
    anyone: httpx2.Client, running: RunningOrgsim
) -> None:
    set_options(running, certificate=CERTIFICATE)
    unapproved = ("invalid_grant", "user hasn't approved this consumer")
    assert refused(assert_as(anyone, claims(running))) == unapproved
    running.tokens()
    assert refused(assert_as(anyone, claims(running, sub="nobody@acme.example"))) == unapproved
    assert assert_as(anyone, claims(running)).status_code == 200
    revoke_all(running.production)
    assert refused(assert_as(anyone, claims(running))) == unapproved


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="A JWT with a wrong claim is refused",
    source="facts A.5",
    refused=True,
    endpoint="POST /services/oauth2/token",
)
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"aud": "https://test.salesforce.com"}, ("invalid_grant", "Audience validation failed")),
        ({"aud": "https://example.com"}, ("invalid_grant", "audience is invalid")),
        ({"iss": "unknown"}, ("invalid_client_id", "client identifier invalid")),
        ({"exp": 1_000_000_000}, ("invalid_grant", "expired authorization code")),
        ({"exp": 9_000_000_000}, ("invalid_grant", "invalid assertion")),
    ],
)
def test_it_refuses_an_assertion_with_a_wrong_claim(
    anyone: httpx2.Client, running: RunningOrgsim, change: dict[str, Any], error: tuple[str, str]
) -> None:
    set_options(running, certificate=CERTIFICATE)
    running.tokens()
    assert refused(assert_as(anyone, claims(running, **change))) == error


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="A JWT that the app's certificate did not sign is refused",
    source="facts A.4",
    refused=True,
    endpoint="POST /services/oauth2/token",
)
def test_it_refuses_what_the_apps_certificate_did_not_sign(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    running.tokens()
    invalid = ("invalid_grant", "invalid assertion")
    assert refused(assert_as(anyone, claims(running))) == invalid  # the app has no certificate
    set_options(running, certificate=CERTIFICATE)
    assert refused(assert_as(anyone, claims(running), OTHER_KEY)) == invalid
    hashed = jwt.encode(claims(running), "a shared secret of more than thirty-two bytes", algorithm="HS256")
    for wrong in ("", "no.assertion", "a.b.c", "é.é.é", "W10.W10.W10", hashed):
        assert refused(send_assertion(anyone, wrong)) == invalid


# Client credentials


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Client credentials flow, at the org's My Domain",
    source="facts A.4",
    endpoint="POST /services/oauth2/token",
)
def test_it_gives_an_app_the_session_of_its_own_user_at_the_orgs_own_address(
    anyone: httpx2.Client, running: RunningOrgsim
) -> None:
    set_options(running, run_as=USERNAME)
    tokens = client_credentials(anyone, MY_DOMAIN).json()
    assert "refresh_token" not in tokens
    assert tokens["instance_url"] == "http://acme.my.salesforce.com"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert anyone.get("/services/oauth2/userinfo", headers=headers).json()["preferred_username"] == USERNAME
    assert client_credentials(anyone, {"Host": "acme.localhost:8700"}).status_code == 200


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Client credentials are refused at the common login address",
    source="facts A.4",
    refused=True,
    endpoint="POST /services/oauth2/token",
)
def test_it_refuses_client_credentials_at_the_common_login_address(
    anyone: httpx2.Client, running: RunningOrgsim
) -> None:
    set_options(running, run_as=USERNAME)
    elsewhere = ("invalid_grant", "request not supported on this domain")
    assert refused(client_credentials(anyone, {})) == elsewhere
    running.production.set("my_domain_host", "127.0.0.1")
    assert client_credentials(anyone, {}).status_code == 200
    assert refused(client_credentials(anyone, MY_DOMAIN)) == elsewhere


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Client credentials need a run-as user and the secret",
    source="facts A.4",
    refused=True,
    endpoint="POST /services/oauth2/token",
)
def test_it_refuses_client_credentials_without_a_user_or_the_secret(
    anyone: httpx2.Client, running: RunningOrgsim
) -> None:
    closed = ("invalid_grant", "no client credentials user enabled")
    assert refused(client_credentials(anyone, MY_DOMAIN)) == closed
    set_options(running, run_as=USERNAME, secret_required=False)
    wrong = ("invalid_client", "invalid client credentials")
    assert refused(client_credentials(anyone, MY_DOMAIN, client_secret="wrong")) == wrong
    body = {"grant_type": "client_credentials", "client_id": CLIENT_ID}
    assert refused(anyone.post("/services/oauth2/token", data=body, headers=MY_DOMAIN)) == wrong
    basic = anyone.post(
        "/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(CLIENT_ID, CLIENT_SECRET),
        headers=MY_DOMAIN,
    )
    assert basic.status_code == 200


# Refresh policies


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Refresh policies: infinite, inactivity, lifetime, immediate",
    source="facts A.3",
    endpoint="POST /services/oauth2/token",
)
@pytest.mark.parametrize(
    ("policy", "statuses"),
    [
        ("infinite", [200, 200, 200]),
        ("inactivity", [200, 200, 400]),
        ("lifetime", [200, 400, 400]),
        ("immediate", [400, 400, 400]),
    ],
)
def test_a_refresh_token_lives_as_long_as_the_apps_policy_says(
    anyone: httpx2.Client, running: RunningOrgsim, policy: str, statuses: list[int]
) -> None:
    set_options(running, refresh_policy=policy, refresh_seconds=100)
    start = running.state.clock.now().replace(microsecond=0)
    running.state.set_clock(ClockSetting(frozen_at=start))
    _, token = running.tokens()
    seen = []
    for after in (60, 120, 240):
        running.state.set_clock(ClockSetting(frozen_at=start + dt.timedelta(seconds=after)))
        seen.append(refresh(anyone, token).status_code)
    assert seen == statuses


# Who may use the app


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Apps for approved users alone",
    source="facts A.5",
    endpoint="POST /services/oauth2/token",
)
def test_it_lets_only_approved_users_use_an_app_for_approved_users(
    anyone: httpx2.Client, running: RunningOrgsim
) -> None:
    add_seller(running)
    set_options(running, admin_approved=True, approved=("System Administrator",), certificate=CERTIFICATE)
    denied = ("invalid_app_access", "user is not admin approved to access this app")
    assert assert_as(anyone, claims(running)).status_code == 200
    assert refused(assert_as(anyone, claims(running, sub=SELLER))) == denied
    set_options(running, admin_approved=True, run_as=SELLER)
    assert refused(client_credentials(anyone, MY_DOMAIN)) == denied
    body = {**APP, "grant_type": "password", "username": SELLER, "password": PASSWORD}
    assert refused(anyone.post("/services/oauth2/token", data=body)) == denied


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="A permission set approves a user for an app",
    source="facts A.7",
    endpoint="POST /services/oauth2/token",
)
def test_a_permission_set_lets_a_user_in(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    user_id = add_seller(running)
    set_options(running, admin_approved=True, approved=("Uses_Headwater",), run_as=SELLER)
    assert client_credentials(anyone, MY_DOMAIN).status_code == 400
    permission_set = running.writer().insert("PermissionSet", {"Name": "Uses_Headwater", "Label": "Uses Headwater"})
    assigned = {"PermissionSetId": permission_set, "AssigneeId": user_id}
    running.writer().insert("PermissionSetAssignment", assigned)
    assert client_credentials(anyone, MY_DOMAIN).status_code == 200


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Users an administrator approved are not asked",
    source="facts A.7",
    endpoint="POST /services/oauth2/authorize/login",
)
def test_the_browser_is_sent_back_when_the_user_is_not_approved_and_straight_on_when_approved(
    anyone: httpx2.Client, running: RunningOrgsim
) -> None:
    add_seller(running)
    set_options(running, admin_approved=True, approved=("System Administrator",))
    denied = log_in_redirect(anyone, SELLER)
    assert denied["error"] == ["OAUTH_APP_ACCESS_DENIED"]
    assert denied["error_description"] == ["user is not admin approved to access this app"]
    allowed = log_in_redirect(anyone, USERNAME)
    assert exchange(anyone, allowed["code"][0]).status_code == 200


def log_in_redirect(client: httpx2.Client, username: str) -> dict[str, list[str]]:
    """The query of the redirect that follows the login at once."""
    sent = {**ASKED, "un": username, "pw": PASSWORD}
    response = client.post("/services/oauth2/authorize/login", data=sent)
    assert response.status_code == 302
    return parse_qs(urlsplit(response.headers["location"]).query)


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Only administrators may allow an app that is not installed",
    source="facts A.7",
    endpoint="POST /services/oauth2/authorize/login",
)
def test_only_administrators_may_allow_an_app_nobody_installed(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    add_seller(running)
    redirect = answer(anyone, log_in(anyone, ASKED, SELLER), "allow")
    connected = exchange(anyone, redirect["code"][0]).json()["refresh_token"]
    set_options(running, installed=False)
    assert "app must be installed into org" in log_in(anyone, ASKED, SELLER)
    assert answer(anyone, log_in(anyone, ASKED), "allow")["code"]
    assert refresh(anyone, connected).status_code == 200  # what was allowed before goes on


# Addresses and the rate of logins


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Login ranges of the org",
    source="facts A.5",
    refused=True,
    endpoint="POST /services/oauth2/token",
)
def test_it_refuses_logins_and_tokens_from_outside_the_orgs_ranges(
    anyone: httpx2.Client, running: RunningOrgsim
) -> None:
    _, token = running.tokens()
    password = {**APP, "grant_type": "password", "username": USERNAME, "password": PASSWORD}
    running.production.set("login_ip_ranges", ["10.0.0.0/8"])
    restricted = ("invalid_grant", "ip restricted")
    assert refused(anyone.post("/services/oauth2/token", data=password)) == restricted
    assert refused(refresh(anyone, token)) == restricted
    assert "from this address" in log_in(anyone, ASKED)
    running.production.set("login_ip_ranges", ["10.0.0.0/8", "127.0.0.1/32"])
    assert anyone.post("/services/oauth2/token", data=password).status_code == 200
    assert refresh(anyone, token).status_code == 200


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="One login too many locks the user out for an hour",
    source="facts A.5",
    refused=True,
    endpoint="POST /services/oauth2/token",
)
def test_one_login_too_many_locks_the_user_out_for_an_hour(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    start = running.state.clock.now().replace(microsecond=0)
    running.production.set("logins_per_hour", 3)
    seen = []
    for minute in (0, 10, 20, 50, 70, 109, 110):
        running.state.set_clock(ClockSetting(frozen_at=start + dt.timedelta(minutes=minute)))
        body = {**APP, "grant_type": "password", "username": USERNAME, "password": PASSWORD}
        response = anyone.post("/services/oauth2/token", data=body)
        seen.append(response.json().get("error_description", "in"))
    assert seen == ["in", "in", "in", "login rate exceeded", "login rate exceeded", "login rate exceeded", "in"]


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Refreshing is no login",
    source="facts A.5",
    endpoint="POST /services/oauth2/token",
)
def test_refreshing_is_no_login(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    _, token = running.tokens()
    running.production.set("logins_per_hour", 0)
    assert refresh(anyone, token).status_code == 200
    assert "logged in too often" in log_in(anyone, ASKED)


def test_an_app_of_an_earlier_state_folder_keeps_its_options(running: RunningOrgsim) -> None:
    add_app(running.sandbox, App("old", "Old", "s", (CALLBACK,)))
    with running.sandbox.database.write() as connection:
        connection.execute("UPDATE _app SET options = '{\"pkce_required\":false}' WHERE client_id = 'old'")
    changed = change_options(running.sandbox, "old", {"approved": ("A",)})
    assert changed.options == AppOptions(pkce_required=False, approved=("A",))
    with pytest.raises(LookupError):
        change_options(running.sandbox, "unknown", {})


@pytest.mark.conformance(area="Levers", feature="The command app policy", source="reference")
def test_the_command_changes_what_is_named_and_keeps_the_rest(running: RunningOrgsim, tmp_path: Path) -> None:
    certificate = tmp_path / "app.pem"
    certificate.write_text(CERTIFICATE)
    where = ["--state", str(running.state_folder), "--org", running.production.org_id, "--json"]
    named = ["--certificate", str(certificate), "--admin-approved", "--approve", "A", "--approve", "B"]
    assert CliRunner().invoke(app, ["app", "policy", CLIENT_ID, *named, *where]).exit_code == 0
    shown = CliRunner().invoke(app, ["app", "policy", CLIENT_ID, "--refresh-policy", "immediate", *where])
    expected = AppOptions(certificate=CERTIFICATE, admin_approved=True, approved=("A", "B"), refresh_policy="immediate")
    assert orjson.loads(shown.stdout)["options"] == {**asdict(expected), "approved": ["A", "B"], "parts": []}
    assert CLIENT_SECRET not in shown.stdout
    wrong = CliRunner().invoke(app, ["app", "policy", CLIENT_ID, "--refresh-policy", "never", *where])
    assert wrong.exit_code == 2
