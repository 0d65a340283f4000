"""Converting a lead into an account, a contact and, if wanted, an opportunity (facts C.2)."""

from dataclasses import dataclass

from orgsim import ids
from orgsim.errors import ApiError
from orgsim.store.fieldhistory import write_event, write_field_history
from orgsim.store.rows import Row, find_rows, read_row
from orgsim.store.values import to_number
from orgsim.store.write import Writer

_CONVERTED_STATUS = "Closed - Converted"
_TO_CONTACT = ("FirstName", "LastName", "Salutation", "Title", "Email", "Phone", "MobilePhone", "Fax", "LeadSource")
_TO_ACCOUNT = ("Phone", "Website", "Industry", "AnnualRevenue", "NumberOfEmployees")


@dataclass(frozen=True, slots=True)
class Conversion:
    """Existing records may be named; else new ones are made. No opportunity name: no opportunity."""

    account_id: str | None = None
    contact_id: str | None = None
    opportunity_name: str | None = None
    status: str = _CONVERTED_STATUS


@dataclass(frozen=True, slots=True)
class Converted:
    account_id: str
    contact_id: str
    opportunity_id: str | None


def convert_lead(writer: Writer, lead_id: str, wish: Conversion = Conversion()) -> Converted:
    """Raises ApiError for a lead that is gone or converted already."""
    org, writer = writer.org, writer.without_duplicate_rules()
    with org.database.write() as connection:
        lead = read_row(connection, org.catalog().get("Lead"), ids.to_18(lead_id))
        if lead is None or lead["IsDeleted"] or lead["IsConverted"]:
            raise ApiError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        account_id = wish.account_id or _new_account(writer, lead)
        contact_id = wish.contact_id or _new_contact(writer, lead, account_id)
        opportunity_id = _new_opportunity(writer, lead, account_id, contact_id, wish.opportunity_name)
        changes: Row = {
            "IsConverted": 1,
            "Status": wish.status,
            "ConvertedDate": org.clock.now().date().isoformat(),
            "ConvertedAccountId": account_id,
            "ConvertedContactId": contact_id,
            "ConvertedOpportunityId": opportunity_id,
        }
        writer.set_fields("Lead", str(lead["Id"]), changes)
        _write_lead_history(writer, lead, changes)
        _move_memberships(writer, str(lead["Id"]), contact_id)
        _move_activities(writer, str(lead["Id"]), contact_id, account_id)
    return Converted(account_id, contact_id, opportunity_id)


def _write_lead_history(writer: Writer, lead: Row, changes: Row) -> None:
    sobject = writer.org.catalog().get("Lead")
    write_field_history(writer.org, writer.user_id, sobject, {**lead, **changes}, lead)
    write_event(writer.org, writer.user_id, sobject, str(lead["Id"]), "leadConverted")


def _new_account(writer: Writer, lead: Row) -> str:
    copied = {name: _given(writer, "Lead", lead, name) for name in _TO_ACCOUNT}
    return writer.with_origin("accountCreatedFromLead").insert(
        "Account", {"Name": lead["Company"], **_given_to_all(lead), **copied}
    )


def _given_to_all(lead: Row) -> Row:
    """Owner and, where there are several, currency."""
    return {name: lead[name] for name in ("OwnerId", "CurrencyIsoCode") if name in lead}


def _new_contact(writer: Writer, lead: Row, account_id: str) -> str:
    copied = {name: lead[name] for name in _TO_CONTACT}
    values = {"AccountId": account_id, **_given_to_all(lead), **copied}
    return writer.with_origin("contactCreatedFromLead").insert("Contact", values)


def _new_opportunity(writer: Writer, lead: Row, account_id: str, contact_id: str, name: str | None) -> str | None:
    if name is None:
        return None
    close = writer.org.clock.now().date()
    quarter_end = f"{close.year}-{(close.month - 1) // 3 * 3 + 3:02d}-28"
    values = {
        "Name": name,
        "AccountId": account_id,
        "StageName": "Prospecting",
        "CloseDate": max(quarter_end, close.isoformat()),
        "LeadSource": lead["LeadSource"],
        **_given_to_all(lead),
    }
    opportunity_id = writer.with_origin("opportunityCreatedFromLead").insert("Opportunity", values)
    role = {"OpportunityId": opportunity_id, "ContactId": contact_id, "IsPrimary": True}
    writer.insert("OpportunityContactRole", role)
    return opportunity_id


def _move_memberships(writer: Writer, lead_id: str, contact_id: str) -> None:
    """LeadId stays, ContactId is filled, unless the contact is a member of that campaign by itself."""
    org = writer.org
    members = org.catalog().get("CampaignMember")
    own = {row["CampaignId"] for row in find_rows(org.database.connect(), members, "ContactId", contact_id)}
    for row in find_rows(org.database.connect(), members, "LeadId", lead_id):
        if not row["IsDeleted"] and row["CampaignId"] not in own:
            changes: Row = {"ContactId": contact_id, "LeadOrContactId": contact_id, "Type": "Contact"}
            writer.set_fields("CampaignMember", str(row["Id"]), changes)


def _move_activities(writer: Writer, lead_id: str, contact_id: str, account_id: str) -> None:
    org = writer.org
    for name in ("Task", "Event"):
        for row in find_rows(org.database.connect(), org.catalog().get(name), "WhoId", lead_id):
            writer.set_fields(name, str(row["Id"]), {"WhoId": contact_id, "AccountId": row["AccountId"] or account_id})


def _given(writer: Writer, sobject: str, row: Row, name: str) -> object:
    """A stored value as a caller would send it: scaled numbers back to their size."""
    field, value = writer.org.catalog().get(sobject).index[name.lower()], row[name]
    return to_number(field, value) if isinstance(value, int) and field.scale else value
