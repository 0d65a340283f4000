"""How the models are run: their audits, what they need, and where else the same text can run."""

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest
import sqlglot

from headwater.attribution import STANDARD_MODELS, DropReason, Rules, fields_read, run
from headwater.attribution.pipeline import CREDIT_STEPS, TOUCH_STEPS, Step, read_step, run_step
from headwater.common.errors import Bug, Fix
from unit.attribution.conftest import AS_OF, COLUMNS, Org

STEPS = (*TOUCH_STEPS, *CREDIT_STEPS)
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "attribution.md"


def test_an_empty_org_gives_empty_marts() -> None:
    result = Org().attributed().result
    assert set(result.rows.values()) == {0}
    assert result.sums == ()


def test_a_second_run_on_one_connection_replaces_the_first() -> None:
    org = Org()
    org.contact("ann")
    org.campaign("campaign")
    org.member("member", contact="ann")
    org.opportunity(created="2020-03-01")
    first = org.attributed()
    assert run(first.connection, Rules(), as_of=AS_OF) == first.result


def test_a_failing_audit_stops_the_run_and_shows_what_it_found() -> None:
    step = Step("sample", "CREATE TABLE sample AS SELECT 7 AS n", (("no_seven", "SELECT n FROM sample WHERE n = 7"),))
    with duckdb.connect() as connection, pytest.raises(Bug, match="no_seven of step sample") as caught:
        run_step(connection, step)
    assert caught.value.code == "attribution.audit_failed"
    assert caught.value.facts.why.endswith("the first of them: 7.")


def test_an_audit_catches_weights_that_do_not_sum_to_one() -> None:
    org = Org()
    org.contact("ann")
    org.opportunity(created="2020-03-01")
    org.form("form", "ann", "2020-01-01")
    connection = org.attributed().connection
    connection.execute("UPDATE model_stage SET weight = 301 WHERE model = 'w_shaped' AND stage = 'OC'")
    step = read_step("weights")
    with pytest.raises(Bug, match="weights_sum_to_one") as caught:
        run_step(connection, Step(step.name, step.statements + "UPDATE weight SET weight_numerator = 1;", step.audits))
    assert caught.value.code == "attribution.audit_failed"


def test_missing_fields_and_objects_are_named_all_at_once() -> None:
    with duckdb.connect() as connection:
        for sobject, columns in COLUMNS.items():
            if sobject != "Event":
                connection.execute(f'CREATE TABLE "{sobject}" ({columns.replace("IsWon BOOLEAN, ", "")})')
        with pytest.raises(Fix, match=r"8 fields .* Opportunity\.IsWon, Event\.Id, .*Event\.CreatedDate") as caught:
            run(connection, Rules(), as_of=AS_OF)
    assert caught.value.code == "attribution.source_missing"


def test_optional_fields_may_be_absent() -> None:
    with duckdb.connect() as connection:
        for sobject, columns in COLUMNS.items():
            lean = columns.replace(", CurrencyIsoCode VARCHAR", "").replace(", Touchpoint_Date__c TIMESTAMP", "")
            connection.execute(f'CREATE TABLE "{sobject}" ({lean.replace(", CompletedDateTime TIMESTAMP", "")})')
        assert run(connection, Rules(), as_of=AS_OF).rows["touch"] == 0


def test_it_tells_which_fields_to_fetch() -> None:
    fields = fields_read(Rules(amount_field="ARR__c"))
    assert ("ARR__c", True) in fields["Opportunity"]
    assert ("CurrencyIsoCode", False) in fields["Opportunity"]
    assert set(fields) == set(COLUMNS) - {"touch"}


def test_a_moment_without_zone_is_refused() -> None:
    naive = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(ValueError, match="timezone-aware"):
        Org().attributed(as_of=naive)


def test_every_model_file_is_a_step_with_an_audit() -> None:
    found = {file.name.removesuffix(".sql") for file in (files("headwater.attribution") / "models").iterdir()}
    assert found == set(STEPS)
    assert all(read_step(name).audits for name in STEPS)


@pytest.mark.parametrize("dialect", ["spark", "postgres"])
@pytest.mark.parametrize("name", STEPS)
def test_every_statement_can_be_said_in_other_dialects(name: str, dialect: str) -> None:
    step = read_step(name)
    for text in (step.statements, *(query for _, query in step.audits)):
        said = sqlglot.transpile(text, read="duckdb", write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)
        assert [sqlglot.parse_one(statement, read=dialect) for statement in said if statement]


def test_the_page_names_every_drop_reason_model_and_audit() -> None:
    page = PAGE.read_text(encoding="utf-8")
    names = [reason.value for reason in DropReason] + [model.code for model in STANDARD_MODELS]
    names += [audit for name in STEPS for audit, _ in read_step(name).audits]
    assert [name for name in names if f"`{name}`" not in page] == []
