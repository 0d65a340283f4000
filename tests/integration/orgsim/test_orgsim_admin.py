"""The side door and the command line: edits as an org's users make them, checksums, clock, and seeding."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from orgsim.cli import app
from orgsim.schema.model import NUMBER_TYPES
from orgsim.seeding import object_fields
from orgsim.store.state import NewOrg, State
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]
Door = Callable[..., Any]


@pytest.fixture
def door(anyone: httpx2.Client, running: RunningOrgsim) -> Door:
    """POST to the production org's side door; the JSON answer."""

    def post(path: str, **body: object) -> Any:
        answer = anyone.post(f"/orgsim/orgs/{running.production.org_id}/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return post


@pytest.mark.conformance(
    area="Levers",
    feature="Edits of records by the side door, at no cost",
    source="reference",
    endpoint="POST /orgsim/orgs/{org_id}/edit",
)
def test_the_side_door_edits_records_at_no_cost(door: Door, soql: Soql, running: RunningOrgsim) -> None:
    before = running.production.usage.total_credits()
    lead = door("edit", action="create", sobject="Lead", values={"LastName": "A", "Company": "B"})["id"]
    door("edit", action="update", sobject="Lead", id=lead, values={"Company": "C"})
    door("edit", action="delete", sobject="Lead", id=lead)
    door("edit", action="undelete", sobject="Lead", id=lead)
    assert running.production.usage.total_credits() == before
    assert [row["Company"] for row in soql("SELECT Company FROM Lead")] == ["C"]
    door("edit", action="hard-delete", sobject="Lead", id=lead)
    assert soql("SELECT Id FROM Lead") == []


@pytest.mark.conformance(
    area="Truth about data",
    feature="Merge moves what hung on the losers",
    source="facts C.2",
    endpoint="POST /orgsim/orgs/{org_id}/edit",
)
def test_a_merge_moves_the_losers_children(door: Door, client: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    winner, loser = (writer.insert("Contact", {"LastName": name}) for name in ("Win", "Lose"))
    fair, show = (writer.insert("Campaign", {"Name": name}) for name in ("Fair", "Show"))
    for campaign, contact in ((fair, winner), (fair, loser), (show, loser)):
        writer.insert("CampaignMember", {"CampaignId": campaign, "ContactId": contact})
    task = writer.insert("Task", {"Subject": "Call", "WhoId": loser})
    door("edit", action="merge", sobject="Contact", id=winner, losers=[loser])
    query = f"SELECT Id, IsDeleted, MasterRecordId FROM Contact WHERE Id = '{loser}'"
    [row] = client.get("/queryAll", params={"q": query}).json()["records"]
    assert (row["IsDeleted"], row["MasterRecordId"]) == (True, winner)
    members = f"SELECT CampaignId FROM CampaignMember WHERE ContactId = '{winner}'"
    found = [each["CampaignId"] for each in client.get("/query", params={"q": members}).json()["records"]]
    assert sorted(found) == sorted([fair, show])
    assert client.get(f"/sobjects/Task/{task}").json()["WhoId"] == winner


@pytest.mark.conformance(
    area="Truth about data", feature="Lead conversion", source="facts C.2", endpoint="POST /orgsim/orgs/{org_id}/edit"
)
def test_a_conversion_links_lead_contact_and_opportunity(door: Door, client: httpx2.Client, soql: Soql) -> None:
    values = {"LastName": "Con", "Company": "Verted", "AnnualRevenue": 12.5}
    lead = door("edit", action="create", sobject="Lead", values=values)["id"]
    campaign = door("edit", action="create", sobject="Campaign", values={"Name": "Before"})["id"]
    door("edit", action="create", sobject="CampaignMember", values={"CampaignId": campaign, "LeadId": lead})
    made = door("edit", action="convert", id=lead, conversion={"opportunity_name": "New"})
    row = client.get(f"/sobjects/Lead/{lead}").json()
    assert row["IsConverted"] is True
    assert len(row["ConvertedDate"]) == 10
    names = ("ConvertedAccountId", "ConvertedContactId", "ConvertedOpportunityId")
    assert [row[name] for name in names] == [made["account_id"], made["contact_id"], made["opportunity_id"]]
    [member] = soql(f"SELECT LeadId, ContactId FROM CampaignMember WHERE CampaignId = '{campaign}'")
    assert member == {"LeadId": lead, "ContactId": made["contact_id"]}
    [role] = soql(f"SELECT ContactId, IsPrimary FROM OpportunityContactRole WHERE OpportunityId = '{row[names[2]]}'")
    assert role == {"ContactId": made["contact_id"], "IsPrimary": True}
    assert soql(f"SELECT AnnualRevenue FROM Account WHERE Id = '{made['account_id']}'") == [{"AnnualRevenue": 12.5}]


def canonical(kind: str, value: object) -> str:
    """The documented text of a value as REST gave it, computed anew."""
    if value is None:
        return ""
    if kind == "boolean":
        return "true" if value else "false"
    if kind in NUMBER_TYPES:
        return f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return str(value).replace(".000+0000", "Z") if kind == "datetime" else str(value)


@pytest.mark.conformance(
    area="Levers",
    feature="Checksums that another program can compute",
    source="reference",
    endpoint="GET /orgsim/orgs/{org_id}/checksum",
)
def test_another_program_can_compute_the_checksum(client: httpx2.Client, running: RunningOrgsim) -> None:
    writer = running.writer()
    for amount in (None, 0, -0.5, 1000, 1234.56):
        values = {"Name": f"Öre {amount}", "StageName": "Prospecting", "CloseDate": "2024-05-06", "Amount": amount}
        writer.insert("Opportunity", values)
    described = client.get("/sobjects/Opportunity/describe").json()["fields"]
    kinds = {each["name"]: each["type"] for each in described if each["type"] != "address"}
    query = {"q": f"SELECT {', '.join(kinds)} FROM Opportunity"}
    total = 0
    records = client.get("/query", params=query).json()["records"]
    for record in records:
        text = "\x1f".join(f"{name}={canonical(kind, record[name])}" for name, kind in kinds.items())
        total += int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    url = f"{running.url}/orgsim/orgs/{running.production.org_id}/checksum"
    told = client.get(url, params={"sobject": "Opportunity"}).json()
    assert (told["rows"], told["fields"]) == (len(records), list(kinds))
    assert told["checksum"] == f"{total % 2**64:016x}"


@pytest.mark.conformance(
    area="Levers", feature="The clock stands, is moved and jumps", source="reference", endpoint="POST /orgsim/clock"
)
@pytest.mark.conformance(
    area="Levers",
    feature="Settings are changed while the org runs",
    source="reference",
    endpoint="POST /orgsim/orgs/{org_id}/settings",
)
@pytest.mark.conformance(
    area="Levers",
    feature="Other programs use the allowance",
    source="reference",
    endpoint="POST /orgsim/orgs/{org_id}/usage",
)
def test_the_side_door_moves_the_clock_and_reads_the_account(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    try:
        frozen = anyone.post("/orgsim/clock", json={"freeze": "2025-01-02T03:04:05Z"}).json()
        assert frozen == {"now": "2025-01-02T03:04:05+00:00"}
        jumped = anyone.post("/orgsim/clock", json={"jump_seconds": 86_400}).json()
        assert jumped == {"now": "2025-01-03T03:04:05+00:00"}
    finally:
        anyone.post("/orgsim/clock", json={"offset_seconds": 0})
    org = running.production
    changed = anyone.post(f"/orgsim/orgs/{org.org_id}/settings", json={"allowance_calls": 77}).json()
    assert changed["allowance_calls"] == 77
    org.set("allowance_calls", 100_000)
    anyone.post(f"/orgsim/orgs/{org.org_id}/usage", json={"credits": 5})
    usage = anyone.get(f"/orgsim/orgs/{org.org_id}/usage").json()
    assert usage["used_calls"] == usage["total_credits"] + 5
    assert anyone.get("/orgsim/nothing").status_code == 404
    assert anyone.post(f"/orgsim/orgs/{org.org_id}/edit", json={}).status_code == 400


@pytest.mark.conformance(
    area="Levers",
    feature="All grants of an org or a user are revoked",
    source="reference",
    endpoint="POST /orgsim/orgs/{org_id}/revoke",
)
def test_faults_and_revocations_go_through_the_side_door(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    base = f"/orgsim/orgs/{running.production.org_id}"
    anyone.post(f"{base}/faults", json={"effect": "503", "on_calls": [1]})
    headers = {"Authorization": f"Bearer {running.access_token()}"}
    limits = "/services/data/v60.0/limits"
    assert [anyone.get(limits, headers=headers).status_code for _ in range(2)] == [503, 200]
    [fault] = anyone.get(f"{base}/faults").json()
    assert (fault["seen"], fault["hits"]) == (2, 1)
    assert anyone.delete(f"{base}/faults").json() == []
    anyone.post(f"{base}/revoke", json={})
    assert anyone.get(limits, headers=headers).status_code == 401


def run_cli(folder: Path, *arguments: str) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--state", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout)


@pytest.mark.conformance(area="Levers", feature="Commands found, edit and watch an org", source="reference")
def test_the_command_line_founds_and_edits_an_org(tmp_path: Path) -> None:
    user = ("--user", "a@acme.example", "--password", "pw", "--callback", "http://localhost/cb")
    made = run_cli(tmp_path, "seed", "--records", "1500", "--seed", "3", "--name", "Nordwind", *user)
    assert (made["name"], made["apps"][0]["callbacks"]) == ("Nordwind", ["http://localhost/cb"])
    rows = {each["sobject"]: each["rows"] for each in run_cli(tmp_path, "checksum")}
    own = {"Organization": 1, "Profile": 1, "User": 1, "PermissionSet": 1, "ObjectPermissions": 6}
    assert sum(rows.values()) - sum(own.values()) == 1500
    plan = ("--edits", "60", "--deletes", "10", "--merges", "4", "--conversions", "4", "--seed", "9")
    report = run_cli(tmp_path, "edit", *plan)
    assert report["refused"] == 78 - sum(report[name] for name in ("edits", "deletes", "merges", "conversions"))
    assert report["edits"] > 30
    before = run_cli(tmp_path, "checksum", "--all")
    assert run_cli(tmp_path, "checksum", "--all") == before
    lead = run_cli(tmp_path, "record", "create", "Lead", "--values", '{"LastName": "L", "Company": "C"}')["id"]
    run_cli(tmp_path, "record", "delete", "Lead", "--id", lead)
    assert run_cli(tmp_path, "limit", "--allowance", "500", "--use", "20")["used_calls"] == 20
    assert run_cli(tmp_path, "set", "bulk_delay_seconds", "1.5") == {"bulk_delay_seconds": 1.5}
    assert run_cli(tmp_path, "fault", "add", "500", "--on-call", "2") == {"id": 1}
    assert len(run_cli(tmp_path, "fault", "list")) == 1
    assert run_cli(tmp_path, "fault", "clear") == []
    assert run_cli(tmp_path, "clock", "--freeze", "2025-01-01T00:00:00Z")["now"].startswith("2025-01-01")
    added = run_cli(tmp_path, "app", "add", "--app-key", "k2", "--app-name", "Other")
    assert (added["client_id"], len(added["client_secret"])) == ("k2", 64)
    assert "client_secret" not in run_cli(tmp_path, "app", "list")[0]
    assert run_cli(tmp_path, "user", "add", "b@acme.example", "--password", "pw")["username"] == "b@acme.example"
    assert len(run_cli(tmp_path, "status")["orgs"]) == 1


@pytest.mark.conformance(area="Levers", feature="A sandbox has the apps of its production org", source="reference")
def test_a_sandbox_takes_its_production_orgs_apps(tmp_path: Path) -> None:
    made = run_cli(tmp_path, "seed", "--records", "0", "--user", "a@x.example", "--password", "p", "--app-key", "K")
    copy = ("seed", "--records", "0", "--user", "a@x.example.dev", "--password", "p", "--sandbox-of", made["org_id"])
    sandbox = run_cli(tmp_path, *copy)
    assert (sandbox["is_sandbox"], sandbox["apps"][0]["client_id"], sandbox["allowance_calls"]) == (
        True,
        "K",
        5_000_000,
    )
    result = CliRunner().invoke(app, ["checksum", "--state", str(tmp_path)])
    assert isinstance(result.exception, LookupError)


def test_the_schema_has_every_field_the_history_fills(tmp_path: Path) -> None:
    state = State(tmp_path)
    try:
        catalog = state.create_org(NewOrg()).catalog()
        for name, fields in object_fields().items():
            assert set(fields) <= {each.name for each in catalog.get(name).stored_fields}, name
    finally:
        state.close()


@pytest.mark.conformance(area="Levers", feature="Every command has --help and --json", source="reference")
@pytest.mark.parametrize(
    "command",
    [
        *("serve", "seed", "app add", "app list", "user add", "limit", "clock", "set", "status", "usage", "checksum"),
        *("live", "snapshot", "snapshots", "restore"),
        *("edit", "record", "fault add", "fault list", "fault clear"),
    ],
)
def test_every_command_has_help_and_json(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0
    assert "--json" in result.stdout
