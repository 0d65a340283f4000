"""The package as files that an admin could review: valid XML that names every field and grants it."""

import hashlib
from pathlib import Path
from xml.etree import ElementTree as ET

from headwater.connections.metadata_xml import NAMESPACE
from headwater.connections.package import (
    FIELDS,
    PERMISSION_SET,
    PERMISSION_SETS,
    UNIQUE_ID,
    VERSION,
    downloads,
    files,
    save_to,
)
from headwater.connections.package.files import all_names, source_files, uninstall_files

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


def test_only_what_is_named_is_sent_and_the_manifest_names_the_same() -> None:
    contents = files(["Buyer_Touchpoint__c.Medium__c", PERMISSION_SET])
    assert sorted(contents) == [
        "objects/Buyer_Touchpoint__c.object", "package.xml", f"permissionsets/{PERMISSION_SET}.permissionset"
    ]  # fmt: skip
    manifest = contents["package.xml"].decode()
    assert "<members>Buyer_Touchpoint__c.Medium__c</members>" in manifest
    assert "<members>Buyer_Touchpoint__c</members>" not in manifest
    # What is said of the object as a whole would be set back: it is not sent with a field alone.
    assert "pluralLabel" not in contents["objects/Buyer_Touchpoint__c.object"].decode()


def test_the_rights_of_the_three_sets_differ_as_promised() -> None:
    rights = {each.label: (set(each.rights), each.may_edit) for each in PERMISSION_SETS}
    assert "allowDelete" in rights["Headwater Administrator"][0]
    assert rights["Headwater Marketing User"] == ({"allowCreate", "allowEdit", "allowRead"}, True)
    assert rights["Headwater Standard User"] == ({"allowRead"}, False)
    for each in PERMISSION_SETS:
        xml = files()[f"permissionsets/{each.name}.permissionset"].decode()
        assert f"Headwater package version {VERSION}." in xml
        assert len(each.description) <= 255
        assert ("<editable>true" in xml) == each.may_edit


def test_the_version_counts_up_with_the_files() -> None:
    """When this fails: count VERSION up, and put the new sum here. An org tells by the version what it has."""
    told = "".join(f"{path}{content.decode()}" for path, content in sorted(files().items()))
    assert (VERSION, hashlib.sha256(told.encode()).hexdigest()[:16]) == (2, "000c1052a48a845d")


def test_the_source_project_holds_each_component_in_a_file_of_its_own() -> None:
    contents = source_files()
    made = {Path(path).name.partition(".")[0] for path in contents if path.startswith("force-app/")}
    assert made == {name.rpartition(".")[2] for name in all_names()}
    one = ET.fromstring(contents["force-app/main/default/objects/Buyer_Touchpoint__c/fields/Medium__c.field-meta.xml"])  # noqa: S314 - our own file
    assert (one.tag, one.findtext("m:fullName", namespaces=NAMES)) == (f"{{{NAMESPACE}}}CustomField", "Medium__c")
    readme = contents["README.md"].decode()
    assert "{" not in readme
    assert all(each.label in readme for each in PERMISSION_SETS)


def test_uninstalling_names_objects_and_sets_beside_an_empty_manifest() -> None:
    contents = uninstall_files()
    removed = ET.fromstring(contents["destructiveChanges.xml"])  # noqa: S314 - our own file
    named = {element.text for element in removed.findall("m:types/m:members", NAMES)}
    assert named == {*FIELDS, *(each.name for each in PERMISSION_SETS)}
    assert b"members" not in contents["package.xml"]


def test_saved_files_are_the_downloads_and_the_project_unpacked(tmp_path: Path) -> None:
    save_to(tmp_path)
    for name, content in downloads().items():
        assert (tmp_path / name).read_bytes() == content
    assert (tmp_path / "source" / "sfdx-project.json").exists()
