"""Profiles and the permission set each of them owns: founded as Salesforce has them, and in orgs from before rights.

Not here: what rights come to (store/access.py).
"""

from dataclasses import dataclass

from orgsim.schema.access import (
    FIELD_PERMISSIONS,
    OBJECT_PERMISSIONS,
    OBJECT_RIGHTS,
    OBJECTS,
    SYSTEM_PERMISSIONS,
    permission_flags,
)
from orgsim.schema.model import SObject
from orgsim.store.access import ADMIN_PROFILE, GRANTED_FIELDS, GRANTED_OBJECTS, keeps_rights, permissionable
from orgsim.store.org import Org
from orgsim.store.rows import Row, insert_row, insert_rows
from orgsim.store.values import Stored


@dataclass(frozen=True, slots=True)
class Template:
    """What a new profile may. `objects` are rights on each standard object, `edits`: whether it edits their fields."""

    permissions: tuple[str, ...] = ("ApiEnabled",)
    objects: tuple[str, ...] = ()
    edits: bool = False


_TEMPLATES = {
    ADMIN_PROFILE: Template(SYSTEM_PERMISSIONS, OBJECT_RIGHTS, edits=True),
    "Standard User": Template(("ApiEnabled", "ViewSetup"), ("Create", "Read", "Edit", "Delete"), edits=True),
    "Read Only": Template(("ApiEnabled", "ViewSetup"), ("Read",)),
    "Minimum Access - Salesforce": Template(permissions=()),
}
_BARE = Template()


def profile_id(org: Org, name: str, user_id: str) -> str:
    """The profile of this name, made if need be. A name Salesforce does not come with starts with API access alone."""
    prepare_access(org, user_id)
    connection = org.database.connect()
    known = connection.execute('SELECT "Id" FROM "Profile" WHERE "Name" = ?', (name,)).fetchone()
    if known:
        return str(known[0])
    row: Row = {"Id": org.new_id("00e"), "Name": name, "UserType": "Standard", **_stamps(org, user_id)}
    insert_row(connection, org.catalog().get("Profile"), row)
    _add_own_set(org, str(row["Id"]), name, user_id)
    return str(row["Id"])


def prepare_access(org: Org, user_id: str) -> None:
    """Make an org that is older than rights ready for them: everybody goes on as an administrator or standard user."""
    if keeps_rights(org):
        known = org.catalog().get("PermissionSet")
        for field in permission_flags():
            if known.find(field.name) is None:
                org.add_field(org.catalog().get("PermissionSet"), field)
        return
    with org.database.write() as connection:
        org.add_sobjects(OBJECTS)
        for field in permission_flags():
            org.add_field(org.catalog().get("PermissionSet"), field)
        cleared = ", ".join(f'"Permissions{name}" = 0' for name in SYSTEM_PERMISSIONS)
        connection.execute(f'UPDATE "PermissionSet" SET {cleared}')  # noqa: S608  names of the schema
        for found_id, name in connection.execute('SELECT "Id", "Name" FROM "Profile"').fetchall():
            _add_own_set(org, found_id, name if name in _TEMPLATES else "Standard User", user_id)


def own_set(org: Org, found_id: str) -> str:
    """The permission set that a profile owns."""
    row = (
        org.database.connect()
        .execute('SELECT "Id" FROM "PermissionSet" WHERE "IsOwnedByProfile" AND "ProfileId" = ?', (found_id,))
        .fetchone()
    )
    return str(row[0])


def _add_own_set(org: Org, found_id: str, name: str, user_id: str) -> None:
    template = _TEMPLATES.get(name, _BARE)
    catalog = org.catalog()
    row: Row = {
        "Id": org.new_id("0PS"),
        "Name": f"X{found_id}",
        "Label": f"{found_id[:15]}",
        "IsOwnedByProfile": 1,
        "ProfileId": found_id,
        **{f"Permissions{each}": int(each in template.permissions) for each in SYSTEM_PERMISSIONS},
        **_stamps(org, user_id),
    }
    insert_row(org.database.connect(), catalog.get("PermissionSet"), row)
    set_id = str(row["Id"])
    if template.objects:
        for sobject in catalog:
            if sobject.name in GRANTED_OBJECTS:
                _grant_object(org, set_id, sobject, template, user_id)
            if sobject.name in GRANTED_FIELDS and name != ADMIN_PROFILE:
                _grant_fields(org, set_id, sobject, template)
    org.access_changed()


def _grant_object(org: Org, set_id: str, sobject: SObject, template: Template, user_id: str) -> None:
    row: Row = {
        "Id": org.new_id(OBJECT_PERMISSIONS.key_prefix),
        "ParentId": set_id,
        "SobjectType": sobject.name,
        **{f"Permissions{right}": int(right in template.objects) for right in OBJECT_RIGHTS},
        **_stamps(org, user_id),
    }
    insert_row(org.database.connect(), OBJECT_PERMISSIONS, row)


def _grant_fields(org: Org, set_id: str, sobject: SObject, template: Template) -> None:
    fields = [each for each in sobject.fields if permissionable(sobject, each.name) and not each.needs_grant]
    numbers = org.new_ids(FIELD_PERMISSIONS.key_prefix, len(fields))
    now = org.now_text()
    rows: list[tuple[Stored, ...]] = [
        (new_id, set_id, sobject.name, f"{sobject.name}.{field.name}", int(template.edits), 1, now)
        for new_id, field in zip(numbers, fields, strict=True)
    ]
    names = ("Id", "ParentId", "SobjectType", "Field", "PermissionsEdit", "PermissionsRead", "SystemModstamp")
    insert_rows(org.database.connect(), FIELD_PERMISSIONS, names, rows)


def _stamps(org: Org, user_id: str) -> Row:
    now = org.now_text()
    by_user: Row = {"CreatedById": user_id, "LastModifiedById": user_id}
    return {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now, **by_user}
