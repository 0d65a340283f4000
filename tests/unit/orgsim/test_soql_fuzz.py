"""Whatever text is asked as SOQL is answered with JSON or refused as Salesforce refuses: never a crash."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from lark import Lark

from orgsim.errors import ApiError
from orgsim.oauth.users import NewUser, add_user
from orgsim.schema.model import Field
from orgsim.soql import parse as parse_module
from orgsim.soql.plan import Asker, first_page, write_csv
from orgsim.store.currencies import Currency, enable_currencies, keep_currency, keep_dated_rate
from orgsim.store.state import NewOrg, State
from orgsim.store.write import Writer

CODES = {
    "MALFORMED_QUERY",
    "INVALID_FIELD",
    "INVALID_TYPE",
    "INVALID_QUERY_FILTER_OPERATOR",
    "NUMBER_OUTSIDE_VALID_RANGE",
    "QUERY_TOO_COMPLICATED",
    "EXCEEDED_ID_LIMIT",
    "API_ERROR",
}
GRAMMAR = Path(parse_module.__file__).with_name("grammar.lark").read_text(encoding="utf-8")


def words(text: str) -> list[str]:
    return text.split()


FIELDS = {
    "Contact": words(
        "Id Name lastname AccountId Email CreatedDate Birthdate HasOptedOutOfEmail MailingAddress MailingLatitude "
        "Greeting__c Account.Twice__c Account.Name Account.Owner.Name Account.BillingAddress Account.AnnualRevenue "
        "Description Contact.Name c.Name a.Name"
    ),
    "Account": words(
        "Id Name NumberOfEmployees Twice__c AnnualRevenue BillingAddress CreatedDate Owner.Name IsDeleted Description"
    ),
    "Opportunity": words(
        "Id Amount Amount CurrencyIsoCode CloseDate StageName "
        "IsClosed Probability Account.Name Owner.Name LastStageChangeDate AccountId"
    ),
    "Task": words(
        "Id WhoId WhatId Who.Name Who.Type Who.MailingAddress Who.CreatedDate What.Type Subject ActivityDate IsClosed"
    ),
    "Nope": words("Id Nope Nope.Name"),
}
CHILDREN = {
    "Contacts": "Contact",
    "Opportunities": "Opportunity",
    "Tasks": "Task",
    "Nopes": "Nope",
    "Account.Contacts": "Contact",
}
AGGREGATES = words("COUNT SUM AVG MIN MAX COUNT_DISTINCT GROUPING")
FUNCTIONS = words(
    "CALENDAR_YEAR CALENDAR_MONTH FISCAL_QUARTER DAY_ONLY HOUR_IN_DAY WEEK_IN_YEAR "
    "toLabel FORMAT convertCurrency convertTimezone DISTANCE nope"
)
LITERALS = [
    *words("TODAY LAST_N_DAYS:3 LAST_N_DAYS:99999999 N_FISCAL_QUARTERS_AGO:2 NEXT_N_WEEKS:99999999999"),
    *words("null NULL true FALSE nope 0 1 -1.5 1e2 1e999 1e99999999999 .5 99999999999999999999 LAST_YEAR"),
    *words("USD5 EUR-1.5 eur5 XXX1 USD1e2 USD99999999999999999999"),
    *words("2024-02-29 2024-02-30 0000-01-01 9999-12-31 2024-01-01T00:00:00Z 2024-13-01T00:00:00Z"),
    *words("2024-01-01T24:00:00Z 9999-12-31T23:59:59-12:00 0001-01-01T00:00:00+12:00 LAST_N_YEARS:5000"),
    *words("2024-01-01T00:00:00.123456789Z THIS_FISCAL_YEAR '' 'a' 'A%' 'a;b' ';' '001000000000001'"),
    *words(r"'_b\'' '\%' '\u00e4' '\' '001000000000001AAA'"),
    "'å\n'",
    "'\0'",
]


class Asking:
    """Writes queries: most of them nearly right, each with the odd word out of place."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  no secret

    def one(self, choices: Sequence[str]) -> str:
        return self.random.choice(choices)

    def rarely(self, text: Callable[[], str], odds: float = 0.15) -> str:
        return text() if self.random.random() < odds else ""

    def several(self, text: Callable[[], str], by: str = ", ") -> str:
        return by.join(text() for _ in range(self.random.choice((1, 1, 2, 3))))

    def field(self, sobject: str) -> str:
        owner = sobject if self.random.random() < 0.98 else self.one(list(FIELDS))
        return self.one(FIELDS[owner])

    def expression(self, sobject: str, *, aggregate: float = 0.05) -> str:
        if self.random.random() < aggregate:
            return f"{self.one(AGGREGATES)}({self.rarely(str) or self.field(sobject)})"
        if self.random.random() < 0.1:
            inner = self.one(
                ("convertTimezone(CreatedDate)", "convertCurrency(Amount)", f"MAX({self.field(sobject)})", "")
            )
            argument = self.one((self.field(sobject), "CreatedDate", inner))
            return f"{self.one(FUNCTIONS)}({argument})"
        return self.field(sobject)

    def comparison(self, sobject: str, aggregate: float) -> str:
        left = self.expression(sobject, aggregate=aggregate)
        roll = self.random.random()
        if roll < 0.15:
            operator = self.one(("IN", "NOT IN", "INCLUDES", "excludes"))
            return f"{left} {operator} ({self.several(lambda: self.one(LITERALS))})"
        if roll < 0.25:
            inner = self.one(("SELECT WhoId FROM Task", "SELECT AccountId FROM Contact", "SELECT Name FROM Account"))
            return f"{left} {self.one(('IN', 'NOT IN'))} ({self.rarely(lambda: self.select('Contact')) or inner})"
        return f"{left} {self.one(words('= = != <> < <= > >= LIKE'))} {self.one(('null', self.one(LITERALS)))}"

    def condition(self, sobject: str, aggregate: float = 0.02) -> str:
        comparison = self.comparison(sobject, aggregate)
        roll = self.random.random()
        if roll < 0.1:
            return f"NOT {self.condition(sobject, aggregate)}"
        if roll < 0.3:
            return f"({comparison} {self.one(('AND', 'OR'))} {self.condition(sobject, aggregate)})"
        return comparison

    def order(self, sobject: str) -> str:
        return (
            f"{self.expression(sobject)} {self.one(('', 'ASC', 'desc'))} {self.one(('', 'NULLS LAST', 'nulls first'))}"
        )

    def typeof(self) -> str:
        ending = self.one(("", "ELSE Name", "ELSE Name, Email", "WHEN Lead THEN Company ELSE Id"))
        which = self.one(("Who", "What", "Owner", "Account", "Nope"))
        chosen = self.one(("Contact", "Account", "Opportunity", "Nope"))
        return f"TYPEOF {which} WHEN {chosen} THEN {self.several(lambda: self.field(chosen))} {ending} END"

    def item(self, sobject: str) -> str:
        roll = self.random.random()
        if roll < 0.05 or (roll < 0.2 and sobject == "Task"):
            return self.typeof()
        if roll < 0.1:
            return f"({self.select(self.one(list(CHILDREN)))})"
        shown = self.rarely(
            lambda: self.one(("FORMAT({})", "toLabel({})", "FORMAT(MIN({}))", "convertCurrency({})")), 0.1
        )
        alias = self.rarely(lambda: self.one((" n", " expr0", " Name")), 0.5 if shown else 0.05)
        return (shown or "{}").format(self.expression(sobject)) + alias

    def grouped(self, sobject: str) -> str:
        """An aggregate query: what is grouped is usually also selected."""
        groups = [self.expression(sobject) for _ in range(self.random.choice((0, 1, 2)))]
        items = [*groups, *(self.expression(sobject, aggregate=0.95) for _ in range(self.random.choice((1, 2))))]
        by = self.one(("{}", "{}", "ROLLUP({})", "CUBE({})")).format(", ".join(groups))
        having = self.rarely(lambda: f" HAVING {self.condition(sobject, 0.9)}", 0.3)
        order = self.rarely(lambda: f" ORDER BY {self.one((*groups, *items))}", 0.3)
        where = self.rarely(lambda: f" WHERE {self.condition(sobject)}")
        grouping = f" GROUP BY {by}" if groups else ""
        return f"SELECT {', '.join(items)} FROM {sobject}{where}{grouping}{having}{order}"

    def select(self, source: str) -> str:
        sobject = CHILDREN.get(source, source)
        items = self.rarely(lambda: "COUNT()", 0.05) or self.several(lambda: self.item(sobject))
        parts = [
            f"SELECT {items} FROM {source}{self.rarely(lambda: self.one((' c', ' c, c.Account a', ', Owner', ', x')))}",
            self.rarely(lambda: self.one((" USING SCOPE mine", " USING SCOPE nope", " USING SCOPE everything")), 0.05),
            self.rarely(lambda: f" WHERE {self.condition(sobject)}", 0.5),
            self.rarely(lambda: self.one((" WITH SECURITY_ENFORCED", " WITH USER_MODE", " WITH nope")), 0.05),
            self.rarely(lambda: f" GROUP BY {self.several(lambda: self.expression(sobject))}", 0.05),
            self.rarely(lambda: f" ORDER BY {self.several(lambda: self.order(sobject))}", 0.3),
            self.rarely(lambda: f" LIMIT {self.one(words('0 1 200 2147483648 99999999999999999999'))}", 0.1),
            self.rarely(lambda: f" OFFSET {self.one(words('0 1 2000 2001 99999999999999999999'))}", 0.05),
            self.rarely(
                lambda: self.one((" FOR VIEW", " FOR REFERENCE", " FOR UPDATE", " FOR nope", " ALL ROWS")), 0.05
            ),
        ]
        return "".join(parts)

    def query(self) -> str:
        sobject = self.one(("Contact", "Account", "Opportunity", "Task", self.one(list(FIELDS))))
        return self.grouped(sobject) if self.random.random() < 0.3 else self.select(sobject)


queries = st.integers(0, 2**32).map(lambda seed: Asking(seed).query())
names = st.sampled_from([*FIELDS, *(each.split(".")[0] for fields in FIELDS.values() for each in fields)])
shaped = from_lark(Lark(GRAMMAR, parser="lalr", lexer="contextual"), explicit={"NAME": names, "STRING": st.just("'a'")})
many = partial(settings, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """A small org: an account, two contacts, an opportunity, a task."""
    state = State(tmp_path_factory.mktemp("soql"))
    org = state.create_org(NewOrg(name="Acme"))
    writer = Writer(org, add_user(org, NewUser("admin@acme.example", "test-password-1")))
    enable_currencies(org, writer.user_id)
    keep_currency(org, writer.user_id, Currency("EUR", "0.92"))
    keep_dated_rate(org, writer.user_id, "EUR", "2020-01-01", "0.8")
    formulas = {
        "Contact": ("Greeting__c", "string", '"Dear " & FirstName'),
        "Account": ("Twice__c", "currency", "AnnualRevenue * 2"),
    }
    for name, (field, kind, formula) in formulas.items():
        org.add_field(
            org.catalog().get(name), Field(field, kind, field, precision=18, scale=2, custom=True, formula=formula)
        )
    account = writer.insert("Account", {"Name": "Acme", "BillingCity": "Malmö"})
    contact = writer.insert("Contact", {"LastName": "Ek", "AccountId": account, "MailingLatitude": 55.6})
    writer.insert("Contact", {"LastName": "a", "Birthdate": "2024-02-29"})
    opportunity = {"Name": "Deal", "StageName": "Prospecting", "Amount": 10, "CloseDate": "2024-02-29"}
    writer.insert("Opportunity", {**opportunity, "AccountId": account})
    writer.insert("Task", {"Subject": "Call", "WhoId": contact, "WhatId": account})
    yield Asker(org, writer.user_id, "60.0")
    state.close()


def refuses_properly(refusal: ApiError) -> None:
    assert (refusal.status, refusal.code in CODES, bool(refusal.message)) == (400, True, True), refusal
    json.dumps(refusal.as_rest())


def runs_or_is_refused(asker: Asker, query: str) -> bool:
    """True when it ran and every record is JSON, false when it was refused with 400 and a known code."""
    try:
        page = first_page(asker, query, all_rows=False, batch_rows=2000)
    except ApiError as refusal:
        refuses_properly(refusal)
        return False
    for record in page.records:
        assert "attributes" in json.loads(record)
    return True


@pytest.mark.conformance(
    area="SOQL", feature="any plausible query runs or is refused with a code of Salesforce", source="facts C.3"
)
@many(max_examples=1200)
@given(queries)
def test_a_plausible_query_runs_or_is_refused(asker: Asker, query: str) -> None:
    note(query)
    runs_or_is_refused(asker, query)


@pytest.mark.conformance(area="SOQL", feature="whatever the grammar makes runs or is refused", source="facts C.3")
@many(max_examples=30)
@given(shaped)
def test_whatever_the_grammar_makes_runs_or_is_refused(asker: Asker, query: str) -> None:
    note(query)
    runs_or_is_refused(asker, query)


@pytest.mark.conformance(area="SOQL", feature="any text is refused with a code of Salesforce", source="facts C.3")
@many(max_examples=100)
@given(st.one_of(st.text(max_size=40), st.text("SELECTFROMId(),.'\\ \n:%-0", max_size=40)))
def test_any_text_runs_or_is_refused(asker: Asker, text: str) -> None:
    runs_or_is_refused(asker, text)
    runs_or_is_refused(asker, f"SELECT Id FROM Contact {text}")


@pytest.mark.conformance(area="SOQL", feature="any query in Bulk runs or is refused", source="facts C.3")
@many(max_examples=100)
@given(queries)
def test_a_bulk_query_runs_or_is_refused(asker: Asker, tmp_path_factory: pytest.TempPathFactory, query: str) -> None:
    note(query)
    path = tmp_path_factory.getbasetemp() / "result"
    try:
        write_csv(asker, query, path, all_rows=False)
    except ApiError as refusal:
        refuses_properly(refusal)


def test_a_long_or_deep_query_runs_or_is_refused(asker: Asker) -> None:
    many_conditions = " OR ".join(["LastName = 'Ek'"] * 3000)
    assert runs_or_is_refused(asker, f"SELECT Id FROM Contact WHERE {many_conditions}")
    assert runs_or_is_refused(asker, f"SELECT Id FROM Contact WHERE {'(' * 3000}Id = null{')' * 3000}")
    assert not runs_or_is_refused(asker, f"SELECT Id FROM Contact WHERE {'NOT ' * 3000}Id = null")
    assert not runs_or_is_refused(asker, f"SELECT Id FROM Contact{' ' * 100_000}")
