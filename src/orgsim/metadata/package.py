"""Reads a deployment's zip: which components it holds, as XML elements. Decides nothing about them."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

from orgsim.errors import ApiError

MAX_FILES = 10_000
_NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


@dataclass(frozen=True, slots=True)
class Component:
    """One file of the package."""

    kind: str  # the type of metadata, as in _FOLDERS
    name: str
    file_name: str
    element: ET.Element


_FOLDERS = {
    "objects": ("CustomObject", ".object"),
    "permissionsets": ("PermissionSet", ".permissionset"),
    "externalClientApps": ("ExternalClientApplication", ".eca"),
    "extlClntAppGlobalOauthSets": ("ExtlClntAppGlobalOauthSettings", ".ecaGlblOauth"),
    "extlClntAppOauthSettings": ("ExtlClntAppOauthSettings", ".ecaOauth"),
    "extlClntAppOauthPolicies": ("ExtlClntAppOauthConfigurablePolicies", ".ecaOauthPlcy"),
    "extlClntAppPolicies": ("ExtlClntAppConfigurablePolicies", ".ecaPlcy"),
}

_KNOWN = "objects, permission sets and External Client Apps"


def read_package(content: bytes) -> list[Component]:
    """Raises ApiError for a zip that cannot be deployed at all."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise ApiError("INVALID_ZIP_FILE", "The zip file is not valid") from error
    with archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) > MAX_FILES:
            raise ApiError("LIMIT_EXCEEDED", f"Maximum number of files in a package is {MAX_FILES}")
        manifest = next((name for name in names if PurePosixPath(name).name == "package.xml"), None)
        if manifest is None:
            raise ApiError("INVALID_ZIP_FILE", "No package.xml found")
        _parse(archive.read(manifest), manifest)
        others = [name for name in names if name != manifest]
        return [_component(archive, name) for name in others]


def _component(archive: zipfile.ZipFile, file_name: str) -> Component:
    path = PurePosixPath(file_name)
    kind, ending = _FOLDERS.get(path.parent.name, ("", ""))
    if not kind or path.suffix != ending:
        raise ApiError("INVALID_ZIP_FILE", f"{file_name}: this org deploys only {_KNOWN}")
    return Component(kind, path.stem, file_name, _parse(archive.read(file_name), file_name))


def _parse(content: bytes, file_name: str) -> ET.Element:
    try:
        return ET.fromstring(content)  # noqa: S314  sent by the org's own administrator; expat fetches nothing
    except ET.ParseError as error:
        raise ApiError("INVALID_ZIP_FILE", f"{file_name}: Error parsing file: {error}") from error


def text(element: ET.Element, path: str, default: str = "") -> str:
    """The text of a nested element, e.g. `nameField/label`."""
    found = element.find("/".join(f"{_NAMESPACE}{step}" for step in path.split("/")))
    return default if found is None or found.text is None else found.text.strip()


def children(element: ET.Element, name: str) -> list[ET.Element]:
    return element.findall(f"{_NAMESPACE}{name}")


def descendants(element: ET.Element, name: str) -> list[ET.Element]:
    return list(element.iter(f"{_NAMESPACE}{name}"))
