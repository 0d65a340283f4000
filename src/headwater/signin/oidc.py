"""OpenID Connect with an account's provider: discovery, the way there, and the checked ID token that comes back.

Authlib does the protocol: state, nonce, PKCE, signature, issuer, audience, times. Not here: whom it may log in.
"""

from collections.abc import Mapping
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import OAuth
from django.http import HttpRequest
from joserfc.errors import JoseError
from requests import RequestException

from headwater.common.errors import Facts, Fix
from headwater.signin.addresses import TIMEOUT_SECONDS, require_secure
from headwater.signin.models import SingleSignOn
from headwater.signin.sso import client_secret
from headwater.signin.vouching import Assertion

GOOGLE = "https://accounts.google.com"
DISCOVERY = "/.well-known/openid-configuration"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
FAILURES = (
    AuthlibBaseError,
    JoseError,
    RequestException,
    ValueError,
    KeyError,
)  # the last two: an answer of wrong shape


def checked_issuer(address: str) -> str:
    """The issuer as the provider itself spells it. Error: Fix `signin.insecure_address` or `signin.no_discovery`."""
    asked = require_secure(address).removesuffix(DISCOVERY).rstrip("/")
    try:
        metadata = _client("probe", asked, "probe", "").load_server_metadata()
        issuer = str(metadata["issuer"])
        for endpoint in ENDPOINTS:
            require_secure(str(metadata[endpoint]))
    except FAILURES as error:
        raise _no_discovery(asked, f"{type(error).__name__} when its discovery document was read") from error
    if issuer.rstrip("/") != asked:
        raise _no_discovery(asked, f"its discovery document names another issuer: {issuer}")
    return issuer


def way_to(row: SingleSignOn, request: HttpRequest, callback: str) -> str:
    """Where to send the browser; the state of this log-in stays in the session. Error: Fix `signin.provider_away`."""
    try:
        answer = _client_of(row).authorize_redirect(request, callback)
    except FAILURES as error:
        raise Fix(
            "signin.provider_away",
            f"The identity provider of {row.account} does not answer.",
            Facts(why=type(error).__name__, left="Nobody was logged in.", you_can="try again, or tell your admin"),
        ) from error
    return str(answer["Location"])


def answer_of(row: SingleSignOn, request: HttpRequest) -> Assertion:
    """What the provider says of the person who came back. Error: Fix `signin.refused_answer`."""
    client = _client_of(row)
    try:
        token = client.authorize_access_token(request)
        claims = dict(token["userinfo"])  # of the checked ID token; absent where the provider sent none
        if claims["iss"] != row.issuer:
            raise ValueError(f"issuer {claims['iss']}")
        if "email" not in claims:
            claims |= _userinfo(client, token, claims["sub"])
    except FAILURES as error:
        raise Fix(
            "signin.refused_answer",
            "The identity provider's answer was not accepted.",
            Facts(why=_reason(error), left="Nobody was logged in.", you_can="try again"),
        ) from error
    return Assertion(
        subject=str(claims["sub"]),
        email=str(claims.get("email", "")).lower(),
        is_verified=is_verified(row.issuer, claims),
        name=str(claims.get("name", "")),
    )


def is_verified(issuer: str, claims: Mapping[str, Any]) -> bool | None:
    """What the claims say of the address; None where they say nothing.

    Google is everybody's provider: whoever once read mail at an address has a Google account for it. Its claim `hd`
    tells the accounts that the company itself manages.
    """
    told = claims.get("email_verified")
    if issuer.rstrip("/") == GOOGLE and claims.get("hd") != str(claims.get("email", "")).rpartition("@")[2]:
        return False
    return None if told is None else told is True or told == "true"


def _userinfo(client: Any, token: Any, subject: str) -> dict[str, Any]:
    told: dict[str, Any] = dict(client.userinfo(token=token))
    if told["sub"] != subject:
        raise ValueError("userinfo of another subject")
    return told


def _client_of(row: SingleSignOn) -> Any:
    return _client(f"account-{row.account_id}", row.issuer, row.client_id, client_secret(row))


def _client(name: str, issuer: str, client_id: str, secret: str) -> Any:
    return OAuth().register(
        name,
        client_id=client_id,
        client_secret=secret,
        server_metadata_url=issuer.rstrip("/") + DISCOVERY,
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_SECONDS,
        },
    )


def _no_discovery(asked: str, why: str) -> Fix:
    return Fix(
        "signin.no_discovery",
        "No OpenID Connect provider answers there.",
        Facts(why=f"{asked}: {why}.", left="Nothing was changed.", you_can="copy the issuer from the provider's page"),
    )


def _reason(error: Exception) -> str:
    """The kind of failure and the provider's own error code; never a token."""
    code = getattr(error, "error", "") or ""
    return f"{type(error).__name__} {code}".strip()
