"""Which columns an object has in the local copy, and their types: from Salesforce's describe, never guessed.

Not here: reading describe (salesforce room), or what to do when a field changes its type (sync room).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from headwater.common.errors import Facts, Fix

ALWAYS = ("Id", "IsDeleted", "SystemModstamp")


class CanonicalType(Enum):
    """The types of the local copy; the value is the SQL type. Times are UTC without a zone marker."""

    STRING = "VARCHAR"
    DECIMAL = "DECIMAL(26,8)"  # Salesforce currency: up to 18 digits, of which any number may be decimals
    DOUBLE = "DOUBLE"
    BOOLEAN = "BOOLEAN"
    TIMESTAMP = "TIMESTAMP"
    DATE = "DATE"


_BY_FIELD_TYPE = {
    **dict.fromkeys(
        (
            "id", "reference", "string", "picklist", "multipicklist", "combobox", "email", "phone", "url",
            "textarea", "encryptedstring", "time", "anyType", "datacategorygroupreference",
        ),
        CanonicalType.STRING,
    ),
    **dict.fromkeys(("currency", "long"), CanonicalType.DECIMAL),
    **dict.fromkeys(("double", "percent", "int"), CanonicalType.DOUBLE),
    "boolean": CanonicalType.BOOLEAN,
    "datetime": CanonicalType.TIMESTAMP,
    "date": CanonicalType.DATE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """`stored` is its name in parts, where that is another than readers use; under it there is never a second type.

    newer   The name in parts of the same field since its type changed; a value that stands only there is shown in the
            old type, as long as readers see that.
    """

    name: str
    type: CanonicalType
    stored: str = ""
    newer: str = ""

    @property
    def stored_name(self) -> str:
        return self.stored or self.name


@dataclass(frozen=True, slots=True)
class Owner:
    """The object whose record a row goes and comes back with, and the field that names it."""

    sobject: str
    field: str


@dataclass(frozen=True, slots=True)
class TableSchema:
    """One sObject's columns; `Id` is always the first.

    owner   Where a row is deleted and restored with a record of another object, and no stamp of its own tells.
    """

    sobject: str
    columns: tuple[Column, ...]
    owner: Owner | None = None

    def __post_init__(self) -> None:
        first = self.columns[0] if self.columns else None
        if first is None or (first.name, first.stored_name, first.type) != ("Id", "Id", CanonicalType.STRING):
            raise ValueError(f"The first column of {self.sobject} must be Id.")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def has(self, name: str) -> bool:
        return name in self.names


def can_hold(field_type: str) -> bool:
    """Whether a field of this type of Salesforce's has a place here; compound and binary ones have none."""
    return field_type in _BY_FIELD_TYPE


def canonical_type(field_type: str) -> CanonicalType:
    return _BY_FIELD_TYPE[field_type]


def schema_from_describe(describe: Mapping[str, Any], wanted: Collection[str]) -> TableSchema:
    """The schema of the `wanted` fields, in describe's order and spelling.

    describe  Salesforce's sObject describe: `name`, and `fields` with `name` and `type`.
    wanted    Field names, any case. Id, IsDeleted and SystemModstamp are added where the object has them.

    Errors    Fix   lake.fields_missing      names every wanted field that describe does not show.
              Fix   lake.field_type_unknown  names every wanted field whose type has no place here (compound, base64).
    """
    sobject = str(describe["name"])
    shown = {str(field["name"]).lower(): field for field in describe["fields"]}
    _refuse_missing(sobject, [name for name in ("Id", *wanted) if name.lower() not in shown])
    chosen = {name.lower() for name in (*ALWAYS, *wanted)}
    fields = [field for name, field in shown.items() if name in chosen]
    _refuse_unknown(sobject, [field for field in fields if field["type"] not in _BY_FIELD_TYPE])
    columns = [Column(str(field["name"]), _BY_FIELD_TYPE[field["type"]]) for field in fields]
    return TableSchema(sobject, tuple(sorted(columns, key=lambda column: column.name != "Id")))


def _refuse_missing(sobject: str, missing: list[str]) -> None:
    if missing:
        raise Fix(
            "lake.fields_missing",
            f"Salesforce does not show {len(missing)} of the fields that are read from {sobject}: "
            f"{', '.join(sorted(missing))}.",
            Facts(
                why="The field was removed or renamed, or the connected user may not see it.",
                left="Nothing was fetched for this object.",
                you_can="give the connected user read access to these fields, or stop reading them",
            ),
        )


def _refuse_unknown(sobject: str, fields: list[Mapping[str, Any]]) -> None:
    if fields:
        named = ", ".join(sorted(f"{field['name']} ({field['type']})" for field in fields))
        raise Fix(
            "lake.field_type_unknown",
            f"{sobject} has fields of a type that the local copy cannot hold: {named}.",
            Facts(
                why="Compound and binary fields are refused by Salesforce's Bulk API as well.",
                left="Nothing was fetched for this object.",
                you_can="read the parts of a compound field instead, for instance MailingCity",
            ),
        )
