"""The package beside what the org shows of it: component by component, and what that adds up to. Pure.

Not here: asking the org (seen.py) and deploying (install.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headwater.connections.package.definition import (
    FIELDS,
    OBJECT_LABELS,
    PERMISSION_SET,
    PERMISSION_SETS,
    UNIQUE_ID,
    VERSION,
    PackageField,
    PermissionSet,
)
from headwater.connections.package.seen import Seen, SeenSet

_TYPES = {
    "Text": "string",
    "Number": "double",
    "Percent": "percent",
    "Currency": "currency",
    "DateTime": "datetime",
    "Lookup": "reference",
}
# Metadata's name of a detail, and describe's. Case sensitivity is not compared: it cannot be changed under records.
_DETAILS = {
    "length": "length",
    "precision": "precision",
    "scale": "scale",
    "unique": "unique",
    "externalId": "externalId",
}


class Change(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    THERE = "there already"
    HIDDEN = "there, hidden from the connected user"
    UNSEEN = "not shown to the connected user"
    CLASH = "another's"


class PackageState(StrEnum):
    NOT_INSTALLED = "not_installed"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    DAMAGED = "damaged"
    NOT_GRANTED = "not_granted"
    CLASH = "clash"


@dataclass(frozen=True, slots=True)
class Component:
    """`kind` as the Metadata API calls it, `is_a` for people, `details` what is changed or stands in the way."""

    kind: str
    name: str
    is_a: str
    change: Change
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """`missing`: objects and `Object.Field`s that the connected user cannot use. `left_alone`: fields of others."""

    state: PackageState
    version: int | None
    components: tuple[Component, ...]
    missing: tuple[str, ...]
    left_alone: tuple[str, ...] = ()
    is_ungranted: bool = False  # the Administrator set is in the org, and the connected user does not have it

    @property
    def is_complete(self) -> bool:
        """Whether the connected user can use everything that is written to."""
        return not self.missing

    @property
    def to_deploy(self) -> tuple[Component, ...]:
        if self.is_refused:
            return ()
        return tuple(each for each in self.components if each.change in (Change.NEW, Change.CHANGED, Change.UNSEEN))

    @property
    def clashes(self) -> tuple[Component, ...]:
        return tuple(each for each in self.components if each.change is Change.CLASH)

    @property
    def is_refused(self) -> bool:
        """Nothing is deployed over a newer package or over what is not Headwater's."""
        return self.state in (PackageState.NEWER, PackageState.CLASH)

    @property
    def needs_installation(self) -> bool:
        return bool(self.to_deploy) or self.state is PackageState.NOT_GRANTED or self.is_ungranted


def compare(seen: Seen) -> Comparison:
    components = (*_objects_and_fields(seen), *(_permission_set(seen, each) for each in PERMISSION_SETS))
    administrator = seen.administrator
    is_ungranted = administrator is not None and not administrator.is_assigned
    missing = _missing(seen)
    ours = {sobject: {field.name for field in fields} for sobject, fields in FIELDS.items()}
    left_alone = [
        f"{sobject}.{name}"
        for sobject in FIELDS
        for name, told in seen.visible_fields(sobject).items()
        if told["custom"] and name not in ours[sobject]
    ]
    state = _state(components, seen.version, is_ungranted=is_ungranted, is_missing=bool(missing))
    return Comparison(state, seen.version, components, missing, tuple(left_alone), is_ungranted)


def _state(
    components: tuple[Component, ...], version: int | None, *, is_ungranted: bool, is_missing: bool
) -> PackageState:
    changes = {each.change for each in components}
    objects = {each.change for each in components if each.kind == "CustomObject"}
    if version is not None and version > VERSION:
        return PackageState.NEWER
    if Change.CLASH in changes:
        return PackageState.CLASH
    if objects == {Change.NEW} and version is None:
        return PackageState.NOT_INSTALLED
    if version is not None and version < VERSION:
        return PackageState.OLDER
    if changes & {Change.NEW, Change.CHANGED}:
        return PackageState.DAMAGED
    if is_ungranted or is_missing:
        return PackageState.NOT_GRANTED
    return PackageState.CURRENT


def _missing(seen: Seen) -> tuple[str, ...]:
    missing: list[str] = []
    for sobject, fields in FIELDS.items():
        visible = seen.visible_fields(sobject)
        if not visible:
            missing.append(sobject)
            continue
        missing.extend(f"{sobject}.{field.name}" for field in fields if field.name not in visible)
    return tuple(missing)


def _objects_and_fields(seen: Seen) -> Iterator[Component]:
    granted = seen.granted()
    for sobject, fields in FIELDS.items():
        itself = _object(seen, sobject, is_granted=sobject in granted)
        yield itself
        visible = seen.visible_fields(sobject)
        for field in fields:
            yield _field(sobject, field, visible.get(field.name), is_granted=f"{sobject}.{field.name}" in granted)


def _object(seen: Seen, sobject: str, *, is_granted: bool) -> Component:
    label, plural, _ = OBJECT_LABELS[sobject]
    told = seen.describes.get(sobject)
    if told is None:
        return Component("CustomObject", sobject, "Object", Change.HIDDEN if is_granted else Change.NEW)
    if obstacles := _not_ours(seen, sobject, is_granted=is_granted):
        return Component("CustomObject", sobject, "Object", Change.CLASH, obstacles)
    pairs = (("label", told["label"], label), ("plural label", told["labelPlural"], plural))
    details = tuple(f"{name} “{there}” → “{wanted}”" for name, there, wanted in pairs if there != wanted)
    return Component("CustomObject", sobject, "Object", Change.CHANGED if details else Change.THERE, details)


def _not_ours(seen: Seen, sobject: str, *, is_granted: bool) -> tuple[str, ...]:
    """Why an object of our name is somebody else's: it has neither our grants nor our key."""
    visible = seen.visible_fields(sobject)
    name_field = visible.get("Name")
    if name_field is not None and not name_field["autoNumber"]:
        return ("its Name is text, not an automatic number",)
    key = visible.get(UNIQUE_ID)
    if is_granted or seen.administrator is not None or (key is not None and key["externalId"]):
        return ()
    return (f"it has no {UNIQUE_ID} and no permission set of Headwater grants it",)


def _field(sobject: str, field: PackageField, told: Mapping[str, Any] | None, *, is_granted: bool) -> Component:
    full_name = f"{sobject}.{field.name}"
    if told is None:
        return Component("CustomField", full_name, type_of(field), Change.HIDDEN if is_granted else Change.NEW)
    wanted = dict(field.details)
    is_other = told["type"] != _TYPES[field.kind] or told["calculated"] or told["autoNumber"]
    if is_other or (field.kind == "Lookup" and told["referenceTo"] != [wanted["referenceTo"]]):
        return Component("CustomField", full_name, type_of(field), Change.CLASH, (f"it is {_told_type(told)} there",))
    details = tuple(_differences(field, told))
    return Component("CustomField", full_name, type_of(field), Change.CHANGED if details else Change.THERE, details)


def _differences(field: PackageField, told: Mapping[str, Any]) -> Iterator[str]:
    if told["label"] != field.label:
        yield f"label “{told['label']}” → “{field.label}”"
    for name, text in field.details:
        if name in _DETAILS and (there := str(told[_DETAILS[name]]).lower()) != text:
            yield f"{name} {there} → {text}"


def type_of(field: PackageField) -> str:
    """For people: Text(255), Number(18, 6), Lookup(Lead)."""
    told = dict(field.details)
    if field.kind == "Lookup":
        return f"Lookup({told['referenceTo']})"
    if field.kind == "Text":
        return f"Text({told['length']})" + (", External ID, unique" if "externalId" in told else "")
    return f"{field.kind}({told['precision']}, {told['scale']})" if "precision" in told else field.kind


def _told_type(told: Mapping[str, Any]) -> str:
    if told["calculated"]:
        return f"a formula of type {told['type']}"
    targets = f" to {', '.join(told['referenceTo'])}" if told["referenceTo"] else ""
    return f"of type {told['type']}{targets}"


def _permission_set(seen: Seen, wanted: PermissionSet) -> Component:
    is_a = "Permission set"
    if seen.sets is None:
        return Component("PermissionSet", wanted.name, is_a, Change.UNSEEN)
    there = seen.sets.get(wanted.name)
    if there is None:
        return Component("PermissionSet", wanted.name, is_a, Change.NEW)
    details = tuple(_set_differences(there, wanted))
    return Component("PermissionSet", wanted.name, is_a, Change.CHANGED if details else Change.THERE, details)


def _set_differences(there: SeenSet, wanted: PermissionSet) -> Iterator[str]:
    if there.label != wanted.label:
        yield f"label “{there.label}” → “{wanted.label}”"
    if there.description != wanted.description:
        yield "description" if wanted.name != PERMISSION_SET else "description, which tells the version"
    fields = {f"{sobject}.{field.name}": wanted.may_edit for sobject, own in FIELDS.items() for field in own}
    rights = {sobject: frozenset(wanted.rights) for sobject in FIELDS}
    # A permission set is replaced as a whole: what Headwater does not grant in it is taken back.
    more: dict[str, object] = {**fields, **rights}
    fewer: dict[str, object] = {**there.fields, **there.objects}
    yield from _listed("grants", [name for name in more if name not in fewer])
    yield from _listed("grants anew", [name for name in more if name in fewer and fewer[name] != more[name]])
    yield from _listed("takes back", [name for name in fewer if name not in more])


def _listed(word: str, names: list[str]) -> Iterator[str]:
    if names:
        further = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield f"{word} {', '.join(names[:3])}{further}"
