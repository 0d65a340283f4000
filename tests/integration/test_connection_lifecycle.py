"""Confirming, disconnecting and deleting a connection: what each leaves behind, here and in the org (rows A6 to A9)."""

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings

from headwater.accounts.crypt import unseal
from headwater.accounts.models import Account, AuditEvent
from headwater.accounts.scoping import AccountScoped
from headwater.accounts.services import create_account
from headwater.common.errors import Fix
from headwater.connections import lifecycle
from headwater.connections.client_apps import in_use
from headwater.connections.models import Connection, KnownOrg, Status
from headwater.connections.services import connection_of, session
from headwater.connections.snapshot import PRICE_CALLS
from headwater.connections.tokens import StoredTokens
from headwater.credits.models import Entry
from headwater.jobs.models import State
from headwater.jobs.services import jobs_of, run_here
from headwater.salesforce import oauth
from headwater.wiring import confirm_connection, delete_connection, finish_connecting, pipeline, sync_cycle
from integration.callbacks import callback_of
from integration.conftest import ACTOR, connect, log_in, result_of, start_login
from integration.test_connecting import live_grants
from orgsim.person import answer_login
from orgsim.seed import load_history
from orgsim.testing import PASSWORD, SANDBOX_USERNAME, USERNAME, RunningOrgsim


def run_pipeline(account: Account) -> None:
    result_of(run_here(pipeline.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.01))


def files_of(account: Account) -> list[Path]:
    folders = (Path(django_settings.DATA_DIR) / room / str(account.pk) for room in ("lake", "results", "export"))
    return [path for folder in folders for path in folder.rglob("*")]


def rows_of(account: Account) -> dict[str, int]:
    """Rows of this account in every table of every room."""
    models = [model for model in apps.get_models() if issubclass(model, AccountScoped)]
    counts = {model.__name__: model.of(account).count() for model in models}
    return {name: count for name, count in counts.items() if count}


def test_nothing_is_read_before_a_person_confirms(org: RunningOrgsim, account: Account) -> None:
    row = log_in(account)
    assert row.status == Status.AWAITING_CONFIRMATION
    before = org.production.usage.total_credits()
    with pytest.raises(Fix, match="Nobody has confirmed yet"), session(account, job_kind="sync"):
        pass
    job = run_here(sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.01)
    assert (job.state, job.reason_code) == (State.BLOCKED, "connections.not_confirmed")
    assert org.production.usage.total_credits() == before
    assert confirm_connection(account, org_id=row.org_id, actor=ACTOR).status == Status.CONNECTED
    job.refresh_from_db()
    assert job.state == State.QUEUED  # it goes on by itself


def test_only_what_was_shown_can_be_confirmed(org: RunningOrgsim, account: Account) -> None:
    shown = log_in(account, "sandbox", SANDBOX_USERNAME)
    log_in(account)  # in another window, production came in its place
    with pytest.raises(Fix) as refused:
        confirm_connection(account, org_id=shown.org_id, actor=ACTOR)
    assert refused.value.code == "connections.nothing_to_confirm"
    assert live_grants(org.sandbox) == 0  # what was replaced is revoked
    row = connection_of(account)
    assert row is not None
    assert (row.status, row.org_id) == (Status.AWAITING_CONFIRMATION, org.production.org_id)


def test_leaving_the_wrong_org_revokes_the_log_in_and_keeps_nothing(org: RunningOrgsim, account: Account) -> None:
    log_in(account)
    lifecycle.decline(account, actor=ACTOR)
    assert connection_of(account) is None
    assert live_grants(org.production) == 0
    assert not KnownOrg.of(account).exists()
    assert connect(account, "sandbox", SANDBOX_USERNAME).org_kind == "sandbox"  # no trace of production


def test_disconnecting_revokes_the_log_in_and_keeps_what_was_read(org: RunningOrgsim, connected: Connection) -> None:
    account = connected.account
    load_history(org.production, records=300, seed=1)
    result_of(run_here(sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.01))
    kept = files_of(account)
    lifecycle.disconnect(account, actor=ACTOR)
    assert live_grants(org.production) == 0
    assert Connection.of(account).get().sealed_tokens == ""
    assert files_of(account) == kept
    blocked = run_here(sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.01)
    assert (blocked.state, blocked.reason_code) == (State.BLOCKED, "connections.disconnected")
    callback = callback_of(answer_login(start_login(account), USERNAME, PASSWORD))
    finish_connecting(account, callback, actor=ACTOR)  # live at once: it is the same org
    blocked.refresh_from_db()
    assert blocked.state == State.QUEUED


def test_a_deletion_leaves_nothing_of_the_sandbox_behind(org: RunningOrgsim, account: Account) -> None:
    load_history(org.sandbox, records=400, seed=2)
    other = create_account("Other")
    connect(other, "sandbox", SANDBOX_USERNAME)
    connect(account, "sandbox", SANDBOX_USERNAME)
    settings_before = rows_of(account).get("Quota")
    for each in (account, other):
        result_of(run_here(sync_cycle.enqueue(tenant=str(each.pk), account_id=each.pk), poll_seconds=0.01))
    others, grants = (rows_of(other), files_of(other)), live_grants(org.sandbox)
    assert files_of(account)
    spent = Entry.of(account).count()
    job = run_here(delete_connection(account, typed_name="Acme", actor=ACTOR), poll_seconds=0.01)
    assert job.state == State.DONE
    assert files_of(account) == []
    kept = {"Allowance", "AuditEvent", "Entry", "KnownOrg", "OrgSnapshot", "Quota", "Window"}
    assert set(rows_of(account)) <= kept, rows_of(account)
    assert rows_of(account).get("Quota") == settings_before
    assert Entry.of(account).count() == spent + PRICE_CALLS  # what was spent stays told, with the last look
    assert live_grants(org.sandbox) == grants - 1
    assert (rows_of(other), files_of(other)) == others
    assert connect(account).org_kind == "production"


def test_production_is_for_good(org: RunningOrgsim, account: Account) -> None:
    connect(account, "sandbox", SANDBOX_USERNAME)
    with pytest.raises(Fix) as second:
        log_in(account)
    assert second.value.code == "connections.second_org"
    run_here(delete_connection(account, typed_name="Acme", actor=ACTOR), poll_seconds=0.01)
    connect(account)
    with pytest.raises(Fix) as refused:
        delete_connection(account, typed_name="Acme", actor=ACTOR)
    assert refused.value.code == "connections.production_stays"
    Connection.of(account).delete()  # as if by hand, in the database
    with pytest.raises(Fix) as back:
        log_in(account, "sandbox", SANDBOX_USERNAME)
    assert back.value.code == "connections.production_for_good"
    assert live_grants(org.sandbox) == 0


def test_the_name_must_be_typed(org: RunningOrgsim, account: Account) -> None:
    connect(account, "sandbox", SANDBOX_USERNAME)
    for typed in ("", "acme", "Acme Inc"):
        with pytest.raises(Fix) as refused:
            delete_connection(account, typed_name=typed, actor=ACTOR)
        assert refused.value.code == "connections.name_not_typed"
    assert Connection.of(account).get().status == Status.CONNECTED


def test_a_deletion_stops_other_work_and_refuses_log_ins(org: RunningOrgsim, account: Account) -> None:
    connect(account, "sandbox", SANDBOX_USERNAME)
    waiting = sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)
    deletion = delete_connection(account, typed_name="Acme", actor=ACTOR)
    again = delete_connection(account, typed_name="", actor=ACTOR)
    assert again.pk == deletion.pk  # pressing twice is no mistake
    waiting.refresh_from_db()
    assert waiting.state == State.CANCELLED
    with pytest.raises(Fix) as refused:
        log_in(account, "sandbox", SANDBOX_USERNAME)
    assert refused.value.code == "connections.deletion_in_progress"
    assert list(jobs_of(str(account.pk)).filter(state=State.QUEUED)) == [deletion]


def test_an_org_that_is_gone_does_not_keep_its_data_here(org: RunningOrgsim, account: Account) -> None:
    connect(account, "sandbox", SANDBOX_USERNAME)
    Connection.of(account).update(login_url="http://127.0.0.1:1")
    job = delete_connection(account, typed_name="Acme", actor=ACTOR)
    for _ in range(4):
        job = run_here(job, poll_seconds=0.01)
        assert (job.state, job.reason_code) == (State.WAITING, "salesforce.unavailable")
        job.not_before_utc = None
        job.save(update_fields=["not_before_utc"])
    assert run_here(job, poll_seconds=0.01).state == State.DONE
    assert connection_of(account) is None
    told = AuditEvent.of(account).get(action="connections.grant_left").after
    assert "Connected Apps OAuth Usage" in told


def test_tokens_renewed_for_nobody_are_revoked(
    org: RunningOrgsim, connected: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is left while a worker renews: what came back must not stay alive unknown."""
    account, refresh = connected.account, oauth.refresh

    def refresh_while_somebody_leaves(*arguments: Any) -> oauth.Grant:
        grant = refresh(*arguments)
        Connection.of(account).update(status=Status.DISCONNECTED, token_version=99, sealed_tokens="")
        return grant

    monkeypatch.setattr(oauth, "refresh", refresh_while_somebody_leaves)
    tokens = StoredTokens(account)
    with pytest.raises(Fix) as refused:
        tokens.renew(tokens.access_token())
    assert refused.value.code == "connections.not_connected"
    with pytest.raises(Fix):
        refresh(connected.login_url, in_use(account).app, unseal(account.pk, connected.sealed_tokens)["refresh_token"])


def test_another_user_of_the_same_org_may_take_over(org: RunningOrgsim, connected: Connection) -> None:
    org.add_user("marketing@acme.example", profile="System Administrator")
    again = log_in(connected.account, username="marketing@acme.example")
    assert (again.status, again.username, again.org_id) == (
        Status.CONNECTED,
        "marketing@acme.example",
        connected.org_id,
    )
    assert live_grants(org.production) == 1  # the first user's log-in is revoked
    result_of(run_here(sync_cycle.enqueue(tenant=str(again.account_id), account_id=again.account_id)))
