"""The sObjects of one org, found by name or by the first three characters of an id.

Not here: keeping them in a file (store/org.py) or changing them (metadata/).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orgsim.schema.model import Field, SObject


@dataclass(frozen=True, slots=True)
class ChildRelationship:
    """One field of another object that points here."""

    child: SObject
    field: Field
    name: str | None


@dataclass(frozen=True, slots=True)
class View:
    """What one user may: the schema as far as it exists for them, and their system permissions."""

    catalog: "Catalog"
    permissions: frozenset[str]


class Catalog:
    """An unchanging view of an org's schema."""

    def __init__(self, sobjects: Iterable[SObject]) -> None:
        self._by_name = {each.name.lower(): each for each in sobjects}
        self._by_prefix = {each.key_prefix: each for each in self._by_name.values()}
        self._children: dict[str, list[ChildRelationship]] = {}
        for each in self._by_name.values():
            self._register_parents(each)

    def _register_parents(self, child: SObject) -> None:
        for field in child.fields:
            for parent in field.reference_to:
                relationship = ChildRelationship(child, field, field.child_relationship)
                self._children.setdefault(parent.lower(), []).append(relationship)

    def __iter__(self) -> Iterator[SObject]:
        return iter(self._by_name.values())

    def find(self, name: str) -> SObject | None:
        return self._by_name.get(name.lower())

    def get(self, name: str) -> SObject:
        """For names the program itself knows. Raises KeyError."""
        return self._by_name[name.lower()]

    def of_id(self, record_id: str) -> SObject | None:
        return self._by_prefix.get(record_id[:3])

    def children_of(self, name: str) -> list[ChildRelationship]:
        return self._children.get(name.lower(), [])

    def child_relationship(self, parent: str, name: str) -> ChildRelationship | None:
        wanted = name.lower()
        return next((each for each in self.children_of(parent) if (each.name or "").lower() == wanted), None)

    def next_custom_prefix(self) -> str:
        taken = {each.key_prefix for each in self if each.custom}
        letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        return next(prefix for x in letters for y in letters if (prefix := f"a{x}{y}") not in taken)
