"""Asks Salesforce whether it knows an External Client App, before anybody logs in; costs no credit (facts B.5).

Not here: what a refusal means (login_refusals.py).
"""

import re
from urllib.parse import parse_qs, urlsplit

import httpx2

from headwater.common.errors import Facts, Fix, Wait
from headwater.salesforce import oauth
from headwater.salesforce.errors import Refusal, read_refusal, unavailable
from headwater.salesforce.login_refusals import as_said, diagnose
from headwater.salesforce.transport import trusted_authorities

_TIMEOUT_SECONDS = 30
_HOPS_MAX = 4
_CODES = ("invalid_client_id", "redirect_uri_mismatch", "OAUTH_EC_APP_NOT_FOUND", "OAUTH_APP_BLOCKED")


def check_key_and_callback(login_url: str, app: oauth.ClientApp, redirect_uri: str) -> None:
    """Open the log-in page as a browser would, and leave it there. Raises what stands on the error page instead."""
    state, verifier = "check", oauth.new_verifier()
    address = oauth.authorize_url(login_url, app, redirect_uri=redirect_uri, state=state, verifier=verifier)
    refusal = _opened(address, login_url)
    if refusal is not None:
        raise _error(refusal)


def check_secret(login_url: str, app: oauth.ClientApp) -> None:
    """Ask about a token that nobody was given: the answer "not active" comes only to who shows the right secret."""
    form = {"token": oauth.new_verifier(), "token_type_hint": "access_token", **oauth.app_fields(app)}
    response = oauth.post(login_url, "/services/oauth2/introspect", form)
    if response.status_code != 200:
        raise _error(read_refusal(response.status_code, response.content))


def _opened(address: str, login_url: str) -> Refusal | None:
    """None where the log-in page shows. An org may lead to its page over several addresses (facts A.1)."""
    try:
        with httpx2.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=False, verify=trusted_authorities()) as client:
            response = client.get(address)
            for _ in range(_HOPS_MAX):
                refusal = _refusal_in(response)
                if refusal is not None or response.next_request is None:
                    return refusal
                response = client.send(response.next_request)
    except httpx2.TransportError as error:
        raise unavailable(login_url, str(error)) from error
    return None


def _refusal_in(response: httpx2.Response) -> Refusal | None:
    """An error is in the address that a person is led to, or on the page itself."""
    query = parse_qs(urlsplit(response.headers.get("Location", "")).query)
    if "error" in query:
        return Refusal(400, query["error"][0], query.get("error_description", [""])[0])
    if response.status_code < 400:
        return None
    code = next((code for code in _CODES if re.search(rf"\b{code}\b", response.text)), None)
    return Refusal(response.status_code, code, "") if code else read_refusal(response.status_code, response.content)


def _error(refusal: Refusal) -> Fix | Wait:
    return diagnose(refusal) or Fix(
        "salesforce.app_check_failed",
        "Salesforce did not say whether it knows this app.",
        Facts(why=f"{as_said(refusal)}.", left="Nothing was changed.", you_can="check the address, and try again"),
    )
