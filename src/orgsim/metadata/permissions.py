"""Permission sets of a deployment: what is granted by the file is all that the set grants from then on."""

from collections.abc import Callable
from xml.etree.ElementTree import Element

from orgsim.metadata.fields import ComponentError
from orgsim.metadata.package import Component, children, text
from orgsim.schema.access import FIELD_PERMISSIONS, OBJECT_PERMISSIONS, SYSTEM_PERMISSIONS
from orgsim.schema.model import SObject
from orgsim.store.grants import check_grant
from orgsim.store.org import Org
from orgsim.store.profiles import prepare_access
from orgsim.store.rows import Row, insert_row
from orgsim.store.write import Writer

# Rights on an object: how the file names them, how ObjectPermissions does.
_OBJECT_RIGHTS = {
    "allowCreate": "Create",
    "allowRead": "Read",
    "allowEdit": "Edit",
    "allowDelete": "Delete",
    "viewAllRecords": "ViewAllRecords",
    "modifyAllRecords": "ModifyAllRecords",
}


def known_object(org: Org, name: str) -> SObject:
    sobject = org.catalog().find(name)
    if sobject is None:
        raise ComponentError(f"In field: object - no CustomObject named {name} found")
    return sobject


def deploy_permission_set(org: Org, user_id: str, component: Component) -> Callable[[], bool]:
    def deed() -> bool:
        prepare_access(org, user_id)
        objects = [_object_row(org, user_id, each) for each in children(component.element, "objectPermissions")]
        fields = [_field_row(org, each) for each in children(component.element, "fieldPermissions")]
        set_id, created = Writer(org, user_id).upsert("PermissionSet", "Name", component.name, _values(component))
        connection = org.database.connect()
        for shown, rows in ((OBJECT_PERMISSIONS, objects), (FIELD_PERMISSIONS, fields)):
            connection.execute(f'DELETE FROM "{shown.name}" WHERE "ParentId" = ?', (set_id,))  # noqa: S608  names of the schema
            for row in rows:
                row["Id"], row["ParentId"] = org.new_id(shown.key_prefix), set_id
                check_grant(org, shown, row, None)
                insert_row(connection, shown, row)
        org.access_changed()
        return created

    return deed


def _values(component: Component) -> dict[str, object]:
    """Of the set itself. System permissions that orgsim does not know have no effect."""
    element = component.element
    enabled = {text(each, "name") for each in children(element, "userPermissions") if text(each, "enabled") == "true"}
    return {
        "Label": text(element, "label") or component.name,
        "Description": text(element, "description"),
        **{f"Permissions{name}": name in enabled for name in SYSTEM_PERMISSIONS},
    }


def _object_row(org: Org, user_id: str, element: Element) -> Row:
    now = org.now_text()
    rights = {f"Permissions{right}": int(text(element, tag) == "true") for tag, right in _OBJECT_RIGHTS.items()}
    return {
        "SobjectType": known_object(org, text(element, "object")).name,
        **rights,
        "CreatedById": user_id,
        "LastModifiedById": user_id,
        **dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), now),
    }


def _field_row(org: Org, element: Element) -> Row:
    full_name = text(element, "field")
    object_name, _, field_name = full_name.partition(".")
    sobject = known_object(org, object_name)
    found = sobject.find(field_name)
    if found is None:
        raise ComponentError(f"In field: field - no CustomField named {full_name} found")
    if found.is_required or found.cascade_delete:
        raise ComponentError(f"You cannot deploy to a required field: {full_name}")
    can_read = text(element, "readable") == "true"
    can_edit = text(element, "editable") == "true" and not (found.calculated or found.auto_number)
    return {
        "SobjectType": sobject.name,
        "Field": full_name,
        "PermissionsRead": int(can_read),
        "PermissionsEdit": int(can_edit),
        "SystemModstamp": org.now_text(),
    }
