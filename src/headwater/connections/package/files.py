"""The package as files: what is deployed, and the same for an admin who reviews and deploys by hand.

Not here: the XML (xml.py), which objects and fields (definition.py) and the deploying (install.py).
"""

import json
from collections.abc import Collection
from importlib.resources import files as resources
from pathlib import Path

from headwater.connections.metadata_xml import METADATA_VERSION, package_xml, zipped
from headwater.connections.package.definition import FIELDS, PERMISSION_SETS, VERSION
from headwater.connections.package.xml import field_xml, object_xml, permission_set_xml

PACKAGE_ZIP = f"headwater-package-{VERSION}.zip"
SOURCE_ZIP = f"headwater-source-{VERSION}.zip"
UNINSTALL_ZIP = f"headwater-uninstall-{VERSION}.zip"
README = "README.md"
_SOURCE = "force-app/main/default"

Files = dict[str, bytes]


def all_names() -> list[str]:
    """Every component: `Object__c`, `Object__c.Field__c`, `Permission_Set`."""
    fields = [f"{sobject}.{field.name}" for sobject, own in FIELDS.items() for field in own]
    return [*FIELDS, *fields, *(each.name for each in PERMISSION_SETS)]


def files(only: Collection[str] | None = None) -> Files:
    """Metadata API files by path. `only` names the components that are sent; without it all are."""
    wanted = set(all_names() if only is None else only)
    made: Files = {}
    loose_fields: list[str] = []
    for sobject, fields in FIELDS.items():
        sent = [field for field in fields if f"{sobject}.{field.name}" in wanted]
        if sent or sobject in wanted:
            made[f"objects/{sobject}.object"] = object_xml(sobject, sent, with_itself=sobject in wanted)
        if sobject not in wanted:
            loose_fields.extend(f"{sobject}.{field.name}" for field in sent)
    sets = [each for each in PERMISSION_SETS if each.name in wanted]
    made |= {f"permissionsets/{each.name}.permissionset": permission_set_xml(each) for each in sets}
    made["package.xml"] = package_xml(
        {
            "CustomObject": [sobject for sobject in FIELDS if sobject in wanted],
            "CustomField": loose_fields,
            "PermissionSet": [each.name for each in sets],
        }
    )
    return made


def source_files() -> Files:
    """The same as a Salesforce CLI project in source format: a file a field, which reviews line by line."""
    project = {
        "packageDirectories": [{"path": "force-app", "default": True}],
        "namespace": "",
        "sourceApiVersion": METADATA_VERSION,
    }
    made: Files = {README: readme(), "sfdx-project.json": json.dumps(project, indent=2).encode() + b"\n"}
    for sobject, fields in FIELDS.items():
        folder = f"{_SOURCE}/objects/{sobject}"
        made[f"{folder}/{sobject}.object-meta.xml"] = object_xml(sobject, ())
        made |= {f"{folder}/fields/{field.name}.field-meta.xml": field_xml(field) for field in fields}
    for each in PERMISSION_SETS:
        made[f"{_SOURCE}/permissionsets/{each.name}.permissionset-meta.xml"] = permission_set_xml(each)
    return made


def uninstall_files() -> Files:
    """What takes the package out again, records included: a removal is a deployment of nothing beside a list."""
    removed = {"CustomObject": list(FIELDS), "PermissionSet": [each.name for each in PERMISSION_SETS]}
    return {"destructiveChanges.xml": package_xml(removed), "package.xml": package_xml({})}


def readme() -> bytes:
    text = resources("headwater.connections.package").joinpath(README).read_text()
    rows = "\n".join(f"| {each.label} | {each.meant_for} | {each.allows} |" for each in PERMISSION_SETS)
    return text.format(
        version=VERSION, package_zip=PACKAGE_ZIP, uninstall_zip=UNINSTALL_ZIP, permission_sets=rows
    ).encode()


def downloads() -> dict[str, bytes]:
    """What a page offers, by file name."""
    return {
        PACKAGE_ZIP: zipped(files()),
        SOURCE_ZIP: zipped(source_files()),
        UNINSTALL_ZIP: zipped(uninstall_files()),
        README: readme(),
    }


def save_to(folder: Path) -> list[Path]:
    """Write the downloads into a folder, and the source project unpacked. Returns what was written."""
    unpacked = {f"source/{path}": content for path, content in source_files().items()}
    written = []
    for name, content in {**downloads(), **unpacked}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written
