"""Makes a certificate authority, a certificate for localhost, and one for Salesforce's names (proxy.py).

The authority's key is never kept, so nobody can have it sign anything else later.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from orgsim.clock import machine_now

_CA_DAYS = 3650
_LEAF_DAYS = 397
# A wildcard stands for one label, so the kinds of org with a label of their own are named (facts A.1).
SANDBOX_HOSTS = ("test.salesforce.com", "*.sandbox.my.salesforce.com")
PRODUCTION_HOSTS = ("login.salesforce.com", "*.my.salesforce.com", "*.develop.my.salesforce.com")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """`authority` is what a client must trust (REQUESTS_CA_BUNDLE, SSL_CERT_FILE, NODE_EXTRA_CA_CERTS)."""

    authority: Path
    certificate: Path
    key: Path


def ensure_tls_files(folder: Path) -> TlsFiles:
    """For localhost. The files are made once; later runs use the same, so that a trusted authority stays trusted."""
    return _ensure(folder, "localhost")


def ensure_proxy_tls_files(folder: Path) -> TlsFiles:
    """For Salesforce's names. A folder without them gets a new authority, as the old one's key is gone."""
    return _ensure(folder, "salesforce")


def _ensure(folder: Path, name: str) -> TlsFiles:
    files = TlsFiles(folder / "ca.pem", folder / f"{name}.pem", folder / f"{name}.key")
    if not all(path.exists() for path in (files.authority, files.certificate, files.key)):
        folder.mkdir(parents=True, exist_ok=True)
        _make(folder)
    return files


def _make(folder: Path) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("orgsim local authority")
    ca_usage = x509.BasicConstraints(ca=True, path_length=0)
    authority_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    authority = (
        _builder(ca_name, ca_name, ca_key.public_key(), _CA_DAYS)
        .add_extension(ca_usage, critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(authority_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    local = [x509.DNSName("localhost"), *(x509.IPAddress(ip_address(each)) for each in ("127.0.0.1", "::1"))]
    _make_leaf(folder / "localhost", local, authority, ca_key)
    salesforce = [x509.DNSName(each) for each in (*PRODUCTION_HOSTS, *SANDBOX_HOSTS)]
    _make_leaf(folder / "salesforce", salesforce, authority, ca_key)
    (folder / "ca.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))


def _make_leaf(
    stem: Path, names: Sequence[x509.GeneralName], authority: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    authority_id = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    leaf = (
        _builder(_name(stem.name), authority.subject, key.public_key(), _LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority_id), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write_key(stem.with_suffix(".key"), key)
    stem.with_suffix(".pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = machine_now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
