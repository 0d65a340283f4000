"""Headwater connects without a browser: by a signature (JWT bearer), or as the app's own user (client credentials).

Over the org's My Domain by a proxy that leads Salesforce's host names to the simulated org (facts A.4).
"""

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import clock_running_ahead
from headwater.common.errors import Fix, HeadwaterError, Wait
from headwater.connections import lifecycle
from headwater.connections.client_app_check import check
from headwater.connections.client_apps import keep, renew_key
from headwater.connections.models import Connection, LogIn, Status
from headwater.connections.services import connect_server, session
from headwater.connections.tokens import StoredTokens
from headwater.credits.services import today
from headwater.salesforce.rest import Org
from headwater.salesforce.transport import trusted_authorities
from headwater.wiring import confirm_connection
from integration.callbacks import REDIRECT_URI
from integration.client_apps import deploy_app, end_sessions, forget_apps, jwt_wish, let_in, wish_for
from integration.conftest import ACTOR
from orgsim.oauth.apps import App, change_options
from orgsim.rest.faults import LOGIN_KIND, Effect, Fault, add_fault, clear_faults
from orgsim.server.run import Listening, ProxyListening
from orgsim.store.write import Writer
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, USERNAME, RunningOrgsim, running_orgsim
from orgsim.tls import ensure_proxy_tls_files

MY_DOMAIN = "https://acme.my.salesforce.com"
TOKEN_PATH = "/services/oauth2/token"
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOrgsim]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = int(found.getsockname()[1])
    tls = ensure_proxy_tls_files(tmp_path_factory.mktemp("tls"))
    listening = Listening(port=0, sandbox_port=0, proxy=ProxyListening(port, tls))
    with pytest.MonkeyPatch.context() as environment:
        for name in ("NO_PROXY", "no_proxy", "https_proxy"):
            environment.delenv(name, raising=False)
        environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        environment.setenv("SSL_CERT_FILE", str(tls.authority))
        trusted_authorities.cache_clear()  # a process reads them once
        with running_orgsim(tmp_path_factory.mktemp("org"), listening=listening) as running:
            yield running
    trusted_authorities.cache_clear()


@pytest.fixture
def org(served: RunningOrgsim, settings: Settings) -> Iterator[RunningOrgsim]:
    settings.SALESFORCE_LOGIN_URL, settings.SALESFORCE_SANDBOX_LOGIN_URL = served.url, served.sandbox_url
    settings.SALESFORCE_CLIENT_ID = settings.SALESFORCE_CLIENT_SECRET = ""
    yield served
    forget_apps(served)


@pytest.fixture
def signing(org: RunningOrgsim, account: Account) -> App:
    """The account signs with a key whose certificate stands in the org's app; the administrator is let in."""
    app = deploy_app(org, LogIn.JWT, renew_key(account, actor=ACTOR).certificate)
    keep(account, jwt_wish(org, app), actor=ACTOR)
    let_in_once(org)
    return app


@pytest.fixture
def running_as(org: RunningOrgsim, account: Account) -> App:
    """The org's app runs as the administrator."""
    app = deploy_app(org, LogIn.CLIENT_CREDENTIALS, run_as=USERNAME)
    keep(account, wish_for(app, log_in=LogIn.CLIENT_CREDENTIALS, login_url=MY_DOMAIN), actor=ACTOR)
    return app


def let_in_once(org: RunningOrgsim) -> None:
    rows = org.production.database.connect().execute('SELECT count(*) FROM "PermissionSetAssignment"').fetchone()
    if rows == (0,):
        let_in(org)


def connect(account: Account) -> Connection:
    row = connect_server(account, actor=ACTOR)
    assert row.status == Status.AWAITING_CONFIRMATION
    return confirm_connection(account, org_id=row.org_id, actor=ACTOR)


def ask_the_org(account: Account) -> str:
    with session(account, job_kind="test") as transport:
        return Org(transport).organization().id


def refusal(account: Account) -> HeadwaterError:
    with pytest.raises(HeadwaterError) as refused:
        ask_the_org(account)
    return refused.value


def status(account: Account) -> str:
    return Connection.of(account).get().status


def test_a_signature_connects_and_renews_and_is_taken_away(org: RunningOrgsim, account: Account, signing: App) -> None:
    row = connect(account)
    assert (row.org_id, row.username, row.log_in) == (org.production.org_id, USERNAME, LogIn.JWT)
    assert today(account).used_calls == 2
    end_sessions(org)
    assert ask_the_org(account) == row.org_id
    lifecycle.disconnect(account, actor=ACTOR)
    assert "disconnected" in refusal(account).sentence
    again = connect_server(account, actor=ACTOR)  # the org that was connected is live at once
    assert (again.pk, again.status) == (row.pk, Status.CONNECTED)


def test_client_credentials_connect_at_the_orgs_own_address_and_renew(
    org: RunningOrgsim, account: Account, running_as: App
) -> None:
    row = connect(account)
    assert (row.instance_url, row.login_url, row.username) == (MY_DOMAIN, MY_DOMAIN, USERNAME)
    end_sessions(org)
    assert ask_the_org(account) == org.production.org_id
    lifecycle.disconnect(account, actor=ACTOR)
    live = "SELECT count(*) FROM _access WHERE revoked = 0"
    assert org.production.database.connect().execute(live).fetchone() == (0,)


def test_the_installations_app_serves_without_a_browser_too(
    org: RunningOrgsim, account: Account, settings: Settings
) -> None:
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    change_options(org.production, CLIENT_ID, {"run_as": USERNAME})
    shared = App("", "", "", ())
    keep(account, wish_for(shared, log_in=LogIn.CLIENT_CREDENTIALS, login_url=MY_DOMAIN), actor=ACTOR)
    assert connect(account).log_in == LogIn.CLIENT_CREDENTIALS


def test_an_answer_with_a_token_that_is_not_whole_is_a_wait_and_the_next_one_serves(
    org: RunningOrgsim, account: Account, running_as: App
) -> None:
    connect(account)
    end_sessions(org)
    add_fault(org.production.usage, Fault(Effect.MALFORMED, kind=LOGIN_KIND, path_prefix=TOKEN_PATH, on_calls=(1,)))
    refused = refusal(account)
    assert (type(refused), refused.code) == (Wait, "salesforce.unavailable")
    assert "not whole" in refused.facts.why
    assert ask_the_org(account) == org.production.org_id
    clear_faults(org.production.usage)


def test_many_workers_renew_once(org: RunningOrgsim, account: Account, signing: App) -> None:
    before = connect(account).token_version
    stale = StoredTokens(account).access_token()
    renewed: set[str] = set()

    def work() -> None:
        renewed.add(StoredTokens(account).renew(stale))

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(renewed) == 1
    assert Connection.of(account).get().token_version == before + 1


def test_a_second_org_is_refused_and_its_session_ended(org: RunningOrgsim, account: Account, running_as: App) -> None:
    connect(account)
    Connection.of(account).update(org_id="00D000000000001AAA", org_name="Other")
    grants = live_sessions(org)
    with pytest.raises(Fix) as refused:
        connect_server(account, actor=ACTOR)
    assert refused.value.code == "connections.second_org"
    assert live_sessions(org) == grants


def live_sessions(org: RunningOrgsim) -> int:
    [(count,)] = org.production.database.connect().execute("SELECT count(*) FROM _access WHERE revoked = 0").fetchall()
    return int(count)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"consumer_key": "3MVG9.no.such.key"}, "salesforce.app_unknown"),
        ({"username": "nobody@acme.example"}, "salesforce.user_not_approved"),
        ({}, "ok"),
    ],
)
def test_a_check_signs_in_and_out_again(
    org: RunningOrgsim, account: Account, signing: App, changed: dict[str, object], code: str
) -> None:
    before = live_sessions(org)
    [finding] = check(account, jwt_wish(org, signing, **changed), redirect_uri=REDIRECT_URI)
    assert (finding.error.code if finding.error else "ok") == code
    assert live_sessions(org) == before
    assert today(account).used_calls == 0


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"certificate": ""}, "salesforce.certificate_refused"),
        ({"approved": ("Nobody",)}, "salesforce.user_not_approved"),
        ({"installed": False}, "salesforce.app_not_installed"),
    ],
)
def test_a_signature_is_refused_with_the_exact_reason(
    org: RunningOrgsim, account: Account, signing: App, options: dict[str, object], code: str
) -> None:
    change_options(org.production, signing.client_id, options)
    with pytest.raises(Fix) as refused:
        connect_server(account, actor=ACTOR)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"run_as": ""}, "salesforce.no_run_as_user"),
        ({"client_credentials": False}, "salesforce.flow_not_enabled"),
    ],
)
def test_client_credentials_are_refused_with_the_exact_reason(
    org: RunningOrgsim, account: Account, running_as: App, options: dict[str, object], code: str
) -> None:
    change_options(org.production, running_as.client_id, options)
    with pytest.raises(Fix) as refused:
        connect_server(account, actor=ACTOR)
    assert refused.value.code == code


def test_client_credentials_at_another_address_than_my_domain_are_told_so(
    org: RunningOrgsim, account: Account, running_as: App
) -> None:
    """The shared log-in address is refused beforehand; here it hides behind a name that is not the org's."""
    org.production.set("my_domain_host", "other.my.salesforce.com")
    [finding] = check(
        account,
        wish_for(running_as, log_in=LogIn.CLIENT_CREDENTIALS, login_url=MY_DOMAIN),
        redirect_uri=REDIRECT_URI,
    )
    org.production.set("my_domain_host", "")
    assert finding.error is not None
    assert finding.error.code == "salesforce.not_my_domain"


def test_a_renewal_that_is_refused_for_good_asks_for_a_new_authorisation(
    org: RunningOrgsim, account: Account, signing: App
) -> None:
    connect(account)
    change_options(org.production, signing.client_id, {"approved": ("Nobody",)})
    end_sessions(org)
    error = refusal(account)
    assert (error.code, status(account)) == ("salesforce.authorization_dead", Status.AUTHORIZATION_REQUIRED)
    assert "may not use this External Client App" in error.facts.why
    assert "give it to the user; then click the key" in error.facts.you_can
    change_options(org.production, signing.client_id, {"approved": ("System Administrator",)})
    assert connect_server(account, actor=ACTOR).status == Status.CONNECTED


def test_a_renewal_from_a_refused_network_leaves_the_connection_as_it_is(
    org: RunningOrgsim, account: Account, signing: App
) -> None:
    connect(account)
    end_sessions(org)
    org.production.set("login_ip_ranges", ["10.9.0.0/16"])
    assert (refusal(account).code, status(account)) == ("salesforce.ip_refused", Status.CONNECTED)
    org.production.set("login_ip_ranges", [])
    assert ask_the_org(account) == org.production.org_id


def test_a_clock_that_is_wrong_is_told_and_ends_nothing(org: RunningOrgsim, account: Account, signing: App) -> None:
    connect(account)
    end_sessions(org)
    with clock_running_ahead(-TEN_MINUTES):
        assert refusal(account).code == "salesforce.clock_wrong"
    assert status(account) == Status.CONNECTED
    assert ask_the_org(account) == org.production.org_id


def test_a_user_who_logs_in_too_often_waits(org: RunningOrgsim, account: Account, signing: App) -> None:
    connect(account)
    end_sessions(org)
    org.production.set("logins_per_hour", 0)
    error = refusal(account)
    org.production.set("logins_per_hour", 3600)
    assert isinstance(error, Wait)
    assert (error.code, status(account)) == ("salesforce.login_rate", Status.CONNECTED)


def test_a_deactivated_user_ends_the_authorisation(org: RunningOrgsim, account: Account, signing: App) -> None:
    user_id = org.add_user(f"run-{account.pk}@acme.example", profile="System Administrator")
    let_in(org, user_id)
    keep(account, jwt_wish(org, signing, username=f"run-{account.pk}@acme.example"), actor=ACTOR)
    connect(account)
    Writer(org.production, org.production_user_id).update("User", user_id, {"IsActive": False})
    error = refusal(account)
    assert "deactivated" in error.facts.why
    assert status(account) == Status.AUTHORIZATION_REQUIRED


def test_another_account_cannot_use_the_key(org: RunningOrgsim, account: Account, signing: App) -> None:
    other = create_account("Other")
    with pytest.raises(Fix) as refused:
        connect_server(other, actor=ACTOR)
    assert refused.value.code == "connections.no_client_app"
