"""The ID token of scope `openid`, the key that signs it, and its public half at /id/keys (facts A.6).

One key serves all orgs of a state folder. It is made when it is first wanted, and stays.
"""

import base64
import hashlib
from dataclasses import dataclass

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.responses import Response

from orgsim.exchange import Exchange, json_response
from orgsim.store.state import State

_LIFETIME_SECONDS = 120
_KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class Claims:
    """Who logged in (`subject`, the identity URL) to which app, and the access token that came with it."""

    subject: str
    client_id: str
    access_token: str
    nonce: str = ""


def id_token(exchange: Exchange, claims: Claims, now_seconds: int) -> str:
    """A JWT signed with RS256."""
    key_id, key = _signing_key(exchange.state)
    half = hashlib.sha256(claims.access_token.encode()).digest()[:16]
    payload = {
        "at_hash": base64url(half),
        "sub": claims.subject,
        "aud": claims.client_id,
        "iss": exchange.base_url,
        "exp": now_seconds + _LIFETIME_SECONDS,
        "iat": now_seconds,
    }
    if claims.nonce:
        payload["nonce"] = claims.nonce
    header = {"kid": key_id, "typ": "JWT", "alg": "RS256"}
    signed = f"{base64url(orjson.dumps(header))}.{base64url(orjson.dumps(payload))}"
    return f"{signed}.{base64url(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def keys(exchange: Exchange) -> Response:
    """GET /id/keys: a JSON Web Key Set."""
    key_id, key = _signing_key(exchange.state)
    numbers = key.public_key().public_numbers()
    shown = {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": key_id,
        "n": base64url(numbers.n.to_bytes(_KEY_BITS // 8)),
        "e": base64url(numbers.e.to_bytes(3)),
    }
    return json_response({"keys": [shown]})


def base64url(value: bytes) -> str:
    """As JWTs and PKCE write it: without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _signing_key(state: State) -> tuple[str, rsa.RSAPrivateKey]:
    """(key id, key), kept as PEM in the state folder."""
    pem = state.kept_key() or state.keep_key(_make_pem())
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("The state folder keeps a key that is not RSA.")
    digest = hashlib.sha256(str(key.public_key().public_numbers().n).encode()).hexdigest()
    return digest[:8], key


def _make_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    encoding, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, no_password).decode()
