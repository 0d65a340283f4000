"""What a part of a formula is as SQL: its kind and expression, and exact arithmetic on scaled integers.

A number is an integer in units of 10**-scale, as fields store it. A division is not carried out until it must be: the
term keeps its divisor, so that the result is rounded once, at the scale that is asked for. Where 63 bits do not suffice
SQLite goes on with a floating-point number of the same unit: some 15 digits stay exact, as many as an answer shows.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from orgsim.schema.model import ID_TYPES, NUMBER_TYPES, TEXT_TYPES, Field

SETTLED_SCALE = 8  # of a quotient where both sides must have the same unit


class Kind(StrEnum):
    """Data types as Salesforce's messages name them."""

    NUMBER = "Number"
    TEXT = "Text"
    BOOLEAN = "Boolean"
    DATE = "Date"
    DATETIME = "DateTime"
    PICKLIST = "Picklist"
    MULTIPICKLIST = "Multi-Select Picklist"
    NULL = "Null"


@dataclass(frozen=True, slots=True)
class Term:
    """`whole` tells that the number has no fraction in its unit. `literal` is the value as written, where it is one."""

    kind: Kind
    sql: str
    scale: int = 0
    divisor: str = ""
    whole: bool = True
    literal: str | None = None
    record_id: str = ""  # the 18 characters of an id whose 15 a formula sees
    field: Field | None = None  # the field that a bare reference names


def kind_of(field: Field) -> Kind | None:
    """None for what formulas cannot read: compound fields and long texts."""
    if field.type in NUMBER_TYPES:
        return Kind.NUMBER
    if field.type in ID_TYPES:
        return Kind.TEXT
    known = {
        "boolean": Kind.BOOLEAN,
        "date": Kind.DATE,
        "datetime": Kind.DATETIME,
        "picklist": Kind.PICKLIST,
        "multipicklist": Kind.MULTIPICKLIST,
    }
    if field.type in known:
        return known[field.type]
    return Kind.TEXT if field.type in TEXT_TYPES and field.filterable else None


def units(number: Term, scale: int) -> str:
    """SQL of the number in units of 10**-scale; not rounded."""
    shift = scale - number.scale
    if number.divisor:
        top = f"{number.sql} * {10**shift}" if shift > 0 else number.sql
        bottom = f"({number.divisor} * {10**-shift})" if shift < 0 else number.divisor
        return f"({top} * 1.0 / {bottom})"
    if shift == 0:
        return number.sql
    return f"({number.sql} * {10**shift})" if shift > 0 else f"({number.sql} / {10**-shift}.0)"


def is_whole(number: Term, scale: int) -> bool:
    """Whether the number has no fraction in units of 10**-scale, whatever its value."""
    return number.whole and not number.divisor and scale >= number.scale


def rounded(number: Term, scale: int) -> Term:
    """Half away from zero, which is how Salesforce rounds."""
    sql = units(number, scale)
    return Term(Kind.NUMBER, sql if is_whole(number, scale) else f"round({sql})", scale)


def settled(number: Term) -> Term:
    """The same number without a divisor."""
    if not number.divisor:
        return number
    scale = max(number.scale, SETTLED_SCALE)
    return Term(Kind.NUMBER, units(number, scale), scale, whole=False)


def same_unit(numbers: list[Term]) -> tuple[list[str], int, bool]:
    """(their SQL in one unit, its scale, whether all are whole in it)."""
    plain = [settled(each) for each in numbers]
    scale = max(each.scale for each in plain)
    return [units(each, scale) for each in plain], scale, all(each.whole for each in plain)


def multiplied(left: Term, right: Term) -> Term:
    return Term(
        Kind.NUMBER,
        f"({left.sql} * {right.sql})",
        left.scale + right.scale,
        _product(left.divisor, right.divisor),
        left.whole and right.whole,
    )


def divided(left: Term, right: Term) -> Term:
    """SQLite's division by zero is null, which is what a query shows for Salesforce's #Error!.

    What `right` is divided by goes on top, where a zero would no longer make the result null by itself.
    """
    return Term(
        Kind.NUMBER,
        _product(left.sql, right.divisor and f"nullif({right.divisor}, 0)"),
        left.scale - right.scale,
        _product(left.divisor, right.sql),
        left.whole,
    )


def negated(number: Term) -> Term:
    return replace(number, sql=f"(-{number.sql})", literal=None, field=None)


def _product(left: str, right: str) -> str:
    return f"({left} * {right})" if left and right else left or right
