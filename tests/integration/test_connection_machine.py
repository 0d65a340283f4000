"""No sequence of clicks, callbacks, crashes and org changes reaches two orgs, or a test org after production (A7, A8).

Hypothesis clicks through the services over real log-ins at five orgs: production, its sandbox, the same sandbox after a
refresh, a Developer Edition, and somebody else's production.
"""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from headwater.accounts.models import Account, AuditEvent
from headwater.accounts.services import create_account
from headwater.common.errors import Fix
from headwater.connections import lifecycle
from headwater.connections.models import Connection, KnownOrg, Status
from headwater.connections.services import Callback, connection_of, finish, session
from headwater.jobs.models import State
from headwater.jobs.services import latest, retry, run_here
from headwater.wiring import confirm_connection, delete_connection, deletion
from integration.callbacks import REDIRECT_URI, callback_of
from integration.conftest import ACTOR, start_login
from orgsim.founding import add_organization_row
from orgsim.oauth.apps import App, add_app
from orgsim.oauth.users import NewUser, add_user
from orgsim.person import answer_login
from orgsim.store.state import NewOrg
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, PASSWORD, SANDBOX_USERNAME, USERNAME, RunningOrgsim

LOG_INS = {
    USERNAME: "production",
    SANDBOX_USERNAME: "sandbox",
    "admin@refreshed.example": "sandbox",
    "admin@developer.example": "production",
    "admin@borg.example": "production",
}


def found_others(running: RunningOrgsim) -> None:
    production = running.production.org_id
    for new, username in (
        (NewOrg(name="Acme", is_sandbox=True, sandbox_of=production), "admin@refreshed.example"),
        (NewOrg(name="Play", edition="Developer Edition"), "admin@developer.example"),
        (NewOrg(name="Borg"), "admin@borg.example"),
    ):
        org = running.state.create_org(new)
        user = add_user(org, NewUser(username, PASSWORD))
        add_app(org, App(CLIENT_ID, "Headwater", CLIENT_SECRET, (REDIRECT_URI,)))
        add_organization_row(org, user)


class Clicks(RuleBasedStateMachine):
    """One account; `answers` are callbacks that a browser has not delivered yet."""

    numbers = iter(range(1_000_000))

    def __init__(self) -> None:
        super().__init__()
        self.account: Account = create_account(f"Acme {next(self.numbers)}")
        self.answers: list[Callback] = []
        self.delivered: list[Callback] = []

    @rule(username=st.sampled_from(sorted(LOG_INS)))
    def log_in_at_the_org(self, username: str) -> None:
        address = start_login(self.account, LOG_INS[username])
        self.answers.append(callback_of(answer_login(address, username, PASSWORD)))

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        callback = self.answers.pop(data.draw(st.integers(0, len(self.answers) - 1)))
        self.delivered.append(callback)
        with suppress(Fix):
            finish(self.account, callback, actor=ACTOR)

    @precondition(lambda self: self.delivered)
    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        with pytest.raises(Fix) as refused:
            finish(self.account, data.draw(st.sampled_from(self.delivered)), actor=ACTOR)
        assert refused.value.code == "connections.wrong_state"

    @rule(is_shown=st.booleans())
    def press_confirm(self, is_shown: bool) -> None:
        row = connection_of(self.account)
        with suppress(Fix):
            confirm_connection(self.account, org_id=row.org_id if row and is_shown else "00D", actor=ACTOR)

    @rule()
    def press_leave(self) -> None:
        with suppress(Fix):
            lifecycle.decline(self.account, actor=ACTOR)

    @rule()
    def press_disconnect(self) -> None:
        with suppress(Fix):
            lifecycle.disconnect(self.account, actor=ACTOR)

    @rule(is_typed=st.booleans())
    def press_delete(self, is_typed: bool) -> None:
        with suppress(Fix):
            delete_connection(self.account, typed_name=self.account.name if is_typed else "acme", actor=ACTOR)

    @rule(dies_at=st.sampled_from(["forget_written", "forget_results", "forget_replica", ""]))
    def a_worker_deletes(self, dies_at: str) -> None:
        """Or dies in the middle of it: the deletion goes on the next time."""
        job = latest(str(self.account.pk), deletion.name)
        if job is None or job.state in (State.DONE, State.CANCELLED):
            return
        with pytest.MonkeyPatch.context() as patch:
            if dies_at:
                patch.setattr(f"headwater.wiring.{dies_at}", _die)
            retry(job)
            run_here(job, poll_seconds=0.01)

    @rule()
    def the_token_dies(self) -> None:
        Connection.of(self.account).filter(status=Status.CONNECTED).update(status=Status.AUTHORIZATION_REQUIRED)

    @invariant()
    def there_is_one_org_at_most(self) -> None:
        assert Connection.of(self.account).count() <= 1

    @invariant()
    def production_is_for_good(self) -> None:
        productions = list(KnownOrg.of(self.account).filter(org_kind="production"))
        assert len(productions) <= 1
        row = connection_of(self.account)
        if productions and row is not None:
            assert row.org_id == productions[0].org_id
            assert row.status != Status.DELETING
        confirmed = AuditEvent.of(self.account).filter(action="connections.connected").order_by("pk")
        orgs = [event.after.split()[-1] for event in confirmed]
        if productions:
            assert set(orgs[orgs.index(productions[0].org_id) :]) == {productions[0].org_id}

    @invariant()
    def only_a_live_connection_is_read(self) -> None:
        row = connection_of(self.account)
        if row is not None and row.status in (Status.CONNECTED, Status.AUTHORIZATION_REQUIRED):
            assert KnownOrg.of(self.account).filter(org_id=row.org_id).exists()
            return
        with pytest.raises(Fix), session(self.account, job_kind="sync"):
            raise AssertionError("A session was opened.")


def _die(_: Account) -> None:
    raise OSError("the disk went away")


def test_no_sequence_of_clicks_breaks_the_rules(org: RunningOrgsim, transactional_db: None) -> None:
    found_others(org)
    org.production.set("logins_per_hour", 1_000_000)
    limits = settings(
        max_examples=40,
        stateful_step_count=14,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    run_state_machine_as_test(Clicks, settings=limits)
