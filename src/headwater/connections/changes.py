"""What differs between the contents of two snapshots, thing by thing and attribute by attribute.

Pure, and without judgement: what a change means for Headwater is parity.py's. The contents: snapshot.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Content = Mapping[str, Any]
Attributes = Mapping[str, Any]


class Kind(StrEnum):
    OBJECT = "object"
    FIELD = "field"
    RECORD_TYPE = "record_type"
    TRIGGER = "trigger"
    FLOW = "flow"
    VALIDATION_RULE = "validation_rule"


AUTOMATION = {"triggers": Kind.TRIGGER, "flows": Kind.FLOW, "validation_rules": Kind.VALIDATION_RULE}


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of an org. `sobject` is empty for an automation that does not tell its object."""

    kind: Kind
    sobject: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute that differs, or with `attribute` empty the whole thing, which only one of the two orgs has.

    before, after   All attributes of the thing; None where it is not there.
    """

    thing: Thing
    attribute: str
    before: Attributes | None
    after: Attributes | None

    @property
    def values(self) -> tuple[Any, Any]:
        """The attribute's, in both orgs."""
        return (self.before or {}).get(self.attribute), (self.after or {}).get(self.attribute)


def changes(before: Content, after: Content) -> Iterator[Change]:
    """Each difference once. Of an object that one org lacks only that is told, not each of its fields.

    What one of the two could not be seen to have (`unseen`) is left out: nothing is known of it.
    """
    yield from _between(_objects(before), _objects(after))
    for name in sorted(set(before["objects"]) & set(after["objects"])):
        yield from _between(_parts(before, name), _parts(after, name))
    for part, kind in AUTOMATION.items():
        if before[part] is not None and after[part] is not None:
            yield from _between(_automation(kind, before[part]), _automation(kind, after[part]))


def unseen(before: Content, after: Content) -> Iterator[tuple[str, bool, bool]]:
    """(part, hidden in the first, hidden in the second) of the kinds of automation that cannot be compared."""
    for part in AUTOMATION:
        if before[part] is None or after[part] is None:
            yield part, before[part] is None, after[part] is None


def _between(before: Mapping[Thing, Attributes], after: Mapping[Thing, Attributes]) -> Iterator[Change]:
    for thing in sorted({*before, *after}, key=lambda each: (each.sobject, each.kind, each.name)):
        one, other = before.get(thing), after.get(thing)
        if one is None or other is None:
            yield Change(thing, "", one, other)
            continue
        for attribute in sorted({*one, *other}):
            if one.get(attribute) != other.get(attribute):
                yield Change(thing, attribute, one, other)


def _objects(content: Content) -> dict[Thing, Attributes]:
    return {Thing(Kind.OBJECT, name, name): kept["attributes"] for name, kept in content["objects"].items()}


def _parts(content: Content, sobject: str) -> dict[Thing, Attributes]:
    kept = content["objects"][sobject]
    fields = {Thing(Kind.FIELD, sobject, name): field for name, field in kept["fields"].items()}
    return fields | {Thing(Kind.RECORD_TYPE, sobject, name): each for name, each in kept["record_types"].items()}


def _automation(kind: Kind, rows: Mapping[str, Attributes]) -> dict[Thing, Attributes]:
    """A trigger that stands on another object is another trigger, whatever it is called."""
    return {
        Thing(kind, row["object"], name): {key: value for key, value in row.items() if key != "object"}
        for name, row in rows.items()
    }
