"""Rules, models and the run's moment as small tables, so that the models are the same text for every account."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import duckdb

from headwater.attribution.rules import CampaignRule, Rules
from headwater.attribution.standard_models import STANDARD_MODELS, Stage, percent_text

_COLUMNS = {
    "run_setting": "as_of_utc TIMESTAMP, mapping VARCHAR",
    "rule_campaign": (
        "rule_order INTEGER, campaign_type VARCHAR, responded_only BOOLEAN, is_include BOOLEAN, "
        "date_1 VARCHAR, date_2 VARCHAR, date_3 VARCHAR"
    ),
    "rule_activity": (
        "rule_order INTEGER, sobject VARCHAR, activity_type VARCHAR, completed_only BOOLEAN, "
        "campaign_name VARCHAR, date_field VARCHAR, channel VARCHAR, subchannel VARCHAR"
    ),
    "rule_channel": "campaign_type VARCHAR, channel VARCHAR, subchannel VARCHAR",
    "model": "model VARCHAR, middle_weight BIGINT, middle_label VARCHAR, end_stage VARCHAR",
    "model_stage": "model VARCHAR, stage VARCHAR, stage_order INTEGER, weight BIGINT, label VARCHAR",
}

Row = Sequence[object]


def write_rule_tables(connection: duckdb.DuckDBPyConnection, rules: Rules, as_of: datetime) -> None:
    """as_of  The moment the run speaks of, timezone-aware: later touches do not exist yet."""
    if as_of.tzinfo is None:
        raise ValueError("A run needs a timezone-aware moment.")
    moment = as_of.astimezone(UTC).replace(tzinfo=None)
    _write(connection, "run_setting", [(moment, rules.mapping.value)])
    _write(connection, "rule_campaign", _campaign_rows(rules))
    _write(connection, "rule_activity", _activity_rows(rules))
    _write(
        connection,
        "rule_channel",
        [(rule.campaign_type.lower(), rule.channel, rule.subchannel) for rule in rules.channels],
    )
    _write(
        connection,
        "model",
        [(m.code, m.middle, percent_text(m.middle), m.end.value) for m in STANDARD_MODELS],
    )
    _write(connection, "model_stage", _stage_rows())


def _write(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Row]) -> None:
    connection.execute(f"DROP TABLE IF EXISTS {table}")
    connection.execute(f"CREATE TABLE {table} ({_COLUMNS[table]})")
    values = [list(row) for row in rows]
    if values:
        marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in values)
        connection.execute(f"INSERT INTO {table} VALUES {marks}", [cell for row in values for cell in row])  # noqa: S608  # our own names


def _lowered(types: Sequence[str]) -> list[str] | list[None]:
    """The types to compare with, null for every type."""
    return sorted({name.lower() for name in types}) or [None]


def _campaign_rows(rules: Rules) -> Iterable[Row]:
    for order, rule in enumerate(rules.campaigns):
        for campaign_type in _lowered(rule.campaign_types):
            yield (order, campaign_type, rule.responded_only, rule.include, *_three_dates(rule))


def _three_dates(rule: CampaignRule) -> list[str | None]:
    return [*(date.value for date in rule.dates), None, None][:3]


def _activity_rows(rules: Rules) -> Iterable[Row]:
    for order, rule in enumerate(rules.activities):
        for activity_type in _lowered(rule.activity_types):
            yield (
                order, rule.activity.value, activity_type, rule.completed_only,
                rule.campaign_name, rule.date.value, rule.channel, rule.subchannel,
            )  # fmt: skip


def _stage_rows() -> Iterable[Row]:
    for model in STANDARD_MODELS:
        for order, stage in enumerate(Stage):
            if stage in model.stages:
                weight = model.stages[stage]
                yield (model.code, stage.value, order, weight, percent_text(weight))
