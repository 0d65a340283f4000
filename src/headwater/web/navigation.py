"""Where things stand: the entries of the top bar, of the settings column and of the profile's.

A page appears here once it exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """`view` is the name of the page's address; every address whose name starts with it lights the entry up."""

    label: str
    view: str
    icon: str


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    entries: tuple[Entry, ...]


TOP: tuple[Group, ...] = (  # the drop-downs of the top bar
    Group(
        "Discover",
        (Entry("Revenue", "web:revenue", "chart-bar"), Entry("Opportunities", "web:opportunities", "briefcase")),
    ),
    Group(
        "Diagnose",
        (
            Entry("Credits", "web:credits", "coins"),
            Entry("Plan", "web:plan", "list-check"),
            Entry("Replica", "web:replica", "database"),
            Entry("Jobs", "web:jobs", "activity"),
            Entry("Notifications", "web:notifications", "bell"),
        ),
    ),
)

SETTINGS: tuple[Group, ...] = (
    Group("Integrations", (Entry("Connections", "web:connections", "plug-connected"),)),
    Group(
        "CRM",
        (
            Entry("General", "web:crm_general", "adjustments"),
            Entry("Fields", "web:fields", "list-check"),
            Entry("Schedule", "web:crm_schedule", "clock"),
            Entry("Salesforce package", "web:package", "database"),
        ),
    ),
    Group(
        "Security",
        (Entry("Authentication", "web:authentication", "lock"), Entry("API keys", "web:api_keys", "key")),
    ),
    Group(
        "Account",
        (Entry("Account Configuration", "web:account", "building"), Entry("People", "web:people", "users")),
    ),
)

PROFILE: tuple[Group, ...] = (  # the column of the person's own pages
    Group(
        "My profile",
        (
            Entry("Name", "web:profile", "user-circle"),
            Entry("E-mail address", "account_email", "mail"),
            Entry("Password", "account_change_password", "key"),
            Entry("Second factor", "mfa_index", "lock"),
        ),
    ),
)

REMEDIES: Mapping[str, Entry] = {  # by the room of an error's code
    "connections": Entry("Go to Connections", "web:connections", "plug-connected"),
    "salesforce": Entry("Go to Connections", "web:connections", "plug-connected"),
    "credits": Entry("Go to Credits", "web:credits", "coins"),
    "jobs": Entry("Go to Jobs", "web:jobs", "activity"),
    "sync": Entry("Go to Fields", "web:fields", "list-check"),
}
