"""The words of selling: picklist values, titles, subjects. Data only; who gets which word is decided elsewhere."""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

T = TypeVar("T")


def weighted(shares: Mapping[T, int]) -> tuple[T, ...]:
    """Each value as often as its share, so that one plain pick follows the weights."""
    return tuple(value for value, share in shares.items() for _ in range(share))


class Stage(NamedTuple):
    name: str
    probability: int
    category: str
    category_name: str


class CampaignKind(NamedTuple):
    """How one Campaign.Type runs. `loaded` is the chance that its members come as one list after the end."""

    days: int
    loaded: float
    budget: int
    lead_source: str
    answered: tuple[str, ...]
    silent: tuple[str, ...]
    topics: str


OPEN_STAGES: tuple[Stage, ...] = (
    Stage("Prospecting", 10, "Pipeline", "Pipeline"),
    Stage("Qualification", 10, "Pipeline", "Pipeline"),
    Stage("Needs Analysis", 20, "Pipeline", "Pipeline"),
    Stage("Value Proposition", 50, "Pipeline", "Pipeline"),
    Stage("Proposal/Price Quote", 75, "BestCase", "Best Case"),
    Stage("Negotiation/Review", 90, "Forecast", "Commit"),
)
WON = Stage("Closed Won", 100, "Closed", "Closed")
LOST = Stage("Closed Lost", 0, "Omitted", "Omitted")

_SENT, _RESPONDED = ("Sent", "Sent", "Bounced"), ("Responded",)
CAMPAIGN_KINDS: dict[str, CampaignKind] = {
    "Webinar": CampaignKind(
        14, 0.5, 6_000, "Webinar", ("Registered", "Attended", "Attended On-demand"), ("Invited", "No Show"), "Webinar"
    ),
    "Trade Show": CampaignKind(4, 0.9, 60_000, "Trade Show", ("Visited Booth",), ("Invited", "Pre-scheduled"), "Expo"),
    "Conference": CampaignKind(3, 0.8, 45_000, "Trade Show", ("Attended",), ("Registered", "Invited"), "Summit"),
    "Email": CampaignKind(12, 0.25, 2_500, "Other", ("Responded", "Clicked"), _SENT, "Nurture"),
    "Advertisement": CampaignKind(60, 0.0, 30_000, "Advertisement", _RESPONDED, ("Sent",), "Paid ads"),
    "Content Syndication": CampaignKind(50, 0.4, 18_000, "Web", ("Downloaded",), ("Sent",), "White paper"),
    "Direct Mail": CampaignKind(21, 0.5, 9_000, "Other", _RESPONDED, ("Mailed", "Returned"), "Mailing"),
    "Partners": CampaignKind(60, 0.2, 12_000, "Partner Referral", _RESPONDED, ("Sent",), "Partner push"),
    "Referral Program": CampaignKind(150, 0.0, 5_000, "External Referral", ("Referred",), ("Asked",), "Referrals"),
    "Search": CampaignKind(90, 0.0, 40_000, "Web", ("Filled Form",), ("Clicked",), "Brand search"),
    "Social Media": CampaignKind(60, 0.0, 15_000, "Web", ("Filled Form", "Responded"), ("Engaged",), "Social"),
}
CAMPAIGN_TYPES: tuple[str, ...] = weighted(
    {
        "Webinar": 22, "Trade Show": 9, "Conference": 8, "Email": 20, "Advertisement": 8, "Content Syndication": 8,
        "Direct Mail": 5, "Partners": 5, "Referral Program": 3, "Search": 6, "Social Media": 6,
    }
)  # fmt: skip
# How often a campaign starts in each month, January first: two seasons, a quiet summer and December.
MONTH_WEIGHTS: tuple[int, ...] = (7, 12, 14, 12, 11, 8, 4, 3, 13, 15, 12, 3)

TOPICS: tuple[str, ...] = (
    "Onboarding without tickets", "The state of field service", "Data quality, explained", "Café & Code", "Pricing 101",
    "Forecasting that holds", "Migration clinic", "Customer day", "Security review", "From spreadsheet to system",
    "Productivité en équipe", "Zukunft der Fertigung", "Roadmap preview", "Benchmark report", "ROI workshop",
)  # fmt: skip
CAMPAIGN_NOTES: tuple[str | None, ...] = (
    None, None, None, "Run with the partner team.",
    "Audience: operations, 200+ employees.\nBudget owner: field marketing.",
)  # fmt: skip

INBOUND_SOURCES: tuple[str, ...] = weighted(
    {"Web": 9, "Phone Inquiry": 3, "Word of mouth": 2, "Purchased List": 3, "Employee Referral": 1, "Other": 2}
)

INDUSTRIES: tuple[str, ...] = (
    "Agriculture", "Banking", "Biotechnology", "Chemicals", "Construction", "Consulting", "Education", "Electronics",
    "Energy", "Engineering", "Finance", "Food & Beverage", "Healthcare", "Hospitality", "Insurance", "Machinery",
    "Manufacturing", "Media", "Retail", "Shipping", "Technology", "Telecommunications", "Transportation", "Utilities",
)  # fmt: skip

# Title, department.
TITLES: tuple[tuple[str, str], ...] = (
    ("Chief Executive Officer", "Executive"), ("Chief Financial Officer", "Finance"),
    ("Chief Technology Officer", "IT"),
    ("VP Operations", "Operations"), ("VP Sales", "Sales"), ("VP Marketing", "Marketing"), ("IT Director", "IT"),
    ("Head of Procurement", "Procurement"), ("Director, Business Systems", "IT"), ("Marketing Manager", "Marketing"),
    ("Operations Manager", "Operations"), ("Sales Operations Analyst", "Sales"), ("Systems Engineer", "IT"),
    ("Purchasing Agent", "Procurement"), ("Controller", "Finance"), ("Project Manager", "Operations"),
    ("Plant Manager", "Production"), ("Customer Service Lead", "Service"), ("HR Manager", "Human Resources"),
)  # fmt: skip

ROLES: tuple[str, ...] = (
    "Business User", "Decision Maker", "Economic Buyer", "Economic Decision Maker", "Evaluator", "Executive Sponsor",
    "Influencer", "Technical Buyer", "Other",
)  # fmt: skip

NEXT_STEPS: tuple[str | None, ...] = (
    None, None, "Send revised quote", "Book demo with IT", "Waiting for legal", "Call back after budget round",
    'Ask for the "go" from procurement', "Reference call",
)  # fmt: skip

# Task.Type, TaskSubtype.
TASK_TYPES: tuple[tuple[str, str], ...] = weighted(
    {("Call", "Call"): 9, ("Email", "Email"): 8, ("Meeting", "Task"): 1, ("Other", "Task"): 2}
)
TASK_SUBJECTS: dict[str, tuple[str, ...]] = {
    "Call": ("Call", "Call: discovery", "Left voicemail", "Call: pricing questions", "Inbound call", "Call back"),
    "Email": ("Email: intro", "Email: following up", "Email: proposal, v2", "Re: next steps", "Email: case study"),
    "Meeting": ("Meeting notes", "On-site visit"),
    "Other": ("Send collateral", "LinkedIn message", "Prepare quote", 'Add to "top 20" list'),
}
TASK_NOTES: tuple[str | None, ...] = (
    None, None, None, None, "Interested, asked for references.", "No answer.\nTry again next week.",
    'Said: "we decide in Q3", budget is there.', "Très intéressé; envoyer la brochure.",
)  # fmt: skip
OPEN_TASK_STATUSES: tuple[str, ...] = (
    "Not Started",
    "Not Started",
    "In Progress",
    "Waiting on someone else",
    "Deferred",
)
PRIORITIES: tuple[str, ...] = ("Normal", "Normal", "Normal", "Normal", "High", "Low")

# Event.Type, subject, minutes.
MEETINGS: tuple[tuple[str, str, int], ...] = (
    ("Meeting", "Discovery meeting", 45), ("Meeting", "Product demo", 60), ("Meeting", "Intro call", 30),
    ("Meeting", "Proposal review", 60), ("Other", "Workshop, on site", 240), ("Call", "Technical Q&A", 30),
    ("Meeting", "Steering committee", 90),
)  # fmt: skip
LOCATIONS: tuple[str | None, ...] = (None, "Video call", "Video call", "Customer office", "Room 4, HQ", "Phone")

CASE_SUBJECTS: tuple[str, ...] = (
    "Cannot log in", "Invoice question", "Export stops at 50%", "How do I add a user?", "Performance is slow",
    "Feature request: dark mode", "Données manquantes", "Wrong address on invoice", 'Error "not permitted" on save',
)  # fmt: skip
CASE_ORIGINS: tuple[str, ...] = ("Email", "Email", "Web", "Web", "Phone")
CASE_PRIORITIES: tuple[str, ...] = ("Medium", "Medium", "Medium", "High", "Low")
