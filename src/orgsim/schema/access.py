"""The objects that say who may do what: rights on objects and on fields, by permission set, and system permissions.

Not here: what a user may in the end (store/access.py).
"""

from dataclasses import replace

from orgsim.schema.declare import flag, moment, pick, read_only, record_id, reference, required, system_fields
from orgsim.schema.model import Field, SObject

# Those that matter to an integration, spelled as in a .permissionset file (facts C.30).
SYSTEM_PERMISSIONS = (
    "ApiEnabled",
    "ViewSetup",
    "ViewAllData",
    "ModifyAllData",
    "CustomizeApplication",
    "ModifyMetadata",
    "ManageUsers",
    "ManageProfilesPermissionsets",
    "AssignPermissionSets",
    "AllowViewEditConvertedLeads",
    "ViewEventLogObjectData",
)
OBJECT_RIGHTS = ("Create", "Read", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords")


def permission_flags() -> tuple[Field, ...]:
    """`PermissionsApiEnabled` and so on, as a PermissionSet has them."""
    return tuple(flag(f"Permissions{name}") for name in SYSTEM_PERMISSIONS)


def _parent(children: str) -> Field:
    field = required(reference("ParentId", "PermissionSet", child=children, updateable=False))
    return replace(field, cascade_delete=True)


OBJECT_PERMISSIONS = SObject(
    "ObjectPermissions",
    "Object Permissions",
    "Object Permissions",
    "110",
    (
        record_id(),
        _parent("ObjectPerms"),
        required(pick("SobjectType", (), 40, updateable=False)),
        *(flag(f"Permissions{right}") for right in OBJECT_RIGHTS),
        *system_fields(bin_flag=False),
    ),
    undeletable=False,
    replicateable=False,
    bulk_queryable=False,
)

FIELD_PERMISSIONS = SObject(
    "FieldPermissions",
    "Field Permissions",
    "Field Permissions",
    "01k",
    (
        record_id(),
        _parent("FieldPerms"),
        required(pick("SobjectType", (), 40, updateable=False)),
        required(pick("Field", (), 255, updateable=False)),
        flag("PermissionsEdit"),
        flag("PermissionsRead"),
        read_only(moment("SystemModstamp", nillable=False, defaulted_on_create=True)),
    ),
    undeletable=False,
    replicateable=False,
    bulk_queryable=False,
)
OBJECTS = (OBJECT_PERMISSIONS, FIELD_PERMISSIONS)
