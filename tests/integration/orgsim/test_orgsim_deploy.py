"""Metadata deployments: objects, fields and permission sets become real, or say why not."""

import httpx2
import pytest

from integration.orgsim.deploying import XMLNS, Finished, deploy, field, problems, send
from orgsim.testing import RunningOrgsim

TOUCHPOINT = f"""<?xml version="1.0" encoding="UTF-8"?>
<CustomObject {XMLNS}>
<label>Touchpoint</label><pluralLabel>Touchpoints</pluralLabel>
<nameField><label>Number</label><type>AutoNumber</type><displayFormat>BT-{{00000}}</displayFormat></nameField>
<deploymentStatus>Deployed</deploymentStatus><sharingModel>ReadWrite</sharingModel>
{field("Key__c", "Text", length=100, unique="true", externalId="true", required="true")}
{field("Lead__c", "Lookup", referenceTo="Lead", relationshipName="Touchpoints")}
{field("Share__c", "Number", precision=18, scale=4)}
{field("Revenue__c", "Currency", precision=18, scale=2)}
{field("Rate__c", "Percent", precision=5, scale=2)}
{field("On__c", "Date")}{field("At__c", "DateTime")}
{field("Live__c", "Checkbox", defaultValue="false")}
{field("Notes__c", "LongTextArea", length=32000, visibleLines=3)}
{field("Page__c", "Url")}{field("Mail__c", "Email")}{field("Call__c", "Phone")}
{
    field(
        "Kind__c",
        "Picklist",
        valueSet="<restricted>true</restricted><valueSetDefinition><value><fullName>Web</fullName></value>"
        "<value><fullName>CRM</fullName></value></valueSetDefinition>",
    )
}
</CustomObject>"""
LEAD = f"<CustomObject {XMLNS}>{field('Score__c', 'Number', precision=3, scale=0)}</CustomObject>"
PERMISSIONS = f"""<PermissionSet {XMLNS}><label>Touchpoints</label>
<fieldPermissions><editable>true</editable><field>Touchpoint__c.Revenue__c</field><readable>true</readable></fieldPermissions>
<objectPermissions><object>Touchpoint__c</object></objectPermissions></PermissionSet>"""
FILES = {
    "objects/Touchpoint__c.object": TOUCHPOINT,
    "objects/Lead.object": LEAD,
    "permissionsets/Touchpoints.permissionset": PERMISSIONS,
}


@pytest.mark.conformance(
    area="Metadata",
    feature="checkOnly: a deployment is tried and leaves nothing",
    source="facts C.8",
)
def test_a_dry_run_leaves_nothing(client: httpx2.Client, finished: Finished) -> None:
    result = deploy(client, finished, FILES, checkOnly=True)
    assert (result["status"], result["checkOnly"], result["numberComponentErrors"]) == ("Succeeded", True, 0)
    assert client.get("/sobjects/Touchpoint__c/describe").status_code == 404


@pytest.mark.conformance(
    area="Metadata",
    feature="Deploy custom objects",
    source="facts C.8",
    endpoint="POST /metadata/deployRequest",
)
@pytest.mark.conformance(
    area="Metadata",
    feature="Deploy custom fields of thirteen types, lookups, picklists and auto numbers among them",
    source="facts C.8",
)
@pytest.mark.conformance(area="Metadata", feature="Deploy permission sets", source="facts C.8")
@pytest.mark.conformance(
    area="Metadata",
    feature="Restricted picklists and unique external ids hold after the deployment",
    source="facts C.8",
)
@pytest.mark.conformance(
    area="Metadata",
    feature="Status of a deployment with counts",
    source="facts C.8",
    endpoint="GET /metadata/deployRequest/{deploy_id}",
)
def test_what_is_deployed_is_real(client: httpx2.Client, finished: Finished) -> None:
    result = deploy(client, finished, FILES, rollbackOnError=True)
    assert (result["status"], result["success"], result["done"]) == ("Succeeded", True, True)
    assert result["numberComponentsDeployed"] == 17
    described = client.get("/sobjects/Touchpoint__c/describe").json()
    fields = {each["name"]: each for each in described["fields"]}
    assert (described["custom"], described["keyPrefix"][0]) == (True, "a")
    assert (fields["Lead__c"]["relationshipName"], fields["Key__c"]["externalId"]) == ("Lead__r", True)
    assert (fields["Rate__c"]["type"], fields["Rate__c"]["scale"]) == ("percent", 2)
    lead = client.post("/sobjects/Lead", json={"LastName": "A", "Company": "B", "Score__c": 7}).json()["id"]
    values = {"Lead__c": lead, "Revenue__c": 1234.56, "Kind__c": "Web", "On__c": "2024-02-29"}
    path = "/sobjects/Touchpoint__c/Key__c/TP2_x"
    assert client.patch(path, json=values).status_code == 201
    assert client.patch(path, json={"Share__c": 0.3333}).status_code == 200
    query = "SELECT Name, Lead__r.Name, Revenue__c, Share__c, Live__c FROM Touchpoint__c"
    [row] = client.get("/query", params={"q": query}).json()["records"]
    assert (row["Name"], row["Lead__r"]["Name"], row["Revenue__c"]) == ("BT-00001", "A", 1234.56)
    assert (row["Share__c"], row["Live__c"]) == (0.3333, False)
    children = "SELECT Score__c, (SELECT Key__c FROM Touchpoints__r) FROM Lead"
    [parent] = client.get("/query", params={"q": children}).json()["records"]
    assert (parent["Score__c"], parent["Touchpoints__r"]["records"][0]["Key__c"]) == (7.0, "TP2_x")
    wrong = client.patch(path, json={"Kind__c": "Other"}).json()
    assert wrong[0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    twice = client.post("/sobjects/Touchpoint__c", json={"Key__c": "TP2_x"}).json()
    assert twice[0]["errorCode"] == "DUPLICATE_VALUE"
    permission_sets = "SELECT Label FROM PermissionSet WHERE Name = 'Touchpoints'"
    assert client.get("/query", params={"q": permission_sets}).json()["totalSize"] == 1


@pytest.mark.conformance(area="Metadata", feature="The same package can be deployed again", source="facts C.8")
def test_it_can_be_deployed_again(client: httpx2.Client, finished: Finished) -> None:
    for _ in range(2):
        assert deploy(client, finished, FILES)["status"] == "Succeeded"


@pytest.mark.conformance(
    area="Metadata",
    feature="componentFailures name each problem, rollbackOnError undoes the rest",
    source="facts C.8",
    refused=True,
)
def test_it_says_what_is_wrong_and_undoes_the_rest(client: httpx2.Client, finished: Finished) -> None:
    body = field("Good__c", "Date") + field("Bad", "Date") + field("Far__c", "Lookup", referenceTo="Nope__c")
    files = {"objects/Lead.object": f"<CustomObject {XMLNS}>{body}</CustomObject>"}
    result = deploy(client, finished, files)
    assert (result["status"], result["success"], result["numberComponentErrors"]) == ("Failed", False, 2)
    assert problems(result) == [
        ("Lead.Bad", "The custom field Bad must end with __c"),
        ("Lead.Far__c", "referenceTo value of 'Nope__c' does not resolve to a valid sObject type"),
    ]
    names = [each["name"] for each in client.get("/sobjects/Lead/describe").json()["fields"]]
    assert "Good__c" not in names


@pytest.mark.conformance(
    area="Metadata",
    feature="Permissions on fields that do not exist or are required",
    source="facts C.8",
    refused=True,
)
def test_permission_sets_must_name_what_exists_and_is_optional(client: httpx2.Client, finished: Finished) -> None:
    def permission_set(name: str) -> dict[str, str]:
        inner = f"<label>P</label><fieldPermissions><field>{name}</field></fieldPermissions>"
        return {"permissionsets/P.permissionset": f"<PermissionSet {XMLNS}>{inner}</PermissionSet>"}

    unknown = deploy(client, finished, permission_set("Lead.Nope__c"))
    assert problems(unknown) == [("P", "In field: field - no CustomField named Lead.Nope__c found")]
    required = deploy(client, finished, permission_set("Lead.LastName"))
    assert problems(required) == [("P", "You cannot deploy to a required field: Lead.LastName")]


@pytest.mark.conformance(
    area="Metadata", feature="A request or a zip that is no package", source="facts C.8", refused=True
)
def test_it_refuses_what_is_no_package(client: httpx2.Client, finished: Finished) -> None:
    assert client.post("/metadata/deployRequest", json={}).json()[0]["errorCode"] == "INVALID_MULTIPART_REQUEST"
    result = deploy(client, finished, {"classes/A.cls": "class A {}"})
    assert (result["status"], result["errorStatusCode"]) == ("Failed", "INVALID_ZIP_FILE")
    assert client.get("/metadata/deployRequest/0Af000000000000").status_code == 404


@pytest.mark.conformance(
    area="Metadata",
    feature="A deployment is cancelled before it has ended: nothing of it stays",
    source="D metadata-api/cancel-a-deployment-in-progress-using-rest",
    endpoint="PATCH /metadata/deployRequest/{deploy_id}",
)
def test_a_deployment_is_cancelled(running: RunningOrgsim, client: httpx2.Client, finished: Finished) -> None:
    never = {"objects/Never__c.object": TOUCHPOINT.replace("Touchpoint", "Never")}
    before = running.production.setting("deploy_delay_seconds")
    running.production.set("deploy_delay_seconds", 1.0)
    path = f"/metadata/deployRequest/{send(client, never)}"
    assert client.patch(path, json={"deployResult": {"status": "Nonsense"}}).json()[0]["errorCode"] == "INVALID_INPUT"
    answer = client.patch(path, json={"deployResult": {"status": "Canceling"}})
    assert (answer.status_code, answer.json()["deployResult"]["status"]) == (202, "Canceling")
    running.production.set("deploy_delay_seconds", before)
    result = finished(path)["deployResult"]
    assert (result["status"], result["done"], result["success"]) == ("Canceled", True, False)
    assert client.get("/sobjects/Never__c/describe").status_code == 404
    # One that has ended stays as it is.
    assert (
        client.patch(path, json={"deployResult": {"status": "Canceling"}}).json()["deployResult"]["status"]
        == "Canceled"
    )
