"""Compares two snapshots of orgs and says of each difference, in plain words, what it would do to Headwater (row A10).

Pure. What Headwater uses comes from outside, as this room stands below those that use it. Not here: what differs
(changes.py) and taking snapshots (snapshot.py). Every level and its reason: docs/reference/parity.md
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headwater.connections.changes import Change, Content, Kind, changes, unseen
from headwater.connections.parity_fields import judge_field
from headwater.connections.parity_verdict import Level, Sides, Used, Verdict, shown

_LEVELS = {level: place for place, level in enumerate(Level)}


@dataclass(frozen=True, slots=True)
class Difference:
    """`before` and `after` are the values as people read them; of a thing that one org lacks, whether it is there."""

    level: Level
    kind: Kind
    sobject: str
    name: str
    attribute: str
    before: str
    after: str
    sentence: str
    effect: str
    you_can: str


@dataclass(frozen=True, slots=True)
class NotCompared:
    """Automation that the user of one org, or of both, may not see: whether it is equal is not known."""

    part: str
    sentence: str
    you_can: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences, those that matter first."""

    differences: tuple[Difference, ...]
    not_compared: tuple[NotCompared, ...]

    def of(self, *, sobject: str = "", level: str = "") -> tuple[Difference, ...]:
        """Those of one object or level; an empty name means all."""
        return tuple(
            each for each in self.differences if sobject in ("", each.sobject) and level in ("", each.level.value)
        )

    @property
    def counts(self) -> dict[Level, int]:
        """Differences by level, also where there are none."""
        found = Counter(each.level for each in self.differences)
        return {level: found[level] for level in Level}

    @property
    def sobjects(self) -> list[str]:
        return sorted({each.sobject for each in self.differences if each.sobject})


def compare(before: Content, after: Content, used: Used, sides: Sides) -> Comparison:
    """What of `after` is not as in `before`; `sides` are what the two orgs are called in sentences."""
    found = [_difference(change, used, sides) for change in changes(before, after)]
    found.sort(key=lambda each: (_LEVELS[each.level], each.sobject, each.kind, each.name, each.attribute))
    return Comparison(tuple(found), tuple(_not_compared(unseen(before, after), sides)))


def _difference(change: Change, used: Used, sides: Sides) -> Difference:
    thing, (before, after) = change.thing, change.values
    verdict = _JUDGES[thing.kind](change, used, sides)
    if not change.attribute:
        before, after = change.before is not None, change.after is not None
    return Difference(
        verdict.level,
        thing.kind,
        thing.sobject,
        thing.name,
        change.attribute,
        shown(before),
        shown(after),
        verdict.sentence,
        verdict.effect,
        verdict.you_can,
    )


def _not_compared(parts: Iterable[tuple[str, bool, bool]], sides: Sides) -> Iterable[NotCompared]:
    for part, hidden_before, hidden_after in parts:
        where = " and ".join(
            side for side, hidden in ((sides.before, hidden_before), (sides.after, hidden_after)) if hidden
        )
        what = part.replace("_", " ").capitalize()
        yield NotCompared(
            part,
            f"{what} could not be compared: the connected user of {where} may not see them.",
            "grant the user 'View Setup and Configuration' and take the snapshot again",
        )


def _judge_object(change: Change, used: Used, sides: Sides) -> Verdict:
    name, (before, after) = change.thing.name, change.values
    if not change.attribute:
        return _object_presence(change, used, sides)
    if change.attribute == "label":
        return Verdict(Level.COSMETIC, f"{name} is called {shown(after)}, not {shown(before)}.", "None: labels only.")
    lost = bool(before) and not after
    needed = {"queryable": name in used.reads, "createable": name in used.writes, "updateable": name in used.writes}
    if lost and needed.get(change.attribute):
        effect = f"Headwater {'reads' if change.attribute == 'queryable' else 'writes'} {name}, which would be refused."
        return Verdict(Level.MATTERS, _now(change, sides), effect, f"grant the right on {name} to the connected user")
    return Verdict(Level.WORTH_KNOWING, _now(change, sides), "Headwater does not depend on it.")


def _object_presence(change: Change, used: Used, sides: Sides) -> Verdict:
    name, lacking = change.thing.name, sides.before if change.before is None else sides.after
    sentence = f"{name} is not in {lacking}, or hidden from its user."
    if name in used.writes and name not in used.reads:
        effect = "It is one of Headwater's own objects: nothing is written to an org without them."
        return Verdict(Level.WORTH_KNOWING, sentence, effect, "install them in Settings > Connections")
    if name in used.reads and change.after is None:
        effect = f"Headwater reads {name}: the first sync stops and names it."
        return Verdict(Level.MATTERS, sentence, effect, f"grant read on {name} to the connected user")
    return Verdict(Level.WORTH_KNOWING, sentence, "Headwater can do without it.")


def _judge_record_type(change: Change, _: Used, sides: Sides) -> Verdict:
    if change.attribute == "name":
        return Verdict(Level.COSMETIC, _now(change, sides), "None: the name people read.")
    effect = "A record type narrows which picklist values its records can have; rules may meet other values."
    return Verdict(Level.WORTH_KNOWING, _now(change, sides), effect, "look at the values that rules name")


def _judge_trigger(change: Change, used: Used, sides: Sides) -> Verdict:
    if change.attribute == "apiVersion":
        return Verdict(Level.COSMETIC, _now(change, sides), "None that is known: the version it was written for.")
    runs = [_updates(each["events"]) for each in (change.before, change.after) if each is not None]
    if not any(runs):
        return Verdict(Level.WORTH_KNOWING, _now(change, sides), "It does not run when a record is updated.")
    if change.attribute in ("", "events") and (not change.attribute or runs[0] != runs[-1]):
        return _on_update(change, used, sides)
    effect = "It runs on updates in both orgs, and may do something else."
    return Verdict(Level.WORTH_KNOWING, _now(change, sides), effect, "compare its code")


def _updates(events: Iterable[str]) -> bool:
    return any(event.endswith("Update") for event in events)


def _judge_flow(change: Change, used: Used, sides: Sides) -> Verdict:
    if change.attribute in ("label", "triggerOrder"):
        return Verdict(Level.COSMETIC, _now(change, sides), "None that is known.")
    if change.attribute == "versionNumber":
        effect = "Versions are counted in each org by itself: the flows may be the same, or not."
        return Verdict(Level.COSMETIC, _now(change, sides), effect, "compare the flows where it is in doubt")
    runs = [_may_run_on_update(change, each) for each in (change.before, change.after) if each is not None]
    if any(runs):
        return _on_update(change, used, sides)
    return Verdict(Level.WORTH_KNOWING, _now(change, sides), "It does not run when a record is updated.")


def _may_run_on_update(change: Change, flow: Mapping[str, Any]) -> bool:
    """A process that does not tell its object may (facts C.28)."""
    return flow["recordTriggerType"] in ("Update", "CreateAndUpdate") or not change.thing.sobject


def _on_update(change: Change, used: Used, sides: Sides) -> Verdict:
    sobject = change.thing.sobject
    on = f"a {sobject} is" if sobject else "records are"
    effect = f"It runs when {on} updated: values and change stamps move, so Headwater reads those records again."
    you_can = f"make {sides.before} and {sides.after} the same and try again"
    if not sobject:
        effect = f"The org does not tell on which object this process runs. If it is one of these: {effect}"
    if sobject in used.writes:
        effect += (
            " It also runs over what Headwater writes, 200 records at a time, and an error of it refuses them all."
        )
        you_can += ", or exclude the connected user from it"
    return Verdict(Level.MATTERS, _now(change, sides), effect, you_can)


def _judge_rule(change: Change, used: Used, sides: Sides) -> Verdict:
    if change.attribute:
        return Verdict(Level.COSMETIC, _now(change, sides), "What the refusal says, not what it refuses.")
    sobject = change.thing.sobject
    if sobject in used.writes:
        effect = f"Headwater writes {sobject}; a record that the rule does not like is refused."
        return Verdict(Level.MATTERS, _now(change, sides), effect, "exclude the connected user from the rule")
    effect = f"Headwater writes nothing to {sobject}. What people and other programmes can enter differs."
    return Verdict(Level.WORTH_KNOWING, _now(change, sides), effect)


_WORDS = {
    Kind.OBJECT: "The object",
    Kind.RECORD_TYPE: "The record type",
    Kind.TRIGGER: "The Apex trigger",
    Kind.FLOW: "The flow",
    Kind.VALIDATION_RULE: "The validation rule",
}
_ACTIVE = {Kind.TRIGGER, Kind.FLOW, Kind.VALIDATION_RULE}
_ATTRIBUTES = {
    "apiVersion": "API version",
    "isValid": "whether it is valid",
    "lengthWithoutComments": "length of its code",
    "triggerType": "moment",
    "recordTriggerType": "event",
    "triggerOrder": "place among the flows",
    "versionNumber": "version",
    "processType": "kind",
    "errorMessage": "message",
    "errorDisplayField": "field of the message",
    "defaultRecordTypeMapping": "being the default",
}


def _now(change: Change, sides: Sides) -> str:
    """The plain fact: where it is and where not, or how it is in both."""
    thing, (before, after) = change.thing, change.values
    subject = f"{_WORDS[thing.kind]} {thing.name}"
    if thing.sobject and thing.kind not in (Kind.OBJECT, Kind.VALIDATION_RULE):
        subject += f" on {thing.sobject}"
    if not change.attribute:
        here, lacking = (sides.after, sides.before) if change.before is None else (sides.before, sides.after)
        return f"{subject} is {'active' if thing.kind in _ACTIVE else 'there'} in {here}, not in {lacking}."
    label = _ATTRIBUTES.get(change.attribute, change.attribute)
    return f"{subject}: {label} is {shown(after)} in {sides.after}, {shown(before)} in {sides.before}."


_JUDGES: Mapping[Kind, Callable[[Change, Used, Sides], Verdict]] = {
    Kind.OBJECT: _judge_object,
    Kind.FIELD: judge_field,
    Kind.RECORD_TYPE: _judge_record_type,
    Kind.TRIGGER: _judge_trigger,
    Kind.FLOW: _judge_flow,
    Kind.VALIDATION_RULE: _judge_rule,
}
