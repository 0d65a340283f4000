"""Headwater's own objects, fields and permission set in the org, as Metadata API files; their installation and grant.

Not here: which values are written into them (export/wanted.py). The list of fields with their meaning:
docs/reference/replica.md. A field that Headwater does not fill is not created.
"""

import io
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from headwater.accounts.models import Account
from headwater.accounts.services import record_event
from headwater.common.errors import Facts, Fix
from headwater.connections.services import connection_of, session
from headwater.connections.tokens import not_connected
from headwater.salesforce.deploy import deploy_status, start_deploy
from headwater.salesforce.rest import Org
from headwater.salesforce.transport import Transport

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
METADATA_VERSION = "64.0"
BUYER_TOUCHPOINT = "Buyer_Touchpoint__c"
BUYER_ATTRIBUTION_TOUCHPOINT = "Buyer_Attribution_Touchpoint__c"
UNIQUE_ID = "UniqueId__c"
PERMISSION_SET = "Headwater_Administrator"
INSTALLING = "package.install"
_POLL_SECONDS = 2.0
_POLLS_MAX = 60


@dataclass(frozen=True, slots=True)
class PackageField:
    """A custom field: `kind` is the Metadata API's type, `details` its further elements."""

    name: str
    label: str
    kind: str
    details: tuple[tuple[str, str], ...] = ()


def _text(name: str, label: str, length: int = 255) -> PackageField:
    return PackageField(name, label, "Text", (("length", str(length)),))


def _number(name: str, label: str, scale: int) -> PackageField:
    return PackageField(name, label, "Number", (("precision", "18"), ("scale", str(scale))))


def _percent(name: str, label: str) -> PackageField:
    return PackageField(name, label, "Percent", (("precision", "18"), ("scale", "4")))


def _money(name: str, label: str) -> PackageField:
    return PackageField(name, label, "Currency", (("precision", "18"), ("scale", "2")))


def _lookup(name: str, label: str, to: str, children: str) -> PackageField:
    return PackageField(
        name,
        label,
        "Lookup",
        (("deleteConstraint", "SetNull"), ("referenceTo", to), ("relationshipName", children)),
    )


_COMMON = (
    PackageField(
        UNIQUE_ID,
        "Unique Id",
        "Text",
        (("caseSensitive", "true"), ("externalId", "true"), ("length", "120"), ("unique", "true")),
    ),
    _text("Marketing_Channel__c", "Marketing Channel"),
    _text("Marketing_Channel_Path__c", "Marketing Channel - Path"),
    _text("Touchpoint_Type__c", "Touchpoint Type", 16),
    _text("Touchpoint_Position__c", "Touchpoint Position"),
    PackageField("Touchpoint_Date__c", "Touchpoint Date", "DateTime"),
    _text("Touchpoint_Source__c", "Touchpoint Source"),
    _text("Medium__c", "Medium"),
    _text("Ad_Campaign_Id__c", "Ad Campaign Id"),
    _text("Ad_Campaign_Name__c", "Ad Campaign Name"),
    _text("Ad_Content__c", "Ad Content"),
    _text("User_Touchpoint_Id__c", "User Touchpoint Id"),
    _number("Count_First_Touch__c", "Count - First Touch", 6),
    _number("Count_Lead_Creation_Touch__c", "Count - Lead Creation Touch", 6),
    _number("Count_U_Shaped__c", "Count - U-Shaped", 6),
)

FIELDS: dict[str, tuple[PackageField, ...]] = {
    BUYER_TOUCHPOINT: (
        *_COMMON,
        _lookup("Lead__c", "Lead", "Lead", "Buyer_Touchpoints"),
        _lookup("Contact__c", "Contact", "Contact", "Buyer_Touchpoints"),
        _lookup("SF_Campaign__c", "Campaign", "Campaign", "Buyer_Touchpoints"),
    ),
    BUYER_ATTRIBUTION_TOUCHPOINT: (
        *_COMMON,
        _lookup("Opportunity__c", "Opportunity", "Opportunity", "Buyer_Attribution_Touchpoints"),
        _lookup("Account__c", "Account", "Account", "Buyer_Attribution_Touchpoints"),
        _lookup("Contact__c", "Contact", "Contact", "Buyer_Attribution_Touchpoints"),
        _lookup("SF_Campaign__c", "Campaign", "Campaign", "Buyer_Attribution_Touchpoints"),
        _number("Count_W_Shaped__c", "Count - W-Shaped", 6),
        _number("Count_Full_Path__c", "Count - Full Path", 6),
        _percent("Attribution_First_Touch__c", "Attribution % - First Touch"),
        _percent("Attribution_Lead_Creation_Touch__c", "Attribution % - Lead Creation Touch"),
        _percent("Attribution_U_Shaped__c", "Attribution % - U-Shaped"),
        _percent("Attribution_W_Shaped__c", "Attribution % - W-Shaped"),
        _percent("Attribution_Full_Path__c", "Attribution % - Full Path"),
        _money("Revenue_First_Touch__c", "Revenue - First Touch"),
        _money("Revenue_Lead_Creation_Touch__c", "Revenue - Lead Creation Touch"),
        _money("Revenue_U_Shaped__c", "Revenue - U-Shaped"),
        _money("Revenue_W_Shaped__c", "Revenue - W-Shaped"),
        _money("Revenue_Full_Path__c", "Revenue - Full Path"),
    ),
}
_LABELS = {
    BUYER_TOUCHPOINT: ("Buyer Touchpoint", "Buyer Touchpoints", "BT-{0000000000}"),
    BUYER_ATTRIBUTION_TOUCHPOINT: ("Buyer Attribution Touchpoint", "Buyer Attribution Touchpoints", "BAT-{0000000000}"),
}


@dataclass(frozen=True, slots=True)
class Installed:
    """What of the package the connected user can see; `missing` names objects and `Object.Field`s.

    `is_ungranted`: the permission set is in the org and the connected user does not have it, which hides all it grants.
    """

    missing: tuple[str, ...]
    is_ungranted: bool = False

    @property
    def is_complete(self) -> bool:
        return not self.missing


def files() -> dict[str, bytes]:
    """The package as Metadata API files by path: the same that an admin may review and deploy by hand."""
    made = {f"objects/{sobject}.object": _object_xml(sobject) for sobject in FIELDS}
    made[f"permissionsets/{PERMISSION_SET}.permissionset"] = _permission_set_xml()
    made["package.xml"] = _package_xml()
    return made


def installed(account: Account) -> Installed:
    """Ask the org which of our objects and fields are there: one credit, one more for why some are missing."""
    with session(account, job_kind=INSTALLING) as transport:
        return installed_in(transport, account)


def installed_in(transport: Transport, account: Account) -> Installed:
    """The same, in a session that is open already."""
    org = Org(transport)
    found = org.describe([*FIELDS, "PermissionSet"])
    missing = _missing(found)
    if not missing or "PermissionSet" not in found:  # who does not see Setup cannot be told why
        return Installed(missing)
    grant = _grant(org, _user_id(account))
    return Installed(missing, is_ungranted=grant is not None and not grant.is_assigned)


def _missing(found: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    missing = []
    for sobject, fields in FIELDS.items():
        if sobject not in found:
            missing.append(sobject)
            continue
        seen = {field["name"] for field in found[sobject]["fields"]}
        missing.extend(f"{sobject}.{field.name}" for field in fields if field.name not in seen)
    return tuple(missing)


def why_missing(state: Installed) -> str:
    """For whoever reads a message about an installation that is not complete."""
    if state.is_ungranted:
        return f"They are in the org, and the connected user does not have the permission set {PERMISSION_SET}."
    named = ", ".join(state.missing[:5])
    further = f" and {len(state.missing) - 5} more" if len(state.missing) > 5 else ""
    return f"Missing, or hidden from the connected user: {named}{further}."


def install(account: Account, *, actor: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Deploy the package, wait for the org to finish, and give the connected user its permission set.

    Raises Fix with the org's own words where it refuses one or the other.
    """
    with session(account, job_kind=INSTALLING) as transport:
        _deploy(transport, sleep)
        record_event(account, actor=actor, action=INSTALLING, before="", after=", ".join(FIELDS))
        _assign(Org(transport), _user_id(account))


def _deploy(transport: Transport, sleep: Callable[[float], None]) -> None:
    status = start_deploy(transport, _zip(files()))
    for _ in range(_POLLS_MAX):
        if status.is_done:
            break
        sleep(_POLL_SECONDS)
        status = deploy_status(transport, status.id)
    if not (status.is_done and status.is_success):
        raise Fix(
            "connections.package_refused",
            "The org did not install Headwater's objects.",
            Facts(
                why="; ".join(status.problems) or "The installation did not finish in time.",
                left="Nothing was installed: a deploy is put in whole or not at all.",
                you_can="grant 'Customize Application' and 'Modify Metadata', or deploy the files by hand",
            ),
        )


@dataclass(frozen=True, slots=True)
class _Grant:
    permission_set_id: str
    is_assigned: bool


def _user_id(account: Account) -> str:
    row = connection_of(account)
    if row is None:
        raise not_connected()
    return row.user_id


def _grant(org: Org, user_id: str) -> _Grant | None:
    """Our permission set, and whether the user has it; None where it is not in the org. One credit."""
    rows = org.query(
        f"SELECT Id, (SELECT Id FROM Assignments WHERE AssigneeId = '{user_id}') "  # noqa: S608 - SOQL
        f"FROM PermissionSet WHERE Name = '{PERMISSION_SET}'",
        "asking who has Headwater's permission set",
    )
    return _Grant(rows[0]["Id"], rows[0]["Assignments"] is not None) if rows else None


def _assign(org: Org, user_id: str) -> None:
    """What a deploy creates nobody sees, administrators neither, until it is granted and assigned (facts C.8)."""
    grant = _grant(org, user_id)
    if grant is None:
        raise _not_assigned(f"The org does not show the permission set {PERMISSION_SET}.")
    if grant.is_assigned:
        return
    [result] = org.insert(
        "PermissionSetAssignment", [{"PermissionSetId": grant.permission_set_id, "AssigneeId": user_id}]
    )
    refused = [error for error in result.errors if error.status_code != "DUPLICATE_VALUE"]  # somebody was faster
    if refused:
        raise _not_assigned("; ".join(f"{error.status_code}: {error.message}" for error in refused))


def _not_assigned(why: str) -> Fix:
    return Fix(
        "connections.package_not_assigned",
        "Headwater's objects are installed, but the connected user could not be given the right to use them.",
        Facts(
            why=why,
            left="The objects are in the org. Nothing is written to them.",
            you_can=f"assign the permission set {PERMISSION_SET} to the connected user in Setup > Permission Sets, "
            "or grant 'Assign Permission Sets' and install again",
        ),
    )


def _zip(contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in contents.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def _element(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _to_bytes(root: ET.Element) -> bytes:
    ET.indent(root, "    ")
    written: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def _object_xml(sobject: str) -> bytes:
    label, plural, number_format = _LABELS[sobject]
    root = ET.Element("CustomObject", xmlns=NAMESPACE)
    _element(root, "deploymentStatus", "Deployed")
    for field in FIELDS[sobject]:
        element = ET.SubElement(root, "fields")
        _element(element, "fullName", field.name)
        _element(element, "label", field.label)
        _element(element, "type", field.kind)
        for name, text in field.details:
            _element(element, name, text)
    _element(root, "label", label)
    name_field = ET.SubElement(root, "nameField")
    for name, text in (("displayFormat", number_format), ("label", label), ("type", "AutoNumber")):
        _element(name_field, name, text)
    _element(root, "pluralLabel", plural)
    _element(root, "sharingModel", "ReadWrite")
    return _to_bytes(root)


def _permission_set_xml() -> bytes:
    """Fields made by the API are invisible to everybody, admins too, until a permission set grants them (facts C.8)."""
    root = ET.Element("PermissionSet", xmlns=NAMESPACE)
    for sobject, fields in FIELDS.items():
        for field in fields:
            element = ET.SubElement(root, "fieldPermissions")
            for name, text in (("editable", "true"), ("field", f"{sobject}.{field.name}"), ("readable", "true")):
                _element(element, name, text)
    _element(root, "label", "Headwater Administrator")
    for sobject in FIELDS:
        element = ET.SubElement(root, "objectPermissions")
        for right in ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords"):
            _element(element, right, "true")
        _element(element, "object", sobject)
        _element(element, "viewAllRecords", "true")
    return _to_bytes(root)


def _package_xml() -> bytes:
    root = ET.Element("Package", xmlns=NAMESPACE)
    for kind, members in (("CustomObject", list(FIELDS)), ("PermissionSet", [PERMISSION_SET])):
        element = ET.SubElement(root, "types")
        for member in members:
            _element(element, "members", member)
        _element(element, "name", kind)
    _element(root, "version", METADATA_VERSION)
    return _to_bytes(root)
