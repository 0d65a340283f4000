"""Whatever people do in an org, in whatever order, and wherever a sync dies in between: the next one equals the org.

Hypothesis chooses the deeds, lets days pass and workers die, and shrinks what fails to the fewest steps.
`make sync-law TIMES=2000` runs it often. Not here: faults of the API and real kills (torture/test_sync_torture.py).
"""

import os
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from compared import compared
from headwater.accounts.models import Account
from headwater.common.clock import clock_running_ahead
from headwater.common.errors import HeadwaterError
from headwater.connections.models import Connection
from headwater.jobs.models import LIVE, Job, State
from headwater.jobs.running import RunningJob
from headwater.jobs.services import job_view
from headwater.jobs.worker import Worker
from headwater.sync.extras import name_field
from headwater.sync.models import ExtraField
from headwater.sync.objects import OBJECTS
from headwater.sync.services import forget_replica, sync_cycle
from integration.conftest import ACTOR
from integration.org_fields import add_field, remove_field, retype_field
from orgsim.edits.checksum import stored_field
from orgsim.edits.convert import Conversion, convert_lead
from orgsim.edits.merge import merge
from orgsim.errors import ApiError
from orgsim.schema.declare import number, text
from orgsim.server.admin import move_clock
from orgsim.store.write import Writer
from orgsim.testing import RunningOrgsim

SUITE_TIMES = 8
TIMES = int(os.environ.get("HEADWATER_SYNC_LAW_TIMES", SUITE_TIMES))
STEPS = 20
EDITED = ("Account", "Contact", "Lead", "Opportunity", "Campaign", "CampaignMember", "Task")
MERGED = ("Account", "Contact", "Lead")
DAY, MINUTE = timedelta(hours=25), timedelta(seconds=61)
LATE_SECONDS = 30
STEPS_OF_A_CYCLE = 14
FIELDS_AT_ONCE = 2
NAMES = st.sampled_from(["Ek", "Alm", "O'Brien", "小林", '"quoted", with a comma\nand a second line'])
PLACES = st.integers(0, 7)  # of a record among those that there are
OF_EDITED, OF_MERGED = st.sampled_from(EDITED), st.sampled_from(MERGED)


class Killed(BaseException):
    """As SIGKILL: nothing of ours may catch it."""


class Deeds(RuleBasedStateMachine):
    """One org and one account for all runs; each run begins with neither records nor replica. Time never goes back.

    known_from   By `ahead`: from when on a sync can know all that was done, also what is seen late, what vanished
                 without a trace, what got another type.
    fields       Those of leads that were made in this run and are still there.
    """

    org: RunningOrgsim
    account: Account
    ahead = timedelta()
    numbers = count()

    @initialize()
    def begin(self) -> None:
        forget_replica(self.account)
        ExtraField.of(self.account).delete()
        Job.objects.all().delete()
        self.org.production.set("late_visible_seconds", 0)
        with self.org.production.database.write() as connection:
            for name in OBJECTS.keys() - {"User"}:
                connection.execute(f'DELETE FROM "{name}"')
        self.known_from, self.is_late, self.fields = self.ahead, False, list[str]()

    @property
    def writer(self) -> Writer:
        """For a deed."""
        if self.is_late:
            self._not_known_for(MINUTE)
        return self.org.writer()

    def _not_known_for(self, time: timedelta) -> None:
        self.known_from = max(self.known_from, self.ahead + time)

    @rule(sobject=OF_EDITED, name=NAMES, place=PLACES)
    def create(self, sobject: str, name: str, place: int) -> None:
        with suppress(LookupError, ApiError):
            self.writer.insert(sobject, self._new(sobject, name, place))

    @rule(sobject=OF_EDITED, place=PLACES, name=NAMES)
    def update(self, sobject: str, place: int, name: str) -> None:
        with suppress(LookupError, ApiError):
            self.writer.update(sobject, self._some(sobject, place), _changed(sobject, name))

    @rule(sobject=OF_EDITED, place=PLACES)
    def delete(self, sobject: str, place: int) -> None:
        with suppress(LookupError, ApiError):
            self.writer.delete(sobject, self._some(sobject, place))

    @rule(sobject=OF_EDITED, place=PLACES)
    def undelete(self, sobject: str, place: int) -> None:
        with suppress(LookupError, ApiError):
            self.writer.undelete(sobject, self._some(sobject, place, is_deleted=1))

    @rule(sobject=OF_EDITED, place=PLACES, is_deleted=st.integers(0, 1))
    def hard_delete(self, sobject: str, place: int, is_deleted: int) -> None:
        """Of a live record, or of one in the recycle bin."""
        with suppress(LookupError, ApiError):
            self.writer.purge(sobject, self._some(sobject, place, is_deleted=is_deleted))
            self._not_known_for(DAY)

    @rule(sobject=OF_MERGED, winner=PLACES, loser=PLACES)
    def merge(self, sobject: str, winner: int, loser: int) -> None:
        with suppress(LookupError, ApiError):
            merge(self.writer, sobject, self._some(sobject, winner), [self._some(sobject, loser)])

    @rule(place=PLACES, with_opportunity=st.booleans())
    def convert(self, place: int, with_opportunity: bool) -> None:
        with suppress(LookupError, ApiError):
            wish = Conversion(opportunity_name="New business" if with_opportunity else None)
            convert_lead(self.writer, self._some("Lead", place), wish)

    @rule(is_late=st.booleans())
    def changes_are_seen_late(self, is_late: bool) -> None:
        self.org.production.set("late_visible_seconds", LATE_SECONDS if is_late else 0)
        self.is_late = is_late

    @precondition(lambda self: len(self.fields) < FIELDS_AT_ONCE)
    @rule()
    def make_a_field(self) -> None:
        """It is wanted at once."""
        name = f"Law{next(self.numbers)}__c"
        add_field(self.org, "Lead", text(name, 40))
        with clock_running_ahead(self.ahead):
            name_field(self.account, "Lead", name, actor=ACTOR)
        self.fields.append(name)

    @precondition(lambda self: self.fields)
    @rule(field=PLACES, place=PLACES, value=st.none() | st.integers(0, 99))
    def fill_a_field(self, field: int, place: int, value: int | None) -> None:
        with suppress(LookupError, ApiError):
            self.writer.update("Lead", self._some("Lead", place), {self._field(field): value})

    @precondition(lambda self: self.fields)
    @rule(field=PLACES)
    def retype_a_field(self, field: int) -> None:
        """Once: one that comes back to its type within a day is not told from one that never went."""
        name = self._field(field)
        if stored_field(self.org.production.catalog().get("Lead"), name).type == "string":
            retype_field(self.org, "Lead", number(name), None)
            self._not_known_for(DAY)

    @precondition(lambda self: self.fields)
    @rule(field=PLACES)
    def remove_a_field(self, field: int) -> None:
        name = self._field(field)
        remove_field(self.org, "Lead", name)
        self.fields.remove(name)

    def _field(self, field: int) -> str:
        return self.fields[field % len(self.fields)]

    @rule()
    def a_minute_passes(self) -> None:
        self._let_pass(MINUTE)

    @rule()
    def a_day_passes(self) -> None:
        self._let_pass(DAY)

    @rule(step=st.integers(0, STEPS_OF_A_CYCLE), is_recorded=st.booleans())
    def a_worker_dies(self, step: int, is_recorded: bool) -> None:
        """At this step of a cycle: before it is recorded, or right behind it."""
        with pytest.MonkeyPatch.context() as patch, suppress(Killed):
            patch.setattr(RunningJob, "step", _dying_at(step, is_recorded=is_recorded))
            self._work()
        Job.objects.filter(state=State.RUNNING).update(state=State.QUEUED, lease_until_utc=None)

    @rule()
    def sync(self) -> None:
        """What was begun is finished as it was begun; the next cycle then knows what was done since."""
        if Job.objects.filter(state__in=LIVE).exists():
            self._work()
        self._work()
        if self.ahead >= self.known_from:
            self._compare()

    def teardown(self) -> None:
        self._let_pass(DAY)
        self.sync()

    def _work(self) -> None:
        job = sync_cycle.enqueue(tenant=str(self.account.pk), account_id=self.account.pk)
        with clock_running_ahead(self.ahead):
            Worker("machine").run_until_idle()
        job.refresh_from_db()
        assert job.state == State.DONE, job_view(job)

    def _compare(self) -> None:
        with clock_running_ahead(self.ahead):
            assert compared(self.account, self.org.production).differences == []

    def _let_pass(self, time: timedelta) -> None:
        type(self).ahead += time
        move_clock(self.org.state, {"offset_seconds": self.ahead.total_seconds()})

    def _some(self, sobject: str, place: int, *, is_deleted: int = 0) -> str:
        """Raises LookupError where there is none."""
        found = self.org.production.database.connect().execute(
            f'SELECT "Id" FROM "{sobject}" WHERE "IsDeleted" = ? ORDER BY "Id"',
            (is_deleted,),
        )
        ids = [row[0] for row in found]
        if not ids:
            raise LookupError(sobject)
        return str(ids[place % len(ids)])

    def _new(self, sobject: str, name: str, place: int) -> dict[str, Any]:
        match sobject:
            case "Contact":
                return {"LastName": name, "AccountId": self._some("Account", place)}
            case "Lead":
                return {"LastName": name, "Company": name}
            case "Opportunity":
                values = {"StageName": "Prospecting", "CloseDate": "2026-03-01", "Amount": place}
                return {"Name": name, "AccountId": self._some("Account", place), **values}
            case "CampaignMember":
                return {"CampaignId": self._some("Campaign", 0), "LeadId": self._some("Lead", place)}
            case "Task":
                return {"Subject": name, "Status": "Completed", "WhoId": self._some("Contact", place)}
            case _:
                return {"Name": name}


def _changed(sobject: str, name: str) -> dict[str, Any]:
    match sobject:
        case "Contact" | "Lead":
            return {"LastName": name, "Title": name}
        case "CampaignMember":
            return {"Status": "Responded"}
        case "Task":
            return {"Subject": name}
        case _:
            return {"Name": name}


def _dying_at(step: int, *, is_recorded: bool) -> Any:
    """RunningJob.step, which the process does not survive at the call of this number."""
    real, calls = RunningJob.step, iter(range(step + 1))

    def dying(job: RunningJob, name: str, work: Any, record: Any = None) -> Any:
        if next(calls) != step:
            return real(job, name, work, record)
        with suppress(HeadwaterError):  # nobody lives to hear of it
            if is_recorded:
                real(job, name, work, record)
            else:
                work()
        raise Killed

    return dying


def test_whatever_is_done_the_next_sync_equals_the_org(org: RunningOrgsim, connected: Connection) -> None:
    org.production.set("access_token_seconds", 100 * 365 * 24 * 3600)
    Deeds.org, Deeds.account, Deeds.ahead = org, connected.account, timedelta()
    limits = settings(
        max_examples=TIMES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=TIMES == SUITE_TIMES,
        database=None,
        print_blob=True,
    )
    run_state_machine_as_test(Deeds, settings=limits)
