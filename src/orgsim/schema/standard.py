"""The standard objects every new org starts with."""

from orgsim.schema import access, activity, admin, duplicate, marketing, people, sales
from orgsim.schema.history import history_object, with_standard_history
from orgsim.schema.model import SObject

_OBJECTS: tuple[SObject, ...] = tuple(
    with_standard_history(each)
    for each in (
        people.ACCOUNT,
        people.CONTACT,
        people.LEAD,
        sales.OPPORTUNITY,
        sales.OPPORTUNITY_CONTACT_ROLE,
        sales.OPPORTUNITY_HISTORY,
        sales.CASE,
        marketing.CAMPAIGN,
        marketing.CAMPAIGN_MEMBER,
        marketing.CAMPAIGN_MEMBER_STATUS,
        activity.TASK,
        activity.EVENT,
        admin.USER,
        admin.ORGANIZATION,
        admin.RECORD_TYPE,
        admin.GROUP,
        admin.PROFILE,
        admin.USER_ROLE,
        admin.PERMISSION_SET,
        admin.PERMISSION_SET_ASSIGNMENT,
        *access.OBJECTS,
        admin.APEX_TRIGGER,
        admin.FLOW_DEFINITION_VIEW,
        admin.API_TOTAL_USAGE_EVENT_LOG,
        *duplicate.OBJECTS,
    )
)
STANDARD_OBJECTS = (*_OBJECTS, *(history_object(each) for each in _OBJECTS if each.history_name))
