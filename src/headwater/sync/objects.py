"""Which objects are read and which of their fields; why each is read: docs/reference/replica.md.

Not here: what settings and rules name besides (extras.py), and types, which come from the describe (lake/schema.py).
"""

from collections.abc import Mapping

from headwater.connections.package import FIELDS as PACKAGE_FIELDS

_SYSTEM_FIELDS = "Id CreatedDate LastModifiedDate SystemModstamp IsDeleted"
_SYSTEM_FIELDS_USER = "Id CreatedDate LastModifiedDate SystemModstamp"  # users are never deleted
_SYSTEM_FIELDS_HISTORY = "Id CreatedDate SystemModstamp IsDeleted"  # history rows are never changed
_SYSTEM_FIELDS_FIELD_HISTORY = "Id CreatedDate IsDeleted"  # and those of fields have no stamp at all (facts C.27)
_SYSTEM_FIELDS_SETUP = "Id CreatedDate LastModifiedDate SystemModstamp"  # setup has no recycle bin
_FIELD_HISTORY = "Field DataType OldValue NewValue CreatedById"


def _fields(own: str, system: str = _SYSTEM_FIELDS) -> tuple[str, ...]:
    return (*system.split(), *own.split())


OBJECTS: Mapping[str, tuple[str, ...]] = {
    "User": _fields("Username Name Email IsActive ManagerId", _SYSTEM_FIELDS_USER),
    "Account": _fields("MasterRecordId Name Website Industry NumberOfEmployees BillingCountry OwnerId"),
    "Contact": _fields("MasterRecordId AccountId FirstName LastName Email Title LeadSource OwnerId"),
    "Lead": _fields(
        "MasterRecordId FirstName LastName Company Email Status LeadSource Website IsConverted ConvertedDate "
        "ConvertedAccountId ConvertedContactId ConvertedOpportunityId OwnerId"
    ),
    "LeadHistory": _fields(f"LeadId {_FIELD_HISTORY}", _SYSTEM_FIELDS_FIELD_HISTORY),
    "ContactHistory": _fields(f"ContactId {_FIELD_HISTORY}", _SYSTEM_FIELDS_FIELD_HISTORY),
    "Campaign": _fields("Name Type Status IsActive StartDate EndDate ActualCost ParentId"),
    "CampaignMember": _fields("CampaignId LeadId ContactId Status HasResponded FirstRespondedDate"),
    "Opportunity": _fields(
        "Name AccountId StageName Amount CloseDate IsClosed IsWon Type LeadSource CampaignId OwnerId"
    ),
    "OpportunityContactRole": _fields("OpportunityId ContactId Role IsPrimary"),
    "OpportunityHistory": _fields("OpportunityId StageName Amount CloseDate Probability", _SYSTEM_FIELDS_HISTORY),
    "OpportunityFieldHistory": _fields(f"OpportunityId {_FIELD_HISTORY}", _SYSTEM_FIELDS_FIELD_HISTORY),
    "Task": _fields("Type Subject Status ActivityDate IsClosed WhoId WhatId AccountId OwnerId CreatedById"),
    "Event": _fields("Type Subject ActivityDate StartDateTime EndDateTime WhoId WhatId AccountId OwnerId CreatedById"),
    "Case": _fields("MasterRecordId ContactId AccountId Status SuppliedEmail OwnerId"),
}

# Read where the org has them: most are seen by everybody who sees the object, or come and go with a feature.
IF_THERE: Mapping[str, tuple[str, ...]] = {
    "Account": ("RecordTypeId",),
    "Contact": ("RecordTypeId",),
    "Lead": ("RecordTypeId",),
    "Campaign": ("RecordTypeId",),
    "Opportunity": ("RecordTypeId",),
    "Task": ("RecordTypeId", "RecurrenceStartDateOnly", "RecurrenceEndDateOnly"),
    "Event": ("RecordTypeId", "RecurrenceStartDateTime", "RecurrenceEndDateOnly"),
    "Case": ("RecordTypeId",),
}
IF_SEVERAL_CURRENCIES = ("CurrencyIsoCode", "DefaultCurrencyIsoCode")  # of every object that has them (facts C.40)

# Small, without a recycle bin, and seldom changed: read whole, once a day, with the describe.
SMALL: Mapping[str, tuple[str, ...]] = {
    "RecordType": _fields("Name DeveloperName SobjectType IsActive Description", _SYSTEM_FIELDS_SETUP),
    "CurrencyType": _fields("IsoCode ConversionRate DecimalPlaces IsActive IsCorporate", _SYSTEM_FIELDS_SETUP),
    "DatedConversionRate": _fields("IsoCode StartDate NextStartDate ConversionRate", _SYSTEM_FIELDS_SETUP),
}
# What we write ourselves: only what others did to it is news, so its changes are read once a day.
PACKAGE: Mapping[str, tuple[str, ...]] = {
    name: _fields(" ".join(field.name for field in fields)) for name, fields in PACKAGE_FIELDS.items()
}
BESIDES: Mapping[str, tuple[str, ...]] = {**SMALL, **PACKAGE}  # of these whatever the org shows is read
DAILY = frozenset(BESIDES)  # five of them are one composite

# The sync goes on without these: history is there where it is tracked, and not every org has cases.
OPTIONAL = frozenset({"LeadHistory", "ContactHistory", "OpportunityFieldHistory", "Case", *BESIDES})

# recordCount knows no history objects and leaves archived activities out (facts B.3): these are counted by query, five
# for the one credit that the describe costs anyway. Archived events show up when events are first looked at.
COUNTED_BY_QUERY = ("OpportunityHistory", "OpportunityFieldHistory", "LeadHistory", "ContactHistory", "Task")

# A row of field history goes and comes back with its record, while no stamp of its own tells (facts C.27).
GOES_WITH: Mapping[str, tuple[str, str]] = {
    "LeadHistory": ("Lead", "LeadId"),
    "ContactHistory": ("Contact", "ContactId"),
    "OpportunityFieldHistory": ("Opportunity", "OpportunityId"),
}
