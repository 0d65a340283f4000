"""Records that others hold locked: for some seconds, for some writes, or in an approval (facts C.23)."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from orgsim.cli import app
from orgsim.clock import ClockSetting
from orgsim.testing import RunningOrgsim

Finished = Callable[[str], dict[str, Any]]
Lay = Callable[..., list[dict[str, Any]]]
LOCKED = {"message": "the entity is locked for editing", "errorCode": "ENTITY_IS_LOCKED", "fields": []}


def held(record_id: str) -> dict[str, object]:
    message = f"unable to obtain exclusive access to this record or 1 records: {record_id}"
    return {"message": message, "errorCode": "UNABLE_TO_LOCK_ROW", "fields": []}


@pytest.fixture
def path(running: RunningOrgsim) -> str:
    return f"/orgsim/orgs/{running.production.org_id}/locks"


@pytest.fixture
def lay(running: RunningOrgsim, anyone: httpx2.Client, path: str) -> Iterator[Lay]:
    """Lays a lock through the side door; all of them are lifted and the clock is put back afterwards."""

    def put(record_id: str, **wish: object) -> list[dict[str, Any]]:
        answer = anyone.post(path, json={"id": record_id, **wish})
        assert answer.status_code == 200, answer.text
        laid: list[dict[str, Any]] = answer.json()
        return laid

    yield put
    running.state.set_clock(ClockSetting())
    for each in anyone.get(path).json():
        anyone.delete(path, params={"id": each["record_id"]})


@pytest.fixture
def account(running: RunningOrgsim) -> str:
    return running.writer().insert("Account", {"Name": "Held"})


@pytest.mark.conformance(
    area="Truth about data", feature="UNABLE_TO_LOCK_ROW for some seconds of the clock", source="facts C.23"
)
def test_a_held_record_cannot_be_written_until_the_clock_says_so(
    client: httpx2.Client, running: RunningOrgsim, lay: Lay, account: str
) -> None:
    running.state.set_clock(ClockSetting(frozen_at=running.production.clock.now()))
    lay(account, seconds=30)
    answer = client.patch(f"/sobjects/Account/{account}", json={"Name": "New"})
    assert (answer.status_code, answer.json()) == (400, [held(account)])
    assert client.delete(f"/sobjects/Account/{account}").json() == [held(account)]
    assert client.get(f"/sobjects/Account/{account}").json()["Name"] == "Held"
    assert client.post("/sobjects/Contact", json={"LastName": "Ek", "AccountId": account}).status_code == 201
    running.state.set_clock(ClockSetting(offset_seconds=31))
    assert client.patch(f"/sobjects/Account/{account}", json={"Name": "New"}).status_code == 204


@pytest.mark.conformance(
    area="Truth about data", feature="UNABLE_TO_LOCK_ROW names the parent that is held", source="facts C.23"
)
def test_what_points_at_a_held_parent_cannot_be_written(
    client: httpx2.Client, running: RunningOrgsim, lay: Lay, account: str
) -> None:
    other = running.writer().insert("Contact", {"LastName": "Ek"})
    lay(account, kind="children", writes=2)
    [error] = client.post("/sobjects/Contact", json={"LastName": "Ek", "AccountId": account}).json()
    assert error == held(account)
    moving = {"attributes": {"type": "Contact"}, "id": other, "AccountId": account}
    [result] = client.patch("/composite/sobjects", json={"records": [moving]}).json()
    assert result["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert client.patch(f"/sobjects/Contact/{other}", json={"AccountId": account}).status_code == 204  # the third try
    assert client.patch(f"/sobjects/Account/{account}", json={"Name": "New"}).status_code == 204


@pytest.mark.conformance(
    area="Bulk API 2.0",
    feature="Rows of a held record fail with UNABLE_TO_LOCK_ROW, the others pass",
    source="facts C.5",
)
def test_a_row_of_an_upload_fails_and_passes_when_sent_again(
    client: httpx2.Client, running: RunningOrgsim, finished: Finished, lay: Lay, account: str
) -> None:
    free = running.writer().insert("Account", {"Name": "Free"})
    lay(account, writes=1)
    rows = f"Id,Name\n{account},New\n{free},New\n"

    def upload() -> dict[str, Any]:
        wish = {"object": "Account", "operation": "update", "lineEnding": "LF"}
        job = client.post("/jobs/ingest", json=wish).json()["id"]
        client.put(f"/jobs/ingest/{job}/batches", content=rows, headers={"Content-Type": "text/csv"})
        client.patch(f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
        return finished(f"/jobs/ingest/{job}")

    job = upload()
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)
    text = f"UNABLE_TO_LOCK_ROW:{held(account)['message']}:--"
    assert f'"{account}","{text}","{account}","New"' in client.get(f"/jobs/ingest/{job['id']}/failedResults").text
    assert upload()["numberRecordsFailed"] == 0


@pytest.mark.conformance(area="Truth about data", feature="ENTITY_IS_LOCKED in an approval", source="facts C.23")
def test_a_record_in_an_approval_and_its_details_stay_as_they_are(
    client: httpx2.Client, running: RunningOrgsim, lay: Lay, anyone: httpx2.Client, path: str
) -> None:
    campaign = running.writer().insert("Campaign", {"Name": "Fair"})
    lead = running.writer().insert("Lead", {"LastName": "Ek", "Company": "Ask"})
    assert [each["kind"] for each in lay(campaign[:15], kind="approval")] == ["approval"]
    assert client.patch(f"/sobjects/Campaign/{campaign}", json={"Name": "New"}).json() == [LOCKED]
    assert client.delete(f"/sobjects/Campaign/{campaign}").json() == [LOCKED]
    member = {"CampaignId": campaign, "LeadId": lead}
    assert client.post("/sobjects/CampaignMember", json=member).json() == [LOCKED]
    assert client.post("/sobjects/Campaign", json={"Name": "Inside", "ParentId": campaign}).status_code == 201
    assert anyone.delete(path, params={"id": campaign}).json() == []
    assert client.patch(f"/sobjects/Campaign/{campaign}", json={"Name": "New"}).status_code == 204


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        ({"id": "001000000000000"}, "There is no record 001000000000000"),
        ({"id": "nope"}, "There is no record nope"),
        ({"kind": "table"}, "A lock is one of row, children, approval"),
        ({"writes": 0}, "more than 0"),
        ({"seconds": -1}, "more than 0"),
    ],
)
def test_a_lock_that_makes_no_sense_is_refused(
    anyone: httpx2.Client, path: str, account: str, wish: dict[str, object], problem: str
) -> None:
    answer = anyone.post(path, json={"id": account, **wish})
    assert answer.status_code in (400, 404)
    assert problem in answer.json()[0]["message"]


@pytest.mark.conformance(
    area="Levers",
    feature="Locks on records through the side door and the commands",
    source="reference",
    endpoint="POST /orgsim/orgs/{org_id}/locks",
)
@pytest.mark.usefixtures("lay")
def test_the_commands_lock_and_unlock(client: httpx2.Client, running: RunningOrgsim, account: str) -> None:
    where = ["--state", str(running.state_folder), "--org", running.production.org_id, "--json"]
    assert CliRunner().invoke(app, ["lock", account, "--writes", "5", *where]).exit_code == 0
    assert client.patch(f"/sobjects/Account/{account}", json={"Name": "New"}).json() == [held(account)]
    assert '"writes_left": 4' in CliRunner().invoke(app, ["locks", *where]).stdout
    assert CliRunner().invoke(app, ["unlock", account, *where]).stdout.strip() == "[]"
    assert client.patch(f"/sobjects/Account/{account}", json={"Name": "New"}).status_code == 204
