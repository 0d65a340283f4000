"""SAML 2.0 with an account's provider: its metadata, our metadata, the request, and the checked response.

python3-saml does the protocol and xmlsec the signatures; both come with the extra `headwater[saml]`. The assertion
itself must be signed. Not here: whom it may log in (vouching.py).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.cache import cache

from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix
from headwater.signin.addresses import TIMEOUT_SECONDS, require_secure
from headwater.signin.models import SingleSignOn
from headwater.signin.vouching import Assertion

log = logging.getLogger(__name__)
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
EMAIL = (
    "email",
    "mail",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)
NAME = (
    "name",
    "displayName",
    "http://schemas.microsoft.com/identity/claims/displayname",
    "urn:oid:2.16.840.1.113730.3.1.241",
)
EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
SECURITY = {
    "wantAssertionsSigned": True,
    "wantNameId": True,
    "wantAttributeStatement": False,
    "requestedAuthnContext": False,
    "rejectDeprecatedAlgorithm": True,
    "allowSingleLabelDomains": True,  # a company's own network has names of one label
}
REMEMBERED_SECONDS = 24 * 3600  # longer than any assertion lives


@dataclass(frozen=True, slots=True)
class Here:
    """Our side's addresses for one account; the entity id is the address of our metadata."""

    metadata: str
    acs: str


@dataclass(frozen=True, slots=True)
class Provider:
    """What the provider's metadata says."""

    issuer: str
    login_url: str
    certificates: list[str]


def _onelogin() -> Any:
    """Error: Fix `signin.saml_missing`."""
    try:
        import onelogin.saml2.auth as library  # noqa: PLC0415 - an extra: installations without it have everything else
        import onelogin.saml2.idp_metadata_parser  # noqa: F401, PLC0415
    except ImportError as missing:
        raise Fix(
            "signin.saml_missing",
            "This Headwater was installed without SAML.",
            Facts(why=str(missing), you_can="let whoever operates it run: pip install 'headwater[saml]'"),
        ) from missing
    return library


def fetch_metadata(address: str) -> str:
    """The provider's metadata as it publishes it. Error: Fix `signin.insecure_address` or `signin.bad_metadata`."""
    _onelogin()
    from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser as Parser  # noqa: PLC0415

    try:
        text = Parser.get_metadata(require_secure(address), timeout=TIMEOUT_SECONDS)
    except Fix:
        raise
    except Exception as error:
        raise _bad_metadata(f"{address} gave none ({type(error).__name__})") from error
    return text.decode() if isinstance(text, bytes) else str(text)


def read_metadata(text: str) -> Provider:
    """Error: Fix `signin.bad_metadata`."""
    _onelogin()
    from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser as Parser  # noqa: PLC0415

    try:
        idp = Parser.parse(text.strip().encode(), required_sso_binding=REDIRECT).get("idp", {})
    except Exception as error:
        raise _bad_metadata(f"it cannot be read ({type(error).__name__})") from error
    certificates = idp.get("x509certMulti", {}).get("signing") or ([idp["x509cert"]] if idp.get("x509cert") else [])
    login_url = idp.get("singleSignOnService", {}).get("url", "")
    if not (idp.get("entityId") and login_url and certificates):
        raise _bad_metadata("entity id, log-in address (HTTP-Redirect) and signing certificate must all be in it")
    return Provider(idp["entityId"], require_secure(login_url), ["".join(one.split()) for one in certificates])


def our_metadata(here: Here) -> bytes:
    """What the provider's admin may upload instead of copying the values. Error: Fix `signin.saml_missing`."""
    ours = {"strict": True, "sp": _our_side(here), "security": SECURITY}
    settings = _onelogin().OneLogin_Saml2_Settings(ours, sp_validation_only=True)
    text = settings.get_sp_metadata()
    return text if isinstance(text, bytes) else str(text).encode()


def way_to(row: SingleSignOn, here: Here) -> tuple[str, str]:
    """Where to send the browser, and the id of the request, which the answer must name."""
    auth = _auth(row, here, {})
    address = auth.login(return_to="")
    return str(address), str(auth.get_last_request_id())


def checked(row: SingleSignOn, here: Here, form: Mapping[str, str]) -> tuple[Assertion, str]:
    """What the provider says, and the id of the request that it answers.

    Signature, issuer, audience, destination and times are checked here; that the request was this browser's own is for
    whoever holds the session. Error: Fix `signin.refused_answer`.
    """
    auth = _auth(row, here, dict(form))
    try:
        auth.process_response()
    except Exception as error:
        raise _refused(str(error)) from error
    if auth.get_errors() or not auth.is_authenticated():
        raise _refused(auth.get_last_error_reason() or ", ".join(auth.get_errors()))
    _once(row, auth.get_last_assertion_id())
    told = auth.get_attributes()
    email = _first(told, EMAIL)
    if not email and auth.get_nameid_format() == EMAIL_FORMAT:
        email = auth.get_nameid()
    verified = _first(told, ("email_verified", "http://schemas.auth0.com/email_verified"))
    assertion = Assertion(
        subject=auth.get_nameid(),
        email=email.strip().lower(),
        is_verified=verified.lower() in {"true", "1"} if verified else None,
        name=_first(told, NAME),
    )
    return assertion, str(auth.get_last_response_in_response_to() or "")


def _once(row: SingleSignOn, assertion_id: str) -> None:
    if not cache.add(f"saml-assertion:{row.account_id}:{assertion_id}", now_utc().isoformat(), REMEMBERED_SECONDS):
        raise _refused("This assertion was used already")


def _first(told: Mapping[str, list[str]], names: tuple[str, ...]) -> str:
    return next((told[name][0] for name in names if told.get(name)), "")


def _auth(row: SingleSignOn, here: Here, form: dict[str, str]) -> Any:
    address = urlsplit(here.acs)
    request = {
        "https": "on" if address.scheme == "https" else "off",
        "http_host": address.netloc,
        "script_name": address.path,
        "get_data": {},
        "post_data": form,
    }
    settings = {
        "strict": True,
        "sp": _our_side(here),
        "idp": {
            "entityId": row.issuer,
            "singleSignOnService": {"url": row.login_url, "binding": REDIRECT},
            "x509certMulti": {"signing": row.certificates},
        },
        "security": SECURITY,
    }
    return _onelogin().OneLogin_Saml2_Auth(request, settings)


def _our_side(here: Here) -> dict[str, Any]:
    return {
        "entityId": here.metadata,
        "assertionConsumerService": {"url": here.acs, "binding": POST},
        "NameIDFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
    }


def _refused(reason: str) -> Fix:
    log.warning("A SAML response was refused: %s", reason)
    return Fix(
        "signin.refused_answer",
        "The identity provider's answer was not accepted.",
        Facts(why=reason, left="Nobody was logged in.", you_can="try again"),
    )


def _bad_metadata(why: str) -> Fix:
    return Fix(
        "signin.bad_metadata",
        "This is not the metadata of a SAML identity provider.",
        Facts(why=why, left="Nothing was changed."),
    )
