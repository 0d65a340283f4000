"""The web server flow with PKCE, refresh with and without rotation, the other token endpoints, and the two doors."""

import base64
import hashlib
import hmac
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from orgsim.clock import ClockSetting
from orgsim.oauth.apps import App, AppOptions, add_app
from orgsim.testing import (
    CALLBACK,
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    SANDBOX_USERNAME,
    USERNAME,
    RunningOrgsim,
    running_orgsim,
)

VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "response_type": "code",
    "client_id": CLIENT_ID,
    "redirect_uri": CALLBACK,
    "scope": "api refresh_token",
    "state": "x y&z",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "prompt": "login",
}
APP = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


class Form(HTMLParser):
    """The fields, buttons and text of the one form on a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.labels: list[str] = []
        self.buttons: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._inside = tag
        if tag == "form":
            self.action = given["action"]
        if tag == "input":
            self.fields[given["name"]] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._inside == "label" and data.strip():
            self.labels.append(data.strip())
        if self._inside == "button" and data.strip():
            self.buttons.append(data.strip())


def log_in(client: httpx2.Client, asked: dict[str, str], username: str = USERNAME, password: str = PASSWORD) -> str:
    """The page after the login form was sent."""
    form = Form(client.get("/services/oauth2/authorize", params=asked).text)
    assert (form.labels, form.buttons) == (["Username", "Password"], ["Log In"])
    return client.post(form.action, data={**form.fields, "un": username, "pw": password}).text


def answer(client: httpx2.Client, page: str, button: str) -> dict[str, list[str]]:
    """The query of the redirect after Allow or Deny."""
    form = Form(page)
    assert form.buttons == ["Allow", "Deny"]
    redirect = client.post(form.action, data={**form.fields, "answer": button})
    assert redirect.status_code == 302
    assert redirect.headers["location"].startswith(CALLBACK + "?")
    return parse_qs(urlsplit(redirect.headers["location"]).query)


def get_code(client: httpx2.Client, **more: str) -> str:
    return answer(client, log_in(client, {**ASKED, **more}), "allow")["code"][0]


def exchange(client: httpx2.Client, code: str, **more: str) -> httpx2.Response:
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return client.post("/services/oauth2/token", data={**APP, **body, **more})


def refresh(client: httpx2.Client, token: str) -> httpx2.Response:
    return client.post("/services/oauth2/token", data={**APP, "grant_type": "refresh_token", "refresh_token": token})


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Web server flow with PKCE",
    source="facts A.2",
    endpoint="POST /services/oauth2/token",
)
@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Web server flow with PKCE",
    source="facts A.2",
    endpoint="POST /services/oauth2/authorize/login",
)
def test_it_gives_tokens_after_login_and_approval(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    redirect = answer(anyone, log_in(anyone, ASKED), "allow")
    assert redirect["state"] == ["x y&z"]
    response = exchange(anyone, redirect["code"][0])
    tokens = response.json()
    assert response.status_code == 200
    assert tokens["instance_url"] == running.url
    assert tokens["id"] == f"{running.url}/id/{running.production.org_id}/{running.production_user_id}"
    assert tokens["token_type"] == "Bearer"
    assert tokens["scope"] == "api refresh_token"
    assert tokens["access_token"].startswith(running.production.org_id[:15] + "!")
    assert tokens["refresh_token"]
    assert "expires_in" not in tokens
    signed = hmac.new(CLIENT_SECRET.encode(), (tokens["id"] + tokens["issued_at"]).encode(), hashlib.sha256).digest()
    assert base64.b64decode(tokens["signature"]) == signed
    assert "sforce-limit-info" not in response.headers


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="The login page tells a wrong password",
    source="facts A.2",
    endpoint="POST /services/oauth2/authorize/login",
)
def test_it_says_on_the_login_page_that_the_password_is_wrong(anyone: httpx2.Client) -> None:
    page = log_in(anyone, ASKED, password="nope")
    assert "Please check your username and password" in page
    assert Form(page).buttons == ["Log In"]
    assert Form(page).fields["un"] == USERNAME


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="The user may deny",
    source="facts A.2",
    endpoint="POST /services/oauth2/authorize/approve",
)
def test_it_tells_the_app_when_the_user_denies(anyone: httpx2.Client) -> None:
    redirect = answer(anyone, log_in(anyone, ASKED), "deny")
    assert redirect["error"] == ["access_denied"]
    assert redirect["error_description"] == ["end-user denied authorization"]
    assert redirect["state"] == ["x y&z"]


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="An approval page can be answered once",
    source="facts A.2",
    endpoint="POST /services/oauth2/authorize/approve",
)
def test_it_lets_each_approval_page_be_answered_once(anyone: httpx2.Client) -> None:
    page = log_in(anyone, ASKED)
    answer(anyone, page, "allow")
    again = anyone.post(Form(page).action, data={**Form(page).fields, "answer": "allow"})
    assert again.status_code == 400


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="An unknown callback or app is told on a page, not to the callback",
    source="facts A.2",
    refused=True,
    endpoint="GET /services/oauth2/authorize",
)
def test_it_shows_an_error_page_rather_than_redirect_to_an_unknown_callback(anyone: httpx2.Client) -> None:
    for change in ({"redirect_uri": CALLBACK + "/x"}, {"client_id": "unknown"}):
        response = anyone.get("/services/oauth2/authorize", params={**ASKED, **change})
        assert response.status_code == 400
        assert "location" not in response.headers
        assert 'role="alert"' in response.text


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="PKCE with S256 is required unless the app says otherwise",
    source="facts A.2",
    refused=True,
    endpoint="GET /services/oauth2/authorize",
)
def test_it_insists_on_pkce(anyone: httpx2.Client) -> None:
    asked = {name: value for name, value in ASKED.items() if name != "code_challenge"}
    response = anyone.get("/services/oauth2/authorize", params=asked)
    assert response.status_code == 302
    assert "error=invalid_request" in response.headers["location"]
    plain = anyone.get("/services/oauth2/authorize", params={**ASKED, "code_challenge_method": "plain"})
    assert "error=invalid_request" in plain.headers["location"]


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="prompt=login asks for the password whatever session the browser has",
    source="facts A.2",
    endpoint="GET /services/oauth2/authorize",
)
def test_it_remembers_the_browser_unless_asked_for_a_fresh_login(running: RunningOrgsim) -> None:
    with httpx2.Client(base_url=running.url) as browser:
        log_in(browser, ASKED)
        asked = {name: value for name, value in ASKED.items() if name != "prompt"}
        remembered = browser.get("/services/oauth2/authorize", params=asked)
        assert Form(remembered.text).buttons == ["Allow", "Deny"]
        fresh = browser.get("/services/oauth2/authorize", params=ASKED)
        assert Form(fresh.text).buttons == ["Log In"]


@pytest.mark.conformance(
    area="OAuth and identity", feature="A code works once", source="facts A.2", endpoint="POST /services/oauth2/token"
)
def test_it_takes_a_code_once(anyone: httpx2.Client) -> None:
    code = get_code(anyone)
    assert exchange(anyone, code).status_code == 200
    again = exchange(anyone, code)
    assert (again.status_code, again.json()) == (
        400,
        {"error": "invalid_grant", "error_description": "expired authorization code"},
    )


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="A code works for three minutes",
    source="facts A.2",
    endpoint="POST /services/oauth2/token",
)
def test_it_takes_a_code_for_three_minutes(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    code = get_code(anyone)
    running.state.set_clock(ClockSetting(offset_seconds=181))
    try:
        assert exchange(anyone, code).json()["error"] == "invalid_grant"
    finally:
        running.state.set_clock(ClockSetting())


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="An exchange with anything wrong in it is refused",
    source="facts A.5",
    refused=True,
    endpoint="POST /services/oauth2/token",
)
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": "wrong"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"redirect_uri": CALLBACK + "x"}, "redirect_uri_mismatch"),
        ({"client_id": "unknown"}, "invalid_client_id"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"grant_type": "unknown"}, "unsupported_grant_type"),
    ],
)
def test_it_refuses_a_wrong_exchange(anyone: httpx2.Client, change: dict[str, str], error: str) -> None:
    response = exchange(anyone, **{"code": get_code(anyone), **change})
    assert (response.status_code, response.json()["error"]) == (400, error)


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Refreshing, without rotation by default",
    source="facts A.3",
    endpoint="POST /services/oauth2/token",
)
def test_it_refreshes_without_rotation_by_default(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    _, token = running.tokens()
    first, second = refresh(anyone, token).json(), refresh(anyone, token).json()
    assert "refresh_token" not in first
    assert first["access_token"] != second["access_token"]
    assert refresh(anyone, token + "x").json() == {
        "error": "invalid_grant",
        "error_description": "expired access/refresh token",
    }


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Refresh token rotation; a replayed token ends the grant",
    source="facts A.3",
    endpoint="POST /services/oauth2/token",
)
def test_it_revokes_the_grant_when_a_rotated_token_is_replayed(tmp_path: Path) -> None:
    with running_orgsim(tmp_path, options=AppOptions(rotate_refresh_token=True)) as running:
        access, token = running.tokens()
        with httpx2.Client(base_url=running.url) as client:
            rotated = refresh(client, token).json()
            assert rotated["refresh_token"] != token
            headers = {"Authorization": f"Bearer {rotated['access_token']}"}
            assert client.get("/services/data/v60.0/limits", headers=headers).status_code == 200
            assert refresh(client, token).json()["error"] == "invalid_grant"
            assert refresh(client, rotated["refresh_token"]).json()["error"] == "invalid_grant"
            for dead in (access, rotated["access_token"]):
                headers = {"Authorization": f"Bearer {dead}"}
                assert client.get("/services/data/v60.0/limits", headers=headers).status_code == 401


@pytest.mark.conformance(
    area="OAuth and identity", feature="The sixth approval of a user and app revokes the oldest", source="facts A.3"
)
def test_it_revokes_the_oldest_of_six_approvals(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    granted = [running.tokens()[1] for _ in range(6)]
    assert [refresh(anyone, token).status_code for token in granted] == [400, 200, 200, 200, 200, 200]


@pytest.mark.conformance(
    area="OAuth and identity", feature="Access tokens expire; Authorization may say Bearer or OAuth", source="facts A.3"
)
def test_it_lets_access_tokens_expire(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    headers = {"Authorization": f"OAuth {running.access_token()}"}
    assert anyone.get("/services/data/v60.0/limits", headers=headers).status_code == 200
    running.state.set_clock(ClockSetting(offset_seconds=7201))
    try:
        expired = anyone.get("/services/data/v60.0/limits", headers=headers)
    finally:
        running.state.set_clock(ClockSetting())
    assert expired.status_code == 401
    assert expired.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert "sforce-limit-info" not in expired.headers


@pytest.mark.conformance(
    area="Reaching it",
    feature="Two doors: login.salesforce.com and test.salesforce.com",
    source="facts A.1",
    endpoint="GET /services/oauth2/authorize",
)
def test_it_lets_each_user_in_at_their_own_door_only(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    with httpx2.Client(base_url=running.sandbox_url) as sandbox_door:
        assert Form(log_in(sandbox_door, ASKED, SANDBOX_USERNAME)).buttons == ["Allow", "Deny"]
        assert Form(log_in(sandbox_door, ASKED, USERNAME)).buttons == ["Log In"]
        tokens = exchange(sandbox_door, get_code_of(sandbox_door, SANDBOX_USERNAME)).json()
    assert Form(log_in(anyone, ASKED, SANDBOX_USERNAME)).buttons == ["Log In"]
    assert tokens["instance_url"] == running.sandbox_url
    # The data of an org is served at either port, by its token.
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    query = {"q": "SELECT Id, IsSandbox FROM Organization"}
    for url in (running.url, running.sandbox_url):
        [row] = httpx2.get(f"{url}/services/data/v60.0/query", params=query, headers=headers).json()["records"]
        assert (row["Id"], row["IsSandbox"]) == (running.sandbox.org_id, True)


def get_code_of(client: httpx2.Client, username: str) -> str:
    return answer(client, log_in(client, ASKED, username), "allow")["code"][0]


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="An app of another org is unknown",
    source="facts A.5",
    refused=True,
    endpoint="GET /services/oauth2/authorize",
)
def test_it_refuses_a_user_whose_org_does_not_have_the_app(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    add_app(running.sandbox, App("only-sandbox", "Other", "s", (CALLBACK,)))
    response = anyone.get("/services/oauth2/authorize", params={**ASKED, "client_id": "only-sandbox"})
    assert "client identifier invalid" in response.text


@pytest.mark.conformance(
    area="OAuth and identity", feature="Password grant", source="facts A.4", endpoint="POST /services/oauth2/token"
)
def test_it_gives_a_session_for_a_password(anyone: httpx2.Client) -> None:
    body = {**APP, "grant_type": "password", "username": USERNAME}
    good = anyone.post("/services/oauth2/token", data={**body, "password": PASSWORD})
    bad = anyone.post("/services/oauth2/token", data={**body, "password": "nope"})
    assert (good.status_code, "refresh_token" in good.json()) == (200, False)
    assert bad.json()["error_description"] == "authentication failure - Invalid Password"


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Identity URL, userinfo and discovery",
    source="facts A.6",
    endpoint="GET /services/oauth2/userinfo",
)
@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Identity URL, userinfo and discovery",
    source="facts A.6",
    endpoint="GET /id/{org_id}/{user_id}",
)
def test_it_tells_who_a_token_belongs_to(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    headers = {"Authorization": f"Bearer {running.access_token()}"}
    userinfo = anyone.get("/services/oauth2/userinfo", headers=headers).json()
    assert userinfo["preferred_username"] == USERNAME
    assert userinfo["organization_id"] == running.production.org_id
    path = f"/id/{running.production.org_id}/{running.production_user_id}"
    assert anyone.get(path, headers=headers).json()["username"] == USERNAME
    assert anyone.get(path).status_code == 403
    assert anyone.get("/services/oauth2/userinfo").status_code == 403
    assert anyone.get("/.well-known/openid-configuration").json()["issuer"] == running.url


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Introspection of an app's own tokens",
    source="facts A.6",
    endpoint="POST /services/oauth2/introspect",
)
def test_it_introspects_an_apps_own_tokens(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    access, token = running.tokens()
    found = anyone.post("/services/oauth2/introspect", data={**APP, "token": access}).json()
    assert (found["active"], found["token_type"], found["exp"] - found["iat"]) == (True, "access_token", 7200)
    assert anyone.post("/services/oauth2/introspect", data={**APP, "token": token}).json()["active"] is True
    assert anyone.post("/services/oauth2/introspect", data={**APP, "token": "x"}).json() == {"active": False}
    basic = anyone.post("/services/oauth2/introspect", data={"token": access}, auth=(CLIENT_ID, CLIENT_SECRET))
    assert basic.json()["active"] is True


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Revoking a refresh token ends its access tokens",
    source="facts A.5",
    endpoint="POST /services/oauth2/revoke",
)
def test_it_revokes_a_refresh_token_with_its_access_tokens(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    access, token = running.tokens()
    assert anyone.post("/services/oauth2/revoke", data={"token": token}).status_code == 200
    headers = {"Authorization": f"Bearer {access}"}
    assert anyone.get("/services/data/v60.0/limits", headers=headers).status_code == 401
    unknown = anyone.post("/services/oauth2/revoke", data={"token": "x"})
    assert (unknown.status_code, unknown.text) == (
        400,
        "error=unsupported_token_type&error_description=this+token+type+is+not+supported",
    )


@pytest.mark.conformance(
    area="OAuth and identity", feature="A deactivated user is locked out at once", source="facts A.5"
)
def test_a_deactivated_user_is_locked_out(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    access, token = running.tokens()
    writer = running.writer()
    writer.update("User", running.production_user_id, {"IsActive": False})
    try:
        headers = {"Authorization": f"Bearer {access}"}
        assert anyone.get("/services/data/v60.0/limits", headers=headers).status_code == 401
        assert refresh(anyone, token).json() == {"error": "inactive_user", "error_description": "user is inactive"}
        assert "Your account is inactive" in log_in(anyone, ASKED)
    finally:
        writer.update("User", running.production_user_id, {"IsActive": True})


@pytest.mark.conformance(
    area="Limits",
    feature="OAuth and the list of versions cost nothing",
    source="facts B.5",
    endpoint="GET /services/data",
)
def test_oauth_costs_no_credit(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    before = running.production.usage.total_credits()
    _, token = running.tokens()
    refresh(anyone, token)
    anyone.get("/services/oauth2/userinfo")
    anyone.get("/services/data")
    assert running.production.usage.total_credits() == before


@pytest.mark.conformance(
    area="OAuth and identity", feature="Asking by POST", source="facts A.1", endpoint="POST /services/oauth2/authorize"
)
def test_it_takes_the_authorize_request_as_a_form_too(anyone: httpx2.Client) -> None:
    page = anyone.post("/services/oauth2/authorize", data=ASKED)
    assert Form(page.text).buttons == ["Log In"]
    assert Form(page.text).fields["state"] == ASKED["state"]


@pytest.mark.conformance(
    area="OAuth and identity", feature="Asking by POST", source="facts A.1", endpoint="POST /services/oauth2/userinfo"
)
@pytest.mark.conformance(
    area="OAuth and identity", feature="Asking by POST", source="facts A.1", endpoint="POST /id/{org_id}/{user_id}"
)
def test_identity_and_userinfo_answer_a_post_alike(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    headers = {"Authorization": f"Bearer {running.access_token()}"}
    for path in ("/services/oauth2/userinfo", f"/id/{running.production.org_id}/{running.production_user_id}"):
        assert anyone.post(path, headers=headers).json() == anyone.get(path, headers=headers).json()


@pytest.mark.conformance(
    area="OAuth and identity", feature="The offset of the user's time zone, without summer time", source="facts A.6"
)
def test_the_offset_is_that_of_the_users_time_zone(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    headers = {"Authorization": f"Bearer {running.access_token()}"}
    running.writer().update("User", running.production_user_id, {"TimeZoneSidKey": "America/Los_Angeles"})
    told = anyone.get("/services/oauth2/userinfo", headers=headers).json()
    running.writer().update("User", running.production_user_id, {"TimeZoneSidKey": "GMT"})
    assert (told["utcOffset"], told["zoneinfo"], told["user_type"]) == (-28_800_000, "America/Los_Angeles", "STANDARD")


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Revoking by an address",
    source="facts A.5",
    endpoint="GET /services/oauth2/revoke",
)
def test_a_token_is_revoked_by_an_address(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    access, token = running.tokens()
    assert anyone.get("/services/oauth2/revoke", params={"token": token}).status_code == 200
    headers = {"Authorization": f"Bearer {access}"}
    assert anyone.get("/services/oauth2/userinfo", headers=headers).status_code == 403


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="URLs of the identity, with a version or a place for one",
    source="facts A.6",
    endpoint="GET /id/{org_id}/{user_id}",
)
@pytest.mark.parametrize(
    ("asked", "told"), [({}, "{version}"), ({"version": "latest"}, "67.0"), ({"version": "59.0"}, "59.0")]
)
def test_the_identitys_urls_name_the_version_that_was_asked_for(
    anyone: httpx2.Client, running: RunningOrgsim, asked: dict[str, str], told: str
) -> None:
    headers = {"Authorization": f"Bearer {running.access_token()}"}
    path = f"/id/{running.production.org_id}/{running.production_user_id}"
    urls = anyone.get(path, headers=headers, params=asked).json()["urls"]
    assert urls["rest"] == f"{running.url}/services/data/v{told}/"
    assert urls["feed_elements"] == f"{running.url}/services/data/v{told}/chatter/feed-elements"
    assert urls["partner"] == f"{running.url}/services/Soap/u/{told}/{running.production.org_id[:15]}"
    assert urls["custom_domain"] == running.url
