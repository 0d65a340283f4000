"""A log-in that dies: work stops and says so once, and goes on as if nothing had been after a new one (row A11)."""

import pytest

from headwater.accounts.models import Account, Role
from headwater.accounts.services import add_member, create_user
from headwater.common.errors import Fix
from headwater.connections.models import Connection, Status
from headwater.connections.package import INSTALLING
from headwater.jobs.models import Job, State, Step
from headwater.jobs.services import jobs_of, set_schedule
from headwater.jobs.worker import Worker
from headwater.notify.models import Notification
from headwater.notify.services import open_of
from headwater.salesforce import rest
from headwater.sync.objects import PACKAGE
from headwater.sync.services import sync_cycle
from headwater.watch import LOST, chores
from headwater.wiring import attribute, delete_connection, finish_connecting, pipeline
from integration.callbacks import callback_of
from integration.conftest import ACTOR, connect, have_package, log_in, result_of, start_login
from integration.test_connecting import live_grants
from integration.test_sync import assert_replica_equals
from orgsim.oauth.grants import revoke_all
from orgsim.person import answer_login
from orgsim.seed import load_history
from orgsim.testing import PASSWORD, SANDBOX_USERNAME, USERNAME, RunningOrgsim


def work(account: Account) -> None:
    Worker("test", chores=chores).run_until_idle()


def log_in_again(account: Account, username: str = USERNAME) -> Connection:
    callback = callback_of(answer_login(start_login(account), username, PASSWORD))
    return finish_connecting(account, callback, actor=ACTOR)


def test_queued_scheduled_and_half_done_jobs_stop_say_so_once_and_catch_up(
    org: RunningOrgsim, connected: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = connected.account
    add_member(account, create_user(ACTOR, "three quiet rivers"), Role.ADMIN)
    load_history(org.production, records=1_500, seed=5)
    have_package(account)
    half_done = die_in_the_middle(org, account, monkeypatch)
    steps = Step.objects.filter(job=half_done).count()
    assert steps > 0
    queued = pipeline.enqueue(tenant=str(account.pk), account_id=account.pk)
    set_schedule("sync.cycle", tenant=str(account.pk), every_seconds=3_600, arguments={"account_id": account.pk})
    free = attribute.enqueue(tenant=str(account.pk), account_id=account.pk)
    asked = org.production.usage.total_credits()
    work(account)
    assert org.production.usage.total_credits() == asked  # nobody asks the org with a dead log-in
    states = dict(jobs_of(str(account.pk)).exclude(task=INSTALLING).values_list("pk", "state"))
    assert states[half_done.pk] == states[queued.pk] == State.BLOCKED
    assert set(states) == {half_done.pk, queued.pk, free.pk}  # the schedule's tick went to the job that is stopped
    told = open_of(account).get(code=LOST)
    assert (told.subject, told.mails.count()) == (connected.org_id, 1)
    org.add_user("marketing@acme.example", profile="System Administrator")
    log_in_again(account, "marketing@acme.example")
    have_package(account)  # the other user needs the permission set too
    assert not open_of(account).filter(code=LOST).exists()
    work(account)
    for job in (half_done, queued):
        job.refresh_from_db()
        result_of(job)
    assert Step.objects.filter(job=half_done).count() > steps
    assert_replica_equals(account, org, without=PACKAGE)  # what the pipeline wrote last is looked at once a day


def die_in_the_middle(org: RunningOrgsim, account: Account, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A sync whose log-in is revoked in the org after its first steps."""
    job = sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)
    read = rest.Org.query_together

    def read_and_lose(*arguments: object, **options: object) -> object:
        revoke_all(org.production)
        return read(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(rest.Org, "query_together", read_and_lose)
        work(account)
    job.refresh_from_db()
    assert (job.state, job.reason_code) == (State.BLOCKED, "salesforce.authorization_dead")
    return job


def test_another_org_does_not_mend_it(org: RunningOrgsim, connected: Connection) -> None:
    account = connected.account
    revoke_all(org.production)
    sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)
    work(account)
    with pytest.raises(Fix) as refused:
        log_in(account, "sandbox", SANDBOX_USERNAME)
    assert refused.value.code == "connections.second_org"
    work(account)
    assert open_of(account).filter(code=LOST).exists()
    assert jobs_of(str(account.pk)).get().state == State.BLOCKED
    assert Connection.of(account).get().status == Status.AUTHORIZATION_REQUIRED


def test_deleting_the_connection_ends_what_is_told_of_it(org: RunningOrgsim, account: Account) -> None:
    connect(account, "sandbox", SANDBOX_USERNAME)
    revoke_all(org.sandbox)
    sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)
    work(account)
    assert open_of(account).exists()
    delete_connection(account, typed_name="Acme", actor=ACTOR)
    assert not open_of(account).exists()
    work(account)
    assert not Connection.of(account).exists()
    assert live_grants(org.sandbox) == 0
    assert not Notification.of(account).filter(resolved_utc=None).exists()
