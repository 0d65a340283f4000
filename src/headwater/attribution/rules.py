"""What an account may choose about attribution: which records become touches, their dates, channels, and the mapping.

Rules are plain values; the SQL reads them from small tables (rule_tables.py). The first rule that fits decides.
Not here: the models' weights (standard_models.py).
"""

import re
from dataclasses import dataclass
from enum import Enum

from headwater.common.errors import Facts, Fix


class Mapping(Enum):
    """Whose touches count for an opportunity."""

    ACCOUNT = "account"  # every contact of the opportunity's account
    CONTACT_ROLE = "contact_role"  # contacts with a role on the opportunity
    PRIMARY_ROLE = "primary_role"  # the primary contact only


class MemberDate(Enum):
    CREATED = "CreatedDate"
    FIRST_RESPONDED = "FirstRespondedDate"
    OVERRIDE = "override"  # the field that Rules.override_date_field names


class Activity(Enum):
    TASK = "Task"
    EVENT = "Event"


class ActivityDate(Enum):
    ACTIVITY = "ActivityDate"
    CREATED = "CreatedDate"
    COMPLETED = "CompletedDateTime"  # tasks only
    START = "StartDateTime"  # events only


_DATES_OF = {
    Activity.TASK: {ActivityDate.ACTIVITY, ActivityDate.CREATED, ActivityDate.COMPLETED},
    Activity.EVENT: {ActivityDate.ACTIVITY, ActivityDate.CREATED, ActivityDate.START},
}
_TOKENS = {"{Type}", "{Subject}", "{Status}"}
_REFUSED_IN_CHANNELS = re.compile(r"[$%#&*@.]")


def _check_channel(rule: str, channel: str, subchannel: str | None) -> None:
    if not channel or subchannel == "" or _REFUSED_IN_CHANNELS.search(channel + (subchannel or "")):
        raise _invalid(rule, "names a channel that is empty or holds one of $ % # & * @ .")


def _invalid(rule: str, problem: str) -> Fix:
    return Fix(
        "attribution.rule_invalid",
        f"The rule {rule!r} {problem}.",
        Facts(left="The rules in force are unchanged.", you_can="correct the rule and save it again"),
    )


@dataclass(frozen=True, slots=True)
class CampaignRule:
    """Members it fits become touches, dated by the first of `dates` that is filled; with `include` off they do not."""

    name: str
    campaign_types: tuple[str, ...] = ()  # none: campaigns of every type
    responded_only: bool = True
    include: bool = True
    dates: tuple[MemberDate, ...] = (MemberDate.FIRST_RESPONDED, MemberDate.CREATED)

    def __post_init__(self) -> None:
        if not 1 <= len(self.dates) <= len(MemberDate) or len(set(self.dates)) < len(self.dates):
            raise _invalid(self.name, "needs one to three different dates")


@dataclass(frozen=True, slots=True)
class ActivityRule:
    """Activities it fits become touches, one for each record. `campaign_name` may hold {Type}, {Subject}, {Status}."""

    name: str
    activity: Activity
    campaign_name: str
    date: ActivityDate
    activity_types: tuple[str, ...] = ()  # none: activities of every type
    completed_only: bool = True  # of tasks; an event counts once it has begun
    channel: str = "Sales Outreach"
    subchannel: str | None = None

    def __post_init__(self) -> None:
        if self.date not in _DATES_OF[self.activity]:
            raise _invalid(self.name, f"takes its date from {self.date.value}, which {self.activity.value} lacks")
        unknown = set(re.findall(r"\{[^}]*\}", self.campaign_name)) - _TOKENS
        if unknown:
            raise _invalid(self.name, f"holds unknown tokens: {', '.join(sorted(unknown))}")
        _check_channel(self.name, self.channel, self.subchannel)


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """Campaigns of one type belong to one channel."""

    campaign_type: str
    channel: str
    subchannel: str | None = None

    def __post_init__(self) -> None:
        _check_channel(self.campaign_type, self.channel, self.subchannel)


RESPONDED_MEMBERS = CampaignRule("Responded members of any campaign")

CALLS_AND_MEETINGS = (
    ActivityRule(
        "Completed calls", Activity.TASK, "Sales {Type}", ActivityDate.ACTIVITY, ("Call",), subchannel="Calls"
    ),
    ActivityRule("Meetings", Activity.EVENT, "Sales {Type}", ActivityDate.START, ("Meeting",), subchannel="Meetings"),
)

STANDARD_CHANNELS = (
    ChannelRule("Advertisement", "Advertising", "Advertisement"),
    ChannelRule("Banner Ads", "Advertising", "Banner Ads"),
    ChannelRule("Conference", "Events", "Conference"),
    ChannelRule("Seminar / Conference", "Events", "Seminar"),
    ChannelRule("Trade Show", "Events", "Trade Show"),
    ChannelRule("Webinar", "Events", "Webinar"),
    ChannelRule("Content", "Content"),
    ChannelRule("Content Syndication", "Content", "Syndication"),
    ChannelRule("Direct Mail", "Direct Mail"),
    ChannelRule("Email", "Email"),
    ChannelRule("Partners", "Partners", "Partner Marketing"),
    ChannelRule("Referral Program", "Partners", "Referral Program"),
    ChannelRule("Public Relations", "Public Relations"),
    ChannelRule("Search", "Paid Search"),
    ChannelRule("Social Media", "Social"),
    ChannelRule("Telemarketing", "Sales Outreach", "Telemarketing"),
)


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything a run depends on beside the records. The defaults suit a fresh org."""

    campaigns: tuple[CampaignRule, ...] = (RESPONDED_MEMBERS,)
    activities: tuple[ActivityRule, ...] = CALLS_AND_MEETINGS
    channels: tuple[ChannelRule, ...] = STANDARD_CHANNELS
    mapping: Mapping = Mapping.ACCOUNT
    amount_field: str = "Amount"  # any number field of Opportunity
    override_date_field: str = "Touchpoint_Date__c"  # of CampaignMember; may be absent

    def __post_init__(self) -> None:
        types = [rule.campaign_type.lower() for rule in self.channels]
        twice = sorted({name for name in types if types.count(name) > 1})
        if twice:
            raise _invalid(", ".join(twice), "is given more than one channel")
