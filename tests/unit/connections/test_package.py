"""The package as files that an admin could review: valid XML that names every field and grants it."""

from xml.etree import ElementTree as ET

from headwater.connections.metadata_xml import NAMESPACE
from headwater.connections.package import FIELDS, PERMISSION_SET, UNIQUE_ID, files

NAMES = {"m": NAMESPACE}


def test_every_field_is_created_and_granted() -> None:
    contents = files()
    granted = ET.fromstring(contents[f"permissionsets/{PERMISSION_SET}.permissionset"])  # noqa: S314 - our own file
    readable = {element.text for element in granted.findall("m:fieldPermissions/m:field", NAMES)}
    for sobject, fields in FIELDS.items():
        made = ET.fromstring(contents[f"objects/{sobject}.object"])  # noqa: S314 - our own file
        assert [element.text for element in made.findall("m:fields/m:fullName", NAMES)] == [f.name for f in fields]
        assert {f"{sobject}.{field.name}" for field in fields} <= readable


def test_the_unique_id_can_be_upserted_on() -> None:
    for fields in FIELDS.values():
        details = dict(next(field for field in fields if field.name == UNIQUE_ID).details)
        assert details["externalId"] == details["unique"] == details["caseSensitive"] == "true"


def test_no_name_is_longer_than_salesforce_allows() -> None:
    assert all(len(field.name) <= 43 and len(field.label) <= 40 for fields in FIELDS.values() for field in fields)
