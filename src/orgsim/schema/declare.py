"""Short words for declaring standard fields, so that an object module reads as a list of its fields."""

from dataclasses import replace
from typing import Any

from orgsim.schema.model import Field

_LABEL_ENDINGS = (("Id", " ID"),)
_LABEL_OVERRIDES = {"Id": "Record ID", "SystemModstamp": "System Modstamp", "IsDeleted": "Deleted"}
_READ_ONLY: dict[str, Any] = {"createable": False, "updateable": False}


def label_of(name: str) -> str:
    """`LastModifiedDate` → `Last Modified Date`."""
    if name in _LABEL_OVERRIDES:
        return _LABEL_OVERRIDES[name]
    for ending, words in _LABEL_ENDINGS:
        if name.endswith(ending):
            return label_of(name.removesuffix(ending)) + words
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    return spaced.strip()


def text(name: str, length: int, **more: Any) -> Field:
    return Field(name, "string", more.pop("label", label_of(name)), length=length, **more)


def area(name: str, length: int = 32000, **more: Any) -> Field:
    sortable = length <= 255
    return Field(name, "textarea", label_of(name), length=length, filterable=sortable, sortable=sortable, **more)


def email(name: str = "Email", **more: Any) -> Field:
    return Field(name, "email", label_of(name), length=80, **more)


def phone(name: str) -> Field:
    return Field(name, "phone", label_of(name), length=40)


def url(name: str, **more: Any) -> Field:
    return Field(name, "url", label_of(name), length=255, **more)


def pick(name: str, values: tuple[str, ...], length: int = 255, **more: Any) -> Field:
    return Field(name, "picklist", label_of(name), length=length, values=values, **more)


def flag(name: str, *, default: bool = False, read_only: bool = False) -> Field:
    more = _READ_ONLY if read_only else {}
    return Field(name, "boolean", label_of(name), nillable=False, default=default, defaulted_on_create=True, **more)


def money(name: str, **more: Any) -> Field:
    return Field(name, "currency", label_of(name), precision=18, scale=2, **more)


def number(name: str, precision: int = 18, scale: int = 0, **more: Any) -> Field:
    return Field(name, "double", label_of(name), precision=precision, scale=scale, **more)


def whole(name: str, **more: Any) -> Field:
    return Field(name, "int", label_of(name), precision=9, **more)


def percent(name: str, precision: int = 3, scale: int = 0, **more: Any) -> Field:
    return Field(name, "percent", label_of(name), precision=precision, scale=scale, **more)


def day(name: str, **more: Any) -> Field:
    return Field(name, "date", label_of(name), **more)


def moment(name: str, **more: Any) -> Field:
    return Field(name, "datetime", label_of(name), **more)


def reference(name: str, *targets: str, child: str | None = None, **more: Any) -> Field:
    """`name` must end in Id; the relationship is called the same without it."""
    relationship = more.pop("relationship", name.removesuffix("Id"))
    return Field(
        name,
        "reference",
        label_of(name),
        length=18,
        reference_to=targets,
        relationship_name=relationship,
        child_relationship=child,
        **more,
    )


def read_only(field: Field) -> Field:
    return replace(field, **_READ_ONLY)


def required(field: Field) -> Field:
    return replace(field, nillable=False)


def defaulted(field: Field, value: str | int | bool) -> Field:
    return replace(field, nillable=False, default=value, defaulted_on_create=True)


def named(field: Field) -> Field:
    return replace(field, name_field=True)


def address(prefix: str, *, geo: bool = True) -> tuple[Field, ...]:
    """The parts of an address and the compound field over them; `prefix` is e.g. Billing, or empty on Lead."""
    name = f"{prefix}Address"
    parts: list[Field] = [
        area(f"{prefix}Street", 255, compound_name=name),
        text(f"{prefix}City", 40, compound_name=name),
        text(f"{prefix}State", 80, compound_name=name),
        text(f"{prefix}PostalCode", 20, compound_name=name),
        text(f"{prefix}Country", 80, compound_name=name),
    ]
    if geo:
        parts += [number(f"{prefix}{axis}", 18, 15, compound_name=name) for axis in ("Latitude", "Longitude")]
        parts.append(pick(f"{prefix}GeocodeAccuracy", _GEOCODE_ACCURACY, 40, compound_name=name))
    compound = Field(
        name,
        "address",
        label_of(name),
        compound_parts=tuple(part.name for part in parts),
        filterable=False,
        sortable=False,
        **_READ_ONLY,
    )
    return (*parts, compound)


_GEOCODE_ACCURACY = ("Address", "NearAddress", "Block", "Street", "Zip", "City", "State", "Unknown")


def record_id() -> Field:
    return Field(
        "Id",
        "id",
        label_of("Id"),
        length=18,
        nillable=False,
        defaulted_on_create=True,
        id_lookup=True,
        **_READ_ONLY,
    )


def system_fields(*, bin_flag: bool = True, modified: bool = True) -> tuple[Field, ...]:
    """Everything every record carries except its Id (facts C.1)."""
    made: list[Field] = [flag("IsDeleted", read_only=True)] if bin_flag else []
    made += [
        read_only(defaulted(moment("CreatedDate"), "")),
        read_only(defaulted(reference("CreatedById", "User"), "")),
    ]
    if modified:
        made += [
            read_only(defaulted(moment("LastModifiedDate"), "")),
            read_only(defaulted(reference("LastModifiedById", "User"), "")),
        ]
    made.append(read_only(defaulted(moment("SystemModstamp"), "")))
    return tuple(made)


def viewed_fields() -> tuple[Field, ...]:
    return tuple(read_only(moment(name)) for name in ("LastViewedDate", "LastReferencedDate"))


def owner(child: str | None = None, *targets: str) -> Field:
    return defaulted(reference("OwnerId", *(targets or ("User",)), child=child), "")
