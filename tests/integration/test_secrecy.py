"""What a connection's whole life leaves behind outside the sealed columns: no token, code, verifier or client secret.

Not here: one log-in attacked from all sides (test_attacks.py).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.core import mail as outbox
from django.test import Client
from pytest_django import Settings

from headwater.accounts.crypt import SEALED_COLUMNS, unseal
from headwater.accounts.models import Account, AuditEvent, Role
from headwater.accounts.services import add_member, create_user
from headwater.connections.lifecycle import GRANT_LEFT, disconnect
from headwater.connections.models import Authorization, Connection
from headwater.connections.tokens import StoredTokens
from headwater.jobs.models import Job, State
from headwater.jobs.services import jobs_of
from headwater.jobs.worker import Worker
from headwater.notify.models import Notification
from headwater.salesforce import oauth
from headwater.sync.services import sync_cycle
from headwater.watch import chores
from headwater.wiring import confirm_connection, finish_connecting
from integration.callbacks import callback_of
from integration.conftest import ACTOR, start_login
from orgsim.oauth.apps import change_options
from orgsim.oauth.grants import revoke_all
from orgsim.person import answer_login
from orgsim.rest.faults import Effect, Fault, add_fault
from orgsim.seed import load_history
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME, RunningOrgsim

PAGES = ("/", "/jobs/", "/notifications/", "/notifications/panel/", "/credits/", "/settings/connections/",
         "/settings/account/")  # fmt: skip
OF_OTHERS = ("orgsim", "uvicorn", "starlette", "multipart", "asyncio")  # the simulated org runs in this process too


@pytest.fixture
def issued(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every secret that the log-in server hears or tells, as they come."""
    heard: set[str] = {CLIENT_SECRET}
    ask = oauth.post

    def listen(login_url: str, path: str, form: dict[str, str]) -> Any:
        names = ("code", "code_verifier", "refresh_token", "token", "assertion")
        heard.update(form[name] for name in names if form.get(name))
        answer = ask(login_url, path, form)
        told = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
        heard.update(told[name] for name in ("access_token", "refresh_token") if told.get(name))
        return answer

    monkeypatch.setattr(oauth, "post", listen)
    return heard


def sync(account: Account) -> Job:
    job = sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)
    Worker("test", chores=chores).run_until_idle()
    job.refresh_from_db()
    return job


def stored_texts() -> dict[str, str]:
    """Every row of every table, as text, without the sealed columns."""
    sealed = {(each.model, each.column) for each in SEALED_COLUMNS}
    texts = {}
    for model in apps.get_models():
        names = [
            field.attname for field in model._meta.concrete_fields if (model._meta.label, field.name) not in sealed
        ]
        for row in model._base_manager.values("pk", *names):
            texts[f"{model._meta.label} {row['pk']}"] = repr(row)
    return texts


def test_no_secret_is_left_in_logs_pages_jobs_events_notifications_or_mails(
    org: RunningOrgsim, account: Account, issued: set[str], caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    user = create_user(ACTOR, "three quiet rivers")
    add_member(account, user, Role.ADMIN)
    load_history(org.production, records=300, seed=6)
    change_options(org.production, CLIENT_ID, {"rotate_refresh_token": True})
    with everything_logged(caplog):
        live_a_whole_life(org, account)
        browser = Client()
        browser.force_login(user)
        jobs = [f"/jobs/{job.pk}/" for job in jobs_of(str(account.pk))]
        told = [f"/notifications/{each.pk}/" for each in Notification.of(account)]
        pages = {path: browser.get(path).content.decode() for path in (*PAGES, *jobs, *told)}
    ours = [record for record in caplog.records if not record.name.startswith(OF_OTHERS)]
    lines = {f"log {number}": f"{record.getMessage()} {record.exc_text}" for number, record in enumerate(ours)}
    mails: dict[str, str] = {str(message.subject): str(message.body) for message in outbox.outbox}
    assert {"httpx2", "headwater"} <= {record.name.partition(".")[0] for record in ours}
    assert len(issued) > 10, "too few secrets went by"
    assert told, "nothing was told"
    assert mails
    places = {**lines, **pages, **mails, **stored_texts()}
    assert [place for place, text in places.items() if any(secret in text for secret in issued)] == []


@contextmanager
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Every logger at its most talkative, also those that were set to be quiet."""
    known = logging.root.manager.loggerDict
    levels = {name: logger.level for name, logger in known.items() if isinstance(logger, logging.Logger)}
    caplog.set_level(logging.DEBUG)
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def log_in(account: Account) -> Connection:
    """What the person's own browser does in between is not ours to keep quiet."""
    address = start_login(account)
    logging.disable(logging.CRITICAL)
    location = answer_login(address, USERNAME, PASSWORD)
    logging.disable(logging.NOTSET)
    return finish_connecting(account, callback_of(location), actor=ACTOR)


def live_a_whole_life(org: RunningOrgsim, account: Account) -> None:
    """Connect, read, renew, fail, lose the log-in, connect again, lose sight of the org, leave."""
    row = log_in(account)
    confirm_connection(account, org_id=row.org_id, actor=ACTOR)
    assert sync(account).state == State.DONE
    tokens = StoredTokens(account)
    for _ in range(2):
        tokens.renew(tokens.access_token())
    add_fault(org.production.usage, Fault(Effect.SERVER_ERROR, on_calls=(1,)))
    assert sync(account).state == State.DONE
    revoke_all(org.production)
    assert sync(account).reason_code == "salesforce.authorization_dead"
    log_in(account)
    Worker("test", chores=chores).run_until_idle()
    start_login(account)  # one that nobody finishes: its verifier stands sealed
    row = Connection.of(account).get()
    verifier = unseal(account.pk, Authorization.of(account).latest("pk").sealed_verifier)["verifier"]
    assert verifier not in repr(stored_texts())
    Connection.of(account).update(login_url="http://127.0.0.1:1")
    disconnect(account, actor=ACTOR)
    chores()
    assert AuditEvent.of(account).filter(action=GRANT_LEFT).exists()
    assert row.sealed_tokens not in repr(stored_texts())
