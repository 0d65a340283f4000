"""Jobs and files of one account never reach another's: neither its session with Salesforce nor its records on disk."""

from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as in_force
from django.test import Client

from headwater.accounts.models import Account, Role
from headwater.accounts.services import add_member, create_account, create_user
from headwater.common.errors import Fix
from headwater.connections.models import Connection
from headwater.connections.services import session
from headwater.credits.services import today
from headwater.jobs.models import State
from headwater.jobs.services import run_here
from headwater.jobs.tasks import Task, find_task, task_names
from headwater.results.services import opportunities, opportunity
from headwater.salesforce.rest import Org
from headwater.wiring import attribute, close_account, sync_cycle
from integration.conftest import connect
from orgsim.seed import load_history
from orgsim.testing import SANDBOX_USERNAME, RunningOrgsim

PASSWORD = "three quiet rivers"


@pytest.fixture
def other(transactional_db: None) -> Account:
    return create_account("Birch Telecom")


def product_tasks() -> list[Task[...]]:
    """Every task that works for an account; those of other tests' making are not the product's."""
    tasks = [find_task(name) for name in task_names()]
    return [task for task in tasks if task.run.__module__.startswith("headwater.")]


def test_a_job_of_one_account_never_opens_anothers_session(
    connected: Connection, other: Account, org: RunningOrgsim
) -> None:
    victim = connected.account
    before = today(victim).used_calls
    assert len(product_tasks()) >= 5
    for task in product_tasks():
        others = set(signature(task.run).parameters) - {"job", "account_id"}
        more: dict[str, Any] = dict.fromkeys(others, "test")
        job = run_here(task.enqueue(tenant=str(other.pk), account_id=victim.pk, **more), poll_seconds=0.05)
        assert job.state == State.FAILED, task.name
        assert job.reason_code == "accounts.foreign_job", task.name
    assert today(victim).used_calls == before
    assert Connection.of(victim).exists()


def test_tokens_that_were_copied_to_another_account_do_not_open(
    connected: Connection, other: Account, org: RunningOrgsim
) -> None:
    Connection.of(connected.account).update(account=other)
    with pytest.raises(Fix) as refused, session(other, job_kind="sync") as transport:
        Org(transport).query("SELECT Id FROM Account", "reading what is another account's")
    assert refused.value.code == "accounts.unopenable_secret"


def test_a_closed_account_has_no_session(connected: Connection, org: RunningOrgsim) -> None:
    close_account(connected.account, actor="olga@headwater.example")
    with pytest.raises(Fix) as refused, session(connected.account, job_kind="sync"):
        pass
    assert refused.value.code == "accounts.closed"


def read(account: Account) -> None:
    for task in (sync_cycle, attribute):
        job = run_here(task.enqueue(tenant=str(account.pk), account_id=account.pk), poll_seconds=0.05)
        assert job.state == State.DONE


def test_records_and_results_of_another_account_are_never_served(
    org: RunningOrgsim, account: Account, other: Account, client: Client
) -> None:
    load_history(org.production, records=300, seed=3)
    load_history(org.sandbox, records=900, seed=4)
    connect(account)
    connect(other, "sandbox", SANDBOX_USERNAME)
    read(account)
    read(other)
    user = create_user("alice@acme.example", PASSWORD)
    add_member(account, user, Role.ADMIN)
    client.force_login(user)
    [mine, *_], _ = opportunities(account)
    assert client.get(f"/opportunities/{mine.id}/").status_code == 200
    theirs = [row.id for row in opportunities(other)[0] if opportunity(account, row.id) is None]
    assert theirs
    for foreign in theirs:
        assert client.get(f"/opportunities/{foreign}/").status_code == 404
    files = [path for path in Path(in_force.DATA_DIR).rglob(f"*/{other.pk}/**/*") if path.is_file()]
    assert files
    for file in files[:20]:
        inside = file.relative_to(in_force.DATA_DIR)
        for prefix in ("/", "/static/", "/static/../", "/data/", "/static/vendor/%2e%2e/%2e%2e/"):
            assert client.get(f"{prefix}{inside}").status_code == 404
