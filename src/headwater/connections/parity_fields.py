"""What a difference between two fields would do to Headwater, attribute by attribute. All other things: parity.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headwater.connections.changes import Change
from headwater.connections.parity_verdict import Level, Sides, Used, Verdict, shown


@dataclass(frozen=True, slots=True)
class _Attribute:
    """`level` and `effect` are those of a field that Headwater uses; one that it does not use is worth knowing."""

    label: str
    level: Level = Level.WORTH_KNOWING
    effect: str = "Headwater uses this field and does not depend on that."
    you_can: str = ""


_ATTRIBUTES: Mapping[str, _Attribute] = {
    "type": _Attribute(
        "type",
        Level.MATTERS,
        "Headwater reads this field; as another type its values mean something else, and a run may stop.",
        "give both the same type, or change the rules that name it",
    ),
    "referenceTo": _Attribute(
        "target", Level.MATTERS, "Headwater follows this lookup, which leads to other records.", "compare the lookups"
    ),
    "calculated": _Attribute(
        "being a formula",
        Level.MATTERS,
        "A formula's value changes without a change of the record's stamp, so reading what changed misses it.",
        "use a plain field instead",
    ),
    "calculatedFormula": _Attribute("formula", effect="Headwater reads its result, which is worked out otherwise."),
    "filterable": _Attribute(
        "can be filtered", Level.MATTERS, "Headwater may have to filter by it, which is refused.", "use another field"
    ),
    "length": _Attribute("length"),
    "precision": _Attribute("digits"),
    "digits": _Attribute("whole digits"),
    "scale": _Attribute("decimals"),
    "nillable": _Attribute("can be empty"),
    "createable": _Attribute("can be set on new records"),
    "updateable": _Attribute("can be changed"),
    "picklistValues": _Attribute("values"),
    "restrictedPicklist": _Attribute("refuses other values"),
    "controllerName": _Attribute("depends on"),
    "defaultedOnCreate": _Attribute("is filled by itself"),
    "defaultValue": _Attribute("default"),
    "unique": _Attribute("is unique"),
    "externalId": _Attribute("is an external id"),
    "caseSensitive": _Attribute("minds upper and lower case"),
    "autoNumber": _Attribute("is an auto number"),
}
_COSMETIC = {"label": "label", "inlineHelpText": "help text"}
_SIZES = ("length", "precision", "digits", "scale")
_HARMLESS = {"calculated": False, "filterable": True}  # what they are in the second org where nothing is lost
_RIGHTS = {"createable": "create", "updateable": "edit"}


def judge_field(change: Change, used: Used, sides: Sides) -> Verdict:
    thing = change.thing
    is_read = thing.name in used.reads.get(thing.sobject, ())
    is_written = thing.name in used.writes.get(thing.sobject, ())
    if not change.attribute:
        return _presence(change, used, sides, is_used=is_read or is_written)
    if change.attribute in _COSMETIC:
        label = _COSMETIC[change.attribute]
        return Verdict(Level.COSMETIC, _now(change, label, sides), "None: words that people read.")
    if change.attribute == "picklistValues":
        return _values(change, used, sides, is_used=is_read or is_written)
    if change.attribute == "nillable" and _is_demanded(change.after) and thing.sobject in used.writes:
        return _required(change, sides, is_written=is_written)
    if not (is_read or is_written):
        sentence = _now(change, _attribute(change).label, sides)
        return Verdict(Level.WORTH_KNOWING, sentence, "Headwater does not use this field.")
    return _of_used(change, sides, is_written=is_written)


def _of_used(change: Change, sides: Sides, *, is_written: bool) -> Verdict:
    known, after = _attribute(change), change.values[1]
    sentence = _now(change, known.label, sides)
    if change.attribute in _SIZES and _is_less(change):
        effect = f"What fits in {sides.before} does not fit in {sides.after}: values are cut short or refused."
        return Verdict(Level.MATTERS, sentence, effect, f"make it as long as in {sides.before}")
    right = _RIGHTS.get(change.attribute)
    if right and is_written and not after:
        effect = "Headwater writes this field, which is refused."
        return Verdict(Level.MATTERS, sentence, effect, f"grant {right} on it to the connected user")
    if after == _HARMLESS.get(change.attribute, ...):
        return Verdict(Level.WORTH_KNOWING, sentence, "Headwater uses this field, and loses nothing by that.")
    return Verdict(known.level, sentence, known.effect, known.you_can)


def _attribute(change: Change) -> _Attribute:
    return _ATTRIBUTES.get(change.attribute, _Attribute(change.attribute))


def _presence(change: Change, used: Used, sides: Sides, *, is_used: bool) -> Verdict:
    thing = change.thing
    path = f"{thing.sobject}.{thing.name}"
    if change.after is None:
        sentence = f"{path} is not in {sides.after}, or hidden from its user."
        if is_used:
            effect = "Headwater uses it: the first sync stops and names it."
            you_can = f"grant read on {path} to the connected user; create the field where there is none"
            return Verdict(Level.MATTERS, sentence, effect, you_can)
        effect = "Headwater does not use it. A rule that names it could not work."
        return Verdict(Level.WORTH_KNOWING, sentence, effect)
    sentence = f"{path} is in {sides.after}; {sides.before} lacks it or hides it from its user."
    if _is_demanded(change.after) and thing.sobject in used.writes:
        return _required(change, sides, is_written=is_used)
    effect = "Headwater reads it, and it could not be tried out." if is_used else "Headwater does not use it."
    return Verdict(Level.WORTH_KNOWING, sentence, effect)


def _required(change: Change, sides: Sides, *, is_written: bool) -> Verdict:
    thing = change.thing
    sentence = f"{thing.sobject}.{thing.name} must be filled in {sides.after}; in {sides.before} it may be empty."
    if is_written:
        effect = "Headwater fills it; a record for which it has no value is refused."
        return Verdict(Level.WORTH_KNOWING, sentence, effect)
    effect = f"Headwater writes {thing.sobject} without it, which is refused (REQUIRED_FIELD_MISSING)."
    return Verdict(Level.MATTERS, sentence, effect, "give it a default, or do not require it")


def _values(change: Change, used: Used, sides: Sides, *, is_used: bool) -> Verdict:
    thing, (before, after) = change.thing, change.values
    here, there = _active(before), _active(after)
    path = f"{thing.sobject}.{thing.name}"
    if here == there:
        sentence = f"The values of {path} are the same, with other labels or another default."
        return Verdict(Level.COSMETIC, sentence, "None: rules go by values, not by labels.")
    told = [
        f"{sides.after} {verb} {shown(sorted(values))}"
        for verb, values in (("lacks", here - there), ("has in addition", there - here))
        if values
    ]
    sentence = f"The values of {path} differ: {'; '.join(told)}."
    named = used.values.get(path, frozenset())
    if named & (here - there):
        lost = shown(sorted(named & (here - there)))
        effect = f"A rule names {lost}: records with another value in its place fall out of it."
        return Verdict(Level.MATTERS, sentence, effect, "add the value, or change the rule")
    if named & (there - here):
        effect = f"A rule names {shown(sorted(named & (there - here)))}, which could not be tried out."
        return Verdict(Level.WORTH_KNOWING, sentence, effect)
    effect = "Headwater reads the values; no rule names one of these." if is_used else "Headwater does not use it."
    return Verdict(Level.WORTH_KNOWING, sentence, effect)


def _active(values: Mapping[str, Mapping[str, Any]] | None) -> set[str]:
    return {name for name, value in (values or {}).items() if value["active"]}


def _is_demanded(field: Mapping[str, Any] | None) -> bool:
    """A new record is refused without it."""
    return field is not None and bool(field["createable"] and not field["nillable"] and not field["defaultedOnCreate"])


def _is_less(change: Change) -> bool:
    before, after = change.values
    return isinstance(before, int) and isinstance(after, int) and after < before


def _now(change: Change, label: str, sides: Sides) -> str:
    before, after = change.values
    path = f"{change.thing.sobject}.{change.thing.name}"
    return f"{path}: {label} is {shown(after)} in {sides.after}, {shown(before)} in {sides.before}."
