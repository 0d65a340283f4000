"""What Headwater puts into an org: its objects, their fields, its permission sets, and the version. Data alone.

Not here: the files they become (files.py). The fields with their meaning: docs/reference/replica.md. A field that
Headwater does not fill is not created.
"""

from dataclasses import dataclass

BUYER_TOUCHPOINT = "Buyer_Touchpoint__c"
BUYER_ATTRIBUTION_TOUCHPOINT = "Buyer_Attribution_Touchpoint__c"
UNIQUE_ID = "UniqueId__c"
# Counted up with every change of what is deployed. 1: the objects and the Administrator set, without a mark of the
# version. 2: the sets for marketing and for everybody else, and the mark.
VERSION = 2
VERSION_MARK = "Headwater package version"


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
OBJECT_LABELS = {
    BUYER_TOUCHPOINT: ("Buyer Touchpoint", "Buyer Touchpoints", "BT-{0000000000}"),
    BUYER_ATTRIBUTION_TOUCHPOINT: ("Buyer Attribution Touchpoint", "Buyer Attribution Touchpoints", "BAT-{0000000000}"),
}


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """`rights` on each object as a .permissionset file names them; `may_edit` is said of every field.

    The description ends with the mark of the version, which is how an org tells which version it has.
    """

    name: str
    label: str
    meant_for: str
    allows: str
    rights: tuple[str, ...]
    may_edit: bool

    @property
    def description(self) -> str:
        return f"For {self.meant_for}: {self.allows}. {VERSION_MARK} {VERSION}."


ADMINISTRATOR = PermissionSet(
    "Headwater_Administrator",
    "Headwater Administrator",
    "the user that Headwater is connected as",
    "creates, reads, edits and deletes touchpoints",
    ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords", "viewAllRecords"),
    may_edit=True,
)
MARKETING_USER = PermissionSet(
    "Headwater_Marketing_User",
    "Headwater Marketing User",
    "the marketing team",
    "creates, reads and edits touchpoints, and deletes none",
    ("allowCreate", "allowEdit", "allowRead"),
    may_edit=True,
)
STANDARD_USER = PermissionSet(
    "Headwater_Standard_User",
    "Headwater Standard User",
    "sales and everybody who reports",
    "reads touchpoints",
    ("allowRead",),
    may_edit=False,
)
PERMISSION_SETS = (ADMINISTRATOR, MARKETING_USER, STANDARD_USER)
PERMISSION_SET = ADMINISTRATOR.name  # the only one that Headwater assigns
