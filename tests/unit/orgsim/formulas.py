"""Computes a formula over one opportunity of a small org, as a formula field of it would be."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from orgsim.clock import ClockSetting, parse_datetime
from orgsim.founding import add_organization_row
from orgsim.oauth.users import NewUser, add_user
from orgsim.schema.model import Field
from orgsim.soql.plan import Asker
from orgsim.soql.scope import Column, Scope
from orgsim.soql.shape import json_value
from orgsim.soql.tree import Path as FieldPath
from orgsim.store.state import NewOrg, State
from orgsim.store.write import Writer

FIELDS = (
    Field("Blank__c", "double", precision=18, scale=2, custom=True),
    Field("Rate__c", "percent", precision=18, scale=2, custom=True),
    Field("Tags__c", "multipicklist", length=4099, custom=True),
    Field("Note__c", "string", length=255, custom=True),
    Field("Long__c", "textarea", length=32000, filterable=False, sortable=False, custom=True),
    Field("Empty__c", "string", length=255, custom=True),
    Field("NoDay__c", "date", custom=True),
)


class Calculator:
    """`row` holds the opportunity's values; the clock stands at 2024-02-29T23:30:00Z, Stockholm is the user's zone."""

    def __init__(self, state: State) -> None:
        state.set_clock(ClockSetting(frozen_at=parse_datetime("2024-02-29T23:30:00Z")))
        self.org = state.create_org(NewOrg(name="Acme"))
        self.user_id = add_user(self.org, NewUser("ada@acme.example", "test-password-1"))
        add_organization_row(self.org, self.user_id)
        for field in FIELDS:
            self.org.add_field(self.org.catalog().get("Opportunity"), field)
        self.writer = Writer(self.org, self.user_id)
        self.writer.update("User", self.user_id, {"TimeZoneSidKey": "Europe/Stockholm"})
        account = self.writer.insert("Account", {"Name": "Acme", "AnnualRevenue": "1000.50", "Industry": "Energy"})
        self.record_id = self.writer.insert(
            "Opportunity",
            {
                "Name": "Big Deal",
                "StageName": "Prospecting",
                "CloseDate": "2024-01-31",
                "Amount": "1234.56",
                "AccountId": account,
                "Rate__c": "12.5",
                "Tags__c": "Red;Blue Green",
                "Note__c": "It's 5%",
            },
        )

    def change(self, **values: object) -> None:
        self.writer.update("Opportunity", self.record_id, values)

    def compute(self, formula: str, kind: str = "string", *, scale: int = 2, blanks_as_zero: bool = True) -> Any:
        """The value as JSON shows it. Raises ApiError for a formula that cannot be saved."""
        field = Field(
            "Formula__c", kind, precision=18, scale=scale, formula=formula, blanks_as_zero=blanks_as_zero, custom=True
        )
        sobject = replace(self.org.catalog().get("Opportunity").with_field(field), index={})
        question = Asker(self.org, self.user_id, "60.0").question("", all_rows=False)
        scope = Scope(question, sobject, None)
        column: Column = scope.column(FieldPath(("Formula__c",), 0))
        sql = f'SELECT {json_value(column)} FROM {scope.from_sql()} WHERE {scope.alias}."Id" = :wanted'
        [row] = self.org.database.connect().execute(sql, {**question.params, "wanted": self.record_id})
        return json.loads(row[0])


@contextmanager
def calculator(folder: Path) -> Iterator[Calculator]:
    state = State(folder)
    try:
        yield Calculator(state)
    finally:
        state.close()
