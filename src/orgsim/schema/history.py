"""Field history in the schema: which fields of the standard objects are tracked, and the objects that keep it.

Rows are written in store/fieldhistory.py (facts C.27).
"""

from dataclasses import replace

from orgsim.schema.declare import defaulted, flag, moment, pick, read_only, record_id, reference, required
from orgsim.schema.model import Field, SObject

KEY_PREFIX = "017"  # of all of them; no describe tells it
MAX_TRACKED_FIELDS = 20
EVENTS = (
    "created",
    "ownerAccepted",
    "accountCreatedFromLead",
    "accountMerged",
    "contactCreatedFromLead",
    "contactMerged",
    "leadConverted",
    "leadMerged",
    "opportunityCreatedFromLead",
)
DATA_TYPES = {
    "string": "Text",
    "picklist": "DynamicEnum",
    "multipicklist": "MultiEnum",
    "textarea": "MultiLineText",
    "reference": "EntityId",
    "boolean": "Boolean",
    "currency": "Currency",
    "double": "Double",
    "int": "Double",
    "percent": "Percent",
    "date": "DateOnly",
    "datetime": "DateTime",
    "email": "Email",
    "phone": "Phone",
    "url": "Url",
}
_HISTORY_NAMES = {"Opportunity": "OpportunityFieldHistory"}
# What orgsim tracks from the start; a new org tracks only fields of Case.
_TRACKED: dict[str, tuple[str, ...]] = {
    "Account": ("Name", "OwnerId", "ParentId", "Type", "Industry", "AnnualRevenue", "NumberOfEmployees", "Website"),
    "Contact": ("AccountId", "OwnerId", "Email", "Phone", "Title", "LeadSource", "HasOptedOutOfEmail"),
    "Lead": ("Status", "OwnerId", "Company", "Email", "Phone", "Title", "LeadSource", "Rating", "Industry"),
    "Opportunity": (
        "Name", "StageName", "Amount", "CloseDate", "Probability", "ForecastCategoryName", "OwnerId", "AccountId",
        "CampaignId", "Type", "LeadSource", "NextStep",
    ),
    "Case": ("Status", "OwnerId", "Priority", "ContactId", "Type", "Reason", "Origin", "Subject", "IsEscalated"),
}  # fmt: skip

KEEPERS = frozenset({*_TRACKED, "Campaign"})  # the standard objects that can keep a history


def with_standard_history(sobject: SObject) -> SObject:
    """The object with the fields tracked that orgsim tracks from the start; unchanged where that is none."""
    tracked = _TRACKED.get(sobject.name)
    if tracked is None:
        return sobject
    fields = tuple(replace(each, track_history=each.name in tracked) for each in sobject.fields)
    return replace(sobject, fields=fields, history_name=history_name(sobject.name), index={})


def history_name(name: str) -> str:
    if name.endswith("__c"):
        return f"{name.removesuffix('__c')}__History"
    return _HISTORY_NAMES.get(name, f"{name}History")


def history_object(parent: SObject) -> SObject:
    """The object that keeps the history of another. Its rows are read-only and go with their parent."""
    link = "ParentId" if parent.custom else f"{parent.name}Id"
    label = f"{parent.label} History" if not parent.custom else f"History: {parent.label}"
    return SObject(
        history_name(parent.name),
        label,
        label,
        KEY_PREFIX,
        (
            record_id(),
            flag("IsDeleted", read_only=True),
            read_only(required(reference(link, parent.name, child="Histories", cascade_delete=True))),
            read_only(defaulted(reference("CreatedById", "User"), "")),
            read_only(defaulted(moment("CreatedDate"), "")),
            read_only(required(pick("Field", _field_names(parent), restricted=True))),
            read_only(pick("DataType", tuple(sorted(set(DATA_TYPES.values()))), 40, restricted=True)),
            read_only(_value("OldValue", "Old Value")),
            read_only(_value("NewValue", "New Value")),
        ),
        custom=parent.custom,
        createable=False,
        updateable=False,
        deletable=False,
        undeletable=False,
        stamp_field="CreatedDate",
        is_history=True,
    )


def shown_name(field: Field) -> str:
    """What history calls a field: a standard lookup by its relationship, `Owner`, all others by their name."""
    return field.name if field.custom or field.relationship_name is None else field.relationship_name


def can_be_tracked(field: Field) -> bool:
    return field.formula is None and not field.auto_number and field.type in DATA_TYPES


def _field_names(parent: SObject) -> tuple[str, ...]:
    return (*EVENTS, *(shown_name(each) for each in parent.fields if can_be_tracked(each)))


def _value(name: str, label: str) -> Field:
    return Field(name, "anyType", label, length=255, filterable=False)
