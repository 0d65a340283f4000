"""The recycle bin over time: what goes in and comes out together, and what is gone after 15 days."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest

from integration.orgsim.deploying import NAME_FIELD, XMLNS, Finished, deploy, field, problems
from orgsim.clock import UTC, ClockSetting, datetime_text
from orgsim.edits.merge import merge
from orgsim.errors import ApiError
from orgsim.server.admin import move_clock
from orgsim.testing import RunningOrgsim

START = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)
DAY = 86_400
Soql = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _clock(running: RunningOrgsim) -> Iterator[None]:
    at(running, 0)
    yield
    running.state.set_clock(ClockSetting())


def at(running: RunningOrgsim, seconds: float) -> None:
    running.state.set_clock(ClockSetting(frozen_at=START + timedelta(seconds=seconds)))


def in_bin(client: httpx2.Client, sobject: str) -> list[str]:
    soql = f"SELECT Id FROM {sobject} WHERE IsDeleted = true ORDER BY Id"
    return [row["Id"] for row in client.get("/queryAll", params={"q": soql}).json()["records"]]


def listed(client: httpx2.Client, sobject: str, start: datetime, days: float) -> list[str]:
    window = {"start": datetime_text(start), "end": datetime_text(start + timedelta(days=days))}
    answer = client.get(f"/sobjects/{sobject}/deleted", params=window).json()
    return [each["id"] for each in answer["deletedRecords"]]


@pytest.mark.conformance(
    area="Truth about data", feature="The recycle bin keeps a record for 15 days", source="facts C.2"
)
@pytest.mark.conformance(area="Truth about data", feature="A soft delete is seen by queryAll alone", source="facts C.2")
def test_a_deleted_record_is_gone_after_15_days(client: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    first, second = (writer.insert("Lead", {"LastName": name, "Company": "Ask"}) for name in ("First", "Second"))
    client.delete(f"/sobjects/Lead/{first}")
    at(running, DAY)
    client.delete(f"/sobjects/Lead/{second}")
    at(running, 15 * DAY - 1)
    assert in_bin(client, "Lead") == [first, second]
    assert client.get("/query", params={"q": "SELECT Id FROM Lead"}).json()["records"] == []
    at(running, 15 * DAY)
    assert in_bin(client, "Lead") == [second]
    with pytest.raises(ApiError, match="not in the recycle bin"):
        writer.undelete("Lead", first)
    assert listed(client, "Lead", START + timedelta(minutes=1), 15) == [second]
    move_clock(running.state, {"jump_seconds": 2 * DAY})
    assert running.production.database.connect().execute('SELECT count(*) FROM "Lead"').fetchone() == (0,)


@pytest.mark.conformance(
    area="Truth about data", feature="A hard delete leaves a line in getDeleted alone", source="facts C.2"
)
def test_a_hard_delete_empties_the_bin_and_is_still_listed(client: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    binned, live = (writer.insert("Case", {"Subject": subject}) for subject in ("binned", "live"))
    client.delete(f"/sobjects/Case/{binned}")
    at(running, DAY)
    for each in (binned, live):
        writer.purge("Case", each)
    assert in_bin(client, "Case") == []
    assert listed(client, "Case", START, 0.5) == [binned]
    assert listed(client, "Case", START + timedelta(days=0.5), 1) == [live]
    at(running, 10 * DAY)
    assert listed(client, "Case", START, 5) == [binned, live]


@pytest.mark.conformance(
    area="Truth about data", feature="Undelete brings back what was deleted together", source="facts C.2"
)
@pytest.mark.conformance(area="Truth about data", feature="Deleting and undeleting move the stamp", source="facts C.2")
def test_undelete_brings_back_what_went_together_and_no_more(
    client: httpx2.Client, running: RunningOrgsim, soql: Soql
) -> None:
    writer = running.writer()
    account = writer.insert("Account", {"Name": "Ask"})
    alone, together = (writer.insert("Contact", {"LastName": name, "AccountId": account}) for name in ("A", "T"))
    deal = {"Name": "Deal", "AccountId": account, "StageName": "Prospecting", "CloseDate": "2026-06-30"}
    opportunity = writer.insert("Opportunity", deal)
    writer.insert("OpportunityContactRole", {"OpportunityId": opportunity, "ContactId": together})
    client.delete(f"/sobjects/Contact/{alone}")
    client.delete(f"/sobjects/Account/{account}")  # in the same second
    assert in_bin(client, "Contact") == sorted((alone, together))
    at(running, DAY)
    writer.undelete("Account", account)
    assert [row["Id"] for row in soql("SELECT Id FROM Contact")] == [together]
    assert in_bin(client, "Contact") == [alone]
    for name in ("Account", "Opportunity", "OpportunityHistory", "OpportunityContactRole"):
        [row] = soql(f"SELECT SystemModstamp FROM {name}")
        assert row["SystemModstamp"] == datetime_text(START + timedelta(days=1)), name
    assert listed(client, "Account", START, 2) == []
    at(running, 20 * DAY)
    assert in_bin(client, "Contact") == []
    assert len(soql("SELECT Id FROM Contact")) == 1


def test_a_detail_of_two_comes_back_when_both_are_there(running: RunningOrgsim, soql: Soql) -> None:
    writer = running.writer()
    account = writer.insert("Account", {"Name": "Alm"})
    contact = writer.insert("Contact", {"LastName": "Ek", "AccountId": account})
    deal = {"Name": "Deal", "AccountId": account, "StageName": "Prospecting", "CloseDate": "2026-06-30"}
    opportunity = writer.insert("Opportunity", deal)
    role = writer.insert("OpportunityContactRole", {"OpportunityId": opportunity, "ContactId": contact})
    query = f"SELECT Id FROM OpportunityContactRole WHERE Id = '{role}'"
    writer.delete("Account", account)
    writer.undelete("Opportunity", opportunity)
    assert soql(query) == []
    writer.undelete("Contact", contact)
    assert soql(query) == [{"Id": role}]


def test_a_detail_does_not_come_back_without_its_master(
    client: httpx2.Client, running: RunningOrgsim, finished: Finished
) -> None:
    inner = field("Account__c", "MasterDetail", referenceTo="Account", relationshipName="Visits")
    visit = f"<label>Visit</label><pluralLabel>Visits</pluralLabel>{NAME_FIELD}{inner}"
    files = {"objects/Visit__c.object": f"<CustomObject {XMLNS}>{visit}</CustomObject>"}
    assert problems(deploy(client, finished, files)) == []
    writer = running.writer()
    account = writer.insert("Account", {"Name": "Ask"})
    detail = writer.insert("Visit__c", {"Name": "Ek", "Account__c": account})
    client.delete(f"/sobjects/Account/{account}")
    with pytest.raises(ApiError, match="belongs to is deleted") as refused:
        writer.undelete("Visit__c", detail)
    assert refused.value.code == "UNDELETE_FAILED"
    writer.undelete("Account", account)
    assert in_bin(client, "Visit__c") == []
    with pytest.raises(ApiError, match="entity type cannot be undeleted"):
        writer.undelete("CampaignMember", "00v000000000001AAA")


@pytest.mark.conformance(
    area="Truth about data", feature="Losers of a merge: MasterRecordId, queryAll alone", source="facts C.2"
)
def test_losers_of_a_merge_lie_in_the_bin_with_the_winners_id(
    client: httpx2.Client, running: RunningOrgsim, soql: Soql
) -> None:
    writer = running.writer()
    winner, loser = (writer.insert("Lead", {"LastName": name, "Company": "Ask"}) for name in ("Winner", "Loser"))
    task = writer.insert("Task", {"Subject": "Call", "WhoId": loser})
    at(running, 60)
    merge(writer, "Lead", winner, [loser])
    query = f"SELECT Id, IsDeleted, MasterRecordId FROM Lead WHERE Id IN ('{winner}', '{loser}')"
    assert [row["Id"] for row in soql(query)] == [winner]
    rows = client.get("/queryAll", params={"q": query}).json()["records"]
    assert {row["Id"]: (row["IsDeleted"], row["MasterRecordId"]) for row in rows} == {
        winner: (False, None),
        loser: (True, winner),
    }
    assert soql(f"SELECT WhoId, SystemModstamp FROM Task WHERE Id = '{task}'") == [
        {"WhoId": winner, "SystemModstamp": datetime_text(START + timedelta(seconds=60))}
    ]
    with pytest.raises(ApiError, match="not in the recycle bin"):
        writer.undelete("Lead", loser)
    with pytest.raises(ApiError, match="into itself"):
        merge(writer, "Lead", winner, [winner])
    at(running, 16 * DAY)
    assert client.get("/queryAll", params={"q": query}).json()["totalSize"] == 1
