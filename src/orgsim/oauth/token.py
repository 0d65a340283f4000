"""POST /services/oauth2/token, /revoke and /introspect: the grants of facts A.2 to A.6."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.responses import Response

from orgsim.clock import parse_datetime
from orgsim.exchange import SANDBOX_DOOR, Exchange, empty_response, json_response
from orgsim.oauth.apps import App, find_app
from orgsim.oauth.assertion import check_audience, check_signature, check_times, read_assertion
from orgsim.oauth.errors import OAuthError, expired_token
from orgsim.oauth.grants import (
    IssuedTokens,
    Session,
    grant_of_refresh,
    has_approved,
    open_grant,
    refresh,
    revoke,
    session_of,
    take_code,
)
from orgsim.oauth.idtoken import Claims, base64url, id_token
from orgsim.oauth.policies import admit
from orgsim.oauth.restrictions import count_login
from orgsim.oauth.users import check_login, find_user, user_row
from orgsim.store.org import Org

_DEFAULT_SCOPE = "api refresh_token"
_MY_DOMAIN_ENDINGS = (".my.salesforce.com", ".localhost")
_REFRESH_SCOPES = frozenset({"refresh_token", "offline_access", "full"})


def token(exchange: Exchange) -> Response:
    form = {**exchange.form(), **_basic_credentials(exchange)}
    grant = _GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        return OAuthError("unsupported_grant_type", "grant type not supported").response()
    try:
        return json_response(grant(exchange, form))
    except OAuthError as error:
        return error.response()


def _by_code(exchange: Exchange, form: dict[str, str]) -> dict[str, str]:
    for org, app in _orgs_with_app(exchange, form):
        taken = take_code(org, form.get("code", ""))
        if taken is None:
            continue
        app.check_secret(form.get("client_secret"))
        user_id, request = taken
        _check_exchange(form, request)
        admit(org, app, user_id, exchange.client_host)
        scope = request.get("scope", _DEFAULT_SCOPE)
        with_refresh = bool(_REFRESH_SCOPES.intersection(scope.split()))
        issued = open_grant(org, user_id, app.client_id, scope, with_refresh=with_refresh)
        return _answer(exchange, org, app, issued, nonce=request.get("nonce", ""))
    raise OAuthError("invalid_grant", "invalid authorization code")


def _check_exchange(form: dict[str, str], request: dict[str, str]) -> None:
    if form.get("redirect_uri") != request["redirect_uri"]:
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    if form.get("client_id") != request["client_id"]:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    challenge = request.get("code_challenge")
    hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    if challenge and not hmac.compare_digest(base64url(hashed), challenge.rstrip("=")):
        raise OAuthError("invalid_grant", "invalid code verifier")


def _by_refresh(exchange: Exchange, form: dict[str, str]) -> dict[str, str]:
    given = form.get("refresh_token", "")
    for org, app in _orgs_with_app(exchange, form):
        if given.startswith(f"5Aep{org.org_id[3:15]}"):
            app.check_secret(form.get("client_secret"))
            if known := grant_of_refresh(org, given):
                admit(org, app, known.user_id, exchange.client_host)
            return _answer(exchange, org, app, refresh(org, given, app))
    raise expired_token()


def _by_password(exchange: Exchange, form: dict[str, str]) -> dict[str, str]:
    apps = {org.org_id: app for org, app in _orgs_with_app(exchange, form)}
    org, user_id = check_login(exchange, form.get("username", ""), form.get("password", ""))
    app = apps.get(org.org_id)
    if app is None:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    app.check_secret(form.get("client_secret"))
    return _session_only(exchange, org, app, user_id)


def _by_assertion(exchange: Exchange, form: dict[str, str]) -> dict[str, str]:
    """JWT bearer: whoever holds the app's private key speaks for users who were approved before (facts A.4)."""
    assertion = read_assertion(form.get("assertion", ""))
    found = _orgs_with_app(exchange, {"client_id": assertion.consumer_key})
    users = [(org, app, find_user(org, assertion.username)) for org, app in found]
    org, app, user_id = next((each for each in users if each[2]), users[0])
    check_signature(assertion, app.options.certificate)
    check_times(assertion, org.clock.now().timestamp())
    check_audience(assertion, exchange)
    if user_id is None or not (app.options.admin_approved or has_approved(org, user_id, app.client_id)):
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    count_login(org, user_id)
    return _session_only(exchange, org, app, user_id)


def _by_client_credentials(exchange: Exchange, form: dict[str, str]) -> dict[str, str]:
    """The app speaks for one user an administrator chose, and only at the org's own address (facts A.4)."""
    org, app = _at_my_domain(exchange, _orgs_with_app(exchange, form))
    app.check_secret(form.get("client_secret", ""))
    if app.options.developer_name and not app.options.client_credentials:
        raise OAuthError("invalid_grant", "client credentials flow not enabled")
    user_id = find_user(org, app.options.run_as) if app.options.run_as else None
    if user_id is None:
        raise OAuthError("invalid_grant", "no client credentials user enabled")
    count_login(org, user_id)
    return _session_only(exchange, org, app, user_id)


def _at_my_domain(exchange: Exchange, found: list[tuple[Org, App]]) -> tuple[Org, App]:
    address = urlsplit(exchange.base_url)
    host = address.hostname or ""
    for org, app in found:
        own = org.setting("my_domain_host")
        if (own in (host, address.netloc)) if own else host.endswith(_MY_DOMAIN_ENDINGS):
            return org, app
    raise OAuthError("invalid_grant", "request not supported on this domain")


def _session_only(exchange: Exchange, org: Org, app: App, user_id: str) -> dict[str, str]:
    """For the grants that give no refresh token."""
    admit(org, app, user_id, exchange.client_host)
    return _answer(exchange, org, app, open_grant(org, user_id, app.client_id, "api", with_refresh=False))


_GRANTS: dict[str, Callable[[Exchange, dict[str, str]], dict[str, str]]] = {
    "urn:ietf:params:oauth:grant-type:jwt-bearer": _by_assertion,
    "client_credentials": _by_client_credentials,
    "authorization_code": _by_code,
    "refresh_token": _by_refresh,
    "password": _by_password,
}


def _orgs_with_app(exchange: Exchange, form: dict[str, str]) -> list[tuple[Org, App]]:
    client_id, is_sandbox = form.get("client_id", ""), exchange.door == SANDBOX_DOOR
    found = [
        (org, app)
        for org in exchange.state.orgs()
        if org.is_sandbox == is_sandbox and (app := find_app(org, client_id))
    ]
    if not found:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    return found


def _answer(exchange: Exchange, org: Org, app: App, issued: IssuedTokens, *, nonce: str = "") -> dict[str, str]:
    """The JSON of facts A.2, keys in the recorded order."""
    identity = f"{exchange.base_url}/id/{org.org_id}/{issued.user_id}"
    now_seconds = org.clock.now().timestamp()
    issued_at = str(int(now_seconds * 1000))
    signed = hmac.new(app.client_secret.encode(), (identity + issued_at).encode(), hashlib.sha256).digest()
    answer = {"access_token": issued.access_token}
    if issued.refresh_token:
        answer["refresh_token"] = issued.refresh_token
    if "openid" in issued.scope.split():
        claims = Claims(identity, app.client_id, issued.access_token, nonce)
        answer["id_token"] = id_token(exchange, claims, int(now_seconds))
    return answer | {
        "signature": base64.b64encode(signed).decode(),
        "scope": issued.scope,
        "instance_url": exchange.base_url,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }


def revoke_token(exchange: Exchange) -> Response:
    given = exchange.form().get("token") or exchange.query.get("token", "")
    if any(revoke(org, given) for org in exchange.state.orgs()):
        return empty_response(200)
    error = OAuthError("unsupported_token_type", "this token type is not supported")
    response = Response(error.query(), status_code=400)
    response.headers["Content-Type"] = "application/x-www-form-urlencoded"
    return response


def introspect(exchange: Exchange) -> Response:
    """An app may look only at its own tokens (facts A.6)."""
    form = {**exchange.form(), **_basic_credentials(exchange)}
    try:
        for _, app in _orgs_with_app(exchange, form):
            app.check_secret(form.get("client_secret"))
    except OAuthError as error:
        return error.response()
    given = form.get("token", "")
    session, kind = session_of(exchange.state, given), "access_token"
    if session is None:
        found = [grant_of_refresh(org, given) for org in exchange.state.orgs()]
        session, kind = next((each for each in found if each), None), "refresh_token"
    if session is None or session.client_id != form.get("client_id"):
        return json_response({"active": False})
    return json_response(_introspection(session, kind))


def _introspection(session: Session, kind: str) -> dict[str, object]:
    issued = int(parse_datetime(session.issued).timestamp())
    answer: dict[str, object] = {
        "active": True,
        "scope": session.scope,
        "client_id": session.client_id,
        "username": user_row(session.org, session.user_id)["Username"],
        "sub": f"{session.org.org_id}/{session.user_id}",
        "token_type": kind,
        "iat": issued,
        "nbf": issued,
    }
    if session.expires:
        answer["exp"] = int(parse_datetime(session.expires).timestamp())
    return answer


def _basic_credentials(exchange: Exchange) -> dict[str, str]:
    scheme, _, encoded = exchange.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"client_id": client_id, "client_secret": secret}
