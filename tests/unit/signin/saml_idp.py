"""A SAML identity provider of a company: real keys, real XML signatures, and every way to get an answer wrong."""

import base64
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Constants
from onelogin.saml2.utils import OneLogin_Saml2_Utils as Utils

EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
SAML = 'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'


def _key_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.alderfinch.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass(frozen=True)
class Answer:
    """What the provider says; the defaults make a sound answer for `request_id`."""

    request_id: str
    acs: str
    audience: str
    email: str = "bob@alderfinch.example"
    issuer: str = ""
    destination: str = ""
    age: timedelta = timedelta()
    signs: str = "assertion"  # or "response", or nothing
    assertion_id: str = "_a1"
    extra: str = ""  # attribute statement


@dataclass
class IdentityProvider:
    entity_id: str = "https://idp.alderfinch.example/metadata"
    login_url: str = "https://idp.alderfinch.example/login"
    keys: tuple[str, str] = field(default_factory=_key_pair)

    @property
    def metadata(self) -> str:
        body = "".join(self.keys[1].splitlines()[1:-1])
        return (
            f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{self.entity_id}">'
            '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
            '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
            f"<ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
            f'Location="{self.login_url}"/></md:IDPSSODescriptor></md:EntityDescriptor>'
        )

    def answer(self, told: Answer) -> str:
        """The SAMLResponse as a form field holds it."""
        return base64.b64encode(self.document(told).encode()).decode()

    def document(self, told: Answer) -> str:
        assertion = self._assertion(told)
        if told.signs == "assertion":
            assertion = self._signed(assertion)
        issued = _stamp(-told.age)
        response = (
            f'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" {SAML} ID="_r1" Version="2.0" '
            f'IssueInstant="{issued}" Destination="{told.destination or told.acs}" InResponseTo="{told.request_id}">'
            f"<saml:Issuer>{told.issuer or self.entity_id}</saml:Issuer>"
            '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
            f"{assertion}</samlp:Response>"
        )
        return self._signed(response) if told.signs == "response" else response

    def _assertion(self, told: Answer) -> str:
        issued, ends = _stamp(-told.age), _stamp(timedelta(minutes=5) - told.age)
        return (
            f'<saml:Assertion {SAML} ID="{told.assertion_id}" Version="2.0" IssueInstant="{issued}">'
            f"<saml:Issuer>{told.issuer or self.entity_id}</saml:Issuer>"
            f'<saml:Subject><saml:NameID Format="{EMAIL_FORMAT}">{told.email}</saml:NameID>'
            '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
            f'<saml:SubjectConfirmationData NotOnOrAfter="{ends}" Recipient="{told.destination or told.acs}" '
            f'InResponseTo="{told.request_id}"/></saml:SubjectConfirmation></saml:Subject>'
            f'<saml:Conditions NotBefore="{_stamp(-told.age - timedelta(minutes=1))}" NotOnOrAfter="{ends}">'
            f"<saml:AudienceRestriction><saml:Audience>{told.audience}</saml:Audience></saml:AudienceRestriction>"
            f'</saml:Conditions><saml:AuthnStatement AuthnInstant="{issued}" SessionIndex="_s1"><saml:AuthnContext>'
            "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>"
            f"</saml:AuthnContext></saml:AuthnStatement>{told.extra}</saml:Assertion>"
        )

    def _signed(self, text: str) -> str:
        signed = Utils.add_sign(text, self.keys[0], self.keys[1], False, Constants.RSA_SHA256, Constants.SHA256)
        return signed.decode() if isinstance(signed, bytes) else str(signed)


def attribute(name: str, value: str) -> str:
    return (
        f'<saml:AttributeStatement><saml:Attribute Name="{name}"><saml:AttributeValue>{value}</saml:AttributeValue>'
        "</saml:Attribute></saml:AttributeStatement>"
    )


def request_of(address: str) -> ET.Element:
    """The AuthnRequest in an address that a browser is sent to."""
    packed = parse_qs(urlsplit(address).query)["SAMLRequest"][0]
    return ET.fromstring(zlib.decompress(base64.b64decode(packed), -15))  # noqa: S314 - our own request


def _stamp(distance: timedelta) -> str:
    return f"{datetime.now(UTC) + distance:%Y-%m-%dT%H:%M:%SZ}"
