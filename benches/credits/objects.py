"""The fifteen objects of the bench: which fields are asked for, and how many of each are among 100,000 changes."""

from collections.abc import Mapping

_SYSTEM = "Id CreatedDate LastModifiedDate SystemModstamp IsDeleted"
_HISTORY = "Id CreatedDate CreatedById Field OldValue NewValue IsDeleted"

CONTACT = "Contact"
FIELDS: Mapping[str, tuple[str, ...]] = {
    name: tuple(fields.split())
    for name, fields in {
        "User": "Id CreatedDate LastModifiedDate SystemModstamp Username Name Email IsActive ManagerId",
        "Account": f"{_SYSTEM} MasterRecordId Name Website Industry NumberOfEmployees BillingCountry OwnerId",
        CONTACT: f"{_SYSTEM} MasterRecordId AccountId FirstName LastName Email Title LeadSource OwnerId Phone "
        "Department MailingCity MailingState MailingCountry HasOptedOutOfEmail CreatedById",
        "Lead": f"{_SYSTEM} MasterRecordId FirstName LastName Company Email Status LeadSource Website IsConverted "
        "ConvertedDate ConvertedAccountId ConvertedContactId ConvertedOpportunityId OwnerId",
        "Campaign": f"{_SYSTEM} Name Type Status IsActive StartDate EndDate ActualCost ParentId",
        "CampaignMember": f"{_SYSTEM} CampaignId LeadId ContactId Status HasResponded FirstRespondedDate",
        "Opportunity": f"{_SYSTEM} Name AccountId StageName Amount CloseDate IsClosed IsWon Type LeadSource CampaignId "
        "OwnerId",
        "OpportunityContactRole": f"{_SYSTEM} OpportunityId ContactId Role IsPrimary",
        "OpportunityHistory": "Id CreatedDate SystemModstamp IsDeleted OpportunityId StageName Amount CloseDate "
        "Probability",
        "Task": f"{_SYSTEM} Type Subject Status ActivityDate IsClosed WhoId WhatId AccountId OwnerId",
        "Event": f"{_SYSTEM} Type Subject ActivityDate StartDateTime EndDateTime WhoId WhatId AccountId OwnerId",
        "Case": f"{_SYSTEM} MasterRecordId ContactId AccountId Status SuppliedEmail OwnerId",
        "LeadHistory": f"{_HISTORY} LeadId",
        "ContactHistory": f"{_HISTORY} ContactId",
        "OpportunityFieldHistory": f"{_HISTORY} OpportunityId",
    }.items()
}

# Of 100,000 changed rows; contacts are changed in place, of the other objects there are so many new rows.
CHANGED: Mapping[str, int] = {
    "User": 100,
    "Account": 5_000,
    CONTACT: 20_000,
    "Lead": 10_000,
    "Campaign": 100,
    "CampaignMember": 20_000,
    "Opportunity": 3_000,
    "OpportunityContactRole": 4_000,
    "OpportunityHistory": 6_000,
    "Task": 12_000,
    "Event": 3_000,
    "Case": 3_800,
    "LeadHistory": 4_000,
    "ContactHistory": 7_000,
    "OpportunityFieldHistory": 2_000,
}


def stamp_field(sobject: str) -> str:
    return "SystemModstamp" if "SystemModstamp" in FIELDS[sobject] else "CreatedDate"
