"""What Salesforce asks of rights that are saved: that they exist, fit together, and are given once (facts C.30)."""

from orgsim.errors import ApiError
from orgsim.schema.access import FIELD_PERMISSIONS, OBJECT_PERMISSIONS
from orgsim.schema.model import SObject
from orgsim.store.access import ADMIN_PROFILE, is_granted_object, permissionable
from orgsim.store.org import Org
from orgsim.store.rows import Row, find_rows

_OF_RIGHTS = frozenset({"Profile", "PermissionSet", "PermissionSetAssignment", "ObjectPermissions", "FieldPermissions"})
# What each right on an object cannot be without.
NEEDS = {
    "Create": ("Read",),
    "Edit": ("Read",),
    "Delete": ("Read", "Edit"),
    "ViewAllRecords": ("Read",),
    "ModifyAllRecords": ("Read", "Edit", "Delete", "ViewAllRecords"),
}


def check_grant(org: Org, sobject: SObject, row: Row, old: Row | None) -> None:
    """Raises ApiError for a right that cannot be. Spells objects and fields as the schema does."""
    match sobject.name:
        case "PermissionSetAssignment":
            _check_assignment(org, sobject, row)
        case "ObjectPermissions":
            _check_object(org, row)
            _refuse_second(org, OBJECT_PERMISSIONS, "SobjectType", row, old)
        case "FieldPermissions":
            _check_field(org, row)
            _refuse_second(org, FIELD_PERMISSIONS, "Field", row, old)


def settle_saved(org: Org, sobject: SObject) -> None:
    """Rights, or a user's profile, were saved: a right to nothing goes, and views are made anew."""
    if sobject.name == "FieldPermissions":
        org.database.connect().execute(
            'DELETE FROM "FieldPermissions" WHERE NOT "PermissionsRead" AND "ParentId" NOT IN '
            '(SELECT s."Id" FROM "PermissionSet" s JOIN "Profile" p ON p."Id" = s."ProfileId" WHERE p."Name" = ?)',
            (ADMIN_PROFILE,),
        )
    if sobject.name == "ObjectPermissions":
        org.database.connect().execute('DELETE FROM "ObjectPermissions" WHERE NOT "PermissionsRead"')
    if sobject.name in _OF_RIGHTS or sobject.name == "User":
        org.access_changed()


def _check_assignment(org: Org, sobject: SObject, row: Row) -> None:
    for other in find_rows(org.database.connect(), sobject, "AssigneeId", row["AssigneeId"]):
        if other["PermissionSetId"] == row["PermissionSetId"] and other["Id"] != row["Id"]:
            told = f"Assignee: {row['AssigneeId']}, Permission Set: {row['PermissionSetId']}"
            raise ApiError("DUPLICATE_VALUE", f"Duplicate PermissionSetAssignment. {told}", fields=())
    permission_set = org.catalog().get("PermissionSet")
    for found in find_rows(org.database.connect(), permission_set, "Id", row["PermissionSetId"]):
        if found["IsOwnedByProfile"]:
            message = "Can't assign a permission set that is owned by a profile"
            raise ApiError("FIELD_INTEGRITY_EXCEPTION", message, fields=("PermissionSetId",))


def _check_object(org: Org, row: Row) -> None:
    sobject = org.catalog().find(str(row["SobjectType"]))
    if sobject is None or not is_granted_object(sobject):
        raise _no_such("Sobject Type Name", "SobjectType", row)
    row["SobjectType"] = sobject.name
    for right, needed in NEEDS.items():
        missing = [each for each in needed if not row.get(f"Permissions{each}")]
        if row.get(f"Permissions{right}") and missing:
            raise _depends(f"{right} {sobject.name}", [f"{each} {sobject.name}" for each in missing])


def _check_field(org: Org, row: Row) -> None:
    sobject = org.catalog().find(str(row["SobjectType"]))
    object_name, _, field_name = str(row["Field"]).partition(".")
    field = permissionable(sobject, field_name) if sobject else None
    if sobject is None or field is None or object_name.lower() != sobject.name.lower():
        raise _no_such("Field Name", "Field", row)
    row["SobjectType"], row["Field"] = sobject.name, f"{sobject.name}.{field.name}"
    if row.get("PermissionsEdit") and not row.get("PermissionsRead"):
        raise _depends(f"Edit {row['Field']}", [f"Read {row['Field']}"])
    if row.get("PermissionsEdit") and (field.calculated or field.auto_number):
        raise ApiError(
            "FIELD_INTEGRITY_EXCEPTION", f"The field {row['Field']} is read only", fields=("PermissionsEdit",)
        )


def _refuse_second(org: Org, sobject: SObject, of: str, row: Row, old: Row | None) -> None:
    if old is not None:
        return
    for other in find_rows(org.database.connect(), sobject, "ParentId", row["ParentId"]):
        if other[of] == row[of]:
            message = f"duplicate value found: {of} duplicates value on record with id: {str(other['Id'])[:15]}"
            raise ApiError("DUPLICATE_VALUE", message, fields=())


def _no_such(label: str, field: str, row: Row) -> ApiError:
    message = f"{label}: bad value for restricted picklist field: {row[field]}"
    return ApiError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=(field,))


def _depends(right: str, missing: list[str]) -> ApiError:
    message = f"Permission {right} depends on permission(s): {', '.join(missing)}"
    return ApiError("FIELD_INTEGRITY_EXCEPTION", message, fields=())
