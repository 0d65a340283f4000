"""Which columns an object has in the local copy, and their types: from Salesforce's describe, never guessed.

Not here: reading describe (salesforce room), or what to do when a field changes its type (sync room).
"""

from dataclasses import dataclass
from enum import Enum

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
