"""Fields Salesforce fills in by itself from the others when a record is saved.

Not here: campaign roll-ups (NumberOfLeads …), which this org does not keep, and seeded rows, which come complete.
"""

import datetime as dt
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from orgsim.clock import datetime_text, parse_datetime
from orgsim.errors import ApiError
from orgsim.schema.catalog import Catalog
from orgsim.schema.sales import STAGES
from orgsim.store.rows import Row, find_rows, read_row

ARCHIVE_AFTER = dt.timedelta(days=365)
_CATEGORY_NAMES = {"BestCase": "Best Case", "MostLikely": "Most Likely", "Forecast": "Commit"}
_COPIED_TO_MEMBER = (
    "Salutation",
    "Name",
    "FirstName",
    "LastName",
    "Title",
    "Email",
    "Phone",
    "Fax",
    "MobilePhone",
    "LeadSource",
    "HasOptedOutOfEmail",
    "HasOptedOutOfFax",
    "DoNotCall",
)


@dataclass(frozen=True, slots=True)
class Saving:
    """A record about to be saved: `row` is complete and may be changed, `sent` names what the caller gave."""

    connection: sqlite3.Connection
    catalog: Catalog
    now: dt.datetime
    row: Row
    old: Row | None
    sent: frozenset[str]

    def changed(self, name: str) -> bool:
        return self.old is None or self.old.get(name) != self.row.get(name)

    def parent(self, sobject: str, record_id: object) -> Row:
        if not record_id:
            return {}
        return read_row(self.connection, self.catalog.get(sobject), str(record_id)) or {}


def fill_in(sobject: str, saving: Saving) -> None:
    if rule := _RULES.get(sobject):
        rule(saving)


def _person_name(saving: Saving) -> None:
    parts = (saving.row.get("FirstName"), saving.row.get("LastName"))
    saving.row["Name"] = " ".join(str(part) for part in parts if part) or None


def _opportunity(saving: Saving) -> None:
    row = saving.row
    probability, is_closed, is_won, category = STAGES.get(str(row["StageName"]), (row.get("Probability"), 0, 0, None))
    if saving.changed("StageName"):
        row["LastStageChangeDate"] = datetime_text(saving.now) if saving.old else None
        if "Probability" not in saving.sent:
            row["Probability"] = probability
        row["ForecastCategory"] = category
        row["ForecastCategoryName"] = _CATEGORY_NAMES.get(category or "", category)
    row["IsClosed"], row["IsWon"] = int(is_closed), int(is_won)
    amount, share = row.get("Amount"), row.get("Probability")
    row["ExpectedRevenue"] = None if amount is None else int(amount) * int(share or 0) // 100
    close = str(row["CloseDate"])
    row["FiscalYear"], row["FiscalQuarter"] = int(close[:4]), (int(close[5:7]) + 2) // 3
    row["Fiscal"] = f"{row['FiscalYear']} {row['FiscalQuarter']}"


def _case(saving: Saving) -> None:
    row = saving.row
    row["IsClosed"] = int(row.get("Status") == "Closed")
    if not row["IsClosed"]:
        row["ClosedDate"] = None
    elif saving.changed("IsClosed"):
        row["ClosedDate"] = datetime_text(saving.now)
    contact = saving.parent("Contact", row.get("ContactId"))
    row["AccountId"] = row.get("AccountId") or contact.get("AccountId")
    row["ContactEmail"], row["ContactPhone"] = contact.get("Email"), contact.get("Phone")


def _account_of_activity(saving: Saving) -> None:
    """Derived and read-only (facts C.7): the related account, else the opportunity's, else the contact's."""
    what, who = str(saving.row.get("WhatId") or ""), str(saving.row.get("WhoId") or "")
    account = what if what.startswith("001") else None
    if what.startswith(("006", "500")):
        account = saving.parent("Opportunity" if what.startswith("006") else "Case", what).get("AccountId")  # type: ignore[assignment]  # a reference is text
    if account is None and who.startswith("003"):
        account = saving.parent("Contact", who).get("AccountId")  # type: ignore[assignment]  # a reference is text
    saving.row["AccountId"] = account


def _task(saving: Saving) -> None:
    row = saving.row
    _account_of_activity(saving)
    row["IsClosed"] = int(row.get("Status") == "Completed")
    row["IsHighPriority"] = int(row.get("Priority") == "High")
    row["TaskSubtype"] = row.get("TaskSubtype") or "Task"
    if not row["IsClosed"]:
        row["CompletedDateTime"] = None
    elif saving.changed("IsClosed"):
        row["CompletedDateTime"] = datetime_text(saving.now)


def _event(saving: Saving) -> None:
    row = saving.row
    _account_of_activity(saving)
    start = row.get("StartDateTime") or row.get("ActivityDateTime")
    if start is None:
        raise ApiError(
            "REQUIRED_FIELD_MISSING", "Required fields are missing: [StartDateTime]", fields=("StartDateTime",)
        )
    row["StartDateTime"] = row["ActivityDateTime"] = start
    row["ActivityDate"] = str(start)[:10]
    begins = parse_datetime(str(start))
    if row.get("EndDateTime") is None or ("DurationInMinutes" in saving.sent and "EndDateTime" not in saving.sent):
        row["EndDateTime"] = datetime_text(begins + dt.timedelta(minutes=int(row.get("DurationInMinutes") or 60)))
    row["EndDate"] = str(row["EndDateTime"])[:10]
    row["DurationInMinutes"] = int((parse_datetime(str(row["EndDateTime"])) - begins).total_seconds() // 60)


def _campaign_member(saving: Saving) -> None:
    row = saving.row
    if row.get("LeadId") is None and row.get("ContactId") is None:
        raise ApiError("REQUIRED_FIELD_MISSING", "Required fields are missing: [LeadId]", fields=("LeadId",))
    if saving.old is None:
        _refuse_second_membership(saving)
    row["Status"] = row.get("Status") or "Sent"
    row["HasResponded"] = int(_is_response(saving))
    if row["HasResponded"] and not row.get("FirstRespondedDate"):
        row["FirstRespondedDate"] = saving.now.date().isoformat()
    _copy_person(saving)


def _refuse_second_membership(saving: Saving) -> None:
    members = saving.catalog.get("CampaignMember")
    for link in ("LeadId", "ContactId"):
        person = saving.row.get(link)
        for other in find_rows(saving.connection, members, link, person) if person else ():
            if other["CampaignId"] == saving.row["CampaignId"] and not other["IsDeleted"]:
                raise ApiError("DUPLICATE_VALUE", "Already a campaign member.", fields=())


def _is_response(saving: Saving) -> bool:
    statuses = saving.catalog.get("CampaignMemberStatus")
    rows = find_rows(saving.connection, statuses, "CampaignId", saving.row["CampaignId"])
    for each in rows:
        if each["Label"] == saving.row["Status"] and not each["IsDeleted"]:
            return bool(each["HasResponded"])
    return saving.row["Status"] == "Responded"


def _copy_person(saving: Saving) -> None:
    row = saving.row
    kind = "Contact" if row.get("ContactId") else "Lead"
    person = saving.parent(kind, row.get(f"{kind}Id"))
    row.update({name: person.get(name) for name in _COPIED_TO_MEMBER})
    row["Type"], row["LeadOrContactId"] = kind, person.get("Id")
    row["LeadOrContactOwnerId"] = person.get("OwnerId")
    account = saving.parent("Account", person.get("AccountId"))
    row["CompanyOrAccount"] = person.get("Company") or account.get("Name")


def is_old_activity(sobject: str, row: Row, now: dt.datetime) -> bool:
    """Events 365 days past, closed tasks 365 days past due, or made 365 days ago without a due date (facts C.2)."""
    border = datetime_text(now - ARCHIVE_AFTER)
    if sobject == "Event":
        return str(row["EndDateTime"]) <= border
    if not row["IsClosed"]:
        return False
    due = row.get("ActivityDate")
    return str(due) <= border[:10] if due else str(row["CreatedDate"]) <= border


_RULES: dict[str, Callable[[Saving], None]] = {
    "Contact": _person_name,
    "Lead": _person_name,
    "User": _person_name,
    "Opportunity": _opportunity,
    "Case": _case,
    "Task": _task,
    "Event": _event,
    "CampaignMember": _campaign_member,
}
