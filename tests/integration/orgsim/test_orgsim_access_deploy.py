"""What a deployment brings is seen by nobody until a permission set or profile grants it (facts C.8)."""

import re
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from integration.orgsim.deploying import XMLNS, Finished, deploy_only, field
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]
PERMISSION_SET = f"""<?xml version="1.0" encoding="UTF-8"?>
<PermissionSet {XMLNS}>
    <fieldPermissions>
        <editable>true</editable><field>Visit__c.Guests__c</field><readable>true</readable>
    </fieldPermissions>
    <label>Visits</label>
    <objectPermissions>
        <allowRead>true</allowRead><allowCreate>true</allowCreate><object>Visit__c</object>
    </objectPermissions>
    <userPermissions><enabled>true</enabled><name>ViewSetup</name></userPermissions>
</PermissionSet>"""
VISIT = f"""<?xml version="1.0" encoding="UTF-8"?>
<CustomObject {XMLNS}>
    <label>Visit</label><pluralLabel>Visits</pluralLabel>
    <nameField><label>Visit</label><type>AutoNumber</type><displayFormat>V-{{0}}</displayFormat></nameField>
    {field("Guests__c", "Number", precision=4, scale=0)}
    {field("Day__c", "Date", required="true")}
</CustomObject>"""


@pytest.mark.conformance(
    area="Metadata", feature="Deployed fields are invisible, to administrators too, until granted", source="facts C.8"
)
def test_what_is_deployed_is_seen_by_nobody_until_it_is_granted_and_assigned(
    running: RunningOrgsim, client: httpx2.Client, soql: Soql, finished: Finished
) -> None:
    limited_id = running.add_user("limited@acme.example")
    with httpx2.Client(
        base_url=client.base_url, headers={"Authorization": f"Bearer {running.access_token(user_id=limited_id)}"}
    ) as limited:
        files = {"objects/Visit__c.object": VISIT, "permissionsets/Visits.permissionset": PERMISSION_SET}
        assert deploy_only(client, finished, files, rollbackOnError=True)["success"]

        def fields_of(who: httpx2.Client) -> set[str]:
            answer = who.get("/sobjects/Visit__c/describe")
            return {each["name"] for each in answer.json()["fields"]} if answer.status_code == 200 else set()

        assert fields_of(client) & {"Name", "Day__c", "Guests__c"} == {"Name", "Day__c"}
        answer = client.post("/sobjects/Visit__c", json={"Day__c": "2026-03-01", "Guests__c": 2})
        assert answer.json()[0]["errorCode"] == "INVALID_FIELD"
        assert fields_of(limited) == set()

        [visits] = soql("SELECT Id FROM PermissionSet WHERE Name = 'Visits'")
        for user_id in (running.production_user_id, limited_id):
            assigned = {"PermissionSetId": visits["Id"], "AssigneeId": user_id}
            assert client.post("/sobjects/PermissionSetAssignment", json=assigned).status_code == 201
        for who in (client, limited):
            assert "Guests__c" in fields_of(who)
            made = who.post("/sobjects/Visit__c", json={"Day__c": "2026-03-01", "Guests__c": 2})
            assert made.status_code == 201
        refused = limited.delete(f"/sobjects/Visit__c/{made.json()['id']}").json()
        assert [each["errorCode"] for each in refused] == ["INSUFFICIENT_ACCESS_OR_READONLY"]
        assert limited.get("/limits").status_code == 200

        deploy_only(client, finished, {"permissionsets/Visits.permissionset": _without_fields(PERMISSION_SET)})
        assert "Guests__c" not in fields_of(client)


def _without_fields(permission_set: str) -> str:
    return re.sub("<fieldPermissions>.*?</fieldPermissions>", "", permission_set, flags=re.DOTALL)
