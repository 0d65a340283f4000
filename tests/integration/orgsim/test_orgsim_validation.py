"""Validation rules: deployed or laid through the side door, they refuse what their formula is true for (facts C.21)."""

from collections.abc import Callable, Iterator
from typing import Any
from xml.sax.saxutils import escape

import httpx2
import orjson
import pytest
from typer.testing import CliRunner

from integration.orgsim.deploying import XMLNS, Finished, deploy, field, problems
from orgsim.cli import app
from orgsim.errors import ApiError
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]
CODE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
DEAL: dict[str, object] = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2030-01-01", "Amount": 10}


def rule(name: str, condition: str, message: str, shown_at: str = "", *, active: bool = True) -> str:
    display = f"<errorDisplayField>{shown_at}</errorDisplayField>" if shown_at else ""
    return (
        f"<validationRules><fullName>{name}</fullName><active>{str(active).lower()}</active>"
        f"<errorConditionFormula>{escape(condition)}</errorConditionFormula>{display}"
        f"<errorMessage>{message}</errorMessage></validationRules>"
    )


def package(sobject: str, *elements: str) -> dict[str, str]:
    return {f"objects/{sobject}.object": f"<CustomObject {XMLNS}>{''.join(elements)}</CustomObject>"}


RULES = package(
    "Opportunity",
    field("Divisor__c", "Number", precision=9, scale=2),
    rule("Amount_not_negative", "Amount < 0", "The amount may not be negative", "Amount"),
    rule("No_way_back", "ISCHANGED(StageName) && ISPICKVAL(PRIORVALUE(StageName), 'Closed Won')", "Won stays won"),
    rule("Rise_only", "NOT(ISNEW()) && Amount < PRIORVALUE(Amount)", "Amounts only rise", "Amount"),
    rule("Acme_only", 'BEGINS(Account.Name, "Globex")', "Not with Globex", "AccountId"),
    rule("Even", "Divisor__c <> 99 && 10 / Divisor__c > 100", "Too even"),
    rule("Asleep", "TRUE", "Never said", active=False),
)


@pytest.fixture(autouse=True)
def deployed(client: httpx2.Client, finished: Finished, running: RunningOrgsim) -> None:
    if not running.production.catalog().get("Opportunity").validation_rules:
        result = deploy(client, finished, RULES)
        assert result["status"] == "Succeeded", problems(result)


@pytest.fixture
def deal(running: RunningOrgsim) -> Iterator[str]:
    record_id = running.writer().insert("Opportunity", {**DEAL, "Divisor__c": 1})
    yield record_id
    running.writer().purge("Opportunity", record_id)


def errors(answer: httpx2.Response) -> list[tuple[str, list[str]]]:
    assert (answer.status_code, {each["errorCode"] for each in answer.json()}) == (400, {CODE})
    return [(each["message"], each["fields"]) for each in answer.json()]


@pytest.mark.conformance(
    area="Truth about data", feature="Validation rules refuse a record, naming their field", source="facts C.21"
)
def test_a_rule_refuses_the_record_and_nothing_is_kept(client: httpx2.Client, soql: Soql) -> None:
    answer = client.post("/sobjects/Opportunity", json={**DEAL, "Divisor__c": 1, "Amount": -1})
    assert errors(answer) == [("The amount may not be negative", ["Amount"])]
    assert soql("SELECT Id FROM Opportunity") == []


@pytest.mark.conformance(
    area="Truth about data", feature="ISCHANGED, PRIORVALUE and ISNEW see the record before", source="facts C.21"
)
def test_rules_see_what_was_before(client: httpx2.Client, deal: str) -> None:
    path = f"/sobjects/Opportunity/{deal}"
    assert client.patch(path, json={"StageName": "Closed Won"}).status_code == 204
    assert client.patch(path, json={"Amount": 11}).status_code == 204
    assert errors(client.patch(path, json={"StageName": "Prospecting"})) == [("Won stays won", [])]
    assert errors(client.patch(path, json={"Amount": 10.99})) == [("Amounts only rise", ["Amount"])]
    assert client.patch(path, json={"Amount": None}).status_code == 204  # a blank is not less than anything


@pytest.mark.conformance(
    area="Truth about data", feature="All rules that a record breaks are told at once", source="facts C.21"
)
def test_every_broken_rule_is_told(client: httpx2.Client, deal: str) -> None:
    answer = client.patch(f"/sobjects/Opportunity/{deal}", json={"Amount": -5})
    assert errors(answer) == [("The amount may not be negative", ["Amount"]), ("Amounts only rise", ["Amount"])]
    body = {"records": [{"attributes": {"type": "Opportunity"}, "id": deal, "Amount": -5}]}
    [result] = client.patch("/composite/sobjects", json=body).json()
    assert [each["statusCode"] for each in result["errors"]] == [CODE, CODE]


@pytest.mark.conformance(area="Truth about data", feature="Rules look at parents of the record", source="facts C.21")
def test_rules_look_at_parents(client: httpx2.Client, running: RunningOrgsim, deal: str) -> None:
    globex = running.writer().insert("Account", {"Name": "Globex Ltd"})
    answer = client.patch(f"/sobjects/Opportunity/{deal}", json={"AccountId": globex})
    assert errors(answer) == [("Not with Globex", ["AccountId"])]


@pytest.mark.conformance(
    area="Truth about data", feature="A division by zero in a rule stops the save", source="facts C.21"
)
def test_a_division_by_zero_stops_the_save(client: httpx2.Client, deal: str) -> None:
    path = f"/sobjects/Opportunity/{deal}"
    answer = client.patch(path, json={"Divisor__c": 0})
    assert errors(answer) == [('Validation Formula "Even" Invalid (Division by zero)', [])]
    assert client.patch(path, json={"Divisor__c": 99}).status_code == 204  # AND stops before it
    assert errors(client.patch(path, json={"Divisor__c": 0.01})) == [("Too even", [])]


@pytest.mark.conformance(area="Bulk API 2.0", feature="sf__Error of a validation rule", source="facts C.5")
def test_bulk_uploads_tell_the_rule(client: httpx2.Client, finished: Finished) -> None:
    job = client.post("/jobs/ingest", json={"object": "Opportunity", "operation": "insert", "lineEnding": "LF"}).json()
    rows = "Name,StageName,CloseDate,Amount,Divisor__c\nA,Prospecting,2030-01-01,-1,1\nB,Prospecting,2030-01-01,-1,0\n"
    client.put(f"/jobs/ingest/{job['id']}/batches", content=rows, headers={"Content-Type": "text/csv"})
    client.patch(f"/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    assert finished(f"/jobs/ingest/{job['id']}")["numberRecordsFailed"] == 2
    failed = client.get(f"/jobs/ingest/{job['id']}/failedResults").text
    first = f"{CODE}:The amount may not be negative:Amount --"
    assert f'"{first}"' in failed
    assert first + f'{CODE}:Validation Formula ""Even"" Invalid (Division by zero):--' in failed


@pytest.mark.conformance(area="Metadata", feature="Validation rules in .object files", source="facts C.21")
def test_a_rule_can_be_changed_and_put_to_sleep(client: httpx2.Client, finished: Finished, deal: str) -> None:
    asleep = package("Opportunity", rule("Rise_only", "TRUE", "x", active=False))
    result = deploy(client, finished, asleep)
    shown = {each["fullName"]: each for each in result["details"]["componentSuccesses"]}["Opportunity.Rise_only"]
    assert (shown["componentType"], shown["created"]) == ("ValidationRule", False)
    assert client.patch(f"/sobjects/Opportunity/{deal}", json={"Amount": 1}).status_code == 204
    deploy(client, finished, RULES)


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        (
            rule("Bad", "1 + 1", "x"),
            "Formula result is data type (Number), incompatible with expected data type (true or false).",
        ),
        (rule("Bad", "Nope__c = 1", "x"), "Field Nope__c does not exist. Check spelling."),
        (rule("Bad", "PRIORVALUE(Account.Name) = 'x'", "x"), "Incorrect argument type for function 'PRIORVALUE()'."),
        (rule("Bad", "TRUE", "x", "Nope__c"), "Field Nope__c does not exist. Check spelling."),
        (rule("Bad", "TRUE", "x" * 256), "Error Message: data value too large (max length=255)"),
        (rule("Bad__Name", "TRUE", "x"), "The Rule Name can only contain underscores and alphanumeric characters."),
    ],
)
@pytest.mark.conformance(
    area="Metadata", feature="Rules that cannot be saved are refused", source="facts C.21", refused=True
)
def test_a_rule_that_makes_no_sense_is_refused(
    client: httpx2.Client, finished: Finished, added: str, problem: str
) -> None:
    result = deploy(client, finished, package("Opportunity", added))
    assert result["status"] == "Failed"
    assert problem in problems(result)[0][1]


@pytest.mark.conformance(area="Metadata", feature="ValidationRule in Tooling queries", source="facts C.21")
def test_tooling_lists_the_rules(client: httpx2.Client) -> None:
    query = (
        "SELECT Id, ValidationName, Active, ErrorMessage, ErrorDisplayField, EntityDefinition.QualifiedApiName "
        "FROM ValidationRule WHERE EntityDefinition.QualifiedApiName = 'Opportunity' AND Active = true "
        "ORDER BY ValidationName"
    )
    first, *others = client.get("/tooling/query", params={"q": query}).json()["records"]
    assert first["Id"].startswith("03d")
    assert (first["ValidationName"], first["ErrorMessage"]) == ("Acme_only", "Not with Globex")
    assert first["EntityDefinition"]["QualifiedApiName"] == "Opportunity"
    assert [each["ValidationName"] for each in others] == ["Amount_not_negative", "Even", "No_way_back", "Rise_only"]


@pytest.mark.conformance(
    area="Levers", feature="Validation rules through the side door and the command", source="reference"
)
def test_rules_are_laid_and_taken_away_from_outside(running: RunningOrgsim, anyone: httpx2.Client) -> None:
    base = f"/orgsim/orgs/{running.production.org_id}/rules"
    wish = {"sobject": "Lead", "name": "Named", "formula": 'Company = "x"', "message": "A real company, please"}
    assert "A real company, please" in [each["message"] for each in anyone.post(base, json=wish).json()]
    command = ["--state", str(running.state_folder), "--org", running.production.org_id, "--json"]
    lead = ["Lead", "Titled", "--formula", "ISBLANK(Title)", "--message", "Title?", "--field", "Title"]
    assert CliRunner().invoke(app, ["rule", "add", *lead, *command]).exit_code == 0
    with pytest.raises(ApiError) as refused:
        running.writer().insert("Lead", {"LastName": "Ek", "Company": "x"})
    assert [(each.message, each.fields) for each in refused.value.all()] == [
        ("A real company, please", ()),
        ("Title?", ("Title",)),
    ]
    anyone.delete(base, params={"sobject": "Lead", "name": "Named"})
    CliRunner().invoke(app, ["rule", "remove", "Lead", "Titled", *command])
    listed = orjson.loads(CliRunner().invoke(app, ["rule", "list", *command]).stdout)
    assert {each["sobject"] for each in listed} == {"Opportunity"}
    running.writer().insert("Lead", {"LastName": "Ek", "Company": "x"})
    broken = anyone.post(base, json={**wish, "formula": "Nope__c"})
    assert (broken.status_code, broken.json()[0]["message"]) == (400, "Field Nope__c does not exist. Check spelling.")
    assert anyone.delete(base, params={"sobject": "Lead", "name": "Named"}).status_code == 404
