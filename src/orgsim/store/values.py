"""Turns a value somebody sent (JSON, CSV text or Python) into the form it is stored in, or refuses it.

Stored forms: text as it is and never empty; booleans 0 and 1; numbers as integers times 10**scale; a date as
`2022-03-17`; a datetime as `2022-03-17T16:21:26.000+0000`; an id with 18 characters.
"""

import datetime as dt
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from orgsim import ids
from orgsim.clock import datetime_text, parse_datetime
from orgsim.errors import ApiError
from orgsim.schema.model import NUMBER_TYPES, TEXT_TYPES, Field

Stored = str | int | None
_BOOLEANS = {"true": 1, "false": 0, "1": 1, "0": 0}


def to_stored(field: Field, value: object) -> Stored:
    """Raises ApiError with the code and sentence Salesforce gives for this kind of field."""
    if isinstance(value, str):
        value = value.replace("\0", "")  # no text can hold it, and SQLite's functions stop at it
        if not value.strip():
            value = None
    if value is None:
        return None if field.type != "boolean" else _no_boolean(field)
    return _READERS[field.type](field, value)


def to_number(field: Field, stored: int) -> Decimal:
    return Decimal(stored).scaleb(-field.scale)


def _text(field: Field, value: object) -> str:
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, (dict, list)):
        raise _wrong_type(field, value)
    else:
        text = ("true" if value else "false") if isinstance(value, bool) else str(value).strip()
    if len(text) > field.length:
        raise ApiError(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {text} (max length={field.length})",
            fields=(field.name,),
        )
    return text


def _email(field: Field, value: object) -> str:
    text = _text(field, value)
    local, _, domain = text.rpartition("@")
    if not local or "." not in domain.strip(".") or any(letter.isspace() or letter in ",;<>" for letter in text):
        raise ApiError("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", fields=(field.name,))
    return text


def _picklist(field: Field, value: object) -> str:
    text = _text(field, value)
    if field.restricted and text.lower() not in {each.lower() for each in field.values}:
        raise ApiError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {text}",
            fields=(field.name,),
        )
    return text


def _boolean(field: Field, value: object) -> int:
    if isinstance(value, bool):
        return int(value)
    known = _BOOLEANS.get(str(value).strip().lower())
    if known is None:
        raise _wrong_type(field, value)
    return known


def _no_boolean(field: Field) -> int:
    raise ApiError(
        "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: ", fields=(field.name,)
    )


def _number(field: Field, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise _wrong_type(field, value)
    try:
        exact = Decimal(str(value).strip())
        scaled = exact.scaleb(field.scale).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    except InvalidOperation as error:
        raise _wrong_type(field, value) from error
    if abs(scaled) >= 10 ** min(field.precision, 18):
        raise ApiError(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {value}",
            fields=(field.name,),
        )
    return int(scaled)


def _date(field: Field, value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()[:10]
    try:
        return dt.date.fromisoformat(str(value).strip()[:10]).isoformat()
    except ValueError as error:
        raise _wrong_type(field, value) from error


def _datetime(field: Field, value: object) -> str:
    if isinstance(value, dt.datetime):
        return datetime_text(value)
    try:
        return datetime_text(parse_datetime(str(value).strip()))
    except ValueError as error:
        raise _wrong_type(field, value) from error


def _id(field: Field, value: object) -> str:
    try:
        return ids.to_18(str(value).strip())
    except ValueError as error:
        raise ApiError(
            "MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", fields=(field.name,)
        ) from error


def _compound(field: Field, _value: object) -> Stored:
    raise not_writable(field.name)


def not_writable(*names: str) -> ApiError:
    return ApiError(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field and "
        f"verify that it is read/write for your profile or permission set.",
        fields=names,
    )


def _wrong_type(field: Field, value: object) -> ApiError:
    return ApiError(
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        f"{field.label}: value not of required type: {value}",
        fields=(field.name,),
    )


_READERS: dict[str, Callable[[Field, object], Stored]] = {
    **dict.fromkeys(TEXT_TYPES, _text),
    **dict.fromkeys(NUMBER_TYPES, _number),
    "email": _email,
    "picklist": _picklist,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "id": _id,
    "reference": _id,
    "address": _compound,
}
