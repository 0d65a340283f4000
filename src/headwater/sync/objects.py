"""Which objects are read and which of their fields; why each is read: docs/reference/replica.md.

Not here: types, which come from the org's describe (lake/schema.py).
"""

from collections.abc import Mapping

_SYSTEM_FIELDS = "Id CreatedDate LastModifiedDate SystemModstamp IsDeleted"
_SYSTEM_FIELDS_USER = "Id CreatedDate LastModifiedDate SystemModstamp"  # users are never deleted
_SYSTEM_FIELDS_HISTORY = "Id CreatedDate SystemModstamp IsDeleted"  # history rows are never changed


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
    "Campaign": _fields("Name Type Status IsActive StartDate EndDate ActualCost ParentId"),
    "CampaignMember": _fields("CampaignId LeadId ContactId Status HasResponded FirstRespondedDate"),
    "Opportunity": _fields(
        "Name AccountId StageName Amount CloseDate IsClosed IsWon Type LeadSource CampaignId OwnerId"
    ),
    "OpportunityContactRole": _fields("OpportunityId ContactId Role IsPrimary"),
    "OpportunityHistory": _fields("OpportunityId StageName Amount CloseDate Probability", _SYSTEM_FIELDS_HISTORY),
    "Task": _fields("Type Subject Status ActivityDate IsClosed WhoId WhatId AccountId OwnerId"),
    "Event": _fields("Type Subject ActivityDate StartDateTime EndDateTime WhoId WhatId AccountId OwnerId"),
    "Case": _fields("MasterRecordId ContactId AccountId Status SuppliedEmail OwnerId"),
}

# recordCount knows no history objects and leaves archived activities out (facts B.3): these are counted by query.
COUNTED_BY_QUERY = ("OpportunityHistory", "Task", "Event")
