"""Tasks and events: what people did, with whom, about what."""

from orgsim.schema.declare import (
    area,
    day,
    defaulted,
    flag,
    moment,
    named,
    owner,
    pick,
    read_only,
    record_id,
    reference,
    system_fields,
    text,
    whole,
)
from orgsim.schema.model import Field, SObject

TASK_STATUSES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
TASK_TYPES = ("Call", "Email", "Meeting", "Other", "Demo", "LinkedIn", "SMS")
EVENT_TYPES = ("Email", "Meeting", "Other", "Call", "Demo")
_WHAT_TARGETS = ("Account", "Campaign", "Case", "Opportunity")


def _links(child: str) -> tuple[Field, ...]:
    return (
        reference("WhoId", "Contact", "Lead", child=child),
        reference("WhatId", *_WHAT_TARGETS, child=child),
        read_only(whole("WhoCount")),
        read_only(whole("WhatCount")),
        named(text("Subject", 255)),
    )


TASK = SObject(
    "Task",
    "Task",
    "Tasks",
    "00T",
    (
        record_id(),
        reference("RecordTypeId", "RecordType"),
        *_links("Tasks"),
        day("ActivityDate"),
        defaulted(pick("Status", TASK_STATUSES), "Not Started"),
        defaulted(pick("Priority", ("High", "Normal", "Low")), "Normal"),
        flag("IsHighPriority", read_only=True),
        owner(None, "Group", "User"),
        area("Description"),
        pick("Type", TASK_TYPES),
        read_only(reference("AccountId", "Account", child="Tasks")),
        flag("IsClosed", read_only=True),
        *system_fields(),
        flag("IsArchived", read_only=True),
        flag("IsVisibleInSelfService"),
        whole("CallDurationInSeconds"),
        pick("CallType", ("Internal", "Inbound", "Outbound"), 40),
        text("CallDisposition", 255),
        text("CallObject", 255),
        moment("ReminderDateTime"),
        flag("IsReminderSet"),
        read_only(reference("RecurrenceActivityId", "Task")),
        flag("IsRecurrence"),
        day("RecurrenceStartDateOnly"),
        day("RecurrenceEndDateOnly"),
        text("RecurrenceTimeZoneSidKey", 40),
        pick("RecurrenceType", ("RecursDaily", "RecursWeekly", "RecursMonthly", "RecursYearly"), 40),
        whole("RecurrenceInterval"),
        pick("TaskSubtype", ("Task", "Email", "ListEmail", "Cadence", "Call", "LinkedIn"), 40),
        read_only(moment("CompletedDateTime")),
    ),
)

EVENT = SObject(
    "Event",
    "Event",
    "Events",
    "00U",
    (
        record_id(),
        reference("RecordTypeId", "RecordType"),
        *_links("Events"),
        text("Location", 255),
        flag("IsAllDayEvent"),
        moment("ActivityDateTime"),
        day("ActivityDate"),
        whole("DurationInMinutes"),
        moment("StartDateTime"),
        moment("EndDateTime"),
        read_only(day("EndDate")),
        area("Description"),
        read_only(reference("AccountId", "Account", child="Events")),
        owner(None, "User"),
        pick("Type", EVENT_TYPES),
        flag("IsPrivate"),
        pick("ShowAs", ("Busy", "OutOfOffice", "Free"), 40),
        *system_fields(),
        flag("IsChild", read_only=True),
        flag("IsGroupEvent", read_only=True),
        pick("GroupEventType", ("0", "1", "2"), 40),
        flag("IsArchived", read_only=True),
        read_only(reference("RecurrenceActivityId", "Event")),
        flag("IsRecurrence"),
        moment("RecurrenceStartDateTime"),
        day("RecurrenceEndDateOnly"),
        text("RecurrenceTimeZoneSidKey", 40),
        moment("ReminderDateTime"),
        flag("IsReminderSet"),
        flag("IsVisibleInSelfService"),
        pick("EventSubtype", ("Event",), 40),
    ),
)
