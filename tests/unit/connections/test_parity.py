"""Comparing two snapshots of orgs: complete, nothing told twice, and each difference with what it does to Headwater."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.connections.changes import Kind
from headwater.connections.parity import Comparison, Difference, compare
from headwater.connections.parity_verdict import Level, Sides, Used
from headwater.connections.snapshot import FIELD_ATTRIBUTES, OBJECT_ATTRIBUTES

Content = dict[str, Any]

USED = Used(
    reads={"Lead": frozenset({"Status", "Email"}), "Campaign": frozenset({"Type"}), "Case": frozenset({"Status"})},
    writes={"Touch__c": frozenset({"Id__c"})},
    values={"Campaign.Type": frozenset({"Webinar", "Conference"})},
)
SIDES = Sides("the sandbox org", "the production org")
FIELD: dict[str, Any] = {
    **dict.fromkeys(FIELD_ATTRIBUTES),
    "label": "A label",
    "type": "string",
    "length": 80,
    "precision": 0,
    "scale": 0,
    "digits": 0,
    "nillable": True,
    "createable": True,
    "updateable": True,
    "defaultedOnCreate": False,
    "unique": False,
    "calculated": False,
    "filterable": True,
    "referenceTo": [],
    "defaultValue": None,
    "picklistValues": {},
}
OBJECT = dict.fromkeys(OBJECT_ATTRIBUTES[1:], True) | {"label": "Thing"}


def value(*, active: bool = True, label: str = "x") -> dict[str, Any]:
    return {"label": label, "active": active, "default": False}


def org() -> Content:
    """Two objects that are read, one that is written, one that is not used; some automation."""
    types = {"picklistValues": {"Webinar": value(), "Email": value()}, "type": "picklist"}
    fields: dict[str, Content] = {
        "Lead": {"Status": FIELD, "Email": FIELD, "Fax": FIELD},
        "Campaign": {"Type": FIELD | types, "Colour__c": FIELD | types},
        "Touch__c": {"Id__c": FIELD, "Note__c": FIELD},
        "Partner": {"Role": FIELD},
    }
    content = {
        "objects": {
            name: {
                "attributes": OBJECT,
                "fields": of_object,
                "record_types": {"Standard": {"name": "S", "active": True}},
            }
            for name, of_object in fields.items()
        },
        "triggers": {"Stamp": trigger("Lead", "BeforeUpdate"), "Born": trigger("Lead", "AfterInsert")},
        "flows": {"Route": flow("Lead", "CreateAndUpdate"), "Welcome": flow("Lead", "Create"), "Old": flow("", None)},
        "validation_rules": {
            "Lead.No_Fax": {"object": "Lead", "errorDisplayField": None, "errorMessage": "No fax"},
            "Touch__c.Odd": {"object": "Touch__c", "errorDisplayField": None, "errorMessage": "Odd"},
        },
    }
    return copied(content)


def copied(content: Content) -> Content:
    """Nothing of it is shared, as it comes out of the database."""
    copy: Content = orjson.loads(orjson.dumps(content))
    return copy


def trigger(sobject: str, *events: str) -> Content:
    return {
        "object": sobject,
        "events": list(events),
        "apiVersion": 60,
        "isValid": True,
        "lengthWithoutComments": 99,
    }


def flow(sobject: str, on: str | None) -> Content:
    return {
        "object": sobject,
        "label": "Flow",
        "processType": "AutoLaunchedFlow" if sobject else "Workflow",
        "triggerType": "RecordAfterSave" if sobject else None,
        "recordTriggerType": on,
        "triggerOrder": None,
        "versionNumber": 1,
    }


def compared(before: Content, after: Content) -> Comparison:
    return compare(before, after, USED, SIDES)


def only(change: Callable[[Content], object]) -> Difference:
    """The one difference that a change of the second org makes."""
    after = org()
    change(after)
    [found] = compared(org(), after).differences
    return found


def places(content: Content) -> list[tuple[Content, str, tuple[str, str, str, str]]]:
    """Every spot where one thing or attribute stands: (where, under which key, what a difference there is called)."""
    found: list[tuple[Content, str, tuple[str, str, str, str]]] = []
    for sobject, kept in content["objects"].items():
        found += [(kept["attributes"], each, ("object", sobject, sobject, each)) for each in kept["attributes"]]
        for part, kind in (("fields", "field"), ("record_types", "record_type")):
            found += _things(kept[part], kind, sobject)
    for part, kind in (("triggers", "trigger"), ("flows", "flow"), ("validation_rules", "validation_rule")):
        found += _things(content[part], kind, "")
    return found


def _things(things: Content, kind: str, sobject: str) -> list[tuple[Content, str, tuple[str, str, str, str]]]:
    found: list[tuple[Content, str, tuple[str, str, str, str]]] = []
    for name, attributes in things.items():
        of = sobject or attributes["object"]
        found.append((things, name, (kind, of, name, "")))
        found += [(attributes, each, (kind, of, name, each)) for each in attributes if each != "object"]
    return found


def name_of(difference: Difference) -> tuple[str, str, str, str]:
    return difference.kind.value, difference.sobject, difference.name, difference.attribute


# laws

unhurried = settings(deadline=None, max_examples=50)


@st.composite
def changed_orgs(draw: st.DrawFn) -> tuple[Content, set[tuple[str, str, str, str]]]:
    """An org with some things taken away and some attributes changed, and what those differences are called."""
    content = org()
    spots = places(content)
    chosen = draw(st.lists(st.sampled_from(range(len(spots))), unique=True, max_size=6))
    expected, gone = set(), set()
    for where, key, called in sorted((spots[place] for place in chosen), key=lambda spot: spot[2][3] != ""):
        if called[3] and called[:3] in gone:
            continue  # an attribute of what is not there any more
        if not called[3]:
            del where[key]
            gone.add(called[:3])
        else:
            where[key] = draw(different_from(key, where[key]))
        expected.add(called)
    return content, expected


def different_from(attribute: str, present: Any) -> st.SearchStrategy[Any]:
    if attribute == "picklistValues":
        return st.dictionaries(
            st.sampled_from(["Webinar", "Email", "Fair"]), st.builds(value, active=st.booleans())
        ).filter(lambda made: made != present)
    if attribute in ("events", "referenceTo"):
        return st.lists(st.sampled_from(["BeforeUpdate", "AfterDelete"]), unique=True).filter(
            lambda made: made != present
        )
    other: st.SearchStrategy[Any] = st.one_of(st.text(max_size=3), st.integers(0, 99))
    if isinstance(present, bool):
        return st.just(not present)
    return other.filter(lambda made: made != present)


@unhurried
@given(changed_orgs())
def test_every_change_is_told_exactly_once(made: tuple[Content, set[tuple[str, str, str, str]]]) -> None:
    after, expected = made
    named = [name_of(each) for each in compared(org(), after).differences]
    assert sorted(named) == sorted(expected)


@unhurried
@given(changed_orgs())
def test_the_same_org_differs_in_nothing(made: tuple[Content, Any]) -> None:
    content, _ = made
    assert compared(content, copied(content)) == Comparison((), ())


@unhurried
@given(changed_orgs(), changed_orgs())
def test_looked_at_from_the_other_side_the_same_things_differ_with_their_values_exchanged(
    one: tuple[Content, Any], other: tuple[Content, Any]
) -> None:
    there = {(*name_of(each), each.before, each.after) for each in compared(one[0], other[0]).differences}
    back = {(*name_of(each), each.after, each.before) for each in compared(other[0], one[0]).differences}
    assert there == back


@unhurried
@given(changed_orgs())
def test_every_difference_says_what_it_does_and_the_urgent_stand_first(made: tuple[Content, Any]) -> None:
    found = compared(org(), made[0])
    assert all(each.sentence.endswith(".") and each.effect.endswith(".") for each in found.differences)
    assert all(each.you_can for each in found.differences if each.level is Level.MATTERS)
    levels = [list(Level).index(each.level) for each in found.differences]
    assert levels == sorted(levels)
    assert sum(found.counts.values()) == len(found.differences)


def test_of_an_object_that_is_missing_its_fields_are_not_told_one_by_one() -> None:
    found = only(lambda after: after["objects"].pop("Campaign"))
    assert (found.kind, found.level, found.sentence) == (
        Kind.OBJECT,
        Level.MATTERS,
        "Campaign is not in the production org, or hidden from its user.",
    )


@pytest.mark.parametrize("part", ["triggers", "flows", "validation_rules"])
def test_what_the_user_may_not_see_is_never_called_equal(part: str) -> None:
    hidden = org()
    hidden[part] = None
    for before, after, who in ((org(), hidden, "production"), (hidden, org(), "sandbox")):
        found = compared(before, after)
        assert found.differences == ()
        [told] = found.not_compared
        assert told.part == part
        assert f"could not be compared: the connected user of the {who} org may not see them" in told.sentence
        assert "View Setup" in told.you_can
    [both] = compared(hidden, hidden).not_compared
    assert "the sandbox org and the production org" in both.sentence


# judgement


def field(sobject: str, name: str, **more: Any) -> Callable[[Content], object]:
    return lambda after: after["objects"][sobject]["fields"][name].update(more)


def new_field(sobject: str, **more: Any) -> Callable[[Content], object]:
    return lambda after: after["objects"][sobject]["fields"].update({"New__c": FIELD | more})


def without(*path: str) -> Callable[[Content], object]:
    def change(after: Content) -> object:
        where = after
        for key in path[:-1]:
            where = where[key]
        return where.pop(path[-1])

    return change


def automation(part: str, name: str, row: Content) -> Callable[[Content], object]:
    return lambda after: after[part].update({name: row})


JUDGED = [
    ("a field that is read is missing", without("objects", "Lead", "fields", "Status"), "matters", "first sync stops"),
    ("another is missing", without("objects", "Lead", "fields", "Fax"), "worth_knowing", "does not use it"),
    ("one that is read has another type", field("Lead", "Email", type="textarea"), "matters", "another type"),
    ("another has another type", field("Lead", "Fax", type="phone"), "worth_knowing", "does not use"),
    ("one that is read is shorter", field("Lead", "Email", length=40), "matters", "cut short"),
    ("one that is read is longer", field("Lead", "Email", length=255), "worth_knowing", "does not depend"),
    (
        "one that is read became a formula",
        field("Lead", "Email", calculated=True),
        "matters",
        "change of the record's stamp",
    ),
    ("a label", field("Lead", "Email", label="E-mail"), "cosmetic", "words that people read"),
    ("a lookup leads elsewhere", field("Lead", "Status", referenceTo=["User"]), "matters", "other records"),
    (
        "a value that a rule names is gone",
        field("Campaign", "Type", picklistValues={"Email": value()}),
        "matters",
        "A rule names Webinar",
    ),
    (
        "it is there and inactive",
        field("Campaign", "Type", picklistValues={"Email": value(), "Webinar": value(active=False)}),
        "matters",
        "A rule names Webinar",
    ),
    (
        "a value that no rule names is gone",
        field("Campaign", "Type", picklistValues={"Webinar": value()}),
        "worth_knowing",
        "no rule names",
    ),
    (
        "a new value that a rule names",
        field("Campaign", "Type", picklistValues={"Webinar": value(), "Email": value(), "Conference": value()}),
        "worth_knowing",
        "could not be tried out",
    ),
    (
        "values of a field that is not used",
        field("Campaign", "Colour__c", picklistValues={}),
        "worth_knowing",
        "does not use it",
    ),
    (
        "labels of values",
        field("Campaign", "Type", picklistValues={"Webinar": value(label="W"), "Email": value()}),
        "cosmetic",
        "not by labels",
    ),
    (
        "a new required field of what is written",
        new_field("Touch__c", nillable=False),
        "matters",
        "REQUIRED_FIELD_MISSING",
    ),
    (
        "one that is filled by itself",
        new_field("Touch__c", nillable=False, defaultedOnCreate=True),
        "worth_knowing",
        "does not use",
    ),
    ("a new required field of what is read", new_field("Lead", nillable=False), "worth_knowing", "does not use it"),
    (
        "a field of what is written is required now",
        field("Touch__c", "Note__c", nillable=False),
        "matters",
        "without it",
    ),
    (
        "a field that is written cannot be changed",
        field("Touch__c", "Id__c", updateable=False),
        "matters",
        "is refused",
    ),
    ("a trigger on update is missing", without("triggers", "Stamp"), "matters", "when a Lead is updated"),
    ("a trigger on insert is missing", without("triggers", "Born"), "worth_knowing", "does not run when"),
    (
        "a new trigger on update",
        automation("triggers", "New", trigger("Case", "AfterInsert", "AfterUpdate")),
        "matters",
        "reads those records again",
    ),
    (
        "a trigger runs on updates too now",
        automation("triggers", "Born", trigger("Lead", "AfterInsert", "AfterUpdate")),
        "matters",
        "when a Lead is updated",
    ),
    (
        "the code of a trigger",
        automation("triggers", "Stamp", trigger("Lead", "BeforeUpdate") | {"lengthWithoutComments": 1}),
        "worth_knowing",
        "may do something else",
    ),
    (
        "a trigger on what is written",
        automation("triggers", "New", trigger("Touch__c", "BeforeUpdate")),
        "matters",
        "200 records at a time",
    ),
    ("a flow on update is missing", without("flows", "Route"), "matters", "when a Lead is updated"),
    ("a flow on create is missing", without("flows", "Welcome"), "worth_knowing", "does not run when"),
    ("a process that tells no object", without("flows", "Old"), "matters", "does not tell on which object"),
    (
        "a version",
        automation("flows", "Route", flow("Lead", "CreateAndUpdate") | {"versionNumber": 7}),
        "cosmetic",
        "Versions",
    ),
    ("a rule on what is read", without("validation_rules", "Lead.No_Fax"), "worth_knowing", "writes nothing to Lead"),
    ("a rule on what is written", without("validation_rules", "Touch__c.Odd"), "matters", "is refused"),
    ("an own object is not installed", without("objects", "Touch__c"), "worth_knowing", "Headwater's own objects"),
    ("an object that is not used", without("objects", "Partner"), "worth_knowing", "can do without"),
    ("a record type", without("objects", "Lead", "record_types", "Standard"), "worth_knowing", "narrows"),
]


@pytest.mark.parametrize(("change", "level", "effect"), [each[1:] for each in JUDGED], ids=[each[0] for each in JUDGED])
def test_each_difference_has_its_level_and_its_effect(
    change: Callable[[Content], object], level: str, effect: str
) -> None:
    found = only(change)
    assert (found.level, effect in found.effect) == (Level(level), True), found


def test_a_trigger_that_moved_to_another_object_is_gone_here_and_new_there() -> None:
    after = org()
    after["triggers"]["Stamp"]["object"] = "Case"
    found = compared(org(), after).differences
    assert {(each.sobject, each.before, each.after) for each in found} == {("Lead", "yes", "no"), ("Case", "no", "yes")}


def test_differences_are_found_by_object_and_level() -> None:
    after = org()
    without("triggers", "Stamp")(after)
    field("Campaign", "Type", label="Kind")(after)
    found = compared(org(), after)
    assert found.sobjects == ["Campaign", "Lead"]
    assert [each.name for each in found.of(sobject="Lead")] == ["Stamp"]
    assert [each.name for each in found.of(level="cosmetic")] == ["Type"]
    assert found.of(sobject="Lead", level="cosmetic") == ()
    assert found.counts == {Level.MATTERS: 1, Level.WORTH_KNOWING: 0, Level.COSMETIC: 1}
