"""The law of replication: whatever happens to records, stamps only grow, and all ways to learn of it agree."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orgsim.clock import UTC, ClockSetting, datetime_text
from orgsim.edits.convert import Conversion, convert_lead
from orgsim.edits.merge import merge
from orgsim.errors import ApiError
from orgsim.oauth.apps import App, add_app
from orgsim.oauth.grants import open_grant
from orgsim.oauth.users import NewUser, add_user
from orgsim.store.org import Org
from orgsim.store.state import NewOrg
from orgsim.store.write import Writer
from orgsim.testing import CALLBACK, CLIENT_ID, CLIENT_SECRET, RunningOrgsim, running_orgsim

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
DEEDS = ("create", "create", "update", "delete", "undelete", "hard-delete", "merge", "convert", "poll")
steps = st.lists(
    st.tuples(
        st.sampled_from(DEEDS),
        st.sampled_from(OBJECTS),
        st.integers(0, 5),
        st.integers(0, 5),
        st.sampled_from((0, 1, 40, 200)),
    ),
    max_size=25,
)
DETAILS_OF_DETAILS = [
    ("create", "Account", 0, 0, 1),
    ("create", "Contact", 0, 0, 1),
    ("create", "Opportunity", 1, 0, 1),
    ("create", "OpportunityContactRole", 0, 0, 1),
    ("poll", "Account", 0, 0, 40),
    ("delete", "Account", 0, 0, 40),
]
Rows = dict[str, dict[str, object]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOrgsim]:
    folder: Path = tmp_path_factory.mktemp("replication")
    with running_orgsim(folder) as started:
        yield started


@dataclass(slots=True)
class World:
    """One org of its own, a clock that goes on with every step, and a replica that follows by polling."""

    served: RunningOrgsim
    org: Org
    writer: Writer
    api: httpx2.Client
    now: datetime = START
    covered: str = datetime_text(START)
    replica: set[tuple[str, str]] = field(default_factory=set)

    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.served.state.set_clock(ClockSetting(frozen_at=self.now))

    def rows(self) -> dict[str, Rows]:
        connection = self.org.database.connect()
        found: dict[str, Rows] = {}
        for name in OBJECTS:
            cursor = connection.execute(f'SELECT * FROM "{name}"')
            columns = [each[0] for each in cursor.description]
            found[name] = {str(row["Id"]): row for row in (dict(zip(columns, each, strict=True)) for each in cursor)}
        return found

    def some(self, name: str, number: int, *, deleted: bool = False) -> str:
        ids = sorted(key for key, row in self.rows()[name].items() if bool(row["IsDeleted"]) == deleted)
        if not ids:
            raise LookupError(name)
        return ids[number % len(ids)]

    def ask(self, path: str, **params: str) -> Any:
        answer = self.api.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()


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
            world.writer.undelete(name, world.some(name, first, deleted=True))
        case "hard-delete":
            world.writer.purge(name, world.some(name, first, deleted=bool(second % 2)))
        case "merge":
            winner, loser = world.some(name, first), world.some(name, second)
            if winner != loser:
                merge(world.writer, name, winner, [loser])
        case "convert":
            convert_lead(world.writer, world.some("Lead", first), Conversion(opportunity_name="New"))


def poll(world: World) -> None:
    """What a client does that keeps a copy: from the moment covered last until now, deletions and updates."""
    begin = datetime.strptime(world.covered, "%Y-%m-%dT%H:%M:%S.%f%z")
    window = {"start": world.covered, "end": datetime_text(max(world.now, begin + timedelta(minutes=1)))}
    covered = set()
    for name in OBJECTS:
        deleted = world.ask(f"/sobjects/{name}/deleted", **window)
        updated = world.ask(f"/sobjects/{name}/updated", **window)
        gone = {each["id"] for each in deleted["deletedRecords"]}
        assert not gone & set(updated["ids"])
        world.replica -= {(name, each) for each in gone}
        world.replica |= {(name, each) for each in updated["ids"]}
        covered |= {deleted["latestDateCovered"], updated["latestDateCovered"]}
    [world.covered] = covered
    assert world.covered <= datetime_text(world.now)


def check_stamps(world: World, before: dict[str, Rows], after: dict[str, Rows]) -> None:
    now = datetime_text(world.now)
    for name in OBJECTS:
        for record_id, row in after[name].items():
            if row != before[name].get(record_id):
                assert row["SystemModstamp"] == now, f"{name} {record_id} changed and its stamp did not move"


def check_agreement(world: World, seen: set[tuple[str, str]]) -> None:
    rows = world.rows()
    live = {(name, key) for name in OBJECTS for key, row in rows[name].items() if not row["IsDeleted"]}
    poll(world)
    assert world.replica == live
    window = {"start": datetime_text(START), "end": datetime_text(world.now + timedelta(minutes=1))}
    for name in OBJECTS:
        shown = world.ask("/queryAll", q=f"SELECT Id, IsDeleted, SystemModstamp FROM {name}")["records"]
        assert {each["Id"]: (each["IsDeleted"], each["SystemModstamp"]) for each in shown} == {
            key: (bool(row["IsDeleted"]), row["SystemModstamp"]) for key, row in rows[name].items()
        }
        deleted = world.ask(f"/sobjects/{name}/deleted", **window)["deletedRecords"]
        assert {(name, each["id"]) for each in deleted} == {each for each in seen if each[0] == name} - live
        for each in deleted:
            assert each["id"] not in rows[name] or each["deletedDate"] <= rows[name][each["id"]]["SystemModstamp"]
    check_details(world, rows)


def check_details(world: World, rows: dict[str, Rows]) -> None:
    """No detail outlives its master."""
    for name in OBJECTS:
        for link in world.org.catalog().children_of(name):
            if not link.field.cascade_delete or link.child.name not in OBJECTS:
                continue
            for key, row in rows[link.child.name].items():
                master = rows[name].get(str(row[link.field.name]))
                gone = row[link.field.name] is not None and (master is None or master["IsDeleted"])
                assert row["IsDeleted"] or not gone, f"{link.child.name} {key} outlived its {name}"


@given(plan=steps)
@example(plan=DETAILS_OF_DETAILS)
@example(plan=[*DETAILS_OF_DETAILS, ("undelete", "Account", 0, 0, 200)])
@example(plan=[*DETAILS_OF_DETAILS, ("hard-delete", "Account", 0, 1, 0)])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_stamps_queries_and_replication_agree(
    served: RunningOrgsim, plan: list[tuple[str, str, int, int, int]]
) -> None:
    served.state.set_clock(ClockSetting(frozen_at=START))
    org = served.state.create_org(NewOrg())
    user_id = add_user(org, NewUser(f"{org.org_id}@acme.example", "p"))
    add_app(org, App(CLIENT_ID, "Headwater", CLIENT_SECRET, (CALLBACK,)))
    issued = open_grant(org, user_id, CLIENT_ID, "api", with_refresh=False)
    headers = {"Authorization": f"Bearer {issued.access_token}"}
    with httpx2.Client(base_url=f"{served.url}/services/data/v60.0", headers=headers) as api:
        world = World(served, org, Writer(org, user_id), api)
        seen: set[tuple[str, str]] = set()
        for deed, name, first, second, seconds in plan:
            world.wait(seconds)
            before = world.rows()
            try:
                with org.database.write():
                    act(world, deed, name, first, second)
            except (ApiError, LookupError):
                assert world.rows() == before
            if deed == "poll":
                poll(world)
            after = world.rows()
            check_stamps(world, before, after)
            seen |= {(each, key) for each in OBJECTS for key in after[each]}
        check_agreement(world, seen)
