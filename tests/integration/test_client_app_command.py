"""`headwater client-app` and `headwater connect --server`: a server is connected from a terminal alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import orjson
import pytest
from pytest_django import Settings
from typer.testing import CliRunner

from headwater.accounts.models import Account
from headwater.cli.app import app as headwater
from headwater.common.errors import Fix
from headwater.connections.client_app_files import APP_NAME, PERMISSION_SET
from headwater.connections.client_apps import in_use, row_of
from headwater.connections.models import Connection, LogIn, Status
from integration.client_apps import deploy_files, forget_apps, let_in
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, USERNAME, RunningOrgsim, running_orgsim


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOrgsim]:
    with running_orgsim(tmp_path_factory.mktemp("org")) as running:
        yield running


@pytest.fixture
def org(served: RunningOrgsim, settings: Settings) -> Iterator[RunningOrgsim]:
    settings.SALESFORCE_LOGIN_URL, settings.SALESFORCE_SANDBOX_LOGIN_URL = served.url, served.sandbox_url
    settings.SALESFORCE_CLIENT_ID = settings.SALESFORCE_CLIENT_SECRET = ""
    yield served
    forget_apps(served)


def run(*arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(headwater, arguments)
    if isinstance(result.exception, Fix):
        raise result.exception
    assert result.exit_code == exit_code, result.output
    return result.output


def asked(*arguments: str, exit_code: int = 0) -> Any:
    return orjson.loads(run("client-app", *arguments, "--json", exit_code=exit_code))


def test_a_server_is_connected_from_the_command_line_alone(
    org: RunningOrgsim, account: Account, tmp_path: Path
) -> None:
    certificate, secret = tmp_path / "headwater.crt", tmp_path / "secret"
    run("client-app", "--certificate", str(certificate))
    assert certificate.read_text().startswith("-----BEGIN CERTIFICATE-----")
    app = deploy_files(org, saved(tmp_path, "--log-in", "jwt"))
    let_in(org)
    secret.write_text(f"{app.client_secret}\n")
    told = asked("--consumer-key", app.client_id, "--secret-file", str(secret))
    assert (told["consumer_key"], told["belongs_to"], told["has_certificate"]) == (app.client_id, "account", True)
    assert app.client_secret not in orjson.dumps(told).decode()
    shown = run("connect", "--server", "jwt", "--username", USERNAME, "--environment", "production", "--yes")
    assert f"as {USERNAME}" in shown
    row = Connection.of(account).get()
    assert (row.status, row.log_in, row.org_id) == (Status.CONNECTED, LogIn.JWT, org.production.org_id)
    assert asked("--check")["check"][0]["error"] is None


def saved(folder: Path, *ways: str) -> dict[str, bytes]:
    """The files of `--save-to`, as the Metadata API takes them."""
    if ways:
        run("client-app", "--username", USERNAME, *ways)
    run("client-app", "--save-to", str(folder / "app"))
    root = folder / "app" / "metadata"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_both_layouts_hold_the_same_app(org: RunningOrgsim, account: Account, tmp_path: Path) -> None:
    metadata = saved(tmp_path)
    source = tmp_path / "app" / "source"
    assert (source / "sfdx-project.json").exists()
    for path, content in metadata.items():
        there = "manifest/package.xml" if path == "package.xml" else f"force-app/main/default/{path}-meta.xml"
        assert (source / there).read_bytes() == content
    manifest = ET.fromstring(metadata["package.xml"])  # noqa: S314  our own file
    named = {element.text for element in manifest.iter() if element.tag.endswith("members")}
    assert {Path(path).stem for path in metadata if path != "package.xml"} == named
    assert APP_NAME in named
    assert PERMISSION_SET not in named  # a person logs in: nobody is approved beforehand


def test_a_check_that_fails_ends_with_4_and_says_why(org: RunningOrgsim, account: Account, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    run("client-app", "--consumer-key", CLIENT_ID, "--secret-file", str(secret), "--environment", "production")
    told = run("client-app", "--check", exit_code=4)
    assert "salesforce.callback_mismatch" in told
    assert "copy the callback address" in " ".join(told.split())


def test_the_installations_app_is_shown_and_gone_back_to(
    org: RunningOrgsim, account: Account, settings: Settings
) -> None:
    assert asked()["consumer_key"] is None
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    assert asked()["belongs_to"] == "installation"
    run("client-app", "--consumer-key", "3MVG9.own.app", "--no-secret")
    assert (in_use(account).app.client_id, in_use(account).app.client_secret) == ("3MVG9.own.app", "")
    assert "installation" in run("client-app", "--remove")
    assert row_of(account) is None


@pytest.mark.parametrize("arguments", [("client-app", "--log-in", "magic"), ("connect", "--server", "browser")])
def test_an_unknown_way_is_wrong_usage(account: Account, arguments: tuple[str, ...]) -> None:
    run(*arguments, exit_code=2)


def test_client_credentials_want_the_orgs_own_address(org: RunningOrgsim, account: Account, settings: Settings) -> None:
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    with pytest.raises(Fix, match="own My Domain"):
        run("connect", "--server", "client-credentials")
    with pytest.raises(Fix, match="not a My Domain address"):
        run("connect", "--server", "client-credentials", "--my-domain", "acme.my.salesforce.com.evil.example")
