"""Objects, fields and permission sets as the Metadata API's XML. Not here: which file holds what (files.py).

Elements stand in alphabetical order, as Salesforce itself writes them, so that a retrieved file compares line by line.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from headwater.connections.metadata_xml import NAMESPACE, add, to_bytes
from headwater.connections.package.definition import FIELDS, OBJECT_LABELS, PackageField, PermissionSet

OBJECT_RIGHTS = ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords", "viewAllRecords")


def object_xml(sobject: str, fields: Sequence[PackageField], *, with_itself: bool = True) -> bytes:
    """`with_itself` False leaves what is said of the object as a whole: only its fields are deployed then."""
    label, plural, number_format = OBJECT_LABELS[sobject]
    root = _root("CustomObject")
    if with_itself:
        add(root, "deploymentStatus", "Deployed")
    for field in fields:
        _fill_field(ET.SubElement(root, "fields"), field)
    if with_itself:
        add(root, "label", label)
        name_field = ET.SubElement(root, "nameField")
        for name, text in (("displayFormat", number_format), ("label", label), ("type", "AutoNumber")):
            add(name_field, name, text)
        add(root, "pluralLabel", plural)
        add(root, "sharingModel", "ReadWrite")
    return to_bytes(root)


def field_xml(field: PackageField) -> bytes:
    root = _root("CustomField")
    _fill_field(root, field)
    return to_bytes(root)


def permission_set_xml(permission_set: PermissionSet) -> bytes:
    """Fields made by the API are invisible to everybody, admins too, until a permission set grants them (facts C.8)."""
    root = _root("PermissionSet")
    add(root, "description", permission_set.description)
    for sobject, fields in FIELDS.items():
        for field in fields:
            element = ET.SubElement(root, "fieldPermissions")
            add(element, "editable", _said(permission_set.may_edit))
            add(element, "field", f"{sobject}.{field.name}")
            add(element, "readable", "true")
    add(root, "label", permission_set.label)
    for sobject in FIELDS:
        element = ET.SubElement(root, "objectPermissions")
        told = [(right, _said(right in permission_set.rights)) for right in OBJECT_RIGHTS]
        for name, text in sorted([*told, ("object", sobject)]):
            add(element, name, text)
    return to_bytes(root)


def _root(kind: str) -> ET.Element:
    return ET.Element(kind, xmlns=NAMESPACE)


def _fill_field(element: ET.Element, field: PackageField) -> None:
    told = (("fullName", field.name), ("label", field.label), ("type", field.kind), *field.details)
    for name, text in sorted(told, key=lambda each: (each[0] != "fullName", each[0])):
        add(element, name, text)


def _said(is_so: bool) -> str:
    return "true" if is_so else "false"
