"""The package as Metadata API files: what is deployed, and what an admin may review and deploy by hand.

Not here: which objects and fields (definition.py) and the deploying (install.py).
"""

from xml.etree import ElementTree as ET

from headwater.connections.metadata_xml import NAMESPACE, add, package_xml, to_bytes
from headwater.connections.package.definition import FIELDS, OBJECT_LABELS, PERMISSION_SET


def files() -> dict[str, bytes]:
    """The package as Metadata API files by path: the same that an admin may review and deploy by hand."""
    made = {f"objects/{sobject}.object": _object_xml(sobject) for sobject in FIELDS}
    made[f"permissionsets/{PERMISSION_SET}.permissionset"] = _permission_set_xml()
    made["package.xml"] = package_xml({"CustomObject": list(FIELDS), "PermissionSet": [PERMISSION_SET]})
    return made


def _object_xml(sobject: str) -> bytes:
    label, plural, number_format = OBJECT_LABELS[sobject]
    root = ET.Element("CustomObject", xmlns=NAMESPACE)
    add(root, "deploymentStatus", "Deployed")
    for field in FIELDS[sobject]:
        element = ET.SubElement(root, "fields")
        add(element, "fullName", field.name)
        add(element, "label", field.label)
        add(element, "type", field.kind)
        for name, text in field.details:
            add(element, name, text)
    add(root, "label", label)
    name_field = ET.SubElement(root, "nameField")
    for name, text in (("displayFormat", number_format), ("label", label), ("type", "AutoNumber")):
        add(name_field, name, text)
    add(root, "pluralLabel", plural)
    add(root, "sharingModel", "ReadWrite")
    return to_bytes(root)


def _permission_set_xml() -> bytes:
    """Fields made by the API are invisible to everybody, admins too, until a permission set grants them (facts C.8)."""
    root = ET.Element("PermissionSet", xmlns=NAMESPACE)
    for sobject, fields in FIELDS.items():
        for field in fields:
            element = ET.SubElement(root, "fieldPermissions")
            for name, text in (("editable", "true"), ("field", f"{sobject}.{field.name}"), ("readable", "true")):
                add(element, name, text)
    add(root, "label", "Headwater Administrator")
    for sobject in FIELDS:
        element = ET.SubElement(root, "objectPermissions")
        for right in ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords"):
            add(element, right, "true")
        add(element, "object", sobject)
        add(element, "viewAllRecords", "true")
    return to_bytes(root)
