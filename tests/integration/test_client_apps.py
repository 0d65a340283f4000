"""The account's own External Client App: deployed from Headwater's files, checked, used, changed (rows A5, A11)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytest_django import Settings

from headwater.accounts.models import Account, AuditEvent
from headwater.accounts.services import create_account
from headwater.common.errors import Fix, Wait
from headwater.connections.client_app_check import check
from headwater.connections.client_apps import Wish, find, in_use, keep, remove, renew_key, row_of
from headwater.connections.models import Authorization, ClientApp, Connection, LogIn, Status
from headwater.connections.services import connect_server, login_url_for, session
from headwater.salesforce.rest import Org
from integration.callbacks import REDIRECT_URI
from integration.client_apps import deploy_app, end_sessions, forget_apps, jwt_wish, wish_for
from integration.conftest import ACTOR, connect, start_login
from orgsim.oauth.apps import App, change_options
from orgsim.person import LoginRefusedError
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, RunningOrgsim, running_orgsim


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOrgsim]:
    with running_orgsim(tmp_path_factory.mktemp("org"), callbacks=(REDIRECT_URI,)) as running:
        yield running


@pytest.fixture
def org(served: RunningOrgsim, settings: Settings) -> Iterator[RunningOrgsim]:
    """An installation without an app of its own: each account brings one."""
    settings.SALESFORCE_LOGIN_URL, settings.SALESFORCE_SANDBOX_LOGIN_URL = served.url, served.sandbox_url
    settings.SALESFORCE_CLIENT_ID = settings.SALESFORCE_CLIENT_SECRET = ""
    yield served
    forget_apps(served)


@pytest.fixture
def app(org: RunningOrgsim) -> App:
    return deploy_app(org)


def ask_the_org(account: Account) -> str:
    with session(account, job_kind="test") as transport:
        return Org(transport).organization().id


def codes(account: Account, wish: Wish) -> list[str]:
    """What each question of the check brought: `ok`, or the error's code."""
    findings = check(account, wish, redirect_uri=REDIRECT_URI)
    return [each.error.code if each.error else "ok" for each in findings]


def test_the_deployed_files_are_enough_to_connect_and_to_renew(org: RunningOrgsim, account: Account, app: App) -> None:
    with pytest.raises(Fix) as refused:
        start_login(account)
    assert refused.value.code == "connections.no_client_app"
    wish = wish_for(app, login_url=org.url)
    assert codes(account, wish) == ["ok", "ok"]
    assert row_of(account) is None  # a check stores nothing
    keep(account, wish, actor=ACTOR)
    row = connect(account)
    end_sessions(org)
    assert ask_the_org(account) == row.org_id == org.production.org_id
    assert Connection.of(account).get().token_version == row.token_version + 1


def test_the_installations_app_serves_where_an_account_has_none(
    org: RunningOrgsim, account: Account, app: App, settings: Settings
) -> None:
    assert find(account) is None
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    assert not in_use(account).is_own
    keep(account, wish_for(app, login_url=org.url), actor=ACTOR)
    assert (in_use(account).is_own, in_use(account).app.client_id) == (True, app.client_id)
    assert not in_use(create_account("Other")).is_own
    remove(account, actor=ACTOR)
    assert in_use(account).app.client_id == CLIENT_ID


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"consumer_key": "3MVG9.no.such.key"}, ["salesforce.app_unknown"]),
        ({"consumer_secret": "wrong"}, ["ok", "salesforce.app_secret_refused"]),
        ({"consumer_secret": "", "has_no_secret": True}, ["ok"]),
    ],
)
def test_a_check_tells_key_and_secret_apart(
    org: RunningOrgsim, account: Account, app: App, changed: dict[str, object], expected: list[str]
) -> None:
    assert codes(account, wish_for(app, login_url=org.url, **changed)) == expected


def test_a_check_finds_the_wrong_org_the_callback_and_the_switch(
    org: RunningOrgsim, account: Account, app: App
) -> None:
    assert codes(account, wish_for(app, login_url=org.sandbox_url)) == ["salesforce.app_unknown"]
    [finding] = check(account, wish_for(app, login_url=org.url), redirect_uri="https://elsewhere.example/")
    assert finding.error is not None
    assert finding.error.code == "salesforce.callback_mismatch"
    assert "copy the callback address" in finding.error.facts.you_can


def test_an_app_that_is_not_known_yet_is_told_to_wait_for(org: RunningOrgsim, account: Account) -> None:
    org.production.set("app_propagation_seconds", 600)
    [finding] = check(account, wish_for(deploy_app(org), login_url=org.url), redirect_uri=REDIRECT_URI)
    assert finding.error is not None
    assert finding.error.code == "salesforce.app_unknown"
    assert "ten minutes" in finding.error.facts.you_can


def test_a_check_of_an_unreachable_address_waits(account: Account, org: RunningOrgsim, app: App) -> None:
    [finding] = check(account, wish_for(app, login_url="http://127.0.0.1:1"), redirect_uri=REDIRECT_URI)
    assert isinstance(finding.error, Wait)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish("", "", LogIn.BROWSER, ""), "There is no consumer key"),
        (Wish("two words", "secret", LogIn.BROWSER, ""), "This is no consumer key"),
        (Wish("3MVG9.a.key", "", LogIn.BROWSER, ""), "There is no consumer secret"),
        (Wish("3MVG9.a.key", "", LogIn.JWT, ""), "speaks for one user"),
        (Wish("3MVG9.a.key", "", LogIn.CLIENT_CREDENTIALS, ""), "There is no consumer secret"),
        (Wish("3MVG9.a.key", "s", LogIn.CLIENT_CREDENTIALS, "https://login.salesforce.com"), "own My Domain"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_stored(
    account: Account, settings: Settings, wish: Wish, words: str
) -> None:
    settings.SALESFORCE_CLIENT_ID = ""
    with pytest.raises(Fix) as refused:
        keep(account, wish, actor=ACTOR)
    assert refused.value.code == "connections.client_app_incomplete"
    assert words in refused.value.sentence
    assert row_of(account) is None


def test_the_secret_is_sealed_kept_while_it_is_not_typed_and_never_told(
    org: RunningOrgsim, account: Account, app: App
) -> None:
    keep(account, wish_for(app, login_url=org.url), actor=ACTOR)
    set_utc = ClientApp.of(account).get().secret_set_utc
    keep(account, wish_for(app, consumer_secret="", login_url=org.sandbox_url), actor=ACTOR)
    row = ClientApp.of(account).get()
    assert (row.secret_set_utc, in_use(account).app.client_secret) == (set_utc, app.client_secret)
    stored = " ".join(str(value) for value in ClientApp.of(account).values()[0].values())
    told = " ".join(f"{event.before} {event.after}" for event in AuditEvent.of(account))
    assert app.client_secret not in stored + told
    assert app.client_id in told
    keep(account, wish_for(app, consumer_secret="", has_no_secret=True), actor=ACTOR)
    assert (row_of(account) or row).secret_set_utc is None
    assert in_use(account).app.client_secret == ""


def test_another_key_does_not_take_the_old_secret_over(org: RunningOrgsim, account: Account, app: App) -> None:
    keep(account, wish_for(app, login_url=org.url), actor=ACTOR)
    with pytest.raises(Fix, match="no consumer secret"):
        keep(account, wish_for(app, consumer_key="3MVG9.another", consumer_secret=""), actor=ACTOR)
    assert in_use(account).app.client_id == app.client_id


def test_another_app_under_a_connection_wants_a_yes_and_then_a_new_log_in(
    org: RunningOrgsim, account: Account, app: App
) -> None:
    keep(account, wish_for(app, login_url=org.url), actor=ACTOR)
    row = connect(account)
    start_login(account)
    other = replace(app, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    with pytest.raises(Fix) as refused:
        keep(account, wish_for(other), actor=ACTOR)
    assert refused.value.code == "connections.client_app_in_use"
    assert Connection.of(account).get().status == Status.CONNECTED
    keep(account, wish_for(other, accepts_new_log_in=True), actor=ACTOR)
    assert Connection.of(account).get().status == Status.AUTHORIZATION_REQUIRED
    assert not Authorization.of(account).filter(used_utc=None).exists()  # begun with the app of before
    assert connect(account).pk == row.pk
    assert ask_the_org(account) == row.org_id


def test_a_new_secret_of_the_same_app_disturbs_nothing(org: RunningOrgsim, account: Account, app: App) -> None:
    keep(account, wish_for(app, login_url=org.url), actor=ACTOR)
    connect(account)
    with org.production.database.write() as connection:
        connection.execute("UPDATE _app SET client_secret = 'new' WHERE client_id = ?", (app.client_id,))
    keep(account, wish_for(app, consumer_secret="new"), actor=ACTOR)
    end_sessions(org)
    assert ask_the_org(account) == org.production.org_id


def test_removing_the_app_of_a_connection_wants_a_yes_too(org: RunningOrgsim, account: Account, app: App) -> None:
    keep(account, wish_for(app, login_url=org.url), actor=ACTOR)
    connect(account)
    with pytest.raises(Fix, match="read through the present app"):
        remove(account, actor=ACTOR)
    remove(account, actor=ACTOR, accepts_new_log_in=True)
    assert find(account) is None
    assert Connection.of(account).get().status == Status.AUTHORIZATION_REQUIRED


def test_a_new_key_pair_under_a_connection_that_signs_wants_a_yes(org: RunningOrgsim, account: Account) -> None:
    first = renew_key(account, actor=ACTOR).certificate
    app = deploy_app(org, LogIn.JWT, first)
    keep(account, jwt_wish(org, app), actor=ACTOR)
    assert ClientApp.of(account).get().certificate == first  # the one that the app was given
    Connection.of(account).create(
        account=account, log_in=LogIn.JWT, org_id="00D1", connected_utc=ClientApp.of(account).get().changed_utc
    )
    with pytest.raises(Fix, match="read through the present app"):
        renew_key(account, actor=ACTOR)
    assert renew_key(account, actor=ACTOR, accepts_new_log_in=True).certificate != first


def test_logging_in_without_a_browser_needs_an_app_that_may(org: RunningOrgsim, account: Account, app: App) -> None:
    keep(account, wish_for(app, login_url=org.url), actor=ACTOR)
    with pytest.raises(Fix) as refused:
        connect_server(account, actor=ACTOR)
    assert refused.value.code == "connections.browser_needed"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"installed": False}, "salesforce.app_not_installed"),
        ({"admin_approved": True, "approved": ()}, "salesforce.user_not_approved"),
    ],
)
def test_what_the_org_decides_about_the_app_is_told_when_somebody_logs_in(
    org: RunningOrgsim, account: Account, app: App, options: dict[str, object], code: str
) -> None:
    """A browser is sent back with the reason, or kept at Salesforce's page, which shows it."""
    keep(account, wish_for(app, login_url=login_url_for("production")), actor=ACTOR)
    change_options(org.production, app.client_id, options)
    if code == "salesforce.app_not_installed":
        with pytest.raises(LoginRefusedError, match="not installed in this org"):
            connect(account)
        return
    with pytest.raises(Fix) as refused:
        connect(account)
    assert refused.value.code == code
