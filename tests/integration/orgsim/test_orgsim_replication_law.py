"""The law of replication: whatever happens to records, stamps only grow, and all ways to learn of it agree.

Also while changes are seen late, and when the recycle bin is emptied by time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orgsim.clock import UTC, ClockSetting, datetime_text, parse_datetime
from orgsim.edits.convert import Conversion, convert_lead
from orgsim.edits.merge import merge
from orgsim.errors import ApiError
from orgsim.server.admin import move_clock
from orgsim.store.org import Org
from orgsim.store.write import Writer
from orgsim.testing import RunningOrgsim, running_orgsim

START = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)
OBJECTS = (
    "Account",
    "Contact",
    "Lead",
    "Opportunity",
    "OpportunityContactRole",
    "Campaign",
    "CampaignMember",
    "Task",
)
CHANGES: dict[str, tuple[str, tuple[str, str]]] = {
    "Account": ("Industry", ("Energy", "Media")),
    "Contact": ("Title", ("CEO", "CFO")),
    "Lead": ("Company", ("Ask", "Alm")),
    "Opportunity": ("StageName", ("Prospecting", "Closed Won")),
    "Campaign": ("Type", ("Email", "Webinar")),
    "CampaignMember": ("Status", ("Sent", "Responded")),
    "Task": ("Subject", ("Call", "Write")),
}
DEEDS = (
    *("create", "update", "delete", "delete", "undelete", "undelete", "hard-delete", "merge", "convert", "poll"),
    *("late", "jump"),
)
MERGED = ("Account", "Contact", "Lead")
LATE_SECONDS = (0, 30, 90)
JUMP_SECONDS = 16 * 86_400
REPLICATED_DAYS = 15
DETAILS = (
    *OBJECTS,
    *("OpportunityHistory", "AccountHistory", "ContactHistory", "LeadHistory", "OpportunityFieldHistory"),
)
steps = st.lists(
    st.tuples(
        st.sampled_from(DEEDS),
        st.sampled_from(OBJECTS),
        st.integers(0, 5),
        st.integers(0, 5),
        st.sampled_from((0, 1, 40, 200)),
    ),
    min_size=8,
    max_size=25,
)
# Without some records to begin with, most deeds would find nothing to work on.
PROLOGUE = [
    ("create", "Account", 0, 0, 1),
    ("create", "Account", 0, 0, 0),
    ("create", "Contact", 1, 0, 1),
    ("create", "Contact", 1, 1, 0),
    ("create", "Lead", 0, 0, 1),
    ("create", "Lead", 0, 0, 0),
    ("create", "Opportunity", 1, 0, 1),
    ("create", "OpportunityContactRole", 0, 0, 0),
    ("create", "Campaign", 0, 0, 1),
    ("create", "CampaignMember", 0, 0, 0),
    ("create", "CampaignMember", 1, 0, 0),
    ("create", "Task", 1, 0, 1),
]
DETAILS_OF_DETAILS = [
    ("create", "Account", 0, 0, 1),
    ("create", "Contact", 0, 0, 1),
    ("create", "Opportunity", 1, 0, 1),
    ("create", "OpportunityContactRole", 0, 0, 1),
    ("poll", "Account", 0, 0, 40),
    ("delete", "Account", 0, 0, 40),
]
LATE_AND_GONE = [
    ("create", "Lead", 0, 0, 1),
    ("create", "Lead", 0, 0, 1),
    ("poll", "Lead", 0, 0, 40),
    ("late", "Lead", 2, 0, 0),
    ("merge", "Contact", 0, 1, 1),
    ("merge", "Lead", 0, 1, 1),
    ("update", "Lead", 0, 0, 40),
    ("poll", "Lead", 0, 0, 40),
    ("jump", "Lead", 0, 0, 0),
    ("create", "Lead", 0, 0, 0),
    ("poll", "Lead", 0, 0, 0),
]
Rows = dict[str, dict[str, object]]
Key = tuple[str, str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOrgsim]:
    folder: Path = tmp_path_factory.mktemp("replication")
    with running_orgsim(folder) as started:
        yield started


@dataclass(frozen=True, slots=True)
class State:
    """Of one record: its row, if there is one, and when it was deleted, if it was."""

    row: dict[str, object] | None = None
    deleted_at: str | None = None


@dataclass(slots=True)
class World:
    """An org, a clock that goes on with every step, and a replica that follows by polling.

    `hidden` has the changes that are not due yet: of each record the moments they are, and the state before.
    """

    served: RunningOrgsim
    org: Org
    writer: Writer
    api: httpx2.Client
    now: datetime = START
    covered: dict[str, str] = field(default_factory=lambda: dict.fromkeys(OBJECTS, datetime_text(START)))
    replica: set[Key] = field(default_factory=set)
    late_seconds: int = 0
    hidden: dict[Key, list[tuple[datetime, State]]] = field(default_factory=dict)

    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.served.state.set_clock(ClockSetting(frozen_at=self.now))

    def jump(self) -> None:
        """As the side door does it, which empties the bin."""
        self.now = self.now + timedelta(seconds=JUMP_SECONDS)
        move_clock(self.served.state, {"freeze": self.now.isoformat()})

    def be_late(self, seconds: int) -> None:
        self.late_seconds = seconds
        self.org.set("late_visible_seconds", seconds)

    def states(self) -> dict[Key, State]:
        """What is saved."""
        log = self.org.database.connect().execute("SELECT sobject, record_id, deleted_at FROM _deleted").fetchall()
        found = {(name, record_id): State(None, deleted_at) for name, record_id, deleted_at in log}
        for name in DETAILS:
            rows = self.rows(name)
            found |= {(name, key): State(row, found.get((name, key), State()).deleted_at) for key, row in rows.items()}
        return found

    def used(self) -> list[str]:
        """The objects that ever had a record: of the others there is nothing to ask."""
        states = self.states()
        return [name for name in OBJECTS if any(key[0] == name for key in states)]

    def visible(self) -> dict[Key, State]:
        """What can be seen: of each record the state before its first change that is not due."""
        seen = self.states()
        for key, changes in self.hidden.items():
            not_due = [state for due, state in changes if due > self.now]
            if not_due:
                seen[key] = not_due[0]
        return seen

    def hide(self, before: dict[Key, State], after: dict[Key, State]) -> None:
        due = self.now + timedelta(seconds=self.late_seconds)
        for key in before.keys() | after.keys():
            if before.get(key) != after.get(key) and self.late_seconds:
                self.hidden.setdefault(key, []).append((due, before.get(key, State())))

    def rows(self, name: str) -> Rows:
        cursor = self.org.database.connect().execute(f'SELECT * FROM "{name}"')
        columns = [each[0] for each in cursor.description]
        return {str(row["Id"]): row for row in (dict(zip(columns, each, strict=True)) for each in cursor)}

    def some(self, name: str, number: int, *, deleted: bool = False) -> str:
        ids = sorted(key for key, row in self.rows(name).items() if bool(row["IsDeleted"]) == deleted)
        if not ids:
            raise LookupError(name)
        return ids[number % len(ids)]

    def can_come_back(self) -> list[Key]:
        """What an undelete does not refuse from the start. Raises LookupError when that is nothing."""
        names = [name for name in OBJECTS if self.org.catalog().get(name).undeletable]
        rows = [(name, row) for name in names for row in self.rows(name).values()]
        found = [(name, str(row["Id"])) for name, row in rows if row["IsDeleted"] and not row.get("MasterRecordId")]
        if not found:
            raise LookupError("the bin is empty")
        return found

    def ask(self, questions: list[tuple[str, dict[str, str]]]) -> list[Any]:
        """The answers to paths with their parameters, in one request: hundreds of them would take long."""
        if not questions:
            return []
        wanted = [{"method": "GET", "url": f"v60.0{path}?{urlencode(params)}"} for path, params in questions]
        answers = self.api.post("/composite/batch", json={"batchRequests": wanted}).json()
        assert not answers["hasErrors"], answers
        return [each["result"] for each in answers["results"]]


def create(world: World, name: str, first: int, second: int) -> None:
    some = partial(world.some, number=second)
    values: dict[str, dict[str, object]] = {
        "Account": {"Name": "A"},
        "Contact": {"LastName": "C"},
        "Lead": {"LastName": "L", "Company": "Co"},
        "Opportunity": {"Name": "O", "StageName": "Prospecting", "CloseDate": "2026-06-30"},
        "Campaign": {"Name": "Fair"},
        "Task": {"Subject": "Call", "Status": "Completed"},
        "OpportunityContactRole": {},
        "CampaignMember": {},
    }
    given = values[name]
    if name in ("Contact", "Opportunity") and first % 2:
        given["AccountId"] = some("Account")
    if name == "OpportunityContactRole":
        given |= {"OpportunityId": some("Opportunity"), "ContactId": world.some("Contact", first)}
    if name == "CampaignMember":
        person = "Lead" if first % 2 else "Contact"
        given |= {"CampaignId": some("Campaign"), f"{person}Id": world.some(person, first)}
    if name == "Task" and first % 3:
        given["WhoId"] = some("Lead" if first % 2 else "Contact")
    world.writer.insert(name, given)


def act(world: World, deed: str, name: str, first: int, second: int) -> None:
    match deed:
        case "create":
            create(world, name, first, second)
        case "update":
            changed, values = CHANGES.get(name, ("", ("", "")))
            world.writer.update(name, world.some(name, first), {changed: values[second % 2]} if changed else {})
        case "delete":
            world.writer.delete(name, world.some(name, first))
        case "undelete":
            binned = world.can_come_back()
            world.writer.undelete(*binned[first % len(binned)])
        case "hard-delete":
            world.writer.purge(name, world.some(name, first, deleted=bool(second % 2)))
        case "merge":
            merged = MERGED[OBJECTS.index(name) % 3]
            merge(world.writer, merged, world.some(merged, first), [world.some(merged, second)])
        case "convert":
            convert_lead(world.writer, world.some("Lead", first), Conversion(opportunity_name="New"))
        case "late":
            world.be_late(LATE_SECONDS[first % 3])


def poll(world: World) -> None:
    """What a client does that keeps a copy: from the moment covered last until now, deletions and updates.

    A copy that is too old for that is made anew.
    """
    used = world.used()
    old = [name for name in used if parse_datetime(world.covered[name]) < world.now - timedelta(days=REPLICATED_DAYS)]
    for name, result in zip(old, world.ask([("/query", {"q": f"SELECT Id FROM {name}"}) for name in old]), strict=True):
        world.replica = {key for key in world.replica if key[0] != name}
        world.replica |= {(name, row["Id"]) for row in result["records"]}
        world.covered[name] = datetime_text(world.now - timedelta(minutes=1))
    answers = world.ask([question for name in used for question in changes_of(world, name)])
    for name, deleted, updated in zip(used, answers[::2], answers[1::2], strict=True):
        gone = {each["id"] for each in deleted["deletedRecords"]}
        assert not gone & set(updated["ids"])
        world.replica -= {(name, each) for each in gone}
        world.replica |= {(name, each) for each in updated["ids"]}
        assert deleted["latestDateCovered"] == updated["latestDateCovered"] <= datetime_text(world.now)
        world.covered[name] = updated["latestDateCovered"]


def changes_of(world: World, name: str) -> list[tuple[str, dict[str, str]]]:
    begin = parse_datetime(world.covered[name])
    window = {"start": datetime_text(begin), "end": datetime_text(max(world.now, begin + timedelta(minutes=1)))}
    return [(f"/sobjects/{name}/deleted", window), (f"/sobjects/{name}/updated", window)]


def check_stamps(world: World, before: dict[Key, State], after: dict[Key, State]) -> None:
    now = datetime_text(world.now)
    for key, state in after.items():
        if key[0] in OBJECTS and state.row and state.row != before.get(key, State()).row:
            assert state.row["SystemModstamp"] == now, f"{key} changed and its stamp did not move"


def check_seen(world: World) -> None:
    """queryAll and getDeleted show what can be seen."""
    visible = world.visible()
    begin = max(START, world.now - timedelta(days=REPLICATED_DAYS) + timedelta(minutes=1)).replace(second=0)
    window = {"start": datetime_text(begin), "end": datetime_text(world.now + timedelta(minutes=1))}
    used = world.used()
    everything = "SELECT Id, IsDeleted, SystemModstamp FROM {}"
    shown = world.ask([("/queryAll", {"q": everything.format(name)}) for name in used])
    listed = world.ask([(f"/sobjects/{name}/deleted", window) for name in used])
    for name, result, deletions in zip(used, shown, listed, strict=True):
        states = {key[1]: state for key, state in visible.items() if key[0] == name}
        assert {each["Id"]: (each["IsDeleted"], each["SystemModstamp"]) for each in result["records"]} == {
            key: (bool(state.row["IsDeleted"]), state.row["SystemModstamp"])
            for key, state in states.items()
            if state.row
        }
        assert {each["id"]: each["deletedDate"] for each in deletions["deletedRecords"]} == {
            key: state.deleted_at
            for key, state in states.items()
            if state.deleted_at and state.deleted_at >= datetime_text(begin)
        }


def check_agreement(world: World, seen: set[Key]) -> None:
    """When nothing is hidden any more, the copy is the org, and what is not there was deleted."""
    poll(world)
    world.wait(max(LATE_SECONDS))
    check_seen(world)
    poll(world)
    states = world.states()
    live = {key for key, state in states.items() if key[0] in OBJECTS and state.row and not state.row["IsDeleted"]}
    assert world.replica == live
    assert {key for key in states if key[0] in OBJECTS and states[key].deleted_at} == seen - live
    for key, state in states.items():
        if key[0] in OBJECTS and state.row and state.deleted_at:
            assert state.deleted_at <= str(state.row["SystemModstamp"])
    check_details(world)


def check_details(world: World) -> None:
    """No detail outlives its master."""
    rows = {name: world.rows(name) for name in DETAILS}
    for name in OBJECTS:
        for link in world.org.catalog().children_of(name):
            if not link.field.cascade_delete or link.child.name not in DETAILS:
                continue
            for key, row in rows[link.child.name].items():
                master = rows[name].get(str(row[link.field.name]))
                gone = row[link.field.name] is not None and (master is None or master["IsDeleted"])
                assert row["IsDeleted"] or not gone, f"{link.child.name} {key} outlived its {name}"


@pytest.mark.conformance(
    area="Truth about data",
    feature="Stamps, queryAll, getUpdated and getDeleted agree whatever happens",
    source="facts C.2",
)
@given(plan=steps)
@example(plan=DETAILS_OF_DETAILS)
@example(plan=[*DETAILS_OF_DETAILS, ("undelete", "Account", 0, 0, 200)])
@example(plan=[*DETAILS_OF_DETAILS, ("hard-delete", "Account", 0, 1, 0)])
@example(plan=LATE_AND_GONE)
@example(plan=[("delete", "Account", 0, 0, 1), ("undelete", "Account", 1, 0, 1), ("undelete", "Account", 0, 0, 1)])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_stamps_queries_and_replication_agree(
    served: RunningOrgsim, plan: list[tuple[str, str, int, int, int]]
) -> None:
    org = emptied(served)
    headers = {"Authorization": f"Bearer {served.access_token()}"}
    with httpx2.Client(base_url=f"{served.url}/services/data/v60.0", headers=headers) as api:
        world = World(served, org, served.writer(), api)
        seen: set[Key] = set()
        states = world.states()
        for deed, name, first, second, seconds in [*PROLOGUE, *plan]:
            world.wait(seconds)
            states = step(world, states, deed, name, first, second)
            seen |= {key for key, state in states.items() if key[0] in OBJECTS and state.row}
        check_agreement(world, seen)


def emptied(served: RunningOrgsim) -> Org:
    """The org as it was founded, at the start of time: a tenth of the work of founding one for each example."""
    org = served.production
    served.state.set_clock(ClockSetting(frozen_at=START))
    org.set("late_visible_seconds", 0)
    org.set("access_token_seconds", 100 * JUMP_SECONDS)
    with org.database.write() as connection:
        for table in (*DETAILS, "_deleted", "_binned", "_held"):
            connection.execute(f'DELETE FROM "{table}"')
    return org


def step(world: World, before: dict[Key, State], deed: str, name: str, first: int, second: int) -> dict[Key, State]:
    """Returns what is saved afterwards."""
    try:
        with world.org.database.write():
            act(world, deed, name, first, second)
        after = world.states()
    except (ApiError, LookupError):
        after = world.states()
        assert after == before
    world.hide(before, after)
    check_stamps(world, before, after)
    if deed == "poll":
        check_seen(world)
        poll(world)
    if deed == "jump":
        world.jump()
        gone = {key: State(None, state.deleted_at) for key, state in after.items() if state.deleted_at}
        assert world.states() == {**after, **gone}
        after |= gone
    return after
