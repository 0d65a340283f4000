"""The table of OAuth's refusals (facts A.5), row by row: what is sent, and the error in Salesforce's words."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from integration.orgsim.test_orgsim_oauth import APP, ASKED, answer, exchange, get_code, log_in, refresh
from integration.orgsim.test_orgsim_oauth_apps import (
    CERTIFICATE,
    MY_DOMAIN,
    SELLER,
    add_seller,
    assert_as,
    claims,
    client_credentials,
    org_defaults,
    set_options,
)
from orgsim.clock import ClockSetting
from orgsim.oauth.apps import App, add_app
from orgsim.oauth.grants import revoke_all
from orgsim.testing import CALLBACK, PASSWORD, SANDBOX_USERNAME, USERNAME, RunningOrgsim

__all__ = ["org_defaults"]
pytestmark = pytest.mark.usefixtures("org_defaults")
Ask = Callable[[httpx2.Client, RunningOrgsim], httpx2.Response]


def ask_password(
    client: httpx2.Client, username: str = USERNAME, password: str = PASSWORD, **app: str
) -> httpx2.Response:
    body = {**APP, **app, "grant_type": "password", "username": username, "password": password}
    return client.post("/services/oauth2/token", data=body)


def refresh_after_revocation(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
    _, token = running.tokens()
    revoke_all(running.production)
    return refresh(client, token)


def refresh_of_a_removed_app(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
    add_app(running.production, App("short-lived", "Other", APP["client_secret"], (CALLBACK,)))
    _, token = running.tokens()
    body = {**APP, "client_id": "short-lived", "grant_type": "refresh_token", "refresh_token": token}
    return client.post("/services/oauth2/token", data=body)


def ask_without_api(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
    running.production.set("api_enabled", False)
    return ask_password(client)


def ask_from_elsewhere(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
    running.production.set("login_ip_ranges", ["10.0.0.0/8"])
    return ask_password(client)


def assert_unapproved(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
    set_options(running, certificate=CERTIFICATE)
    return assert_as(client, claims(running))


def assert_not_admin_approved(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
    add_seller(running)
    set_options(running, admin_approved=True, approved=("System Administrator",), certificate=CERTIFICATE)
    return assert_as(client, claims(running, sub=SELLER))


def assert_to(audience: str) -> Ask:
    def ask(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
        set_options(running, certificate=CERTIFICATE)
        running.tokens()
        return assert_as(client, claims(running, aud=audience))

    return ask


def assert_for_an_external_app(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
    set_options(running, certificate=CERTIFICATE, external=True, installed=False)
    running.tokens()
    return assert_as(client, claims(running))


def credentials_without_a_user(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
    set_options(running, run_as="")
    return client_credentials(client, MY_DOMAIN)


def credentials_at_the_login_host(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
    set_options(running, run_as=USERNAME)
    return client_credentials(client, {})


def ask_inactive(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
    seller = add_seller(running)
    running.writer().update("User", seller, {"IsActive": False})
    refused = ask_password(client, SELLER)
    running.writer().update("User", seller, {"IsActive": True})
    return refused


def exchange_late(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
    code = get_code(client)
    now = running.state.clock.now()
    running.state.set_clock(ClockSetting(frozen_at=now + dt.timedelta(seconds=181)))
    return exchange(client, code)


def ask_too_often(client: httpx2.Client, running: RunningOrgsim) -> httpx2.Response:
    running.production.set("logins_per_hour", 1)
    assert ask_password(client).status_code == 200
    return ask_password(client)


def row(error: str, description: str, when: str, ask: Ask) -> Any:
    mark = pytest.mark.conformance(
        area="OAuth and identity",
        feature=f"{error}: {description}, {when}",
        source="facts A.5",
        refused=True,
        endpoint="POST /services/oauth2/token",
    )
    return pytest.param(ask, error, description, id=f"{error} {when}", marks=mark)


EXPIRED = "expired access/refresh token"
NOT_ADMITTED = "user is not admin approved to access this app"
NOT_INSTALLED = "External client app is not installed in this org"


@pytest.mark.parametrize(
    ("ask", "error", "description"),
    [
        row("invalid_grant", EXPIRED, "a revoked grant", refresh_after_revocation),
        row("invalid_grant", EXPIRED, "another app's token", refresh_of_a_removed_app),
        row("invalid_grant", EXPIRED, "an unknown token", lambda client, _: refresh(client, "5Aep")),
        row("invalid_grant", "authentication failure", "an org without API", ask_without_api),
        row(
            "invalid_grant",
            "authentication failure - Invalid Password",
            "a wrong password",
            lambda client, _: ask_password(client, password="nope"),
        ),
        row(
            "invalid_grant",
            "authentication failure - Invalid Password",
            "a user of the other door",
            lambda client, _: ask_password(client, SANDBOX_USERNAME),
        ),
        row("invalid_grant", "ip restricted", "an address outside the ranges", ask_from_elsewhere),
        row("invalid_grant", "user hasn't approved this consumer", "JWT without approval", assert_unapproved),
        row("invalid_app_access", NOT_ADMITTED, "JWT of a user not approved", assert_not_admin_approved),
        row(
            "invalid_client_id",
            "client identifier invalid",
            "an unknown consumer key",
            lambda client, _: ask_password(client, client_id="unknown"),
        ),
        row(
            "invalid_client",
            "invalid client credentials",
            "a wrong secret",
            lambda client, _: ask_password(client, client_secret="wrong"),
        ),
        row("app_not_found", NOT_INSTALLED, "an External Client App elsewhere", assert_for_an_external_app),
        row("invalid_grant", "no client credentials user enabled", "no run-as user", credentials_without_a_user),
        row("invalid_grant", "request not supported on this domain", "login host", credentials_at_the_login_host),
        row("invalid_grant", "audience is invalid", "JWT for a stranger", assert_to("https://example.com")),
        row("invalid_grant", "Audience validation failed", "the other door", assert_to("https://test.salesforce.com")),
        row("inactive_user", "user is inactive", "a deactivated user", ask_inactive),
        row(
            "unsupported_grant_type",
            "grant type not supported",
            "an unknown grant",
            lambda client, _: client.post("/services/oauth2/token", data={**APP, "grant_type": "device"}),
        ),
        row(
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
            "another callback",
            lambda client, _: exchange(client, get_code(client), redirect_uri=f"{CALLBACK}/x"),
        ),
        row("invalid_grant", "expired authorization code", "after three minutes", exchange_late),
        row(
            "invalid_grant",
            "invalid code verifier",
            "another verifier",
            lambda client, _: exchange(client, get_code(client), code_verifier="wrong"),
        ),
        row("rate_limit_exceeded", "login rate exceeded", "too many logins in an hour", ask_too_often),
    ],
)
def test_the_token_endpoint_refuses_in_salesforces_words(
    anyone: httpx2.Client, running: RunningOrgsim, ask: Ask, error: str, description: str
) -> None:
    try:
        refused = ask(anyone, running)
    finally:
        running.production.set("api_enabled", True)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/json;charset=UTF-8"
    assert refused.json() == {"error": error, "error_description": description}


def page_mark(feature: str) -> pytest.MarkDecorator:
    return pytest.mark.conformance(
        area="OAuth and identity",
        feature=feature,
        source="facts A.5",
        refused=True,
        endpoint="GET /services/oauth2/authorize",
    )


@page_mark("access_denied at the callback, when the user denies")
def test_the_callback_hears_that_the_user_denied(anyone: httpx2.Client) -> None:
    told = answer(anyone, log_in(anyone, ASKED), "deny")
    assert (told["error"], told["error_description"]) == (["access_denied"], ["end-user denied authorization"])


@page_mark("OAUTH_APP_ACCESS_DENIED at the callback, for a user who is not approved")
def test_the_callback_hears_that_the_user_is_not_approved(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    add_seller(running)
    set_options(running, admin_approved=True, approved=("System Administrator",))
    redirect = anyone.post("/services/oauth2/authorize/login", data={**ASKED, "un": SELLER, "pw": PASSWORD})
    told = parse_qs(urlsplit(redirect.headers["location"]).query)
    assert (told["error"], told["error_description"]) == (["OAUTH_APP_ACCESS_DENIED"], [NOT_ADMITTED])


@page_mark("On the page: app must be installed into org; External client app is not installed in this org")
@pytest.mark.parametrize(
    ("external", "username", "error", "text"),
    [
        (False, SELLER, "invalid_client", "app must be installed into org"),
        (True, SELLER, "OAUTH_EC_APP_NOT_FOUND", NOT_INSTALLED),
        (True, USERNAME, "OAUTH_EC_APP_NOT_FOUND", NOT_INSTALLED),
    ],
)
def test_the_page_tells_that_the_app_is_not_installed(
    anyone: httpx2.Client, running: RunningOrgsim, external: bool, username: str, error: str, text: str
) -> None:
    add_seller(running)
    set_options(running, installed=False, external=external)
    page = log_in(anyone, ASKED, username)
    assert text in page
    assert error in page


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="An org without API answers API_DISABLED_FOR_ORG, and FeatureNotEnabled in Bulk API 1",
    source="facts A.5",
    refused=True,
)
def test_an_org_without_api_answers_no_call(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    token = running.access_token()
    running.production.set("api_enabled", False)
    try:
        rest = anyone.get("/services/data/v60.0/limits", headers={"Authorization": f"Bearer {token}"})
        bulk = anyone.get("/services/async/60.0/job/750", headers={"X-SFDC-Session": token})
    finally:
        running.production.set("api_enabled", True)
    assert (rest.status_code, rest.json()[0]["errorCode"]) == (403, "API_DISABLED_FOR_ORG")
    assert (bulk.status_code, "FeatureNotEnabled" in bulk.text) == (400, True)


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Revoking an unknown token is refused, form-encoded",
    source="facts A.5",
    refused=True,
    endpoint="POST /services/oauth2/revoke",
)
@pytest.mark.conformance(
    area="OAuth and identity",
    feature="Revoking an unknown token is refused, form-encoded",
    source="facts A.5",
    refused=True,
    endpoint="GET /services/oauth2/revoke",
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_revoking_an_unknown_token_is_refused_as_a_form(anyone: httpx2.Client, method: str) -> None:
    address = "/services/oauth2/revoke?token=x" if method == "GET" else "/services/oauth2/revoke"
    refused = anyone.request(method, address, data={"token": "x"} if method == "POST" else None)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(refused.text) == {
        "error": ["unsupported_token_type"],
        "error_description": ["this token type is not supported"],
    }


@pytest.mark.conformance(
    area="OAuth and identity", feature="A dead access token, as each API says it", source="facts A.5", refused=True
)
def test_each_api_has_its_own_words_for_a_dead_token(anyone: httpx2.Client) -> None:
    rest = anyone.get("/services/data/v60.0/limits", headers={"Authorization": "Bearer 00D!x"})
    assert (rest.status_code, rest.json()) == (
        401,
        [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    )
    json = {"X-SFDC-Session": "00D!x", "Content-Type": "application/json"}
    bulk = anyone.get("/services/async/60.0/job/750", headers=json)
    assert bulk.json()["exceptionCode"] == "InvalidSessionId"
    for path in ("/services/oauth2/userinfo", "/id/00D/005"):
        refused = anyone.get(path, headers={"Authorization": "Bearer 00D!x"})
        assert (refused.status_code, refused.text) == (403, "Bad_OAuth_Token")
