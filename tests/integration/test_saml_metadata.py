"""A SAML provider's metadata, kept by an Account Admin from an address, a file or pasted text."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from headwater.accounts.models import Account, Role
from headwater.accounts.services import add_member, create_account, create_user
from headwater.signin.models import Protocol
from headwater.signin.sso import sso_of, the_sso
from unit.signin.saml_idp import IdentityProvider

KEEP = "web:authentication_saml"


@pytest.fixture(scope="module")
def provider() -> IdentityProvider:
    return IdentityProvider()


@pytest.fixture
def published(provider: IdentityProvider, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "metadata.xml").write_text(provider.metadata)
    handler = partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/metadata.xml"
        server.shutdown()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The test's own output stays readable."""


@pytest.fixture
def account(client: Client, db: None) -> Account:
    account = create_account("Alder & Finch")
    admin = create_user("alice@alderfinch.example", "three quiet rivers")
    add_member(account, admin, Role.ADMIN)
    client.force_login(admin)
    return account


def test_it_is_read_from_its_address(
    client: Client, account: Account, provider: IdentityProvider, published: str
) -> None:
    client.post(reverse(KEEP), {"metadata_url": published})
    row = the_sso(account)
    assert (row.protocol, row.issuer, row.login_url) == (Protocol.SAML, provider.entity_id, provider.login_url)
    assert row.certificates == ["".join(provider.keys[1].splitlines()[1:-1])]
    assert "Read it again" in client.get(reverse("web:authentication")).content.decode()


def test_it_is_taken_from_a_file_and_from_pasted_text(
    client: Client, account: Account, provider: IdentityProvider
) -> None:
    client.post(reverse(KEEP), {"metadata_file": SimpleUploadedFile("idp.xml", provider.metadata.encode())})
    assert the_sso(account).issuer == provider.entity_id
    the_sso(account).delete()
    client.post(reverse(KEEP), {"metadata": f"\n  {provider.metadata}\n"})
    assert the_sso(account).issuer == provider.entity_id


@pytest.mark.parametrize(
    "address", ["http://login.example/metadata", "http://127.0.0.1:9/metadata", "file:///etc/passwd"]
)
def test_an_address_that_is_insecure_or_gives_none_is_refused(client: Client, account: Account, address: str) -> None:
    client.post(reverse(KEEP), {"metadata_url": address})
    shown = client.get(reverse("web:authentication")).content.decode()
    assert "must begin with https://" in shown or "not the metadata" in shown
    assert sso_of(account) is None
