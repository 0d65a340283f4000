"""What becomes a notification, when it is over, and which stopped jobs go on by themselves."""

from datetime import timedelta

import pytest

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import clock_running_ahead, now_utc
from headwater.common.errors import Facts, Fix, HeadwaterError, Wait
from headwater.connections import lifecycle
from headwater.connections.models import Connection, Status
from headwater.connections.tokens import authorization_required
from headwater.jobs.models import Job, JsonValue, State
from headwater.jobs.running import RunningJob
from headwater.jobs.services import cancel, jobs_of, retry, set_schedule
from headwater.jobs.tasks import task
from headwater.jobs.worker import Worker
from headwater.notify.models import Notification
from headwater.notify.services import open_of
from headwater.salesforce.errors import unavailable
from headwater.watch import LOST, chores, forget_connection, look

ERRORS: list[HeadwaterError | None] = []


@task("watch.test")
def failing(job: RunningJob) -> JsonValue:
    if ERRORS and (error := ERRORS[0]):
        raise error
    return None


@pytest.fixture
def account(transactional_db: None) -> Account:
    ERRORS.clear()
    return create_account("Acme")


@pytest.fixture
def connection(account: Account) -> Connection:
    return Connection.of(account).create(
        account=account,
        status=Status.AUTHORIZATION_REQUIRED,
        org_id="00D000000000001EAA",
        org_name="Acme Org",
        org_kind="sandbox",
        connected_utc=now_utc(),
    )


def run(account: Account, error: HeadwaterError | None) -> Job:
    ERRORS[:] = [error]
    job = failing.enqueue(tenant=str(account.pk))
    Worker("test").run_until_idle()
    job.refresh_from_db()
    return job


def lost(row: Connection) -> tuple[HeadwaterError, HeadwaterError]:
    """What the first job meets, and what the others do."""
    first = Fix("salesforce.authorization_dead", "No longer accepted.", Facts(why="Salesforce answered invalid_grant"))
    return first, authorization_required(row)


def test_a_lost_log_in_is_told_once_by_however_many_jobs(account: Account, connection: Connection) -> None:
    first, then = lost(connection)
    run(account, first)
    for _ in range(20):
        run(account, then)
    chores()
    told = Notification.of(account).get()
    assert (told.code, told.subject, told.count) == (LOST, connection.org_id, 21)
    assert told.facts["why"] == "Salesforce answered invalid_grant"


def test_a_lost_log_in_is_told_without_any_job(account: Account, connection: Connection) -> None:
    chores()
    chores()
    assert Notification.of(account).get().count == 1


def test_after_a_new_log_in_it_is_over_and_every_stopped_job_goes_on_once(
    account: Account, connection: Connection
) -> None:
    _, then = lost(connection)
    for _ in range(3):
        run(account, then)
    Connection.of(account).update(status=Status.CONNECTED)
    ERRORS.clear()
    chores()  # also where the deed that should have put them back was killed
    assert not open_of(account).exists()
    Worker("test").run_until_idle()
    states = list(jobs_of(str(account.pk)).values_list("state", flat=True))
    assert sorted(states) == [State.CANCELLED, State.CANCELLED, State.DONE]  # three equal ones are one work


def test_ticks_of_a_schedule_do_not_pile_up_while_the_log_in_is_lost(account: Account, connection: Connection) -> None:
    ERRORS[:] = [lost(connection)[1]]
    set_schedule("watch.test", tenant=str(account.pk), every_seconds=60, arguments={})
    for minutes in range(5):
        with clock_running_ahead(timedelta(minutes=minutes)):
            Worker("test").run_until_idle()
    assert jobs_of(str(account.pk)).get().state == State.BLOCKED
    assert Notification.of(account).get().count == 5
    Connection.of(account).update(status=Status.CONNECTED)
    ERRORS.clear()
    chores()
    Worker("test").run_until_idle()
    assert jobs_of(str(account.pk)).get().state == State.DONE


def test_a_job_that_needs_somebody_is_told_until_its_work_is_done(account: Account) -> None:
    job = run(account, Fix("test.permission", "A permission is missing.", Facts(you_can="grant it")))
    told = open_of(account).get()
    assert (told.code, told.subject, told.sentence) == ("test.permission", "watch.test", "A permission is missing.")
    retry(job)
    look(account)
    assert open_of(account).exists()  # it has not shown yet that the trouble is gone
    ERRORS.clear()
    Worker("test").run_until_idle()
    look(account)
    assert not open_of(account).exists()


def test_a_job_that_was_given_up_is_over_once_another_got_through_or_it_is_cancelled(account: Account) -> None:
    blocked = run(account, Fix("test.permission", "A permission is missing."))
    cancel(blocked)
    look(account)
    assert not open_of(account).exists()
    ERRORS[:] = [HeadwaterError("test.broken", "It broke.")]
    failed = failing.enqueue(tenant=str(account.pk))
    Worker("test").run_until_idle()
    failed.refresh_from_db()
    assert (failed.state, open_of(account).get().code) == (State.FAILED, "test.broken")
    look(account)
    assert open_of(account).exists()
    run(account, None)
    look(account)
    assert not open_of(account).exists()


def test_a_pause_is_told_once_for_all_work_that_waits(account: Account) -> None:
    pause = Wait("credits.quota_reached", "Used up.", retry_utc=now_utc() + timedelta(hours=1))
    job = run(account, pause)
    look(account)
    assert (open_of(account).get().code, open_of(account).get().subject) == ("credits.quota_reached", "")
    ERRORS.clear()
    retry(job)
    look(account)
    assert open_of(account).exists()
    Worker("test").run_until_idle()
    look(account)
    assert not open_of(account).exists()


def test_what_a_person_just_did_and_what_mends_itself_is_not_told(account: Account) -> None:
    run(account, Fix("connections.disconnected", "Disconnected."))
    run(account, Wait("salesforce.unavailable", "Away.", retry_utc=now_utc() + timedelta(hours=1)))
    chores()
    assert not Notification.of(account).exists()


def test_a_log_in_left_in_the_org_is_told_once_and_outlives_the_connection(
    account: Account, connection: Connection
) -> None:
    lifecycle.tell_grant_left(account, Fix("a.b", "The log-in server was away."))
    chores()
    chores()
    forget_connection(account)
    told = open_of(account).get()  # of the two that were open
    assert told.code == "connections.grant_left"
    assert "Setup > Connected Apps OAuth Usage" in told.facts["why"]
    told.resolved_utc = now_utc()
    told.save()
    chores()
    assert not open_of(account).filter(code="connections.grant_left").exists()


def test_deleting_a_connection_ends_what_was_told_of_it(account: Account, connection: Connection) -> None:
    run(account, lost(connection)[0])
    assert open_of(account).exists()
    forget_connection(account)
    Connection.of(account).update(status=Status.DELETING)
    chores()
    assert not open_of(account).exists()


def test_an_org_that_is_away_for_long_is_told_once_and_over_when_it_is_back(account: Account) -> None:
    away = unavailable("acme.my.salesforce.com", "no connection")
    for hours in range(8):
        with clock_running_ahead(timedelta(hours=hours)):
            run(account, away)
    told = Notification.of(account).get()
    assert (told.code, told.subject) == ("salesforce.unavailable", "watch.test")
    with clock_running_ahead(timedelta(hours=9)):
        run(account, None)
        chores()
        assert not open_of(account).exists()


def test_a_short_trouble_of_the_network_rings_no_bell(account: Account) -> None:
    run(account, unavailable("acme.my.salesforce.com", "no connection"))
    with clock_running_ahead(timedelta(minutes=6)):
        run(account, None)
    assert not Notification.of(account).exists()
