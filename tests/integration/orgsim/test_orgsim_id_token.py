"""The ID token of scope openid, checked by a JWT library with the keys that orgsim publishes."""

import base64
import hashlib
from typing import Any

import httpx2
import jwt
import pytest

from integration.orgsim.test_orgsim_oauth import exchange, get_code, refresh
from orgsim.testing import CLIENT_ID, RunningOrgsim

OPENID = {"scope": "api openid refresh_token", "nonce": "n-0S6_WzA2Mj"}


def read(client: httpx2.Client, token: str) -> dict[str, Any]:
    """The claims of a token whose signature is right."""
    published = client.get("/.well-known/openid-configuration").json()
    keys = jwt.PyJWKSet.from_dict(client.get(published["jwks_uri"]).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=["RS256"], audience=CLIENT_ID, issuer=published["issuer"]
    )
    return claims


@pytest.mark.conformance(
    area="OAuth and identity",
    feature="An ID token for scope openid, signed with a published key",
    source="facts A.6",
    endpoint="GET /id/keys",
)
@pytest.mark.conformance(
    area="OAuth and identity",
    feature="An ID token for scope openid, signed with a published key",
    source="facts A.6",
    endpoint="GET /.well-known/openid-configuration",
)
def test_it_gives_an_id_token_for_scope_openid(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    tokens = exchange(anyone, get_code(anyone, **OPENID)).json()
    claims = read(anyone, tokens["id_token"])
    assert claims["sub"] == tokens["id"]
    assert claims["nonce"] == OPENID["nonce"]
    assert claims["exp"] - claims["iat"] == 120
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    refreshed = refresh(anyone, tokens["refresh_token"]).json()
    assert read(anyone, refreshed["id_token"])["sub"] == tokens["id"]
    assert "nonce" not in read(anyone, refreshed["id_token"])


def test_it_gives_none_without_that_scope(anyone: httpx2.Client) -> None:
    assert "id_token" not in exchange(anyone, get_code(anyone)).json()


def test_the_key_stays(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    [key] = anyone.get("/id/keys").json()["keys"]
    assert (key["kty"], key["alg"], key["use"], key["e"]) == ("RSA", "RS256", "sig", "AQAB")
    assert [key] == httpx2.get(f"{running.sandbox_url}/id/keys").json()["keys"]
