"""The browser half of the web server flow: validate the request, log in, ask, send the answer back (facts A.2)."""

import datetime as dt
import secrets
from urllib.parse import urlencode

import orjson
from starlette.responses import RedirectResponse, Response

from orgsim.clock import datetime_text, machine_seconds
from orgsim.exchange import SANDBOX_DOOR, Exchange
from orgsim.oauth.apps import App, find_app
from orgsim.oauth.errors import OAuthError
from orgsim.oauth.grants import digest, issue_code
from orgsim.oauth.pages import approve_page, error_page, login_page
from orgsim.oauth.policies import check_admin_approved, check_installed
from orgsim.oauth.users import check_login, user_row
from orgsim.store.org import Org

_REMEMBERED = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "login_hint",
    "nonce",
)
_SCOPE_WORDS = {
    "api": "Manage user data via APIs",
    "refresh_token": "Perform requests at any time",
    "offline_access": "Perform requests at any time",
    "full": "Full access",
    "web": "Manage user data via Web browsers",
    "id": "Access the identity URL service",
    "openid": "Access unique user identifiers",
    "profile": "Access unique user identifiers",
    "email": "Access unique user identifiers",
}
_COOKIE = "sid"
_BROWSER_SECONDS = 7200
_APPROVAL_LIFETIME = dt.timedelta(minutes=10)


def authorize(exchange: Exchange) -> Response:
    """GET or POST /services/oauth2/authorize"""
    sent = {**dict(exchange.query), **exchange.form()}
    request = {name: sent[name] for name in _REMEMBERED if name in sent}
    try:
        app = _app_of(exchange, request)
        _check_redirect(app, request)
    except OAuthError as error:
        return error_page(error.error, error.description)
    try:
        _check_request(app, request)
    except OAuthError as error:
        return _redirect(request, error.query())
    known = None if "login" in request.get("prompt", "").split() else _browser_user(exchange)
    if known and (app_there := find_app(known[0], request["client_id"])):
        return _ask(known[0], app_there, known[1], request)
    return login_page(request, username=request.get("login_hint", ""))


def log_in(exchange: Exchange) -> Response:
    """POST of the login page."""
    sent = exchange.form()
    username, password = sent.pop("un", ""), sent.pop("pw", "")
    request = {name: sent[name] for name in _REMEMBERED if name in sent}
    try:
        org, user_id = check_login(exchange, username, password)
    except OAuthError as error:
        return login_page(request, username=username, message=_login_message(error))
    try:
        app = _known_app(org, request)
        _check_redirect(app, request)
        _check_request(app, request)
    except OAuthError as error:
        return error_page(error.error, error.description)
    response = _ask(org, app, user_id, request)
    response.set_cookie(_COOKIE, _remember_browser(org, user_id), httponly=True, samesite="lax")
    return response


def approve(exchange: Exchange) -> Response:
    """POST of the approve page: one answer per page shown."""
    sent = exchange.form()
    for org in exchange.state.orgs():
        with org.database.write() as connection:
            row = connection.execute(
                "DELETE FROM _approval WHERE digest = ? RETURNING user_id, request, expires",
                (digest(sent.get("approval", "")),),
            ).fetchone()
        if row and row[2] >= org.now_text():
            return _answer(org, row[0], orjson.loads(row[1]), allowed=sent.get("answer") == "allow")
    return error_page("invalid_request", "This page was answered already, or it is too old. Start again.")


def _answer(org: Org, user_id: str, request: dict[str, str], *, allowed: bool) -> Response:
    if allowed:
        return _redirect(request, urlencode({"code": issue_code(org, user_id, request)}))
    return _redirect(request, OAuthError("access_denied", "end-user denied authorization").query())


def _ask(org: Org, app: App, user_id: str, request: dict[str, str]) -> Response:
    """Users an administrator approved are not asked (facts A.7, AdminApprovedPreAuthorized)."""
    try:
        check_installed(org, app, user_id)
    except OAuthError as error:
        return error_page(error.error, error.description)
    try:
        check_admin_approved(org, app, user_id)
    except OAuthError as error:
        return _redirect(request, OAuthError("OAUTH_APP_ACCESS_DENIED", error.description).query())
    if app.options.admin_approved:
        return _answer(org, user_id, request, allowed=True)
    return _show_question(org, app, user_id, request)


def _show_question(org: Org, app: App, user_id: str, request: dict[str, str]) -> Response:
    approval = secrets.token_urlsafe(24)
    expires = datetime_text(org.clock.now() + _APPROVAL_LIFETIME)
    with org.database.write() as connection:
        connection.execute(
            "INSERT INTO _approval VALUES (?, ?, ?, ?)",
            (digest(approval), user_id, orjson.dumps(request).decode(), expires),
        )
    scopes = dict.fromkeys(_SCOPE_WORDS.get(scope, scope) for scope in request.get("scope", "api").split())
    return approve_page(approval, app.name, str(user_row(org, user_id)["Username"]), list(scopes))


def _app_of(exchange: Exchange, request: dict[str, str]) -> App:
    """The app as some org at this door knows it; the user's own org is asked again after the login."""
    client_id = request.get("client_id", "")
    for org in exchange.state.orgs():
        if org.is_sandbox == (exchange.door == SANDBOX_DOOR) and (app := find_app(org, client_id)):
            return app
    raise OAuthError("invalid_client_id", "client identifier invalid")


def _known_app(org: Org, request: dict[str, str]) -> App:
    app = find_app(org, request.get("client_id", ""))
    if app is None:
        raise OAuthError("invalid_client", "app must be installed into org")
    return app


def _check_redirect(app: App, request: dict[str, str]) -> None:
    if request.get("redirect_uri") not in app.callbacks:
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")


def _check_request(app: App, request: dict[str, str]) -> None:
    if request.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response type not supported")
    if app.options.pkce_required and not request.get("code_challenge"):
        raise OAuthError("invalid_request", "missing required code challenge")
    if request.get("code_challenge_method", "S256") != "S256":
        raise OAuthError("invalid_request", "code challenge method must be S256")


def _redirect(request: dict[str, str], query: str) -> Response:
    state = f"&{urlencode({'state': request['state']})}" if "state" in request else ""
    joiner = "&" if "?" in request["redirect_uri"] else "?"
    return RedirectResponse(f"{request['redirect_uri']}{joiner}{query}{state}", status_code=302)


def _login_message(error: OAuthError) -> str:
    if error.error == "inactive_user":
        return "Your account is inactive. Ask your administrator."
    if error.description == "ip restricted":
        return "Your administrator does not let people log in from this address."
    if error.error == "rate_limit_exceeded":
        return "You have logged in too often. Try again in an hour."
    return "Please check your username and password. If you still can't log in, contact your Salesforce administrator."


def _remember_browser(org: Org, user_id: str) -> str:
    cookie = f"{org.org_id[:15]}!{secrets.token_urlsafe(24)}"
    with org.database.write() as connection:
        connection.execute(
            "INSERT INTO _browser VALUES (?, ?, ?)", (digest(cookie), user_id, machine_seconds() + _BROWSER_SECONDS)
        )
    return cookie


def _browser_user(exchange: Exchange) -> tuple[Org, str] | None:
    cookies = dict(part.strip().partition("=")[::2] for part in exchange.headers.get("cookie", "").split(";"))
    cookie = cookies.get(_COOKIE, "").strip('"')
    for org in exchange.state.orgs():
        if org.org_id[:15] == cookie.partition("!")[0] and org.is_sandbox == (exchange.door == SANDBOX_DOOR):
            row = (
                org.database.connect()
                .execute(
                    "SELECT user_id FROM _browser WHERE digest = ? AND expires > ?", (digest(cookie), machine_seconds())
                )
                .fetchone()
            )
            return (org, row[0]) if row else None
    return None
