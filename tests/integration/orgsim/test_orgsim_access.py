"""What a user may not see does not exist for them: profiles, permission sets and their rights, over real HTTP."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from integration.orgsim.conftest import VERSION
from integration.orgsim.deploying import Finished
from orgsim.cli import app
from orgsim.oauth.users import NewUser, add_user
from orgsim.schema.access import OBJECTS
from orgsim.store.org import Org
from orgsim.testing import LIMITED_PROFILE, PASSWORD, RunningOrgsim

USERNAME = "limited@acme.example"
HIDDEN = "sObject type 'Opportunity' is not supported. If you are attempting to use a custom object"

Ask = Callable[[str], httpx2.Response]


@pytest.fixture(scope="module")
def limited_id(running: RunningOrgsim) -> str:
    """Reads, creates and edits leads, sees their e-mail addresses, edits their companies."""
    user_id = running.add_user(USERNAME)
    running.grant("Lead", "read", "create", "edit")
    running.grant("Lead.Email", "read")
    running.grant("Lead.Title")
    return user_id


@pytest.fixture(scope="module")
def limited(running: RunningOrgsim, limited_id: str) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {running.access_token(user_id=limited_id)}"}
    with httpx2.Client(base_url=f"{running.url}{VERSION}", headers=headers) as opened:
        yield opened


@pytest.fixture
def ask(limited: httpx2.Client) -> Ask:
    return lambda query: limited.get("/query", params={"q": query})


@pytest.fixture(scope="module")
def lead_id(running: RunningOrgsim) -> str:
    return running.writer().insert(
        "Lead", {"LastName": "Ek", "Company": "Ask", "Email": "ek@ask.example", "Phone": "1"}
    )


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


# describes


@pytest.mark.conformance(area="REST", feature="Describes show what the user may see", source="facts C.30")
def test_describes_show_only_what_the_user_may_see(limited: httpx2.Client, client: httpx2.Client) -> None:
    names = {each["name"] for each in limited.get("/sobjects").json()["sobjects"]}
    assert {"Lead", "User"} <= names
    assert not names & {"Account", "Opportunity", "OpportunityHistory", "CampaignMember", "PermissionSet"}

    lead = limited.get("/sobjects/Lead/describe").json()
    fields = {each["name"]: each for each in lead["fields"]}
    assert {"Id", "LastName", "Company", "Email", "Title", "OwnerId"} <= set(fields)
    assert not set(fields) & {"Phone", "Address", "City", "Rating"}
    assert [fields["Email"][key] for key in ("createable", "updateable")] == [False, False]
    assert fields["Title"]["updateable"] is True
    assert [fields[name]["permissionable"] for name in ("Email", "Title", "LastName")] == [True, True, False]
    assert [lead[key] for key in ("createable", "updateable", "deletable")] == [True, True, False]
    assert refusal(limited.get("/sobjects/Opportunity/describe")) == (404, "NOT_FOUND")
    assert len(client.get("/sobjects/Lead/describe").json()["fields"]) > len(fields) + 10


@pytest.mark.conformance(
    area="REST", feature="/tooling/query shows the schema as the user sees it", source="facts C.30"
)
def test_the_schema_in_tooling_is_that_of_the_user(limited: httpx2.Client) -> None:
    def rows(query: str) -> set[str]:
        answer = limited.get("/tooling/query", params={"q": query})
        return {each["QualifiedApiName"] for each in answer.json()["records"]}

    assert rows("SELECT QualifiedApiName FROM EntityDefinition WHERE QualifiedApiName = 'Opportunity'") == set()
    fields = rows("SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinitionId = 'Lead'")
    assert fields & {"Email", "Phone"} == {"Email"}


@pytest.mark.conformance(area="REST", feature="The box Marketing User is a field of User", source="facts C.30")
def test_the_box_marketing_user_is_read_and_ticked_on_the_user(client: httpx2.Client, limited_id: str) -> None:
    def box() -> object:
        fields = {"fields": "UserPermissionsMarketingUser"}
        return client.get(f"/sobjects/User/{limited_id}", params=fields).json()["UserPermissionsMarketingUser"]

    assert box() is False
    ticked = client.patch(f"/sobjects/User/{limited_id}", json={"UserPermissionsMarketingUser": True})
    assert (ticked.status_code, box()) == (204, True)


# queries


@pytest.mark.conformance(
    area="SOQL", feature="A hidden object or field sounds like one that is not there", source="facts C.6", refused=True
)
def test_what_is_hidden_sounds_in_queries_as_if_it_were_not_there(ask: Ask) -> None:
    answer = ask("SELECT Id FROM Opportunity")
    assert refusal(answer) == (400, "INVALID_TYPE")
    assert HIDDEN in answer.json()[0]["message"]
    for query, hidden in (
        ("SELECT Id, Phone FROM Lead", "Phone"),
        ("SELECT Id FROM Lead WHERE Phone = '1'", "Phone"),
        ("SELECT Id FROM Lead ORDER BY City", "City"),
        ("SELECT count(Id), Rating FROM Lead GROUP BY Rating", "Rating"),
    ):
        answer = ask(query)
        assert refusal(answer) == (400, "INVALID_FIELD"), query
        assert f"No such column '{hidden}' on entity 'Lead'" in answer.json()[0]["message"]


@pytest.mark.conformance(
    area="SOQL", feature="Paths through hidden objects are not understood", source="facts C.30", refused=True
)
@pytest.mark.usefixtures("lead_id")
def test_no_path_leads_through_a_hidden_object(ask: Ask) -> None:
    answer = ask("SELECT Id, ConvertedAccount.Name FROM Lead")
    assert refusal(answer) == (400, "INVALID_FIELD")
    answer = ask("SELECT Id, (SELECT Id FROM CampaignMembers) FROM Lead")
    assert refusal(answer) == (400, "INVALID_TYPE")
    assert ask("SELECT Id, Owner.Name, Email FROM Lead").status_code == 200
    everything = ask("SELECT FIELDS(ALL) FROM Lead LIMIT 1").json()["records"][0]
    assert set(everything) & {"Email", "Phone"} == {"Email"}


# records


@pytest.mark.conformance(area="REST", feature="Records come without fields the user may not see", source="facts C.30")
def test_records_come_without_hidden_fields(limited: httpx2.Client, lead_id: str) -> None:
    lead = limited.get(f"/sobjects/Lead/{lead_id}").json()
    assert lead["Email"] == "ek@ask.example"
    assert "Phone" not in lead
    assert refusal(limited.get(f"/sobjects/Lead/{lead_id}?fields=Phone")) == (400, "INVALID_FIELD")


@pytest.mark.conformance(
    area="REST", feature="Writes to hidden and read-only fields", source="facts C.30", refused=True
)
def test_fields_that_are_hidden_or_read_only_cannot_be_written(limited: httpx2.Client, lead_id: str) -> None:
    path = f"/sobjects/Lead/{lead_id}"
    assert limited.patch(path, json={"Title": "CTO"}).status_code == 204
    answer = limited.patch(path, json={"Phone": "2"})
    assert answer.json() == [
        {"message": "No such column 'Phone' on sobject of type Lead", "errorCode": "INVALID_FIELD"}
    ]
    answer = limited.patch(path, json={"Email": "new@ask.example"})
    assert refusal(answer) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert answer.json()[0]["fields"] == ["Email"]
    made = limited.post("/sobjects/Lead", json={"LastName": "New", "Company": "Ask"})
    assert made.status_code == 201


@pytest.mark.conformance(area="REST", feature="Rights on objects", source="facts C.30", refused=True)
def test_each_right_on_an_object_is_looked_at(running: RunningOrgsim, limited: httpx2.Client, lead_id: str) -> None:
    answer = limited.delete(f"/sobjects/Lead/{lead_id}")
    assert refusal(answer) == (400, "INSUFFICIENT_ACCESS_OR_READONLY")
    assert refusal(limited.post("/sobjects/Account", json={"Name": "Ask"})) == (404, "NOT_FOUND")
    running.grant("Campaign", "read")
    try:
        campaign = running.writer().insert("Campaign", {"Name": "Fair"})
        answer = limited.post("/sobjects/Campaign", json={"Name": "Fair"})
        assert refusal(answer) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
        answer = limited.patch(f"/sobjects/Campaign/{campaign}", json={"Name": "Expo"})
        assert refusal(answer) == (400, "INSUFFICIENT_ACCESS_OR_READONLY")
    finally:
        running.revoke("Campaign")
    assert refusal(limited.get(f"/sobjects/Campaign/{campaign}")) == (404, "NOT_FOUND")


@pytest.mark.conformance(
    area="REST", feature="References to records of hidden objects", source="facts C.6", refused=True
)
def test_nothing_can_be_made_to_point_at_a_hidden_object(running: RunningOrgsim, limited: httpx2.Client) -> None:
    running.grant("Case", "read", "create")
    account = running.writer().insert("Account", {"Name": "Ask"})
    running.grant("Case.AccountId")
    try:
        answer = limited.post("/sobjects/Case", json={"AccountId": account})
        assert refusal(answer) == (400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY")
        assert answer.json()[0]["message"] == f"insufficient access rights on cross-reference id: {account[:15]}"
    finally:
        running.revoke("Case")
        running.revoke("Case.AccountId")


def test_collections_and_replication_know_the_same_objects(limited: httpx2.Client, running: RunningOrgsim) -> None:
    account = running.writer().insert("Account", {"Name": "Ask"})
    [result] = limited.delete("/composite/sobjects", params={"ids": account}).json()
    assert result["errors"][0]["statusCode"] == "MALFORMED_ID"
    window = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}
    assert refusal(limited.get("/sobjects/Account/updated", params=window)) == (404, "NOT_FOUND")
    counted = limited.get("/limits/recordCount").json()["sObjects"]
    assert "Account" not in {each["name"] for each in counted}


# bulk


@pytest.mark.conformance(area="Bulk API 2.0", feature="Queries and uploads see what the user sees", source="facts C.30")
def test_bulk_2_sees_what_the_user_sees(limited: httpx2.Client, finished: Finished) -> None:
    asked = limited.post("/jobs/query", json={"operation": "query", "query": "SELECT Phone FROM Lead"})
    assert refusal(asked) == (400, "INVALID_FIELD")
    made = limited.post("/jobs/ingest", json={"object": "Account", "operation": "insert", "contentType": "CSV"})
    assert refusal(made) == (400, "INVALIDENTITY")

    job = limited.post("/jobs/ingest", json={"object": "Lead", "operation": "insert", "contentType": "CSV"}).json()
    limited.put(f"/jobs/ingest/{job['id']}/batches", content=b"LastName,Company,Phone\nEk,Ask,1\n")
    limited.patch(f"/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    ended = finished(f"/jobs/ingest/{job['id']}")
    assert ended["state"] == "Failed"
    assert "Field name not found : Phone" in ended["errorMessage"]


@pytest.mark.conformance(area="Bulk API 1", feature="Jobs see what the user sees", source="facts C.30", refused=True)
def test_bulk_1_does_not_find_hidden_objects(running: RunningOrgsim, limited_id: str) -> None:
    answer = httpx2.post(
        f"{running.url}/services/async/60.0/job",
        headers={"X-SFDC-Session": running.access_token(user_id=limited_id), "Accept": "application/json"},
        json={"operation": "query", "object": "Account", "contentType": "CSV"},
    )
    assert answer.status_code == 400
    assert "Unable to find object: Account" in answer.text


# system permissions


@pytest.mark.conformance(
    area="OAuth and identity", feature="Users without API Enabled", source="facts C.30", refused=True
)
def test_without_api_enabled_every_call_is_refused(running: RunningOrgsim) -> None:
    user_id = running.add_user("noapi@acme.example", profile="Minimum Access - Salesforce")
    answer = httpx2.get(
        f"{running.url}{VERSION}/sobjects",
        headers={"Authorization": f"Bearer {running.access_token(user_id=user_id)}"},
    )
    assert refusal(answer) == (403, "API_DISABLED_FOR_ORG")
    assert answer.json()[0]["message"] == "The REST API is not enabled for this Organization."


@pytest.mark.conformance(
    area="Metadata", feature="Deploying without the permissions for it", source="facts C.8", refused=True
)
def test_only_who_may_customize_deploys(limited: httpx2.Client) -> None:
    answer = limited.post("/metadata/deployRequest", files={"json": (None, b"{}"), "file": ("a.zip", b"")})
    assert refusal(answer) == (403, "INSUFFICIENT_ACCESS")
    assert "ModifyAllData or ModifyMetadata" in answer.json()[0]["message"]


@pytest.mark.conformance(area="Limits", feature="/limits needs View Setup", source="facts B.3", refused=True)
def test_limits_are_for_those_who_see_setup(running: RunningOrgsim, limited: httpx2.Client) -> None:
    assert limited.get("/limits").status_code == 403
    running.grant("ViewSetup")
    try:
        assert limited.get("/limits").status_code == 200
    finally:
        running.revoke("ViewSetup")


@pytest.mark.conformance(area="REST", feature="Converted leads are read-only", source="facts C.30", refused=True)
def test_a_converted_lead_is_read_only_without_the_permission_for_it(
    running: RunningOrgsim, limited: httpx2.Client, client: httpx2.Client
) -> None:
    lead = running.writer().insert("Lead", {"LastName": "Won", "Company": "Ask"})
    running.writer().set_fields("Lead", lead, {"IsConverted": 1})
    answer = limited.patch(f"/sobjects/Lead/{lead}", json={"Title": "CTO"})
    assert refusal(answer) == (400, "CANNOT_UPDATE_CONVERTED_LEAD")
    assert client.patch(f"/sobjects/Lead/{lead}", json={"Title": "CTO"}).status_code == 204


@pytest.mark.conformance(area="SOQL", feature="View All Data sees records, not hidden fields", source="facts C.30")
def test_view_all_data_opens_objects_but_no_fields(running: RunningOrgsim, ask: Ask) -> None:
    running.grant("ViewAllData")
    try:
        assert ask("SELECT Id, Name FROM Opportunity").status_code == 200
        assert refusal(ask("SELECT Id, Amount FROM Opportunity")) == (400, "INVALID_FIELD")
    finally:
        running.revoke("ViewAllData")


# permission sets by REST


@pytest.mark.conformance(
    area="REST", feature="Permission sets, their rights and assignments as records", source="facts C.30"
)
def test_a_permission_set_made_by_rest_opens_what_it_grants_while_it_is_assigned(
    client: httpx2.Client, ask: Ask, limited_id: str
) -> None:
    def create(name: str, **values: object) -> str:
        answer = client.post(f"/sobjects/{name}", json=values)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    extra = create("PermissionSet", Name="Extra", Label="Extra")
    create("ObjectPermissions", ParentId=extra, SobjectType="Account", PermissionsRead=True)
    city = create(
        "FieldPermissions",
        ParentId=extra,
        SobjectType="Account",
        Field="Account.BillingAddress",
        PermissionsRead=True,
    )
    assert refusal(ask("SELECT Id FROM Account")) == (400, "INVALID_TYPE")
    assigned = create("PermissionSetAssignment", PermissionSetId=extra, AssigneeId=limited_id)
    assert ask("SELECT Id, Name, BillingCity FROM Account").status_code == 200
    assert refusal(ask("SELECT Phone FROM Account")) == (400, "INVALID_FIELD")

    assert client.patch(f"/sobjects/FieldPermissions/{city}", json={"PermissionsRead": False}).status_code == 204
    assert refusal(client.get(f"/sobjects/FieldPermissions/{city}")) == (404, "NOT_FOUND")
    assert refusal(ask("SELECT BillingCity FROM Account")) == (400, "INVALID_FIELD")
    assert client.delete(f"/sobjects/PermissionSetAssignment/{assigned}").status_code == 204
    assert refusal(ask("SELECT Id FROM Account")) == (400, "INVALID_TYPE")


@pytest.mark.conformance(area="REST", feature="Rights that cannot be", source="facts C.30", refused=True)
def test_rights_that_cannot_be_are_refused(client: httpx2.Client, limited_id: str) -> None:
    extra = client.post("/sobjects/PermissionSet", json={"Name": "Odd", "Label": "Odd"}).json()["id"]

    def refused(name: str, **values: object) -> tuple[str, str]:
        answer = client.post(f"/sobjects/{name}", json={"ParentId": extra, **values})
        return answer.json()[0]["errorCode"], answer.json()[0]["message"]

    assert refused("ObjectPermissions", SobjectType="Lead", PermissionsEdit=True, PermissionsRead=False) == (
        "FIELD_INTEGRITY_EXCEPTION",
        "Permission Edit Lead depends on permission(s): Read Lead",
    )
    code, message = refused("FieldPermissions", SobjectType="Lead", Field="Lead.LastName", PermissionsRead=True)
    assert (code, "Lead.LastName" in message) == ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", True)
    assignment = {"PermissionSetId": extra, "AssigneeId": limited_id}
    assert client.post("/sobjects/PermissionSetAssignment", json=assignment).status_code == 201
    answer = client.post("/sobjects/PermissionSetAssignment", json=assignment)
    assert refusal(answer) == (400, "DUPLICATE_VALUE")


def test_a_profile_owns_a_permission_set_that_shows_its_rights(
    soql: Callable[[str], list[dict[str, Any]]], limited_id: str
) -> None:
    assert limited_id
    of_profile = f"Parent.IsOwnedByProfile = true AND Parent.Profile.Name = '{LIMITED_PROFILE}'"
    [row] = soql(f"SELECT PermissionsRead, PermissionsDelete FROM ObjectPermissions WHERE {of_profile}")
    assert row == {"PermissionsRead": True, "PermissionsDelete": False}
    rows = soql(f"SELECT Field, PermissionsEdit FROM FieldPermissions WHERE {of_profile} ORDER BY Field")
    assert [tuple(each.values()) for each in rows] == [("Lead.Email", False), ("Lead.Title", True)]


def test_limited_users_cannot_widen_their_own_rights(limited: httpx2.Client, running: RunningOrgsim) -> None:
    running.grant("ViewSetup")
    try:
        answer = limited.post("/sobjects/PermissionSet", json={"Name": "Mine", "Label": "Mine"})
        assert refusal(answer) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
    finally:
        running.revoke("ViewSetup")


# levers


@pytest.mark.conformance(
    area="Levers", feature="What a user may", source="reference", endpoint="GET /orgsim/orgs/{org_id}/access"
)
@pytest.mark.conformance(
    area="Levers",
    feature="Grants, revokes, assigns and unassigns rights",
    source="reference",
    endpoint="POST /orgsim/orgs/{org_id}/access",
)
def test_the_side_door_shows_and_changes_what_a_user_may(
    running: RunningOrgsim, anyone: httpx2.Client, ask: Ask
) -> None:
    path = f"/orgsim/orgs/{running.production.org_id}/access"
    shown = anyone.get(path, params={"user": USERNAME}).json()
    assert shown["profile"] == LIMITED_PROFILE
    assert shown["permissions"] == ["ApiEnabled"]
    assert shown["objects"]["Lead"] == ["Read", "Create", "Edit"]
    assert shown["objects"]["Account"] == []
    assert "Lead.Phone" in shown["hidden_fields"]

    wish = {"action": "grant", "on": "Case", "rights": ["delete"], "permission_set": "Cases"}
    assert anyone.post(path, json=wish).status_code == 200
    assert anyone.post(path, json={"action": "assign", "user": USERNAME, "permission_set": "Cases"}).status_code == 200
    shown = anyone.get(path, params={"user": USERNAME}).json()
    assert (shown["permission_sets"], shown["objects"]["Case"]) == (["Cases", "Odd"], ["Read", "Edit", "Delete"])
    assert (
        anyone.post(path, json={"action": "unassign", "user": USERNAME, "permission_set": "Cases"}).status_code == 200
    )
    assert refusal(ask("SELECT Id FROM Case")) == (400, "INVALID_TYPE")


def test_a_standard_user_works_and_does_not_administer(running: RunningOrgsim) -> None:
    user_id = running.add_user("standard@acme.example", profile="Standard User")
    headers = {"Authorization": f"Bearer {running.access_token(user_id=user_id)}"}
    with httpx2.Client(base_url=f"{running.url}{VERSION}", headers=headers) as standard:
        made = standard.post("/sobjects/Account", json={"Name": "Ask", "Phone": "1", "BillingCity": "Bonn"})
        assert made.status_code == 201
        assert standard.delete(f"/sobjects/Account/{made.json()['id']}").status_code == 204
        answer = standard.patch(f"/sobjects/User/{user_id}", json={"Title": "CTO"})
        assert refusal(answer) == (400, "INSUFFICIENT_ACCESS_OR_READONLY")


def test_a_field_taken_from_administrators_is_gone_for_them_too(running: RunningOrgsim, client: httpx2.Client) -> None:
    running.revoke("Contact.Fax", profile="System Administrator")
    try:
        answer = client.get("/query", params={"q": "SELECT Fax FROM Contact"})
        assert refusal(answer) == (400, "INVALID_FIELD")
    finally:
        running.grant("Contact.Fax", profile="System Administrator")
    assert client.get("/query", params={"q": "SELECT Fax FROM Contact"}).status_code == 200


# orgs founded before


def test_an_org_that_is_older_than_rights_limits_nobody_and_can_be_given_some(running: RunningOrgsim) -> None:
    org = _made_older(running.sandbox)
    token = running.access_token(org)
    with httpx2.Client(base_url=f"{running.url}{VERSION}", headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.get("/query", params={"q": "SELECT Id, Phone FROM Lead"}).status_code == 200
        user_id = add_user(org, NewUser("new@acme.example.sandbox", PASSWORD, profile=LIMITED_PROFILE))
        assert client.get("/query", params={"q": "SELECT Id, Phone FROM Lead"}).status_code == 200
        assert client.get("/query", params={"q": "SELECT Id FROM FieldPermissions"}).status_code == 200
    headers = {"Authorization": f"Bearer {running.access_token(org, user_id=user_id)}"}
    answer = httpx2.get(f"{running.url}{VERSION}/sobjects/Lead/describe", headers=headers)
    assert refusal(answer) == (404, "NOT_FOUND")


def _made_older(org: Org) -> Org:
    """Takes away what orgs of earlier versions do not have."""
    with org.database.write() as connection:
        for sobject in OBJECTS:
            connection.execute("DELETE FROM _sobject WHERE name = ?", (sobject.name,))
            connection.execute(f'DROP TABLE "{sobject.name}"')
        connection.execute('DELETE FROM "PermissionSet"')
        permission_set = org.catalog().get("PermissionSet")
        added = [each.name for each in permission_set.fields if each.name.startswith("Permissions")]
        for name in added:
            connection.execute(f'ALTER TABLE "PermissionSet" DROP COLUMN "{name}"')
        kept = tuple(each for each in permission_set.fields if each.name not in added)
        org.change_sobject(replace(permission_set, fields=kept, index={}))
    return org


def _run_cli(running: RunningOrgsim, *arguments: str) -> Any:
    place = ("--state", str(running.state_folder), "--org", running.production.org_id, "--json")
    result = CliRunner().invoke(app, [*arguments, *place])
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout)


@pytest.mark.conformance(area="Levers", feature="Users, profiles and rights by command", source="reference")
def test_commands_add_a_user_and_change_what_they_may(running: RunningOrgsim) -> None:
    name = "jo@acme.example"
    _run_cli(running, "user", "add", name, "--password", PASSWORD, "--profile", "Sales Robot")
    _run_cli(running, "access", "grant", "Lead", "--right", "create", "--profile", "Sales Robot")
    _run_cli(running, "access", "grant", "Lead.Email", "--right", "read", "--permission-set", "Mail")
    _run_cli(running, "access", "assign", name, "Mail")
    shown = _run_cli(running, "access", "show", name)
    assert (shown["profile"], shown["permission_sets"]) == ("Sales Robot", ["Mail"])
    assert shown["objects"]["Lead"] == ["Read", "Create"]
    assert "Lead.Email" not in shown["hidden_fields"]

    _run_cli(running, "access", "unassign", name, "Mail")
    _run_cli(running, "access", "revoke", "Lead", "--right", "create", "--profile", "Sales Robot")
    shown = _run_cli(running, "access", "show", name)
    assert shown["objects"]["Lead"] == ["Read"]
    assert "Lead.Email" in shown["hidden_fields"]

    _run_cli(running, "user", "add", name, "--password", PASSWORD, "--profile", "System Administrator")
    assert _run_cli(running, "access", "show", name)["hidden_fields"] == []
