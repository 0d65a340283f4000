"""A tiny org in memory: say what it holds, run attribution, ask what came out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb

from headwater.attribution import Rules, RunResult, attribute, build_touches

COLUMNS = {
    "Lead": "Id VARCHAR, Email VARCHAR, CreatedDate TIMESTAMP, IsConverted BOOLEAN, ConvertedContactId VARCHAR",
    "Contact": "Id VARCHAR, Email VARCHAR, AccountId VARCHAR, CreatedDate TIMESTAMP",
    "Opportunity": (
        "Id VARCHAR, AccountId VARCHAR, CreatedDate TIMESTAMP, CloseDate DATE, IsClosed BOOLEAN, IsWon BOOLEAN, "
        "Amount DECIMAL(26,8), CurrencyIsoCode VARCHAR"
    ),
    "OpportunityContactRole": "OpportunityId VARCHAR, ContactId VARCHAR, IsPrimary BOOLEAN",
    "Campaign": "Id VARCHAR, Name VARCHAR, Type VARCHAR",
    "CampaignMember": (
        "Id VARCHAR, CampaignId VARCHAR, LeadId VARCHAR, ContactId VARCHAR, HasResponded BOOLEAN, "
        "CreatedDate TIMESTAMP, FirstRespondedDate DATE, Touchpoint_Date__c TIMESTAMP"
    ),
    "Task": (
        "Id VARCHAR, WhoId VARCHAR, Type VARCHAR, Subject VARCHAR, Status VARCHAR, IsClosed BOOLEAN, "
        "ActivityDate DATE, CreatedDate TIMESTAMP, CompletedDateTime TIMESTAMP"
    ),
    "Event": (
        "Id VARCHAR, WhoId VARCHAR, Type VARCHAR, Subject VARCHAR, ActivityDate DATE, StartDateTime TIMESTAMP, "
        "CreatedDate TIMESTAMP"
    ),
    "touch": (
        "touch_id VARCHAR, person_key VARCHAR, touch_utc TIMESTAMP, kind VARCHAR, is_form BOOLEAN, channel VARCHAR"
    ),
}
LONG_AGO = "2010-01-01"
AS_OF = datetime(2030, 1, 1, tzinfo=UTC)
MODELS = ("first_touch", "lead_creation", "u_shaped", "w_shaped", "full_path")


def email_of(contact: str) -> str:
    return f"{contact}@example.com"


@dataclass
class Org:
    """Rows by object. `touch` rows are given directly, as another source than the CRM would give them."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def lead(self, key: str, email: str | None, *, created: str = LONG_AGO, contact: str | None = None) -> None:
        self.rows["Lead"].append((key, email, created, contact is not None, contact))

    def contact(
        self, key: str, *, email: str | None = "", account: str | None = "acme", created: str = LONG_AGO
    ) -> None:
        """By default with an address of its own (`email_of`) and on the one account."""
        self.rows["Contact"].append((key, email_of(key) if email == "" else email, account, created))

    def opportunity(
        self,
        key: str = "opp",
        *,
        created: str,
        closed: str | None = None,
        won: bool = True,
        amount: str | int | None = 100,
        account: str | None = "acme",
        currency: str | None = None,
    ) -> None:
        """Open unless `closed` names a day."""
        is_closed = closed is not None
        close_date = closed or "2040-01-01"
        row = (key, account, created, close_date, is_closed, won and is_closed, amount, currency)
        self.rows["Opportunity"].append(row)

    def role(self, contact: str, opportunity: str = "opp", *, primary: bool = False) -> None:
        self.rows["OpportunityContactRole"].append((opportunity, contact, primary))

    def campaign(self, key: str, campaign_type: str | None = "Webinar") -> None:
        self.rows["Campaign"].append((key, f"Campaign {key}", campaign_type))

    def member(
        self,
        key: str,
        campaign: str = "campaign",
        *,
        lead: str | None = None,
        contact: str | None = None,
        responded: bool = True,
        created: str | None = "2020-01-01 09:00",
        first_responded: str | None = None,
        override: str | None = None,
    ) -> None:
        row = (key, campaign, lead, contact, responded, created, first_responded, override)
        self.rows["CampaignMember"].append(row)

    def task(
        self,
        key: str,
        who: str | None,
        *,
        task_type: str | None = "Call",
        closed: bool = True,
        date: str | None = "2020-02-01",
        subject: str | None = "Hello",
    ) -> None:
        row = (key, who, task_type, subject, "Completed", closed, date, "2020-01-30", "2020-02-02 12:00")
        self.rows["Task"].append(row)

    def event(self, key: str, who: str | None, *, event_type: str | None = "Meeting", start: str | None) -> None:
        self.rows["Event"].append((key, who, event_type, "Lunch", "2020-01-01", start, "2019-12-01"))

    def form(self, key: str, contact: str, at: str, channel: str = "Web") -> None:
        self.rows["touch"].append((key, email_of(contact), at, "web", True, channel))

    def visit(self, key: str, contact: str, at: str, channel: str = "Web") -> None:
        self.rows["touch"].append((key, email_of(contact), at, "web", False, channel))

    def attributed(self, rules: Rules = Rules(), as_of: datetime = AS_OF) -> "Outcome":  # noqa: B008  # frozen
        connection = duckdb.connect()
        for sobject, columns in COLUMNS.items():
            if sobject != "touch":
                connection.execute(f'CREATE TABLE "{sobject}" ({columns})')
                insert(connection, sobject, self.rows[sobject])
        build_touches(connection, rules, as_of=as_of)
        add_touches(connection, self.rows["touch"])
        return Outcome(connection, attribute(connection))


def insert(connection: duckdb.DuckDBPyConnection, sobject: str, rows: Iterable[Sequence[Any]]) -> None:
    for row in rows:
        connection.execute(f'INSERT INTO "{sobject}" VALUES ({", ".join("?" for _ in row)})', row)


def add_touches(connection: duckdb.DuckDBPyConnection, rows: Iterable[Sequence[Any]]) -> None:
    names = "touch_id, person_key, touch_utc, kind, is_form, channel, channel_path"
    for row in rows:
        connection.execute(f"INSERT INTO touch ({names}) VALUES (?, ?, ?, ?, ?, ?, ?)", [*row, row[-1]])


@dataclass
class Outcome:
    connection: duckdb.DuckDBPyConnection
    result: RunResult

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def positions(self, opportunity: str = "opp") -> dict[str, str]:
        """Positions of an opportunity's touches, by touch, in the order of time."""
        query = "SELECT touch_id, positions FROM attribution_touchpoint WHERE opportunity_id = ? ORDER BY touch_utc"
        return dict(self.connection.execute(query, [opportunity]).fetchall())

    def percents(self, model: str, opportunity: str = "opp") -> dict[str, Decimal]:
        """Percent of each touch, to 4 decimals as the worked tables show it."""
        query = (
            f"SELECT touch_id, CAST(percent_{model} AS DECIMAL(9, 4)) FROM attribution_touchpoint "
            "WHERE opportunity_id = ? ORDER BY touch_utc"
        )
        return dict(self.connection.execute(query, [opportunity]).fetchall())

    def cents(self, model: str, opportunity: str = "opp") -> dict[str, int]:
        query = (
            f"SELECT touch_id, revenue_cents_{model} FROM attribution_touchpoint "
            "WHERE opportunity_id = ? ORDER BY touch_utc"
        )
        return dict(self.connection.execute(query, [opportunity]).fetchall())

    def buyer_positions(self, record: str) -> dict[str, str]:
        query = "SELECT touch_id, positions FROM buyer_touchpoint WHERE record_id = ? ORDER BY touch_utc"
        return dict(self.connection.execute(query, [record]).fetchall())

    def dropped(self) -> dict[str, str]:
        return dict(self.rows("SELECT source_id, reason FROM dropped_touch"))
