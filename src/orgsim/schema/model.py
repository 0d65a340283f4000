"""The two records a schema is made of: a field and an sObject. Plain data; nothing here touches a database."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

import orjson

TEXT_TYPES = frozenset(
    {"string", "picklist", "multipicklist", "email", "phone", "url", "textarea", "encryptedstring", "combobox"}
)
NUMBER_TYPES = frozenset({"currency", "double", "percent", "int"})
ID_TYPES = frozenset({"id", "reference"})
COMPOUND_TYPES = frozenset({"address"})
# Parts of a person's name, and what every record has.
_NEVER_PERMISSIONABLE = frozenset({"FirstName", "Salutation", "OwnerId", "RecordTypeId", "CurrencyIsoCode"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field, in the words of a describe. Numbers are kept as integers scaled by 10**scale, so sums are exact."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    filterable: bool = True
    sortable: bool = True
    defaulted_on_create: bool = False
    default: str | int | bool | None = None
    unique: bool = False
    external_id: bool = False
    id_lookup: bool = False
    name_field: bool = False
    custom: bool = False
    calculated: bool = False
    auto_number: bool = False
    display_format: str = ""  # of an auto number, e.g. BT-{00000}
    restricted: bool = False
    values: tuple[str, ...] = ()
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    child_relationship: str | None = None
    cascade_delete: bool = False
    restricted_delete: bool = False  # what it points at cannot be deleted
    compound_parts: tuple[str, ...] = ()
    compound_name: str | None = None
    formula: str | None = None  # computed when it is read; nothing is stored
    blanks_as_zero: bool = True  # how the formula reads empty numbers
    track_history: bool = False  # changes leave rows, where the object keeps a history
    needs_grant: bool = False  # came by a deployment: nobody sees it whom no permission set or profile lets (facts C.8)
    read_by_grant: bool = False  # as a user sees it whom rights let read it, not write

    @property
    def is_stored(self) -> bool:
        return self.type not in COMPOUND_TYPES and self.formula is None

    @property
    def is_groupable(self) -> bool:
        ungroupable = {"currency", "double", "percent", "datetime", "multipicklist"}
        return self.filterable and self.formula is None and self.type not in ungroupable | COMPOUND_TYPES

    def numbered(self, number: int) -> str:
        """An auto number: `BT-{00000}` and 7 give `BT-00007`."""
        before, _, rest = self.display_format.partition("{")
        zeros, _, after = rest.partition("}")
        return f"{before}{number:0{len(zeros) or 1}d}{after}"

    @property
    def is_permissionable(self) -> bool:
        """Whether who sees it can be decided. Names, owners, stamps and required fields go with their record."""
        if self.read_by_grant:
            return True
        if self.name_field or self.cascade_delete or self.name in _NEVER_PERMISSIONABLE or self.compound_name:
            return False
        if self.custom or self.type in COMPOUND_TYPES:
            return not self.is_required
        return (self.createable or self.updateable) and not self.is_required

    @property
    def is_polymorphic(self) -> bool:
        return len(self.reference_to) > 1

    @property
    def is_required(self) -> bool:
        return (
            not self.nillable
            and self.createable
            and not self.defaulted_on_create
            and self.type not in ("boolean", "id")
        )


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """Refuses a record for which its formula is true. `display_field` is empty where the message stands on top."""

    id: str
    name: str
    formula: str
    message: str
    display_field: str = ""
    description: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """What happens to a record that matches another: one of `match` names fields that are all equal in both."""

    id: str
    name: str
    match: tuple[tuple[str, ...], ...]
    action: str = "Block"  # or Allow
    alert: bool = True  # an allowed record is told of, and kept only when the request says so
    message: str = "Use one of these records?"
    active: bool = True


@dataclass(frozen=True, slots=True)
class RecordTypeInfo:
    """A record type as the describe of its object tells of it."""

    id: str
    developer_name: str
    label: str
    active: bool
    is_default: bool


@dataclass(frozen=True, slots=True)
class SObject:
    """One object type. `fields` keeps the order of the describe."""

    name: str
    label: str
    label_plural: str
    key_prefix: str
    fields: tuple[Field, ...]
    custom: bool = False
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    undeletable: bool = True
    mergeable: bool = False
    replicateable: bool = True
    bulk_queryable: bool = True
    stamp_field: str = "SystemModstamp"
    history_name: str = ""  # the object that keeps the history of tracked fields, if one does
    is_history: bool = False  # it is such an object
    validation_rules: tuple[ValidationRule, ...] = ()
    duplicate_rules: tuple[DuplicateRule, ...] = ()
    default_record_type_id: str = ""  # of a new record that names none, for all profiles; empty: the master's
    index: dict[str, Field] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.index.update({each.name.lower(): each for each in self.fields})

    def find(self, name: str) -> Field | None:
        """Field names are matched without regard to case, as Salesforce does."""
        return self.index.get(name.lower())

    def find_relationship(self, name: str) -> Field | None:
        wanted = name.lower()
        return next((each for each in self.fields if (each.relationship_name or "").lower() == wanted), None)

    @property
    def has_recycle_bin(self) -> bool:
        return "isdeleted" in self.index

    @property
    def stored_fields(self) -> tuple[Field, ...]:
        return tuple(each for each in self.fields if each.is_stored)

    def with_field(self, added: Field) -> "SObject":
        """One of the same name is replaced where it stands."""
        known = self.find(added.name)
        changed = tuple(added if each is known else each for each in self.fields)
        return replace(self, fields=changed if known else (*self.fields, added), index={})

    def with_rule(self, added: ValidationRule) -> "SObject":
        kept = self.without_rule(added.name).validation_rules
        return replace(self, validation_rules=(*kept, added), index={})

    def without_rule(self, name: str) -> "SObject":
        kept = tuple(each for each in self.validation_rules if each.name.lower() != name.lower())
        return replace(self, validation_rules=kept, index={})

    def with_duplicate_rules(self, rules: tuple[DuplicateRule, ...]) -> "SObject":
        return replace(self, duplicate_rules=rules, index={})

    def with_default_record_type(self, record_type_id: str) -> "SObject":
        return replace(self, default_record_type_id=record_type_id, index={})


def to_json(sobject: SObject) -> bytes:
    """All but the index; `from_plain` reads it again."""
    names = (each.name for each in fields(sobject) if each.name != "index")
    return orjson.dumps({name: getattr(sobject, name) for name in names})


def from_plain(plain: dict[str, Any]) -> SObject:
    fields = tuple(_field_from_plain(each) for each in plain["fields"])
    rules = tuple(ValidationRule(**each) for each in plain.get("validation_rules", ()))
    duplicate_rules = tuple(_duplicate_rule_from_plain(each) for each in plain.get("duplicate_rules", ()))
    return SObject(**{**plain, "fields": fields, "validation_rules": rules, "duplicate_rules": duplicate_rules})


def _duplicate_rule_from_plain(plain: dict[str, Any]) -> DuplicateRule:
    return DuplicateRule(**{**plain, "match": tuple(tuple(names) for names in plain["match"])})


def _field_from_plain(plain: dict[str, Any]) -> Field:
    tuples = {key: tuple(plain[key]) for key in ("values", "reference_to", "compound_parts")}
    return Field(**{**plain, **tuples})
