"""The objects an administrator keeps: the organization, its users, groups, profiles and permission sets."""

from orgsim.schema.access import permission_flags
from orgsim.schema.declare import (
    address,
    area,
    email,
    flag,
    moment,
    named,
    phone,
    pick,
    read_only,
    record_id,
    reference,
    required,
    system_fields,
    text,
    viewed_fields,
    whole,
)
from orgsim.schema.model import SObject

_NO_BIN = system_fields(bin_flag=False)

USER = SObject(
    "User",
    "User",
    "Users",
    "005",
    (
        record_id(),
        required(text("Username", 80, unique=True, id_lookup=True)),
        required(text("LastName", 80)),
        text("FirstName", 40),
        named(read_only(text("Name", 121))),
        text("CompanyName", 80),
        text("Division", 80),
        text("Department", 80),
        text("Title", 80),
        *address(""),
        required(email()),
        required(text("Alias", 8)),
        required(text("CommunityNickname", 40)),
        flag("IsActive", default=True),
        phone("Phone"),
        phone("MobilePhone"),
        text("TimeZoneSidKey", 40, default="GMT"),
        text("LocaleSidKey", 40, default="en_US"),
        text("EmailEncodingKey", 40, default="UTF-8"),
        text("LanguageLocaleKey", 40, default="en_US"),
        reference("UserRoleId", "UserRole"),
        reference("ProfileId", "Profile"),
        reference("ManagerId", "User"),
        read_only(pick("UserType", ("Standard", "PowerPartner", "CspLitePortal", "Guest"), 40, default="Standard")),
        text("EmployeeNumber", 20),
        reference("ContactId", "Contact"),
        reference("AccountId", "Account"),
        text("FederationIdentifier", 512),
        read_only(moment("LastLoginDate")),
        flag("UserPermissionsMarketingUser"),
        *_NO_BIN,
        *viewed_fields(),
    ),
    deletable=False,
    undeletable=False,
)

ORGANIZATION = SObject(
    "Organization",
    "Organization",
    "Organizations",
    "00D",
    (
        record_id(),
        named(text("Name", 80)),
        text("Division", 80),
        *address(""),
        phone("Phone"),
        phone("Fax"),
        text("PrimaryContact", 80),
        text("DefaultLocaleSidKey", 40),
        text("TimeZoneSidKey", 40),
        text("LanguageLocaleKey", 40),
        whole("FiscalYearStartMonth"),
        flag("UsesStartDateAsFiscalYearName"),
        text("OrganizationType", 40),
        text("NamespacePrefix", 15),
        text("InstanceName", 5),
        flag("IsSandbox"),
        flag("IsReadOnly"),
        moment("TrialExpirationDate"),
        *_NO_BIN,
    ),
    createable=False,
    deletable=False,
    undeletable=False,
    replicateable=False,
    bulk_queryable=False,
)

RECORD_TYPE = SObject(
    "RecordType",
    "Record Type",
    "Record Types",
    "012",
    (
        record_id(),
        named(required(text("Name", 80))),
        required(text("DeveloperName", 80)),
        text("NamespacePrefix", 15),
        text("Description", 255),
        required(text("SobjectType", 40)),
        flag("IsActive", default=True),
        *_NO_BIN,
    ),
    deletable=False,
    undeletable=False,
    replicateable=False,
)

GROUP = SObject(
    "Group",
    "Group",
    "Group",
    "00G",
    (
        record_id(),
        named(required(text("Name", 40))),
        text("DeveloperName", 80),
        pick("Type", ("Regular", "Queue", "Role", "Organization"), 40),
        email(),
        *_NO_BIN,
    ),
    undeletable=False,
)

PROFILE = SObject(
    "Profile",
    "Profile",
    "Profile",
    "00e",
    (record_id(), named(required(text("Name", 255))), text("UserType", 40), area("Description", 255), *_NO_BIN),
    undeletable=False,
    bulk_queryable=False,
)

USER_ROLE = SObject(
    "UserRole",
    "Role",
    "Role",
    "00E",
    (
        record_id(),
        named(required(text("Name", 80))),
        text("DeveloperName", 80),
        reference("ParentRoleId", "UserRole", relationship="ParentRole"),
        *_NO_BIN,
    ),
    undeletable=False,
)

PERMISSION_SET = SObject(
    "PermissionSet",
    "Permission Set",
    "Permission Sets",
    "0PS",
    (
        record_id(),
        required(text("Name", 80, unique=True, id_lookup=True)),
        named(required(text("Label", 80))),
        area("Description", 255),
        text("NamespacePrefix", 15),
        flag("IsOwnedByProfile", read_only=True),
        read_only(reference("ProfileId", "Profile")),
        *permission_flags(),
        *_NO_BIN,
    ),
    undeletable=False,
    bulk_queryable=False,
)

PERMISSION_SET_ASSIGNMENT = SObject(
    "PermissionSetAssignment",
    "Permission Set Assignment",
    "Permission Set Assignments",
    "0Pa",
    (
        record_id(),
        required(reference("PermissionSetId", "PermissionSet", child="Assignments", updateable=False)),
        required(
            reference("AssigneeId", "User", child="PermissionSetAssignments", relationship="Assignee", updateable=False)
        ),
        flag("IsActive", default=True, read_only=True),
        read_only(moment("SystemModstamp", nillable=False, defaulted_on_create=True)),
    ),
    undeletable=False,
    bulk_queryable=False,
)

APEX_TRIGGER = SObject(
    "ApexTrigger",
    "Apex Trigger",
    "Apex Triggers",
    "01q",
    (
        record_id(),
        text("NamespacePrefix", 15),
        named(required(text("Name", 255))),
        pick("TableEnumOrId", (), 40),
        *(
            flag(f"Usage{when}")
            for when in (
                "BeforeInsert",
                "AfterInsert",
                "BeforeUpdate",
                "AfterUpdate",
                "BeforeDelete",
                "AfterDelete",
                "IsBulk",
                "AfterUndelete",
            )
        ),
        whole("ApiVersion"),
        pick("Status", ("Inactive", "Active", "Deleted"), 40),
        flag("IsValid", default=True),
        area("Body", 1_000_000),
        whole("LengthWithoutComments"),
        text("ManageableState", 40),
        *_NO_BIN,
    ),
    createable=False,
    deletable=False,
    undeletable=False,
    bulk_queryable=False,
)

# What its reference lists, less what belongs to other products (facts C.28).
FLOW_DEFINITION_VIEW = SObject(
    "FlowDefinitionView",
    "Flow Definition View",
    "Flow Definition Views",
    "3dd",
    tuple(
        read_only(field)
        for field in (
            record_id(),
            text("DurableId", 255),
            named(text("ApiName", 255)),
            text("Label", 255),
            text("Description", 255),
            pick("ProcessType", ("AutoLaunchedFlow", "Flow", "Workflow", "CustomEvent", "InvocableProcess"), 40),
            pick("TriggerType", ("RecordBeforeSave", "RecordAfterSave", "RecordBeforeDelete", "Scheduled"), 40),
            text("NamespacePrefix", 15),
            text("ActiveVersionId", 255),
            text("LatestVersionId", 255),
            text("LastModifiedBy", 255),
            flag("IsActive"),
            flag("IsOutOfDate"),
            moment("LastModifiedDate"),
            flag("IsTemplate"),
            text("Builder", 255),
            pick("ManageableState", ("unmanaged", "installed"), 40),
            text("InstalledPackageName", 240),
            text("TriggerObjectOrEventLabel", 255),
            text("TriggerObjectOrEventId", 255),
            pick("RecordTriggerType", ("Create", "Update", "CreateAndUpdate", "Delete"), 40),
            whole("VersionNumber"),
            whole("TriggerOrder"),
            whole("ApiVersion"),
        )
    ),
    createable=False,
    updateable=False,
    deletable=False,
    undeletable=False,
    replicateable=False,
    bulk_queryable=False,
)

# What its reference lists (facts B.3). Its ids are in no reference; the prefix is orgsim's own.
API_TOTAL_USAGE_EVENT_LOG = SObject(
    "ApiTotalUsageEventLog",
    "API Total Usage Event Log",
    "API Total Usage Event Logs",
    "0X9",
    tuple(
        read_only(field)
        for field in (
            record_id(),
            text("ApiFamily", 255),
            text("ApiResource", 255),
            text("BotIdentifier", 255),
            text("BotSessionIdentifier", 255),
            text("ClientIp", 255),
            text("ClientName", 255),
            text("ConnectedAppIdentifier", 255),
            text("HttpMethod", 255),
            flag("IsApiLimitCounted"),
            text("ObjectName", 255),
            text("PlannerIdentifier", 255),
            text("RequestIdentifier", 255),
            whole("StatusCode"),
            moment("Timestamp"),
            text("UserIdentifier", 255),
        )
    ),
    createable=False,
    updateable=False,
    deletable=False,
    undeletable=False,
    replicateable=False,
    bulk_queryable=False,
    stamp_field="Timestamp",
)
