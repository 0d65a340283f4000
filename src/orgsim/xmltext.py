"""XML documents as Salesforce writes them, from plain values. Shared by SOAP and Bulk API 1; knows neither."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

Tree = Mapping[str, "Tree | Sequence[Tree | str] | str | None"]


def fill(parent: ET.Element, tree: Tree) -> None:
    """None becomes xsi:nil, a sequence an element for each of its values."""
    for name, value in tree.items():
        if value is None:
            ET.SubElement(parent, name).set("xsi:nil", "true")
        elif isinstance(value, str):
            ET.SubElement(parent, name).text = value
        elif isinstance(value, Mapping):
            fill(ET.SubElement(parent, name), value)
        else:
            for each in value:
                fill(parent, {name: each})


def document(root: ET.Element) -> bytes:
    text: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>' + text
