"""Reads and checks the signed assertion of the JWT bearer flow (facts A.4). RS256 only, as Salesforce takes it."""

import base64
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from orgsim.exchange import SANDBOX_DOOR, Exchange
from orgsim.oauth.errors import OAuthError

_LOGIN_ADDRESSES = frozenset({"https://login.salesforce.com", "https://test.salesforce.com"})
_LONGEST_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Assertion:
    """The claims are only what the sender says until `check_signature` has passed."""

    consumer_key: str
    username: str
    audience: str
    expires_seconds: int
    signed: bytes
    signature: bytes


def read_assertion(text: str) -> Assertion:
    """Raises OAuthError for whatever is no JWT with the four claims."""
    signed, _, signature = text.rpartition(".")
    try:
        header, claims = (orjson.loads(_decode(part)) for part in signed.split("."))
        _check_objects(header, claims)
        key, username, audience = (str(claims[name]) for name in ("iss", "sub", "aud"))
        # Some clients send `exp` as text.
        return Assertion(key, username, audience, int(claims["exp"]), signed.encode(), _decode(signature))
    except (ValueError, KeyError, TypeError) as error:
        raise _invalid() from error


def check_signature(assertion: Assertion, certificate: str) -> None:
    """`certificate` is the app's X.509 certificate as PEM; empty when it has none."""
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key() if certificate else None
    if not isinstance(key, rsa.RSAPublicKey):
        raise _invalid()
    try:
        key.verify(assertion.signature, assertion.signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise _invalid() from error


def check_times(assertion: Assertion, now_seconds: float) -> None:
    if assertion.expires_seconds <= now_seconds:
        raise OAuthError("invalid_grant", "expired authorization code")
    if assertion.expires_seconds > now_seconds + _LONGEST_SECONDS:
        raise _invalid()


def check_audience(assertion: Assertion, exchange: Exchange) -> None:
    """The address played by the door, or the address the client used. The other door's is told apart (facts A.5)."""
    given = assertion.audience.rstrip("/")
    played = "https://test.salesforce.com" if exchange.door == SANDBOX_DOOR else "https://login.salesforce.com"
    if given in (played, exchange.base_url):
        return
    text = "Audience validation failed" if given in _LOGIN_ADDRESSES else "audience is invalid"
    raise OAuthError("invalid_grant", text)


def _check_objects(header: Any, claims: Any) -> None:
    if not isinstance(header, dict) or not isinstance(claims, dict) or header.get("alg") != "RS256":
        raise ValueError("no RS256 token")


def _decode(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _invalid() -> OAuthError:
    return OAuthError("invalid_grant", "invalid assertion")
