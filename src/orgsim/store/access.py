"""What a user may: system permissions, and the schema as far as it exists for them (facts C.30).

Views are kept by user until the schema or somebody's rights change. Whoever sees all shares the catalog itself.
Not here: saving rights (store/grants.py), and which records a user sees.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace

from orgsim.errors import ApiError
from orgsim.schema.access import FIELD_PERMISSIONS, OBJECT_RIGHTS, SYSTEM_PERMISSIONS
from orgsim.schema.admin import API_TOTAL_USAGE_EVENT_LOG
from orgsim.schema.catalog import Catalog, View
from orgsim.schema.model import Field, SObject
from orgsim.store.org import Org

ADMIN_PROFILE = "System Administrator"
# Standard objects whose rights are granted one by one. Custom objects are too.
GRANTED_OBJECTS = frozenset({"Account", "Contact", "Lead", "Opportunity", "Case", "Campaign"})
# Activities have no rights of their own but those on fields.
GRANTED_FIELDS = GRANTED_OBJECTS | {"Task", "Event"}
_FOLLOWS = {
    "OpportunityContactRole": "Opportunity",
    "OpportunityHistory": "Opportunity",
    "CampaignMember": "Campaign",
    "CampaignMemberStatus": "Campaign",
}
_SETUP_READ = frozenset(
    {
        "PermissionSet",
        "PermissionSetAssignment",
        "ObjectPermissions",
        "FieldPermissions",
        "ApexTrigger",
        "FlowDefinitionView",
    }
)
_LOG_READ = {API_TOTAL_USAGE_EVENT_LOG.name: "ViewEventLogObjectData"}
_SETUP_WRITE = {
    **dict.fromkeys(
        ("Profile", "PermissionSet", "ObjectPermissions", "FieldPermissions"), "ManageProfilesPermissionsets"
    ),
    **dict.fromkeys(("User", "UserRole", "Group"), "ManageUsers"),
    "PermissionSetAssignment": "AssignPermissionSets",
    "RecordType": "CustomizeApplication",
}
_ALL_RIGHTS = frozenset({"Read", "Create", "Edit", "Delete"})
_READ = frozenset({"Read"})
_EVERYTHING = frozenset(SYSTEM_PERMISSIONS)
_OF_USER = (
    '(SELECT "Id" FROM "PermissionSet" WHERE "IsOwnedByProfile" AND "ProfileId" = :profile '
    'UNION SELECT "PermissionSetId" FROM "PermissionSetAssignment" WHERE "AssigneeId" = :user)'
)


def view_of(org: Org, user_id: str) -> View:
    """Two look-ups when nothing changed since the user's last call."""
    catalog, views = org.schema()
    view = views.get(user_id)
    if view is None:
        view = views[user_id] = _make_view(org, catalog, user_id)
    return view


def may(org: Org, user_id: str, permission: str) -> bool:
    return permission in view_of(org, user_id).permissions


def refuse_without_api(org: Org, user_id: str) -> None:
    """Every request of the data API and of Bulk API 1 needs it."""
    if not may(org, user_id, "ApiEnabled"):
        message = "The REST API is not enabled for this Organization."
        raise ApiError("API_DISABLED_FOR_ORG", message, status=403)


def keeps_rights(org: Org) -> bool:
    """Not an org that is older than rights."""
    return org.catalog().find(FIELD_PERMISSIONS.name) is not None


def is_granted_object(sobject: SObject) -> bool:
    return not sobject.is_history and (sobject.custom or sobject.name in GRANTED_OBJECTS)


def permissionable(sobject: SObject, name: str) -> Field | None:
    """The field of this name if rights on it can be granted."""
    field = sobject.find(name)
    is_granted = not sobject.is_history and (sobject.custom or sobject.name in GRANTED_FIELDS)
    return field if is_granted and field is not None and field.is_permissionable else None


@dataclass(frozen=True, slots=True)
class _Rights:
    """All that a user's profile and permission sets add up to. Keys of fields are `Lead.Email` in lower case."""

    permissions: frozenset[str]
    objects: dict[str, frozenset[str]]
    readable: frozenset[str]
    editable: frozenset[str]
    decided: frozenset[str]  # fields the profile says something about
    is_open: bool  # the profile sees fields it says nothing about, unless they came by a deployment

    def on(self, sobject: SObject) -> frozenset[str]:
        """Which of Read, Create, Edit and Delete."""
        name = sobject.name
        leader = _history_of(sobject) if sobject.is_history else _FOLLOWS.get(name)
        if leader:
            rights = self._granted(leader)
            return _ALL_RIGHTS if "Edit" in rights else rights & _READ
        if is_granted_object(sobject):
            return self._granted(name)
        reader = "ViewSetup" if name in _SETUP_READ else _LOG_READ.get(name)
        if reader and reader not in self.permissions:
            return frozenset()
        needed = _SETUP_WRITE.get(name)
        return _READ if needed and needed not in self.permissions else _ALL_RIGHTS

    def _granted(self, name: str) -> frozenset[str]:
        if "ModifyAllData" in self.permissions:
            return _ALL_RIGHTS
        granted = self.objects.get(name.lower(), frozenset())
        return granted | _READ if "ViewAllData" in self.permissions else granted

    def seen(self, sobject: SObject) -> SObject | None:
        """The object as the user sees it: itself where nothing is kept from them."""
        rights = self.on(sobject)
        if "Read" not in rights:
            return None
        fields = tuple(self._seen_fields(sobject))
        same = len(fields) == len(sobject.fields) and all(map(_is, fields, sobject.fields))
        if same and rights == _ALL_RIGHTS:
            return sobject
        return replace(
            sobject,
            fields=fields,
            createable=sobject.createable and "Create" in rights,
            updateable=sobject.updateable and "Edit" in rights,
            deletable=sobject.deletable and "Delete" in rights,
            undeletable=sobject.undeletable and "Delete" in rights,
            index={},
        )

    def _seen_fields(self, sobject: SObject) -> Iterator[Field]:
        for field in sobject.fields:
            decided = permissionable(sobject, field.compound_name or field.name)
            right = self._right(f"{sobject.name}.{decided.name}".lower(), decided) if decided else "edit"
            if right == "edit" or (right == "read" and not (field.createable or field.updateable)):
                yield field
            elif right == "read":
                is_granted = decided is field
                yield replace(field, createable=False, updateable=False, read_by_grant=is_granted)

    def _right(self, key: str, field: Field) -> str:
        if key in self.editable:
            return "edit"
        if self.is_open and key not in self.decided and not field.needs_grant:
            return "edit"
        return "read" if key in self.readable else ""


def _history_of(sobject: SObject) -> str:
    return next(
        each.reference_to[0] for each in sobject.fields if each.type == "reference" and each.name != "CreatedById"
    )


def _is(one: Field, other: Field) -> bool:
    return one is other


def _make_view(org: Org, catalog: Catalog, user_id: str) -> View:
    rights = _read_rights(org, user_id)
    if rights is None:
        return View(catalog, _EVERYTHING)
    seen = {each.name: found for each in catalog if (found := rights.seen(each))}
    if len(seen) == len(list(catalog)) and all(seen[each.name] is each for each in catalog):
        return View(catalog, rights.permissions)
    return View(Catalog(_without_hidden_parents(each, seen) for each in seen.values()), rights.permissions)


def _without_hidden_parents(sobject: SObject, seen: dict[str, SObject]) -> SObject:
    """A reference stays an id that leads nowhere when the user sees none of the objects it may point at."""
    if all(target in seen for field in sobject.fields for target in field.reference_to):
        return sobject
    fields = (
        field
        if all(target in seen for target in field.reference_to)
        else _narrowed(field, tuple(target for target in field.reference_to if target in seen))
        for field in sobject.fields
    )
    return replace(sobject, fields=tuple(fields), index={})


def _narrowed(field: Field, targets: tuple[str, ...]) -> Field:
    return replace(field, reference_to=targets, relationship_name=field.relationship_name if targets else None)


def _read_rights(org: Org, user_id: str) -> _Rights | None:
    """None for whom nothing is limited: everybody in an org that is older than rights, and users without a profile."""
    if not keeps_rights(org):
        return None
    connection = org.database.connect()
    profile = connection.execute(
        'SELECT p."Id", p."Name" FROM "User" u JOIN "Profile" p ON p."Id" = u."ProfileId" WHERE u."Id" = ?', (user_id,)
    ).fetchone()
    if profile is None:
        return None
    known = {"user": user_id, "profile": profile[0]}
    fields = _field_rows(connection, known)
    readable = frozenset(key for key, _, read, _ in fields if read)
    return _Rights(
        permissions=_system_permissions(connection, known),
        objects=_object_rights(connection, known),
        readable=readable,
        editable=frozenset(key for key, edit, _, _ in fields if edit),
        decided=frozenset(key for key, _, _, own in fields if own),
        is_open=profile[1] == ADMIN_PROFILE,
    )


def _system_permissions(connection: sqlite3.Connection, known: dict[str, str]) -> frozenset[str]:
    there = {
        row[1] for row in connection.execute('PRAGMA table_info("PermissionSet")')
    }  # an older org lacks newer ones
    names = [name for name in SYSTEM_PERMISSIONS if f"Permissions{name}" in there]
    columns = ", ".join(f'max("Permissions{name}")' for name in names)
    row = connection.execute(f'SELECT {columns} FROM "PermissionSet" WHERE "Id" IN {_OF_USER}', known).fetchone()  # noqa: S608  names written above
    return frozenset(name for name, granted in zip(names, row, strict=True) if granted)


def _object_rights(connection: sqlite3.Connection, known: dict[str, str]) -> dict[str, frozenset[str]]:
    columns = ", ".join(f'max("Permissions{right}")' for right in OBJECT_RIGHTS)
    rows = connection.execute(
        f'SELECT lower("SobjectType"), {columns} FROM "ObjectPermissions" WHERE "ParentId" IN {_OF_USER} GROUP BY 1',  # noqa: S608  names written above
        known,
    )
    return {
        name: frozenset(right for right, granted in zip(OBJECT_RIGHTS, rights, strict=True) if granted)
        for name, *rights in rows
    }


def _field_rows(connection: sqlite3.Connection, known: dict[str, str]) -> list[tuple[str, int, int, int]]:
    """(key, edit, read, whether the profile's own) of each row."""
    return connection.execute(
        'SELECT lower(f."Field"), f."PermissionsEdit", f."PermissionsRead", s."IsOwnedByProfile" '  # noqa: S608  names written above
        'FROM "FieldPermissions" f JOIN "PermissionSet" s ON s."Id" = f."ParentId" '
        f'WHERE f."ParentId" IN {_OF_USER}',
        known,
    ).fetchall()
