"""Runs the models in order on one DuckDB connection, and after each the audits that must return no row.

Two halves that meet in the table `touch`: the CRM's records become touches; touches become credit. Touches of other
origin (kind 'web') are added to `touch` between the two. Not here: the marts' way to people (results room).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from importlib.resources import files

import duckdb

from headwater.attribution.rule_tables import write_rule_tables
from headwater.attribution.rules import Rules
from headwater.attribution.sources import stage_sources
from headwater.common.errors import Bug, Facts

TOUCH_STEPS = ("person", "campaign_touch", "activity_touch", "touch")
CREDIT_STEPS = (
    "buyer_touchpoint",
    "candidate",
    "opportunity_position",
    "weights",
    "shares",
    "attribution_touchpoint",
    "explanation",
    "channel_revenue",
)
MARTS = (
    "touch",
    "dropped_touch",
    "buyer_touchpoint",
    "attribution_touchpoint",
    "share",
    "explanation",
    "channel_revenue",
)
_AUDIT = re.compile(r"^-- audit: (\w+)$", re.MULTILINE)


class DropReason(Enum):
    """Why a record made no touch; each has its section in docs/reference/attribution.md."""

    NO_RULE_MATCHED = "no_rule_matched"
    NOT_RESPONDED = "not_responded"
    CAMPAIGN_EXCLUDED = "campaign_excluded"
    PERSON_UNKNOWN = "person_unknown"
    NO_EMAIL = "no_email"
    NO_DATE = "no_date"
    AFTER_AS_OF = "after_as_of"
    ALREADY_IN_CAMPAIGN = "already_in_campaign"


@dataclass(frozen=True, slots=True)
class ModelSum:
    """What one model gives out in one currency; equal for all models."""

    model: str
    currency_iso_code: str | None
    won_cents: int
    open_cents: int


@dataclass(frozen=True, slots=True)
class RunResult:
    rows: dict[str, int]  # by mart
    dropped: dict[DropReason, int]  # every reason, also those that dropped nothing
    sums: tuple[ModelSum, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One file of models/: statements that make tables, and queries that find what must not be."""

    name: str
    statements: str
    audits: tuple[tuple[str, str], ...]


def run(connection: duckdb.DuckDBPyConnection, rules: Rules, *, as_of: datetime) -> RunResult:
    """Make all marts as tables of `connection`, which has a view for each object that `fields_read` names.

    as_of  The moment the run speaks of, timezone-aware; the same records, rules and moment give the same marts.

    Errors    Fix   attribution.source_missing  fields are not in the local copy.
              Bug   attribution.audit_failed    a law does not hold; the marts must not be shown.
    """
    build_touches(connection, rules, as_of=as_of)
    return attribute(connection)


def build_touches(connection: duckdb.DuckDBPyConnection, rules: Rules, *, as_of: datetime) -> None:
    """The first half: `touch` and `dropped_touch` from the CRM's records."""
    stage_sources(connection, rules)
    write_rule_tables(connection, rules, as_of)
    for name in TOUCH_STEPS:
        run_step(connection, read_step(name))


def attribute(connection: duckdb.DuckDBPyConnection) -> RunResult:
    """The second half: everything that follows from `touch`, under the rules and moment of `build_touches`."""
    for name in CREDIT_STEPS:
        run_step(connection, read_step(name))
    return _result(connection)


@cache
def read_step(name: str) -> Step:
    text = (files("headwater.attribution") / "models" / f"{name}.sql").read_text(encoding="utf-8")
    statements, *audits = _AUDIT.split(text)
    return Step(name, statements, tuple(zip(audits[::2], audits[1::2], strict=True)))


def run_step(connection: duckdb.DuckDBPyConnection, step: Step) -> None:
    connection.execute(step.statements)
    for audit, query in step.audits:
        found = connection.execute(query).fetchmany(3)
        if found:
            raise _failed(step, audit, found)


def _failed(step: Step, audit: str, found: list[tuple[object, ...]]) -> Bug:
    shown = "; ".join(", ".join(str(value) for value in row) for row in found)
    return Bug(
        "attribution.audit_failed",
        f"The audit {audit} of step {step.name} failed, so the run was stopped.",
        Facts(
            why=f"It found rows that must not be, the first of them: {shown}.",
            left="The results of the last run are unchanged.",
            you_can="report this with the audit's name and these rows",
        ),
    )


def _result(connection: duckdb.DuckDBPyConnection) -> RunResult:
    counts = connection.execute("SELECT reason, COUNT(*) FROM dropped_touch GROUP BY reason").fetchall()
    dropped = {DropReason(reason): count for reason, count in counts}
    return RunResult(
        rows=dict(_row_counts(connection)),
        dropped={reason: dropped.get(reason, 0) for reason in DropReason},
        sums=tuple(ModelSum(*row) for row in connection.execute(_SUMS).fetchall()),
    )


_SUMS = """
SELECT model, currency_iso_code, CAST(SUM(revenue_cents) AS BIGINT), CAST(SUM(pipeline_cents) AS BIGINT)
FROM channel_revenue
GROUP BY model, currency_iso_code
ORDER BY model, currency_iso_code
"""


def _row_counts(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, int]]:
    for mart in MARTS:
        ((count,),) = connection.execute(f"SELECT COUNT(*) FROM {mart}").fetchall()  # noqa: S608  # our own names
        yield mart, count
