"""Which fields the rows of each sObject carry, by Salesforce's own names. No types: those are the schema's."""

from collections.abc import Mapping

_WHO_AND_WHEN = ("CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp")
_AUDIT = ("IsDeleted", *_WHO_AND_WHEN)

_FIELDS: dict[str, tuple[str, ...]] = {
    "User": (
        "Id", "Username", "Name", "FirstName", "LastName", "Email", "Alias", "Title", "Department", "IsActive",
        "UserType", "ManagerId", "TimeZoneSidKey", "LocaleSidKey", "LanguageLocaleKey", "EmailEncodingKey",
        *_WHO_AND_WHEN,
    ),
    "Campaign": (
        "Id", "Name", "Type", "Status", "IsActive", "StartDate", "EndDate", "BudgetedCost", "ActualCost",
        "ParentId", "OwnerId", "Description", *_AUDIT,
    ),
    "Account": (
        "Id", "Name", "Website", "Phone", "Industry", "NumberOfEmployees", "AnnualRevenue", "BillingCity",
        "BillingState", "BillingCountry", "Type", "OwnerId", "MasterRecordId", *_AUDIT,
    ),
    "Contact": (
        "Id", "AccountId", "FirstName", "LastName", "Name", "Email", "Title", "Phone", "Department", "LeadSource",
        "MailingCity", "MailingState", "MailingCountry", "HasOptedOutOfEmail", "OwnerId", "MasterRecordId", *_AUDIT,
    ),
    "Opportunity": (
        "Id", "Name", "AccountId", "StageName", "Amount", "CloseDate", "IsClosed", "IsWon", "Probability", "Type",
        "LeadSource", "CampaignId", "OwnerId", "ForecastCategory", "ForecastCategoryName", "ExpectedRevenue",
        "NextStep", "FiscalYear", "FiscalQuarter", *_AUDIT,
    ),
    "Lead": (
        "Id", "FirstName", "LastName", "Name", "Company", "Email", "Status", "LeadSource", "Website", "Title",
        "Industry", "Phone", "Country", "HasOptedOutOfEmail", "IsConverted", "ConvertedDate", "ConvertedAccountId",
        "ConvertedContactId", "ConvertedOpportunityId", "OwnerId", "MasterRecordId", *_AUDIT,
    ),
    "OpportunityHistory": (
        "Id", "OpportunityId", "StageName", "Amount", "CloseDate", "Probability", "ForecastCategory",
        "ExpectedRevenue", "CreatedById", "CreatedDate", "SystemModstamp", "IsDeleted",
    ),
    "OpportunityContactRole": ("Id", "OpportunityId", "ContactId", "Role", "IsPrimary", *_AUDIT),
    "CampaignMember": (
        "Id", "CampaignId", "LeadId", "ContactId", "Status", "HasResponded", "FirstRespondedDate", *_AUDIT,
    ),
    "Task": (
        "Id", "Subject", "Type", "Status", "Priority", "ActivityDate", "WhoId", "WhatId", "AccountId", "IsClosed",
        "IsArchived", "TaskSubtype", "OwnerId", "Description", *_AUDIT,
    ),
    "Event": (
        "Id", "Subject", "Type", "StartDateTime", "EndDateTime", "ActivityDate", "DurationInMinutes", "WhoId",
        "WhatId", "AccountId", "IsArchived", "Location", "OwnerId", *_AUDIT,
    ),
    "Case": (
        "Id", "ContactId", "AccountId", "Subject", "Status", "Origin", "Priority", "SuppliedEmail", "IsClosed",
        "ClosedDate", "OwnerId", "MasterRecordId", *_AUDIT,
    ),
}  # fmt: skip


def object_fields() -> Mapping[str, tuple[str, ...]]:
    """Every sObject the generator writes, parents before children, with exactly the fields of its rows."""
    return _FIELDS
