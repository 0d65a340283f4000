"""What the integration user must be let do, compared with what the org says they may. Pure: facts in, findings out.

Not here: asking the org and keeping the answer (preflight.py). Each code has its row in docs/reference/preflight.md.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headwater.connections.package import FIELDS, PERMISSION_SET, VERSION

API_ENABLED = "ApiEnabled"
# System permissions by the name in a permission set's file, with the label in Setup (facts C.30).
LABELS: Mapping[str, str] = {
    API_ENABLED: "API Enabled",
    "ViewSetup": "View Setup and Configuration",
    "ViewAllData": "View All Data",
    "AllowViewEditConvertedLeads": "View and Edit Converted Leads",
    "CustomizeApplication": "Customize Application",
    "ModifyMetadata": "Modify Metadata Through Metadata API Functions",
    "AssignPermissionSets": "Assign Permission Sets",
    "ActivitiesAccess": "Access Activities",
}
ASKED = tuple(name for name in LABELS if name != "ActivitiesAccess")
TO_READ = (API_ENABLED, "ViewSetup", "ViewAllData", "AllowViewEditConvertedLeads")
TO_INSTALL = ("CustomizeApplication", "ModifyMetadata", "AssignPermissionSets")
# These have no rights of their own: they are seen with their parent.
FOLLOWS: Mapping[str, str] = {
    "OpportunityContactRole": "Opportunity",
    "OpportunityHistory": "Opportunity",
    "OpportunityFieldHistory": "Opportunity",
    "LeadHistory": "Lead",
    "ContactHistory": "Contact",
    "CampaignMember": "Campaign",
}
ACTIVITIES = ("Task", "Event")
WITHOUT_GRANT = (*FOLLOWS, *ACTIVITIES, "User")
# Rights on the parts of an address are given on the whole of it (facts C.30).
_ADDRESS_PART = re.compile(
    r"(Billing|Shipping|Mailing|Other|)(?:Street|City|State|PostalCode|Country|StateCode|CountryCode|GeocodeAccuracy)"
)
REPLICATED = ("Account", "Campaign", "CampaignMember", "Contact", "Event", "Lead", "Opportunity", "Task")


class Level(StrEnum):
    """In the order in which people should look at them."""

    MUST = "must"
    UNKNOWN = "unknown"
    SHOULD = "should"
    WRITING = "writing"
    FINE = "fine"


class Kind(StrEnum):
    SYSTEM = "system"  # name: a system permission
    OBJECT = "object"  # name: an object, to be read
    FIELD = "field"  # name: Object.Field, to be read
    USER_BOX = "user_box"  # name: a field of User to be ticked
    ASSIGNMENT = "assignment"  # name: a permission set for the connected user
    INSTALL = "install"  # the Salesforce package, from its own page
    UPGRADE = "upgrade"  # Headwater itself, by whoever runs it
    SUPPORT = "support"  # only Salesforce's support can


@dataclass(frozen=True, slots=True)
class Grant:
    """Exactly one thing to give. `label` is what Setup calls it."""

    kind: Kind
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `cost` is what it takes from the reader while it is missing; `setup_path` leads
    there on the org's own host and is empty where the way is in Headwater or to Salesforce's support."""

    code: str
    level: Level
    sentence: str
    cost: str = ""
    grants: tuple[Grant, ...] = ()
    where: str = ""
    setup_path: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the org said. None stands for what it did not tell, and `untold` for its words.

    permissions        System permissions that are on in any permission set or the profile of the user.
    viewed_in_full     Objects with View All Records.
    described          Describes of the objects that the user sees.
    package_set        Id of Headwater's permission set; empty where it is not in the org.
    package_version    As that set tells it; 0 where it is not in the org.
    """

    user_id: str
    api_refusal: str = ""
    permissions: frozenset[str] | None = None
    viewed_in_full: frozenset[str] = frozenset()
    is_marketing_user: bool | None = None
    described: Mapping[str, Mapping[str, Any]] | None = None
    package_set: str | None = None
    package_version: int = 0
    is_package_assigned: bool = False
    untold: str = ""


def find(facts: Facts, wanted: Mapping[str, Sequence[str]]) -> list[Finding]:
    """All findings, the gravest first. `wanted`: the fields that are read, or that a rule names, by object."""
    if facts.api_refusal:
        return [_without_api(facts)]
    found = [
        *_system(facts),
        *_marketing(facts),
        *_objects(facts, wanted),
        *_fields(facts, wanted),
        *_replicated(facts),
        *_package(facts),
    ]
    order = list(Level)
    return sorted(found, key=lambda finding: order.index(finding.level))


def system(name: str) -> Grant:
    return Grant(Kind.SYSTEM, name, LABELS[name])


def object_grant(sobject: str) -> Grant:
    if sobject in ACTIVITIES:
        return system("ActivitiesAccess")
    name = FOLLOWS.get(sobject, sobject)
    return Grant(Kind.OBJECT, name, f"{name}: Read")


def field_grant(sobject: str, field: str) -> Grant:
    full_name = f"{sobject}.{granted_as(field)}"
    return Grant(Kind.FIELD, full_name, f"{full_name}: Read Access")


def granted_as(field: str) -> str:
    part = _ADDRESS_PART.fullmatch(field)
    return f"{part[1]}Address" if part else field


def _field_grants(sobject: str, fields: Sequence[str]) -> tuple[Grant, ...]:
    """Each once, however many parts of an address are meant."""
    return tuple(dict.fromkeys(field_grant(sobject, field) for field in fields))


def needed_to_read(facts: Facts, wanted: Mapping[str, Sequence[str]]) -> list[Grant]:
    """All that a permission set for reading must grant, held already or not: a deployed file replaces the set."""
    grants = [system(name) for name in TO_READ]
    grants.extend(object_grant(sobject) for sobject in wanted if sobject not in WITHOUT_GRANT)
    for sobject, names in wanted.items():
        if sobject in FOLLOWS or sobject == "User":
            continue
        shown = {field["name"]: field for field in _describe(facts, sobject).get("fields", ())}
        # A hidden field can be granted, else it would not be hidden; of a hidden object no field is known.
        grants.extend(_field_grants(sobject, [name for name in names if shown and _is_granted(shown, name)]))
    return grants


def _is_granted(shown: Mapping[str, Mapping[str, Any]], name: str) -> bool:
    whole = granted_as(name)
    return whole != name or name not in shown or bool(shown[name]["permissionable"])


_PERMISSION_SETS = "/lightning/setup/PermSets/home"
_PACKAGE_PAGE = "Headwater: Settings > CRM > Salesforce package"
_IN_A_SET = "Setup > Permission Sets > the set of the connected user > "


def _user_path(user_id: str) -> str:
    return f"/lightning/setup/ManageUsers/page?address=%2F{user_id}%3Fnoredirect%3D1%26isUserEntityOverride%3D1"


def _describe(facts: Facts, sobject: str) -> Mapping[str, Any]:
    return (facts.described or {}).get(sobject, {})


def _without_api(facts: Facts) -> Finding:
    return Finding(
        "api_enabled",
        Level.MUST,
        "The connected user may not use the API.",
        f"Nothing at all can be read, and nothing else could be asked. Salesforce said: {facts.api_refusal}",
        (system(API_ENABLED),),
        f"{_IN_A_SET}System Permissions. Where it is on already, the org's edition has no API: ask Salesforce.",
        _PERMISSION_SETS,
    )


@dataclass(frozen=True, slots=True)
class _SystemCheck:
    code: str
    permission: str
    level: Level
    cost: str


_SYSTEM_CHECKS = (
    _SystemCheck("api_enabled", API_ENABLED, Level.MUST, "Nothing at all can be read."),
    _SystemCheck(
        "converted_leads",
        "AllowViewEditConvertedLeads",
        Level.MUST,
        "Leads that were converted may be kept from the user: touches before the conversion are lost.",
    ),
)


def _system(facts: Facts) -> Iterator[Finding]:
    if facts.permissions is None:
        yield _set_up_hidden(facts)
        for check in _SYSTEM_CHECKS[1:]:
            yield _unasked(facts, check.code, LABELS[check.permission])
        yield _unasked(facts, "view_all_data", LABELS["ViewAllData"])
        return
    yield Finding("view_setup", Level.FINE, f"{LABELS['ViewSetup']} is on.")
    for check in _SYSTEM_CHECKS:
        yield _system_finding(check, is_on=check.permission in facts.permissions)
    yield _view_all(facts, facts.permissions)


def _system_finding(check: _SystemCheck, *, is_on: bool) -> Finding:
    label = LABELS[check.permission]
    if is_on:
        return Finding(check.code, Level.FINE, f"{label} is on.")
    where = f"{_IN_A_SET}System Permissions"
    grants = (system(check.permission),)
    return Finding(check.code, check.level, f"{label} is off.", check.cost, grants, where, _PERMISSION_SETS)


def _set_up_hidden(facts: Facts) -> Finding:
    return Finding(
        "view_setup",
        Level.MUST,
        f"{LABELS['ViewSetup']} is off: the org does not show what the user may do.",
        f"Records cannot be counted before they are read, and not all can be told. Salesforce said: {facts.untold}",
        (system("ViewSetup"),),
        f"{_IN_A_SET}System Permissions",
        _PERMISSION_SETS,
    )


def _unasked(facts: Facts, code: str, label: str) -> Finding:
    return Finding(
        code,
        Level.UNKNOWN,
        f"{label} could not be asked, because the org does not tell it to this user.",
        f"Salesforce said: {facts.untold}",
    )


def _view_all(facts: Facts, permissions: frozenset[str]) -> Finding:
    if "ViewAllData" in permissions:
        return Finding("view_all_data", Level.FINE, "View All Data is on.")
    own = ("Account", "Campaign", "Case", "Contact", "Lead", "Opportunity")
    partly = [sobject for sobject in own if sobject not in facts.viewed_in_full]
    missing = f"Records of others are missing from every figure without a word: {', '.join(partly)}, Task and Event."
    return Finding(
        "view_all_data",
        Level.MUST if partly else Level.SHOULD,
        "View All Data is off." if partly else "View All Data is off; View All Records is on for each object.",
        missing if partly else "Tasks and events of others may be missing, and large queries be refused as too large.",
        (system("ViewAllData"),),
        f"{_IN_A_SET}System Permissions",
        _PERMISSION_SETS,
    )


def _marketing(facts: Facts) -> Iterator[Finding]:
    if facts.is_marketing_user is None:
        yield _unasked(facts, "marketing_user", "Marketing User")
    elif facts.is_marketing_user:
        yield Finding("marketing_user", Level.FINE, "The box Marketing User is ticked.")
    else:
        yield Finding(
            "marketing_user",
            Level.SHOULD,
            "The box Marketing User is not ticked.",
            "Campaigns may be hidden from the user, or be for looking only.",
            (Grant(Kind.USER_BOX, "UserPermissionsMarketingUser", "Marketing User"),),
            "Setup > Users > the connected user > Edit > Marketing User",
            _user_path(facts.user_id),
        )


def _objects(facts: Facts, wanted: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    hidden = [name for name in wanted if not _describe(facts, name).get("queryable")]
    for name in hidden:
        grant = object_grant(name)
        yield Finding(
            "object_readable",
            Level.MUST,
            f"{name} cannot be read.",
            "No sync can run: Headwater reads all of its objects or none.",
            (grant,),
            f"{_IN_A_SET}{'System Permissions' if grant.kind is Kind.SYSTEM else 'Object Settings'}",
            _PERMISSION_SETS,
        )
    if not hidden:
        yield Finding("object_readable", Level.FINE, f"All {len(wanted)} objects can be read.")


def _fields(facts: Facts, wanted: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    hidden = {name: missing for name, fields in wanted.items() if (missing := _hidden(facts, name, fields))}
    for name, missing in hidden.items():
        yield Finding(
            "field_readable",
            Level.MUST,
            f"{name}: {', '.join(missing)} cannot be read.",
            "No sync can run while a field that is read is hidden.",
            _field_grants(name, missing),
            f"{_IN_A_SET}Object Settings > {name} > Field Permissions. A field that is not listed there was removed.",
            _PERMISSION_SETS,
        )
    if not hidden:
        yield Finding("field_readable", Level.FINE, "Every field of those objects that is read can be read.")


def _hidden(facts: Facts, sobject: str, fields: Sequence[str]) -> list[str]:
    describe = _describe(facts, sobject)
    seen = {field["name"] for field in describe.get("fields", ())}
    return [field for field in fields if field not in seen] if describe else []


def _replicated(facts: Facts) -> Iterator[Finding]:
    blind = [name for name in REPLICATED if _describe(facts, name).get("replicateable") is False]
    for name in blind:
        yield Finding(
            "replicateable",
            Level.SHOULD,
            f"{name} is not replicateable.",
            "Deletions of its records may stay unseen.",
            (Grant(Kind.SUPPORT, name, f"{name}: replicateable"),),
            "Only Salesforce's support can set it: open a case in Setup > Help.",
        )
    if not blind:
        yield Finding("replicateable", Level.FINE, "Deletions of every object can be seen.")


def _package(facts: Facts) -> Iterator[Finding]:
    if facts.package_set is None:
        yield _unasked(facts, "package", "Whether Headwater's objects are in the org")
    elif not facts.package_set:
        yield Finding(
            "package",
            Level.WRITING,
            "Headwater's objects are not in the org.",
            "Headwater reads and reports, and writes nothing to the org.",
            (Grant(Kind.INSTALL, PERMISSION_SET, "Install the Salesforce package"),),
            f"{_PACKAGE_PAGE} > Install",
        )
        yield from _install_rights(facts)
    elif not facts.is_package_assigned:
        yield Finding(
            "package",
            Level.WRITING,
            "Headwater's objects are in the org, and the connected user does not have their permission set.",
            "They do not exist for the user, so nothing is written to the org.",
            (Grant(Kind.ASSIGNMENT, PERMISSION_SET, "Headwater Administrator"),),
            "Setup > Permission Sets > Headwater Administrator > Manage Assignments > Add Assignments",
            f"/lightning/setup/PermSets/page?address=%2F{facts.package_set}",
        )
    elif facts.package_version > VERSION:
        yield Finding(
            "package",
            Level.WRITING,
            f"The org has version {facts.package_version} of the package; this Headwater knows {VERSION}.",
            "The package cannot be mended or updated from here: nothing is deployed over a newer one.",
            (Grant(Kind.UPGRADE, "headwater", "Update Headwater"),),
            "Where Headwater is installed",
        )
    elif facts.package_version < VERSION:
        yield Finding(
            "package",
            Level.WRITING,
            f"The org has version {facts.package_version} of the package; this Headwater brings {VERSION}.",
            "What only the newer version has is not written to the org.",
            (Grant(Kind.INSTALL, PERMISSION_SET, "Update the Salesforce package"),),
            f"{_PACKAGE_PAGE} > Update",
        )
        yield from _install_rights(facts)
    else:
        yield _package_rights(facts)


def _install_rights(facts: Facts) -> Iterator[Finding]:
    missing = [name for name in TO_INSTALL if name not in (facts.permissions or ())]
    if missing:
        yield Finding(
            "package_install",
            Level.WRITING,
            "The connected user may not install Headwater's objects.",
            "Install is refused; an administrator can deploy the files by hand instead (headwater package --save-to).",
            tuple(system(name) for name in missing),
            f"{_IN_A_SET}System Permissions",
            _PERMISSION_SETS,
        )


def _package_rights(facts: Facts) -> Finding:
    unwritable = [name for sobject, fields in FIELDS.items() for name in _unwritable(facts, sobject, fields)]
    if not unwritable:
        return Finding(
            "package", Level.FINE, f"Version {VERSION} of the package is in the org; the user may write all of it."
        )
    return Finding(
        "package",
        Level.WRITING,
        f"Of Headwater's objects the user may not write {', '.join(unwritable)}.",
        "What belongs there is not written to the org.",
        (Grant(Kind.INSTALL, PERMISSION_SET, "Install the Salesforce package again"),),
        f"{_PACKAGE_PAGE} > Install, which puts fields and rights back",
    )


def _unwritable(facts: Facts, sobject: str, fields: Sequence[Any]) -> list[str]:
    describe = _describe(facts, sobject)
    if not (describe.get("createable") and describe.get("updateable") and describe.get("deletable")):
        return [sobject]
    writable = {field["name"] for field in describe["fields"] if field["createable"]}
    return [f"{sobject}.{field.name}" for field in fields if field.name not in writable]
