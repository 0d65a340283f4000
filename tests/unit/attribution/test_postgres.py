"""The same text, said in PostgreSQL's dialect and run there, gives the same marts to the last digit."""

from decimal import Decimal
from typing import Any

import duckdb
import psycopg
import pytest
import sqlglot

from headwater.attribution.pipeline import CREDIT_STEPS, MARTS, TOUCH_STEPS, read_step
from postgres import Cluster, postgres_cluster
from unit.attribution.conftest import Org

__all__ = ["postgres_cluster"]
pytestmark = pytest.mark.postgres


def varied_org() -> Org:
    org = Org()
    for person in ("ann", "bob", "cid"):
        org.contact(person, created="2020-04-01")
    org.contact("silent", email=None)
    org.lead("lead", "LEE@example.com")
    org.lead("converted", "old@example.com", contact="bob")
    for place, kind in enumerate(("Webinar", "Email", "Zorb", None)):
        org.campaign(f"campaign{place}", kind)
        for person in ("ann", "bob", "silent"):
            org.member(f"member-{place}-{person}", f"campaign{place}", contact=person, created=f"2020-0{place + 3}-07")
    org.member("led", "campaign0", lead="lead")
    org.member("led twice", "campaign0", lead="converted", created="2020-02-03")
    org.task("call", "cid", date="2020-03-03")
    org.task("mail", "cid", task_type="Email")
    org.event("lunch", "ann", start="2020-08-08 12:00")
    for place, amount in enumerate(("100000.00", "-0.07", None, "0.10", "12345678901.23")):
        closed = "2020-07-01" if place % 2 else None
        org.opportunity(f"opp{place}", created="2020-04-15", closed=closed, won=place != 1, amount=amount)
    org.opportunity("alone", created="2020-04-15", closed="2020-07-01", amount=9, account="other")
    return org


def said(text: str) -> list[str]:
    return [one for one in sqlglot.transpile(text, read="duckdb", write="postgres") if one]


def copy_inputs(source: duckdb.DuckDBPyConnection, target: psycopg.Connection[Any]) -> None:
    tables = source.execute(
        "SELECT table_name, sql FROM duckdb_tables() "
        "WHERE regexp_matches(table_name, '^(source_|rule_|run_setting$|model$|model_stage$)')"
    ).fetchall()
    for table, definition in tables:
        for statement in said(definition):
            target.execute(statement)
        for row in source.execute(f"SELECT * FROM {table}").fetchall():
            marks = ", ".join("%s" for _ in row)
            target.execute(f"INSERT INTO {table} VALUES ({marks})", row)


def comparable(rows: list[tuple[Any, ...]]) -> list[tuple[str, ...]]:
    """Rows as sorted texts; a whole number is the same as integer or decimal."""
    return sorted(
        tuple(f"{value.normalize():f}" if isinstance(value, Decimal) else str(value) for value in row) for row in rows
    )


def test_postgresql_gives_the_same_marts(postgres_cluster: Cluster) -> None:
    outcome = varied_org().attributed()
    with psycopg.connect(postgres_cluster.new_database("attribution")) as target:
        copy_inputs(outcome.connection, target)
        for name in (*TOUCH_STEPS, *CREDIT_STEPS):
            step = read_step(name)
            for statement in said(step.statements):
                target.execute(statement)
            for audit, query in step.audits:
                assert (audit, target.execute(said(query)[0]).fetchall()) == (audit, [])
        for mart in MARTS:
            theirs = target.execute(f"SELECT * FROM {mart}").fetchall()
            assert comparable(theirs) == comparable(outcome.rows(f"SELECT * FROM {mart}")), mart
    assert outcome.result.rows["explanation"] > 50
