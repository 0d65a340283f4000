"""The ways to log in: the web-server flow with PKCE for a person; JWT bearer and client credentials for servers.

None of these requests costs a credit (facts B.5). Not here: where tokens are kept (connections/tokens.py).
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
import jwt

from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, Wait
from headwater.salesforce.errors import Refusal, Transient, read_json, read_refusal, unavailable
from headwater.salesforce.login_refusals import NOT_FOR_GOOD, as_said, clock_wrong, diagnose
from headwater.salesforce.transport import trusted_authorities

SCOPES = "api refresh_token id"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CONNECTING, RENEWING = "connecting", "renewing"
_TIMEOUT_SECONDS = 30
_ASSERTION_LIFETIME = timedelta(minutes=3)  # as long as Salesforce takes one (facts A.4)


@dataclass(frozen=True, slots=True)
class ClientApp:
    """The org's External Client App that Headwater presents itself with."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer of the token endpoint. `refresh_token` is empty on a refresh without rotation (facts A.3)."""

    access_token: str
    refresh_token: str
    instance_url: str
    identity_url: str
    scope: str


def new_verifier() -> str:
    return secrets.token_urlsafe(64)


def authorize_url(login_url: str, app: ClientApp, *, redirect_uri: str, state: str, verifier: str) -> str:
    """Where the person logs in. `prompt=login` makes Salesforce ask anew, whatever session the browser has (row A6)."""
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPES,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "prompt": "login",
    }
    return f"{login_url.rstrip('/')}/services/oauth2/authorize?{urlencode(query)}"


def probe(login_url: str) -> None:
    """Raise Wait where the log-in host cannot be reached, so that nobody is sent to a dead page.

    Asks for the list of API versions, which is free and needs no log-in (facts B.5).
    """
    try:
        httpx2.get(f"{login_url.rstrip('/')}/services/data", timeout=_TIMEOUT_SECONDS, verify=trusted_authorities())
    except httpx2.TransportError as error:
        raise unavailable(login_url, str(error)) from error


def exchange_code(login_url: str, app: ClientApp, *, code: str, redirect_uri: str, verifier: str) -> Grant:
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    return _ask_token(login_url, app, body, CONNECTING)


def refresh(login_url: str, app: ClientApp, refresh_token: str) -> Grant:
    """Raises Fix `salesforce.authorization_dead` when the grant is gone: sending it again would not help."""
    return _ask_token(login_url, app, {"grant_type": "refresh_token", "refresh_token": refresh_token}, RENEWING)


def jwt_bearer(login_url: str, app: ClientApp, *, username: str, private_key: str, doing: str = CONNECTING) -> Grant:
    """A session for a user who was approved beforehand, by a signature alone; no refresh token (facts A.4).

    private_key   PEM of the RSA key whose certificate the app holds.
    """
    claims = {
        "iss": app.client_id,
        "sub": username,
        "aud": login_url.rstrip("/"),
        "exp": int((now_utc() + _ASSERTION_LIFETIME).timestamp()),
    }
    assertion = jwt.encode(claims, private_key, algorithm="RS256")
    return _ask_token(login_url, None, {"grant_type": JWT_BEARER, "assertion": assertion}, doing)


def client_credentials(login_url: str, app: ClientApp, doing: str = CONNECTING) -> Grant:
    """A session for the user that the app runs as; at the org's My Domain only, and no refresh token (facts A.4)."""
    return _ask_token(login_url, app, {"grant_type": "client_credentials"}, doing)


def revoke(login_url: str, token: str) -> None:
    """End a grant; a token that is already dead is as good as revoked."""
    post(login_url, "/services/oauth2/revoke", {"token": token})


def _ask_token(login_url: str, app: ClientApp | None, body: dict[str, str], doing: str) -> Grant:
    form = {**body, **app_fields(app)} if app else body  # an assertion names its app itself
    response = post(login_url, "/services/oauth2/token", form)
    if response.status_code != 200:
        raise _grant_error(read_refusal(response.status_code, response.content), doing, body["grant_type"])
    try:
        answer: dict[str, Any] = read_json(response.content)
    except Transient as failure:
        raise failure.as_wait(httpx2.URL(login_url).host, doing) from failure
    return Grant(
        access_token=answer["access_token"],
        refresh_token=answer.get("refresh_token", ""),
        instance_url=answer["instance_url"],
        identity_url=answer["id"],
        scope=answer.get("scope", ""),
    )


def app_fields(app: ClientApp) -> dict[str, str]:
    """A public client has no secret, and sends none (facts A.2)."""
    secret = {"client_secret": app.client_secret} if app.client_secret else {}
    return {"client_id": app.client_id, **secret}


def post(login_url: str, path: str, form: dict[str, str]) -> httpx2.Response:
    try:
        return httpx2.post(
            f"{login_url.rstrip('/')}{path}", data=form, timeout=_TIMEOUT_SECONDS, verify=trusted_authorities()
        )
    except httpx2.TransportError as error:
        raise unavailable(login_url, str(error)) from error


def _grant_error(refusal: Refusal, doing: str, grant_type: str) -> Fix | Wait:
    """The token endpoint's refusals (facts A.5)."""
    known = diagnose(refusal) or (clock_wrong(refusal) if grant_type == JWT_BEARER else None)
    if isinstance(known, Wait) or (known is not None and (doing == CONNECTING or known.code in NOT_FOR_GOOD)):
        return known
    if doing == RENEWING:
        return _dead(refusal, known)
    return Fix(
        "salesforce.not_connected",
        "Salesforce did not complete the connection.",
        Facts(
            why=as_said(refusal),
            left="Nothing was changed.",
            you_can="check consumer key, secret and callback address of the External Client App, and connect again",
        ),
    )


def _dead(refusal: Refusal, known: Fix | None) -> Fix:
    again = "click the key in Settings > Connections and log in"
    return Fix(
        "salesforce.authorization_dead",
        "Salesforce no longer accepts Headwater's authorisation.",
        Facts(
            why=f"{known.sentence} {known.facts.why}" if known else as_said(refusal),
            left="What was read stays; nothing new is read or written until then.",
            next="After a new authorisation everything missed is caught up.",
            you_can=f"{known.facts.you_can}; then {again}" if known else again,
        ),
    )
