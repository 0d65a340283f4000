"""A CustomField's XML to a field of the schema, or a refusal in the words a deployment gives."""

from collections.abc import Callable
from dataclasses import replace
from xml.etree.ElementTree import Element

from orgsim.metadata.package import descendants, text
from orgsim.schema.model import Field

FORMULA_TEXT_LENGTH = 1300
_NUMERIC_TYPES = {"Number": "double", "Currency": "currency", "Percent": "percent"}


class ComponentError(Exception):
    """Why one component cannot be deployed."""


def read_field(element: Element) -> Field:
    """Raises ComponentError."""
    name = text(element, "fullName")
    if not name.endswith("__c"):
        raise ComponentError(f"The custom field {name} must end with __c")
    kind = text(element, "type")
    if kind not in _READERS:
        raise ComponentError(
            f"{name}: Must specify a non-empty type for the CustomField" if not kind else f"{name}: unknown type {kind}"
        )
    if formula := text(element, "formula"):
        return _formula_field(element, _base(element, name), kind, formula)
    field = _READERS[kind](element, _base(element, name))
    return replace(field, nillable=field.nillable and text(element, "required") != "true")


def _formula_field(element: Element, base: Field, kind: str, formula: str) -> Field:
    """Read-only, nothing stored. Whether it makes sense only the whole schema can tell (metadata/apply.py)."""
    computed = replace(
        base, formula=formula, calculated=True, createable=False, updateable=False, unique=False, external_id=False
    )
    computed = replace(
        computed, id_lookup=False, blanks_as_zero=text(element, "formulaTreatBlanksAs") != "BlankAsBlank"
    )
    if kind in ("Number", "Currency", "Percent"):
        scale = _number(element, "scale", 0, 17) if text(element, "scale") else 0
        return replace(computed, type=_NUMERIC_TYPES[kind], precision=18, scale=scale)
    if kind == "Text":
        return replace(computed, length=FORMULA_TEXT_LENGTH)
    if kind == "Checkbox":
        return replace(computed, type="boolean", nillable=False)
    if kind in ("Date", "DateTime"):
        return replace(computed, type=kind.lower())
    raise ComponentError(f"{base.name}: a formula cannot have the type {kind}")


def _base(element: Element, name: str) -> Field:
    is_external = text(element, "externalId") == "true"
    return Field(
        name,
        "string",
        text(element, "label") or name.removesuffix("__c").replace("_", " "),
        custom=True,
        unique=text(element, "unique") == "true",
        external_id=is_external,
        id_lookup=is_external,
        track_history=text(element, "trackHistory") == "true",
    )


def _text(element: Element, base: Field) -> Field:
    length = _number(element, "length", 1, 255)
    return replace(base, length=length)


def _long_text(element: Element, base: Field) -> Field:
    length = _number(element, "length", 256, 131_072)
    return replace(base, type="textarea", length=length, filterable=False, sortable=False)


def _numeric(kind: str) -> Callable[[Element, Field], Field]:
    def read(element: Element, base: Field) -> Field:
        scale = _number(element, "scale", 0, 17)
        return replace(base, type=kind, precision=_number(element, "precision", max(1, scale), 18), scale=scale)

    return read


def _sized(kind: str, length: int) -> Callable[[Element, Field], Field]:
    return lambda _, base: replace(base, type=kind, length=length)


def _checkbox(element: Element, base: Field) -> Field:
    default = text(element, "defaultValue", "false") == "true"
    return replace(base, type="boolean", nillable=False, default=default, defaulted_on_create=True)


def _picklist(kind: str) -> Callable[[Element, Field], Field]:
    def read(element: Element, base: Field) -> Field:
        values = tuple(text(value, "fullName") for value in descendants(element, "value"))
        restricted = text(element, "valueSet/restricted") == "true"
        is_single = kind == "picklist"
        length = 255 if is_single else 4099
        return replace(base, type=kind, length=length, values=values, restricted=restricted, sortable=is_single)

    return read


def _reference(element: Element, base: Field) -> Field:
    target = text(element, "referenceTo")
    if not target:
        raise ComponentError(f"{base.name}: Must specify a value for referenceTo")
    child = text(element, "relationshipName")
    is_detail = text(element, "type") == "MasterDetail"
    return replace(
        base,
        type="reference",
        length=18,
        reference_to=(target,),
        relationship_name=base.name.removesuffix("__c") + "__r",
        child_relationship=f"{child}__r" if child else None,
        cascade_delete=is_detail,
        restricted_delete=not is_detail and text(element, "deleteConstraint") == "Restrict",
        nillable=not is_detail,
    )


def _auto_number(element: Element, base: Field) -> Field:
    form = text(element, "displayFormat") or "{0}"
    return replace(base, length=30, auto_number=True, display_format=form, createable=False, updateable=False)


def _number(element: Element, name: str, least: int, most: int) -> int:
    given = text(element, name)
    if not given.isdigit() or not least <= int(given) <= most:
        raise ComponentError(f"{text(element, 'fullName')}: {name} must be a number from {least} to {most}")
    return int(given)


_READERS: dict[str, Callable[[Element, Field], Field]] = {
    "Text": _text,
    "LongTextArea": _long_text,
    "Html": _long_text,
    "TextArea": _sized("textarea", 255),
    "Url": _sized("url", 255),
    "Email": _sized("email", 80),
    "Phone": _sized("phone", 40),
    "Date": lambda _, base: replace(base, type="date"),
    "DateTime": lambda _, base: replace(base, type="datetime"),
    **{kind: _numeric(type_) for kind, type_ in _NUMERIC_TYPES.items()},
    "Checkbox": _checkbox,
    "Picklist": _picklist("picklist"),
    "MultiselectPicklist": _picklist("multipicklist"),
    "Lookup": _reference,
    "MasterDetail": _reference,
    "AutoNumber": _auto_number,
}
