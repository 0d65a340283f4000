"""The package as Metadata API files: what is deployed, and what an admin may review and deploy by hand.

Not here: which objects and fields (definition.py) and the deploying (install.py).
"""

import io
import zipfile
from xml.etree import ElementTree as ET

from headwater.connections.package.definition import FIELDS, OBJECT_LABELS, PERMISSION_SET

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
METADATA_VERSION = "64.0"


def files() -> dict[str, bytes]:
    """The package as Metadata API files by path: the same that an admin may review and deploy by hand."""
    made = {f"objects/{sobject}.object": _object_xml(sobject) for sobject in FIELDS}
    made[f"permissionsets/{PERMISSION_SET}.permissionset"] = _permission_set_xml()
    made["package.xml"] = _package_xml()
    return made


def zipped(contents: dict[str, bytes]) -> bytes:
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
    label, plural, number_format = OBJECT_LABELS[sobject]
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
