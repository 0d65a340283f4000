"""The records that attribution reads: which fields of which objects, and under which names the models see them.

The views come from the lake, named as Salesforce names the objects. `fields_read` tells the sync what to fetch.
"""

from dataclasses import dataclass, replace

import duckdb

from headwater.attribution.rules import Rules
from headwater.common.errors import Facts, Fix

_TEXT, _TRUTH, _TIME, _DAY, _MONEY = "VARCHAR", "BOOLEAN", "TIMESTAMP", "DATE", "DECIMAL(26,8)"


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    field: str
    type: str
    required: bool = True


_AMOUNT, _OVERRIDE = "named by Rules.amount_field", "named by Rules.override_date_field"

_SOURCES = {
    "Lead": (
        _Column("lead_id", "Id", _TEXT),
        _Column("email", "Email", _TEXT),
        _Column("created_utc", "CreatedDate", _TIME),
        _Column("is_converted", "IsConverted", _TRUTH),
        _Column("converted_contact_id", "ConvertedContactId", _TEXT),
    ),
    "Contact": (
        _Column("contact_id", "Id", _TEXT),
        _Column("email", "Email", _TEXT),
        _Column("account_id", "AccountId", _TEXT),
        _Column("created_utc", "CreatedDate", _TIME),
    ),
    "Opportunity": (
        _Column("opportunity_id", "Id", _TEXT),
        _Column("account_id", "AccountId", _TEXT),
        _Column("created_utc", "CreatedDate", _TIME),
        _Column("close_date", "CloseDate", _DAY),
        _Column("is_closed", "IsClosed", _TRUTH),
        _Column("is_won", "IsWon", _TRUTH),
        _Column("amount", _AMOUNT, _MONEY),
        _Column("currency_iso_code", "CurrencyIsoCode", _TEXT, required=False),
    ),
    "OpportunityContactRole": (
        _Column("opportunity_id", "OpportunityId", _TEXT),
        _Column("contact_id", "ContactId", _TEXT),
        _Column("is_primary", "IsPrimary", _TRUTH),
    ),
    "Campaign": (
        _Column("campaign_id", "Id", _TEXT),
        _Column("campaign_name", "Name", _TEXT),
        _Column("campaign_type", "Type", _TEXT),
    ),
    "CampaignMember": (
        _Column("member_id", "Id", _TEXT),
        _Column("campaign_id", "CampaignId", _TEXT),
        _Column("lead_id", "LeadId", _TEXT),
        _Column("contact_id", "ContactId", _TEXT),
        _Column("has_responded", "HasResponded", _TRUTH),
        _Column("created_utc", "CreatedDate", _TIME),
        _Column("first_responded_utc", "FirstRespondedDate", _TIME),
        _Column("override_utc", _OVERRIDE, _TIME, required=False),
    ),
    "Task": (
        _Column("activity_id", "Id", _TEXT),
        _Column("who_id", "WhoId", _TEXT),
        _Column("activity_type", "Type", _TEXT),
        _Column("subject", "Subject", _TEXT),
        _Column("status", "Status", _TEXT),
        _Column("is_closed", "IsClosed", _TRUTH),
        _Column("activity_date_utc", "ActivityDate", _TIME),
        _Column("created_utc", "CreatedDate", _TIME),
        _Column("completed_utc", "CompletedDateTime", _TIME, required=False),
    ),
    "Event": (
        _Column("activity_id", "Id", _TEXT),
        _Column("who_id", "WhoId", _TEXT),
        _Column("activity_type", "Type", _TEXT),
        _Column("subject", "Subject", _TEXT),
        _Column("activity_date_utc", "ActivityDate", _TIME),
        _Column("start_utc", "StartDateTime", _TIME),
        _Column("created_utc", "CreatedDate", _TIME),
    ),
}


def _sources(rules: Rules) -> dict[str, tuple[_Column, ...]]:
    """The sources with the fields that the rules name."""
    named = {_AMOUNT: rules.amount_field, _OVERRIDE: rules.override_date_field}
    return {
        sobject: tuple(replace(column, field=named.get(column.field, column.field)) for column in columns)
        for sobject, columns in _SOURCES.items()
    }


_TABLES = {
    "OpportunityContactRole": "source_opportunity_contact_role",
    "CampaignMember": "source_campaign_member",
}


def fields_read(rules: Rules) -> dict[str, tuple[tuple[str, bool], ...]]:
    """For each object the fields that a run reads, each with whether the run needs it or can do without."""
    return {
        sobject: tuple((column.field, column.required) for column in columns)
        for sobject, columns in _sources(rules).items()
    }


def stage_sources(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Copy the needed columns of each object into `source_<object>`; an optional field that is absent is null.

    Errors    Fix   attribution.source_missing  names every object and field that is not in the local copy.
    """
    found = _columns_found(connection)
    sources = _sources(rules)
    _refuse_missing(
        [
            f"{sobject}.{column.field}"
            for sobject, columns in sources.items()
            for column in columns
            if column.required and column.field.lower() not in found.get(sobject.lower(), set())
        ]
    )
    for sobject, columns in sources.items():
        table = _TABLES.get(sobject, f"source_{sobject.lower()}")
        here = found[sobject.lower()]
        selected = ", ".join(_selected(column, column.field.lower() in here) for column in columns)
        connection.execute(f"DROP TABLE IF EXISTS {table}")
        connection.execute(f'CREATE TABLE {table} AS SELECT {selected} FROM "{sobject}"')  # noqa: S608  # names from the table above


def _selected(column: _Column, is_here: bool) -> str:
    value = '"' + column.field.replace('"', '""') + '"' if is_here else "NULL"
    return f"CAST({value} AS {column.type}) AS {column.name}"


def _columns_found(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "SELECT LOWER(table_name), LOWER(column_name) FROM information_schema.columns"
    ).fetchall():
        found.setdefault(table, set()).add(column)
    return found


def _refuse_missing(missing: list[str]) -> None:
    if missing:
        raise Fix(
            "attribution.source_missing",
            f"Attribution needs {len(missing)} fields that the local copy lacks: {', '.join(missing)}.",
            Facts(
                why="They were never read, or the connected user may not see them.",
                left="The results of the last run are unchanged.",
                you_can="give the connected user read access to these fields and run a sync",
            ),
        )
