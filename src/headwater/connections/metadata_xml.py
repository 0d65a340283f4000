"""Writes metadata as Salesforce's Metadata API takes it: elements, the manifest, the zip.

Not here: which metadata (package/, client_app_files.py).
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
METADATA_VERSION = "64.0"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files make the same zip, whenever


def add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def to_bytes(root: ET.Element) -> bytes:
    ET.indent(root, "    ")
    written: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def package_xml(members: Mapping[str, Sequence[str]]) -> bytes:
    """The manifest: by type of metadata, the names in the package. None at all is what a removal needs."""
    root = ET.Element("Package", xmlns=NAMESPACE)
    for kind, names in members.items():
        if not names:
            continue
        element = ET.SubElement(root, "types")
        for name in names:
            add(element, "members", name)
        add(element, "name", kind)
    add(root, "version", METADATA_VERSION)
    return to_bytes(root)


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
