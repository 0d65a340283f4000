"""What users may, as the side door, the command `orgsim access` and orgsim.testing show and change it."""

from collections.abc import Iterable
from typing import Any

from orgsim.errors import ApiError
from orgsim.oauth.users import any_admin, find_user
from orgsim.schema.access import OBJECT_RIGHTS, SYSTEM_PERMISSIONS
from orgsim.schema.catalog import Catalog, View
from orgsim.schema.model import SObject
from orgsim.store.access import is_granted_object, view_of
from orgsim.store.grants import NEEDS
from orgsim.store.org import Org
from orgsim.store.profiles import own_set, prepare_access, profile_id
from orgsim.store.write import Writer

_PLAIN_RIGHTS = ("Read", "Create", "Edit", "Delete")
_FIELD_RIGHTS = ("Read", "Edit")
_FIELD_NEEDS: dict[str, tuple[str, ...]] = {"Edit": ("Read",)}


def describe_access(org: Org, username: str) -> dict[str, object]:
    """Profile, permission sets and system permissions of a user, and what the schema is for them."""
    user_id = _user(org, username)
    connection = org.database.connect()
    profile = connection.execute(
        'SELECT p."Name" FROM "User" u JOIN "Profile" p ON p."Id" = u."ProfileId" WHERE u."Id" = ?', (user_id,)
    ).fetchone()
    sets = connection.execute(
        'SELECT s."Name" FROM "PermissionSetAssignment" a JOIN "PermissionSet" s ON s."Id" = a."PermissionSetId" '
        'WHERE a."AssigneeId" = ? ORDER BY 1',
        (user_id,),
    ).fetchall()
    view = view_of(org, user_id)
    return {
        "user": username,
        "profile": profile[0] if profile else None,
        "permission_sets": [name for (name,) in sets],
        "permissions": [name for name in SYSTEM_PERMISSIONS if name in view.permissions],
        "objects": {each.name: _described(each, view) for each in org.catalog() if is_granted_object(each)},
        "hidden_fields": _hidden_fields(org.catalog(), view),
    }


def change_access(org: Org, wish: dict[str, Any]) -> dict[str, object]:
    """{"action": "grant" | "revoke" | "assign" | "unassign", …}; see docs/orgsim/reference.md."""
    told = dict(wish)
    match told.pop("action"):
        case "grant":
            set_rights(org, granted=True, **told)
        case "revoke":
            set_rights(org, granted=False, **told)
        case "assign":
            assign(org, **told)
        case "unassign":
            unassign(org, **told)
        case action:
            raise ApiError("INVALID_INPUT", f"There is no action {action!r}.")
    return wish


def set_rights(
    org: Org, *, on: str, granted: bool, rights: Iterable[str] = (), profile: str = "", permission_set: str = ""
) -> None:
    """`on` is an object, a field as `Lead.Email` or a system permission; without `rights` all of them are meant.

    What a right needs is granted with it, and what needs a right goes with it.
    """
    if bool(profile) == bool(permission_set):
        raise ApiError("INVALID_INPUT", "Name either a profile or a permission set.")
    writer = _writer(org)
    holder = (
        own_set(org, profile_id(org, profile, writer.user_id)) if profile else _permission_set(writer, permission_set)
    )
    if on in SYSTEM_PERMISSIONS:
        writer.update("PermissionSet", holder, {f"Permissions{on}": granted})
        return
    wanted = [each.capitalize() if each.islower() else each for each in rights]
    if "." in on:
        key = {"ParentId": holder, "SobjectType": on.partition(".")[0], "Field": on}
        wanted = wanted or _settable(org, on)
        _change(writer, "FieldPermissions", key, _with_needed(wanted, _FIELD_NEEDS, granted=granted), granted=granted)
    else:
        key = {"ParentId": holder, "SobjectType": on}
        wanted = wanted or list(_PLAIN_RIGHTS if granted else OBJECT_RIGHTS)
        _change(writer, "ObjectPermissions", key, _with_needed(wanted, NEEDS, granted=granted), granted=granted)


def assign(org: Org, *, user: str, permission_set: str) -> None:
    writer = _writer(org)
    assigned = {"AssigneeId": _user(org, user), "PermissionSetId": _permission_set(writer, permission_set)}
    writer.insert("PermissionSetAssignment", assigned)


def unassign(org: Org, *, user: str, permission_set: str) -> None:
    writer = _writer(org)
    rows = org.database.connect().execute(
        'SELECT "Id" FROM "PermissionSetAssignment" WHERE "AssigneeId" = ? AND "PermissionSetId" = ?',
        (_user(org, user), _permission_set(writer, permission_set)),
    )
    for (assignment_id,) in rows.fetchall():
        writer.delete("PermissionSetAssignment", assignment_id)


def _change(writer: Writer, name: str, key: dict[str, str], rights: set[str], *, granted: bool) -> None:
    """Of the row that has this key, made if need be."""
    values = {f"Permissions{right}": granted for right in rights}
    where = " AND ".join(f'"{column}" = ?' for column in key)
    sql = f'SELECT "Id" FROM "{name}" WHERE {where}'  # noqa: S608  names written above
    row = writer.org.database.connect().execute(sql, tuple(key.values())).fetchone()
    if row is None:
        writer.insert(name, {**key, **values})
    else:
        writer.update(name, row[0], values)


def _with_needed(wanted: list[str], needs: dict[str, tuple[str, ...]], *, granted: bool) -> set[str]:
    if granted:
        return {*wanted, *(needed for right in wanted for needed in needs.get(right, ()))}
    return {*wanted, *(right for right, needed in needs.items() if set(needed) & set(wanted))}


def _settable(org: Org, full_name: str) -> list[str]:
    """Nobody can be let edit what is computed or numbered."""
    sobject = org.catalog().find(full_name.partition(".")[0])
    field = sobject.find(full_name.partition(".")[2]) if sobject else None
    return ["Read"] if field is not None and (field.calculated or field.auto_number) else list(_FIELD_RIGHTS)


def _writer(org: Org) -> Writer:
    admin = any_admin(org)
    prepare_access(org, admin)
    return Writer(org, admin)


def _user(org: Org, username: str) -> str:
    user_id = find_user(org, username)
    if user_id is None:
        raise LookupError(f"There is no user {username!r}.")
    return user_id


def _permission_set(writer: Writer, name: str) -> str:
    """Its id; one that is not there yet is made."""
    set_id, _ = writer.upsert("PermissionSet", "Name", name, {"Label": name.replace("_", " ")})
    return set_id


def _described(sobject: SObject, view: View) -> list[str]:
    seen = view.catalog.find(sobject.name)
    if seen is None:
        return []
    flags = {"Read": True, "Create": seen.createable, "Edit": seen.updateable, "Delete": seen.deletable}
    return [right for right in _PLAIN_RIGHTS if flags[right]]


def _hidden_fields(catalog: Catalog, view: View) -> list[str]:
    """Of objects that are seen."""
    return [
        f"{each.name}.{field.name}"
        for each in catalog
        if (seen := view.catalog.find(each.name)) and seen is not each
        for field in each.fields
        if seen.find(field.name) is None
    ]
