"""All that people and programs do to an org in a day of work: records, the recycle bin, fields, what is seen late.

They work at the org's own files, beside the process that serves it. Not here: faults of its API (test_sync_torture.py).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event

from integration.org_fields import add_field, remove_field, retype_field
from orgsim.edits.checksum import stored_field
from orgsim.edits.everyday import (
    DELETED,
    FreshHand,
    convert_one,
    create_one,
    delete_one,
    merge_one,
    succeeds,
    undelete_one,
    update_one,
)
from orgsim.schema.declare import number, text
from orgsim.testing import RunningOrgsim

SOBJECTS = ("Lead", "Contact", "Opportunity", "Account")
FIELDS_AT_ONCE = 4
EDITS_OF_A_LOAD = 700
LONGEST_TEXT = 40


@dataclass
class People:
    """`wanted` is where the people of Headwater find the names of fields that they should have read."""

    org: RunningOrgsim
    wanted: Path
    seed: int
    done: Counter[str] = field(default_factory=Counter)
    fields: dict[str, str] = field(default_factory=dict)
    made: int = 0

    def __post_init__(self) -> None:
        self.hand = FreshHand(self.org.writer(), self.seed)

    def work(self, stop: Event, edits_per_second: float) -> None:
        names, weights = zip(*((name, weight) for name, (weight, _) in _DEEDS.items()), strict=True)
        pauses = Random(self.seed)  # noqa: S311  chance for a test, not for a secret
        while not stop.wait(pauses.expovariate(edits_per_second)):
            [name] = self.hand.dice.choices(names, weights)
            self.done[name if self._succeeds(_DEEDS[name][1]) else "refused"] += 1

    def _succeeds(self, deed: "Callable[[People], None]") -> bool:
        return succeeds(self.hand, lambda _: deed(self))

    def some_field(self) -> tuple[str, str]:
        """(object, field) of those that were made here and are still there. Raises LookupError where there is none."""
        if not self.fields:
            raise LookupError("No field is left.")
        name = self.hand.dice.choice(sorted(self.fields))
        return self.fields[name], name


def _purge(people: People, *, deleted: bool) -> None:
    name = people.hand.dice.choice(DELETED)
    people.org.writer().purge(name, people.hand.some_id(name, deleted=deleted))


def _load(people: People) -> None:
    """A program changes hundreds at one moment: more than a page of them, all with one stamp."""
    people.done["updates of loads"] += sum(succeeds(people.hand, update_one) for _ in range(EDITS_OF_A_LOAD))


def _make_field(people: People) -> None:
    """A new one, which somebody then wants to have read."""
    if len(people.fields) >= FIELDS_AT_ONCE:
        raise LookupError("There are fields enough.")
    people.made += 1
    sobject, name = people.hand.dice.choice(SOBJECTS), f"Torture{people.made}__c"
    add_field(people.org, sobject, text(name, LONGEST_TEXT))
    people.fields[name] = sobject
    with people.wanted.open("a") as file:
        file.write(f"{sobject} {name}\n")


def _fill_field(people: People) -> None:
    """Digits are a text and a number."""
    sobject, name = people.some_field()
    value = people.hand.dice.choice((None, people.hand.dice.randrange(10**6)))
    people.org.writer().update(sobject, people.hand.some_id(sobject), {name: value})


def _retype_field(people: People) -> None:
    """Once in a field's life: one that comes back to its type within a day is not told from one that never went."""
    sobject, name = people.some_field()
    if stored_field(people.org.production.catalog().get(sobject), name).type != "string":
        raise LookupError("This one is a number already.")
    retype_field(people.org, sobject, number(name), None)


def _remove_field(people: People) -> None:
    sobject, name = people.some_field()
    remove_field(people.org, sobject, name)
    del people.fields[name]


def _with_hand(deed: Callable[[FreshHand], None]) -> Callable[[People], None]:
    return lambda people: deed(people.hand)


_DEEDS: dict[str, tuple[float, Callable[[People], None]]] = {
    "creates": (20, _with_hand(create_one)),
    "updates": (40, _with_hand(update_one)),
    "deletes": (10, _with_hand(delete_one)),
    "undeletes": (6, _with_hand(undelete_one)),
    "merges": (4, _with_hand(merge_one)),
    "conversions": (5, _with_hand(convert_one)),
    "hard deletes": (4, lambda people: _purge(people, deleted=False)),
    "emptied from the bin": (3, lambda people: _purge(people, deleted=True)),
    "loads": (0.2, _load),
    "fields made": (0.3, _make_field),
    "fields filled": (8, _fill_field),
    "fields retyped": (0.1, _retype_field),
    "fields removed": (0.1, _remove_field),
}
