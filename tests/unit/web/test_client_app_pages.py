"""The pages of the client app over HTTP: who may see and change what, and what is given to download."""

import io
import zipfile
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from cryptography import x509
from django.test import Client
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import now_utc
from headwater.connections.client_apps import Wish, keep, row_of
from headwater.connections.models import LogIn
from unit.web.test_connections import connect

PAGE = "/settings/connections/client-app/"
GUIDE = f"{PAGE}guide/"
ACTS = [f"{PAGE}{act}/" for act in ("check", "new-key", "remove")]
FORM = {"consumer_key": "3MVG9.own.app", "consumer_secret": "hush", "log_in": "browser", "environment": "production"}
NAMES = {"m": "http://soap.sforce.com/2006/04/metadata"}


@pytest.fixture(autouse=True)
def _no_app_of_the_installation(settings: Settings) -> None:
    settings.SALESFORCE_CLIENT_ID = settings.SALESFORCE_CLIENT_SECRET = ""


def text_of(browser: Client, path: str) -> str:
    return browser.get(path).content.decode()


def files_of(browser: Client, layout: str, way: str = "browser") -> dict[str, bytes]:
    answer = browser.get(f"{PAGE}files/?layout={layout}&log_in={way}")
    assert answer["Content-Disposition"] == f'attachment; filename="headwater-client-app-{layout}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_standard_user_reads_the_guide_and_nothing_else(as_standard: Client, alder: Account) -> None:
    guide = text_of(as_standard, GUIDE)
    assert "External Client App Manager" in guide
    assert "An Account Admin enters them" in guide
    assert 'name="consumer_secret"' not in guide
    for path in (PAGE, f"{PAGE}files/", f"{PAGE}certificate/"):
        assert as_standard.get(path).status_code == 403
    for path in (PAGE, *ACTS):
        assert as_standard.post(path, FORM).status_code == 403
    assert row_of(alder) is None


@pytest.mark.parametrize("path", [GUIDE, PAGE])
def test_a_stranger_is_asked_to_log_in(client: Client, db: None, path: str) -> None:
    assert client.get(path).status_code == 302


def test_the_secret_is_stored_and_never_shown(as_admin: Client, alder: Account) -> None:
    assert as_admin.post(PAGE, FORM).status_code == 302
    row = row_of(alder)
    assert row is not None
    assert row.consumer_key == "3MVG9.own.app"
    for page in (PAGE, GUIDE, "/settings/connections/", "/settings/account/"):
        assert "hush" not in text_of(as_admin, page)
    refused = as_admin.post(PAGE, {**FORM, "environment": "my_domain", "my_domain": "evil.example"})
    assert refused.status_code == 409
    assert "hush" not in refused.content.decode()
    assert "is not a My Domain address" in refused.content.decode()


def test_another_accounts_app_is_not_shown(as_admin: Client) -> None:
    other = create_account("Birch Telecom")
    keep(other, Wish("3MVG9.birch", "hush", LogIn.BROWSER, ""), actor="bea@birch.example")
    for page in (PAGE, GUIDE, "/settings/connections/"):
        assert "3MVG9.birch" not in text_of(as_admin, page)


def test_it_says_whose_app_is_in_use(as_admin: Client, settings: Settings) -> None:
    assert "Not set up yet" in text_of(as_admin, "/settings/connections/")
    settings.SALESFORCE_CLIENT_ID = "3MVG9.shared"
    assert "The app of this installation" in text_of(as_admin, "/settings/connections/")
    as_admin.post(PAGE, FORM)
    assert "This account&#x27;s own" in text_of(as_admin, PAGE) or "This account's own" in text_of(as_admin, PAGE)


def test_a_change_under_a_connection_is_explained(as_admin: Client, alder: Account) -> None:
    assert "will authorise it again" not in text_of(as_admin, PAGE)
    as_admin.post(PAGE, FORM)
    connect(alder)
    assert "will authorise it again" in text_of(as_admin, PAGE)
    refused = as_admin.post(PAGE, {**FORM, "consumer_key": "3MVG9.another"})
    assert (refused.status_code, "client_app_in_use" in refused.content.decode()) == (409, True)


@pytest.mark.parametrize("layout", ["metadata", "source"])
def test_the_files_hold_this_installations_address_and_what_protects_the_log_in(
    as_admin: Client, layout: str, settings: Settings
) -> None:
    settings.BASE_URL = "https://headwater.acme.example"
    made = files_of(as_admin, layout)
    [path] = [name for name in made if "ecaGlblOauth" in name]
    values = {element.tag.rpartition("}")[2]: element.text for element in ET.fromstring(made[path])}  # noqa: S314 - our own file
    assert str(values["callbackUrl"]).split() == [
        "https://headwater.acme.example/settings/connections/callback/",
        "http://localhost:1717/OauthRedirect",
    ]
    assert values["isPkceRequired"] == values["isRefreshTokenRotationEnabled"] == "true"
    assert values["isConsumerSecretOptional"] == "false"
    assert "consumerSecret" not in values


@pytest.mark.parametrize(
    ("way", "folder", "element", "text"),
    [
        ("browser", "extlClntAppOauthPolicies", "permittedUsersPolicyType", "AllSelfAuthorized"),
        ("client_credentials", "extlClntAppOauthPolicies", "isClientCredentialsFlowEnabled", "true"),
        ("client_credentials", "extlClntAppGlobalOauthSets", "isClientCredentialsFlowEnabled", "true"),
        ("browser", "extlClntAppPolicies", "isEnabled", "true"),
        ("browser", "extlClntAppOauthSettings", "commaSeparatedOauthScopes", "Api, RefreshToken, Basic"),
        ("browser", "externalClientApps", "contactEmail", "alice@alderfinch.example"),
    ],
)
def test_the_files_fit_the_way_to_log_in(as_admin: Client, way: str, folder: str, element: str, text: str) -> None:
    made = files_of(as_admin, "metadata", way)
    [path] = [name for name in made if name.startswith(f"{folder}/")]
    found = ET.fromstring(made[path]).find(f"m:{element}", NAMES)  # noqa: S314 - our own file
    assert found is not None
    assert found.text == text


def test_the_certificate_is_made_with_jwt_bearer_and_stands_in_the_files(as_admin: Client, alder: Account) -> None:
    refused = as_admin.get(f"{PAGE}files/?log_in=jwt", follow=True)
    assert "There is no certificate yet" in refused.content.decode()
    assert as_admin.get(f"{PAGE}certificate/").status_code == 302
    as_admin.post(PAGE, {"log_in": "jwt", "environment": "sandbox", "username": "it@alder.example"})
    pem = as_admin.get(f"{PAGE}certificate/").content
    certificate = x509.load_pem_x509_certificate(pem)
    assert certificate.not_valid_after_utc > now_utc() + timedelta(days=4 * 365)
    body = b"".join(line for line in pem.splitlines() if not line.startswith(b"-----"))
    made = files_of(as_admin, "metadata", "jwt")
    assert body in made["extlClntAppGlobalOauthSets/Headwater_glbloauth.ecaGlblOauth"]
    assert b"Headwater_Log_In" in made["extlClntAppOauthPolicies/Headwater_oauthPlcy.ecaOauthPlcy"]
    assert "permissionsets/Headwater_Log_In.permissionset" in made
    assert b"PRIVATE" not in b"".join(made.values())
    assert as_admin.post(f"{PAGE}new-key/").status_code == 302
    assert as_admin.get(f"{PAGE}certificate/").content != pem
    assert row_of(alder) is not None
    as_admin.post(f"{PAGE}remove/")
    assert row_of(alder) is None


@pytest.mark.parametrize("way", ["browser", "jwt", "client_credentials", "no such way"])
def test_the_guide_fits_every_way_to_log_in(as_admin: Client, way: str) -> None:
    guide = text_of(as_admin, f"{GUIDE}?log_in={way}")
    for words in ("Quick Find", "Enable Refresh Token Rotation", "http://localhost:1717/OauthRedirect"):
        assert words in guide
    assert ("Run As (Username)" in guide) == (way == "client_credentials")
    assert ("Enable JWT Bearer Flow</strong>" in guide) == (way == "jwt")


def test_a_check_for_htmx_is_a_part_of_the_page(as_admin: Client) -> None:
    part = as_admin.post(f"{PAGE}check/", {**FORM, "consumer_key": ""}, headers={"HX-Request": "true"})
    assert "There is no consumer key" in part.content.decode()
    assert "<html" not in part.content.decode()
    assert "<html" in as_admin.post(f"{PAGE}check/", {**FORM, "consumer_key": ""}).content.decode()
