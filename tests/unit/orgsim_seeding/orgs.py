"""Seeded orgs for the tests of this folder, and the few questions several of them ask."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from orgsim.seeding import generate, object_fields

END = datetime(2025, 6, 1, 12, 30, tzinfo=UTC)
START = END - timedelta(days=3 * 365)

Row = dict[str, Any]


def counting_ids() -> Callable[[str], str]:
    numbers = itertools.count()
    return lambda sobject: f"{sobject}-{next(numbers)}"


@dataclass(frozen=True)
class Org:
    """All rows of a seeded org by sObject, each also under its Id."""

    rows: dict[str, list[Row]]
    by_id: dict[str, Row]

    def __getitem__(self, sobject: str) -> list[Row]:
        return self.rows[sobject]

    def touches_by_account(self) -> dict[str, list[tuple[datetime, str]]]:
        """Moment and person of every membership, task and event of an account's contacts."""
        touches: dict[str, list[tuple[datetime, str]]] = {account["Id"]: [] for account in self["Account"]}
        for member in self["CampaignMember"]:
            if member["ContactId"]:
                account = self.by_id[member["ContactId"]]["AccountId"]
                touches[account].append((member["CreatedDate"], member["ContactId"]))
        for activity in (*self["Task"], *self["Event"]):
            if activity["AccountId"]:
                moment = activity.get("StartDateTime", activity["CreatedDate"])
                touches[activity["AccountId"]].append((moment, activity["WhoId"]))
        return touches


def seed_org(records: int, seed: int) -> Org:
    rows: dict[str, list[Row]] = {name: [] for name in object_fields()}
    for sobject, batch in generate(records=records, seed=seed, end=END, new_id=counting_ids()):
        rows[sobject].extend(batch)
    return Org(rows, {row["Id"]: row for batch in rows.values() for row in batch})


def as_day(moment: datetime | date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
