"""Connecting an account to its one org, over the org's real login pages (rows A5, A7)."""

import pytest
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.errors import Fix, Wait
from headwater.connections.models import Authorization, Connection
from headwater.connections.services import Callback, connection_of, finish
from headwater.credits.services import today
from integration.callbacks import callback_of
from integration.conftest import ACTOR, connect, start_login
from orgsim.person import LoginRefusedError, answer_login
from orgsim.store.org import Org
from orgsim.testing import PASSWORD, SANDBOX_USERNAME, USERNAME, RunningOrgsim


def test_the_org_itself_says_what_was_connected(org: RunningOrgsim, account: Account) -> None:
    row = connect(account)
    assert (row.org_id, row.org_name, row.org_kind) == (org.production.org_id, "Acme", "production")
    assert (row.username, row.connected_by) == (USERNAME, ACTOR)
    assert today(account).used_calls == 2


def test_a_sandbox_says_so_whatever_button_was_pressed(org: RunningOrgsim, account: Account) -> None:
    row = connect(account, "sandbox", SANDBOX_USERNAME)
    assert (row.org_id, row.org_kind) == (org.sandbox.org_id, "sandbox")


def test_tokens_are_sealed_at_rest(org: RunningOrgsim, connected: Connection) -> None:
    stored = " ".join(str(value) for value in Connection.of(connected.account_id).values()[0].values())
    assert "00D" in connected.org_id
    assert f"{org.production.org_id[:15]}!" not in stored


def test_a_wrong_password_gets_no_further_than_the_orgs_page(org: RunningOrgsim, account: Account) -> None:
    with pytest.raises(LoginRefusedError, match="check your username and password"):
        answer_login(start_login(account), USERNAME, "wrong")
    assert connection_of(account) is None


def test_refusing_the_authorisation_changes_nothing(org: RunningOrgsim, account: Account) -> None:
    callback = callback_of(answer_login(start_login(account), USERNAME, PASSWORD, allow=False))
    with pytest.raises(Fix, match="not authorised") as refused:
        finish(account, callback, actor=ACTOR)
    assert "access_denied" in refused.value.facts.why
    assert connection_of(account) is None


def test_a_callback_works_once(org: RunningOrgsim, account: Account) -> None:
    callback = callback_of(answer_login(start_login(account), USERNAME, PASSWORD))
    finish(account, callback, actor=ACTOR)
    with pytest.raises(Fix) as refused:
        finish(account, callback, actor=ACTOR)
    assert refused.value.code == "connections.wrong_state"


def test_a_forged_state_changes_nothing(org: RunningOrgsim, account: Account) -> None:
    callback = callback_of(answer_login(start_login(account), USERNAME, PASSWORD))
    for state in ("", "forged"):
        with pytest.raises(Fix) as refused:
            finish(account, Callback(state, callback.code, "", ""), actor=ACTOR)
        assert refused.value.code == "connections.wrong_state"
    assert connection_of(account) is None
    assert Authorization.of(account).get().used_utc is None


def test_the_callback_of_another_account_or_person_is_refused(org: RunningOrgsim, account: Account) -> None:
    callback = callback_of(answer_login(start_login(account), USERNAME, PASSWORD))
    other = create_account("Other")
    for who, actor in ((other, ACTOR), (account, "eve@example.com")):
        with pytest.raises(Fix) as refused:
            finish(who, callback, actor=actor)
        assert refused.value.code == "connections.wrong_state"
    assert connection_of(account) is connection_of(other) is None


def test_a_second_org_is_refused_with_the_reason_and_the_way_out(org: RunningOrgsim, connected: Connection) -> None:
    with pytest.raises(Fix) as refused:
        connect(connected.account, "sandbox", SANDBOX_USERNAME)
    assert refused.value.code == "connections.second_org"
    assert "account of its own" in refused.value.facts.you_can
    assert live_grants(org.sandbox) == 0
    assert Connection.of(connected.account_id).get().org_id == org.production.org_id


def test_an_unreachable_org_is_told_before_anyone_is_sent_there(account: Account, settings: Settings) -> None:
    settings.SALESFORCE_LOGIN_URL = "http://127.0.0.1:1"
    settings.SALESFORCE_CLIENT_ID = "key"
    with pytest.raises(Wait, match="could not be reached"):
        start_login(account)
    assert Authorization.of(account).count() == 0


def test_authorising_the_same_org_again_keeps_the_connection(org: RunningOrgsim, connected: Connection) -> None:
    again = connect(connected.account)
    assert again.pk == connected.pk
    assert again.token_version == connected.token_version + 1


def live_grants(org: Org) -> int:
    """Authorisations that the org would still accept."""
    [(count,)] = org.database.connect().execute("SELECT COUNT(*) FROM _grant WHERE revoked = 0").fetchall()
    return int(count)
