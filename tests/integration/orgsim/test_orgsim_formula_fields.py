"""Formula fields: deployed as metadata, computed when they are read, moving no stamp (facts C.1, C.9)."""

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import httpx2
import pytest

from integration.orgsim.deploying import XMLNS, Finished, deploy, field, problems
from orgsim.clock import ClockSetting, parse_datetime
from orgsim.testing import RunningOrgsim

Soql = Callable[[str], list[dict[str, Any]]]


def formula(name: str, kind: str, text: str, **more: object) -> str:
    return field(name, kind, formula=escape(text), **more)


def package(sobject: str, *fields: str) -> dict[str, str]:
    return {f"objects/{sobject}.object": f"<CustomObject {XMLNS}>{''.join(fields)}</CustomObject>"}


OPPORTUNITY = package(
    "Opportunity",
    # named before what it is made of
    formula("Label__c", "Text", 'Account.Name & ": " & Size__c & " " & TEXT(StageName)'),
    formula("Size__c", "Text", 'IF(Amount >= 1000, "big", "small")'),
    formula("Net__c", "Currency", "Amount * (1 - Discount__c)", precision=18, scale=2),
    formula("Share__c", "Percent", "Amount / Account.AnnualRevenue", precision=18, scale=1),
    formula("Late__c", "Checkbox", "CloseDate < TODAY() && NOT(IsClosed)"),
    formula("DaysLeft__c", "Number", "CloseDate - TODAY()", precision=18, scale=0),
    formula("Review__c", "Date", "ADDMONTHS(CloseDate, 1)"),
    formula("Score__c", "Number", "Amount + 1", precision=18, scale=0, formulaTreatBlanksAs="BlankAsBlank"),
    formula("Link__c", "Text", 'HYPERLINK("/" & Id, Name)'),
    field("Discount__c", "Percent", precision=5, scale=2),
)


@pytest.fixture(scope="module")
def records(running: RunningOrgsim) -> dict[str, str]:
    running.state.set_clock(ClockSetting(frozen_at=parse_datetime("2024-06-10T12:00:00Z")))
    writer = running.writer()
    made = {"account": writer.insert("Account", {"Name": "Acme", "AnnualRevenue": 8000})}
    for name, amount, close in (("A", 2000, "2024-06-01"), ("B", 999.99, "2024-07-01"), ("C", None, "2024-06-30")):
        values: dict[str, object] = {"Name": name, "StageName": "Prospecting", "Amount": amount, "CloseDate": close}
        made[name] = writer.insert("Opportunity", {**values, "AccountId": made["account"]})
    return made


@pytest.fixture(autouse=True)
def deployed(client: httpx2.Client, finished: Finished, running: RunningOrgsim, records: dict[str, str]) -> None:
    if running.production.catalog().get("Opportunity").find("Label__c") is None:
        result = deploy(client, finished, OPPORTUNITY)
        assert result["status"] == "Succeeded", problems(result)
        running.writer().update("Opportunity", records["A"], {"Discount__c": 12.5})


@pytest.mark.conformance(
    area="Metadata",
    feature="Formula fields: text, number, currency, percent, date, checkbox",
    source="metadata-api/customfield",
)
@pytest.mark.conformance(area="SOQL", feature="Formula fields in SELECT, over several objects", source="facts C.20")
def test_a_formula_field_is_computed_when_it_is_read(soql: Soql) -> None:
    query = (
        "SELECT Label__c, Net__c, Share__c, Late__c, DaysLeft__c, Review__c, Score__c FROM Opportunity ORDER BY Name"
    )
    assert soql(query) == [
        {
            "Label__c": "Acme: big Prospecting",
            "Net__c": 1750.0,
            "Share__c": 25.0,
            "Late__c": True,
            "DaysLeft__c": -9.0,
            "Review__c": "2024-07-01",
            "Score__c": 2001.0,
        },
        {
            "Label__c": "Acme: small Prospecting",
            "Net__c": 999.99,
            "Share__c": 12.5,
            "Late__c": False,
            "DaysLeft__c": 21.0,
            "Review__c": "2024-08-01",
            "Score__c": 1001.0,
        },
        {
            "Label__c": "Acme: small Prospecting",
            "Net__c": 0.0,
            "Share__c": 0.0,
            "Late__c": False,
            "DaysLeft__c": 20.0,
            "Review__c": "2024-07-31",
            "Score__c": None,
        },
    ]


@pytest.mark.conformance(area="SOQL", feature="Formula fields in WHERE, ORDER BY and aggregates", source="facts C.20")
def test_a_formula_field_filters_sorts_and_sums(soql: Soql) -> None:
    assert soql("SELECT Name FROM Opportunity WHERE Label__c = 'ACME: BIG prospecting'") == [{"Name": "A"}]
    assert soql("SELECT Name FROM Opportunity WHERE Net__c > 999.98 AND Late__c = false") == [{"Name": "B"}]
    assert soql("SELECT Name FROM Opportunity WHERE Label__c LIKE '%small%' ORDER BY DaysLeft__c DESC LIMIT 1") == [
        {"Name": "B"}
    ]
    assert soql("SELECT SUM(Net__c) n, MAX(Review__c) d, COUNT_DISTINCT(Size__c) k FROM Opportunity") == [
        {"n": 2749.99, "d": "2024-08-01", "k": 2}
    ]
    assert soql("SELECT Name FROM Opportunity WHERE Review__c = NEXT_MONTH AND Size__c IN ('big', 'huge')") == [
        {"Name": "A"}
    ]


@pytest.mark.conformance(
    area="SOQL",
    feature="GROUP BY a formula field is refused",
    source="soql-sosl/considerations-for-group-by",
    refused=True,
)
def test_a_formula_field_cannot_be_grouped(client: httpx2.Client) -> None:
    answer = client.get("/query", params={"q": "SELECT Size__c, COUNT(Id) FROM Opportunity GROUP BY Size__c"})
    assert answer.status_code == 400
    assert "field 'Size__c' can not be grouped in a query call" in answer.json()[0]["message"]


@pytest.mark.conformance(area="REST", feature="Describes show calculated and calculatedFormula", source="facts C.7")
def test_a_describe_shows_the_formula(client: httpx2.Client) -> None:
    fields = {each["name"]: each for each in client.get("/sobjects/Opportunity/describe").json()["fields"]}
    label, score, link = fields["Label__c"], fields["Score__c"], fields["Link__c"]
    assert (label["type"], label["length"], label["calculated"]) == ("string", 1300, True)
    assert label["calculatedFormula"] == 'Account.Name & ": " & Size__c & " " & TEXT(StageName)'
    assert (label["createable"], label["updateable"], label["groupable"], label["filterable"]) == (
        *(False, False, False, True),
    )
    assert (label["formulaTreatNullNumberAsZero"], score["formulaTreatNullNumberAsZero"]) == (True, False)
    assert (fields["Amount"]["calculated"], fields["Amount"]["calculatedFormula"]) == (False, None)
    assert (link["htmlFormatted"], label["htmlFormatted"]) == (True, False)


@pytest.mark.conformance(area="REST", feature="Formula fields cannot be written", source="facts C.7", refused=True)
def test_a_formula_field_cannot_be_written(client: httpx2.Client, records: dict[str, str]) -> None:
    answer = client.patch(f"/sobjects/Opportunity/{records['A']}", json={"Net__c": 1})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    record = client.get(f"/sobjects/Opportunity/{records['A']}", params={"fields": "Net__c,Link__c"}).json()
    assert record["Net__c"] == 1750.0
    assert record["Link__c"] == f'<a href="/{records["A"][:15]}" target="_blank">A</a>'


@pytest.mark.conformance(
    area="Truth about data", feature="A formula over another record moves no stamp", source="facts C.1"
)
@pytest.mark.conformance(area="Truth about data", feature="TODAY() in a formula moves no stamp", source="facts C.1")
def test_what_a_formula_shows_changes_without_a_stamp(
    running: RunningOrgsim, soql: Soql, client: httpx2.Client, records: dict[str, str]
) -> None:
    query = "SELECT SystemModstamp, LastModifiedDate, Label__c, DaysLeft__c FROM Opportunity WHERE Name = 'B'"
    [before] = soql(query)
    running.state.set_clock(ClockSetting(frozen_at=parse_datetime("2024-06-11T12:00:00Z")))
    try:
        running.writer().update("Account", records["account"], {"Name": "Globex"})
        [after] = soql(query)
        window = {"start": "2024-06-11T11:55:00Z", "end": "2024-06-11T12:10:00Z"}
        assert client.get("/sobjects/Opportunity/updated", params=window).json()["ids"] == []
    finally:
        running.state.set_clock(ClockSetting(frozen_at=parse_datetime("2024-06-10T12:00:00Z")))
        running.writer().update("Account", records["account"], {"Name": "Acme"})
    assert (before["Label__c"], after["Label__c"]) == ("Acme: small Prospecting", "Globex: small Prospecting")
    assert (before["DaysLeft__c"], after["DaysLeft__c"]) == (21.0, 20.0)
    assert (before["SystemModstamp"], before["LastModifiedDate"]) == (
        after["SystemModstamp"],
        after["LastModifiedDate"],
    )


@pytest.mark.conformance(area="Bulk API 2.0", feature="Queries of formula fields", source="facts C.4")
def test_bulk_queries_give_formula_fields(client: httpx2.Client, finished: Finished) -> None:
    query = "SELECT Name, Label__c, Net__c, Late__c, Review__c FROM Opportunity WHERE DaysLeft__c < 0"
    job = client.post("/jobs/query", json={"operation": "query", "query": query}).json()
    assert finished(f"/jobs/query/{job['id']}")["state"] == "JobComplete"
    lines = client.get(f"/jobs/query/{job['id']}/results").text.splitlines()
    assert lines == [
        '"Name","Label__c","Net__c","Late__c","Review__c"',
        '"A","Acme: big Prospecting","1750.0","true","2024-07-01"',
    ]


@pytest.mark.conformance(
    area="SOQL", feature="Formula fields of a parent, and of polymorphic parents", source="facts C.20"
)
def test_formula_fields_of_parents_are_read_by_paths(
    client: httpx2.Client, finished: Finished, running: RunningOrgsim, soql: Soql, records: dict[str, str]
) -> None:
    lead = package("Lead", formula("Chief__c", "Text", "Owner:User.Profile.Name"))
    account = package("Account", formula("Shout__c", "Text", 'UPPER(Name) & "!"'))
    result = deploy(client, finished, {**lead, **account})
    assert result["status"] == "Succeeded", problems(result)
    running.writer().insert("Lead", {"LastName": "Ek", "Company": "Ask"})
    assert soql("SELECT Chief__c FROM Lead") == [{"Chief__c": "System Administrator"}]
    [row] = soql("SELECT Account.Shout__c FROM Opportunity WHERE Account.Shout__c = 'acme!' AND Name = 'A'")
    assert row["Account"]["Shout__c"] == "ACME!"
    [children] = soql("SELECT (SELECT Size__c FROM Opportunities WHERE Size__c = 'big') FROM Account")
    assert [each["Size__c"] for each in children["Opportunities"]["records"]] == ["big"]


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        (formula("Bad__c", "Text", "Nope__c"), "Field Nope__c does not exist. Check spelling."),
        (formula("Bad__c", "Text", "Nope(1)"), "Unknown function NOPE. Check spelling."),
        (
            formula("Bad__c", "Text", "Amount", precision=18),
            "Formula result is data type (Number), incompatible with expected data type (Text).",
        ),
        (formula("Bad__c", "Number", "Owner.Name"), "incompatible with expected data type (Number)."),
        (formula("Bad__c", "Lookup", "AccountId"), "a formula cannot have the type Lookup"),
        (field("Net__c", "Currency", precision=18, scale=2), "between a formula and a field that is stored"),
        (
            formula("Size__c", "Text", "Label__c"),
            "Formula cannot use another formula field that directly or indirectly refers to itself.",
        ),
    ],
)
@pytest.mark.conformance(
    area="Metadata",
    feature="Formulas that cannot be saved are refused in Salesforce's words",
    source="facts C.20",
    refused=True,
)
def test_a_formula_that_makes_no_sense_is_refused(
    client: httpx2.Client, finished: Finished, soql: Soql, added: str, problem: str
) -> None:
    result = deploy(client, finished, package("Opportunity", added))
    assert result["status"] == "Failed"
    assert problem in problems(result)[0][1]
    assert len(soql("SELECT Label__c, Net__c FROM Opportunity")) == 3


@pytest.mark.conformance(
    area="Metadata", feature="A deployed formula can be changed", source="metadata-api/customfield"
)
def test_a_formula_can_be_changed(client: httpx2.Client, finished: Finished, soql: Soql) -> None:
    changed = package("Opportunity", formula("Review__c", "Date", "CloseDate + 7"))
    assert deploy(client, finished, changed)["status"] == "Succeeded"
    try:
        assert soql("SELECT Review__c FROM Opportunity WHERE Name = 'A'") == [{"Review__c": "2024-06-08"}]
    finally:
        deploy(client, finished, OPPORTUNITY)


@pytest.mark.conformance(
    area="Metadata", feature="FieldDefinition shows Formula(…) and IsCalculated", source="facts C.7"
)
def test_tooling_shows_formula_fields(client: httpx2.Client) -> None:
    query = (
        "SELECT QualifiedApiName, DataType, IsCalculated FROM FieldDefinition "
        "WHERE EntityDefinitionId = 'Opportunity' AND QualifiedApiName IN ('Net__c', 'Size__c')"
    )
    rows = client.get("/tooling/query", params={"q": query}).json()["records"]
    shown = {(row["QualifiedApiName"], row["DataType"], row["IsCalculated"]) for row in rows}
    assert shown == {("Net__c", "Formula(Currency)", True), ("Size__c", "Formula(Text)", True)}
