"""A checksum of an object's rows, free of their order, that another program can compute from its own copy.

For each row: the text `name=value` of every field, in the order asked for, joined by U+001F; the first 8 bytes of its
SHA-256 in UTF-8 as a big-endian number. The checksum is the sum of these modulo 2**64, as 16 hexadecimal digits.
Values: null is empty; booleans `true`/`false`; numbers in plain decimals without trailing zeros or point (`1234.5`,
`1000`); dates `2022-03-17`; datetimes `2022-03-17T16:21:26Z`; everything else as it is.
"""

import hashlib
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from orgsim.errors import missing_on_sobject
from orgsim.schema.model import NUMBER_TYPES, Field, SObject
from orgsim.soql.computed import computed_sql
from orgsim.soql.scope import Question, Scope
from orgsim.soql.shape import any_text
from orgsim.store.org import Org

_SEPARATOR = "char(31)"
_MODULUS = 2**64


@dataclass(frozen=True, slots=True)
class Checksum:
    sobject: str
    fields: tuple[str, ...]
    rows: int
    checksum: str


def checksum(org: Org, name: str, fields: list[str] | None = None, *, all_rows: bool = False) -> Checksum:
    """Of the rows that are not deleted, archived activities among them; with `all_rows` of deleted ones too.

    fields  default: every stored field, in the order of the describe. Formulas are computed as at this moment.
    """
    sobject = org.catalog().get(name)
    chosen = [_field(sobject, each) for each in fields] if fields else list(sobject.stored_fields)
    scope = Scope(_question(org), sobject, None)
    row_text = f" || {_SEPARATOR} || ".join(
        f"'{each.name}=' || {canonical_sql(each, _column_sql(scope, each))}" for each in chosen
    )
    where = "" if all_rows or not sobject.has_recycle_bin else f' WHERE {scope.alias}."IsDeleted" = 0'
    total = rows = 0
    with org.database.read() as connection:
        sql = f"SELECT {row_text} FROM {scope.from_sql()}{where}"  # noqa: S608  names come from the schema
        for (text,) in connection.execute(sql, scope.question.params):
            total += int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            rows += 1
    return Checksum(sobject.name, tuple(each.name for each in chosen), rows, f"{total % _MODULUS:016x}")


def checksum_all(org: Org, *, all_rows: bool = False) -> list[Checksum]:
    """Of every object that has rows."""
    found = [checksum(org, each.name, all_rows=all_rows) for each in org.catalog()]
    return [each for each in found if each.rows]


def _question(org: Org) -> Question:
    """Nobody's in particular, who sees everything."""
    catalog = org.catalog()
    return Question("", catalog, catalog, True, org.clock.now(), ZoneInfo("GMT"), "", "")


def _field(sobject: SObject, name: str) -> Field:
    found = sobject.find(name)
    return found if found and found.formula is not None else stored_field(sobject, name)


def _column_sql(scope: Scope, field: Field) -> str:
    if field.formula is not None:
        return computed_sql(scope, scope.alias, scope.sobject, field)
    return f'{scope.alias}."{field.name}"'


def stored_field(sobject: SObject, name: str) -> Field:
    """Raises ApiError for one that is not there, or not stored."""
    found = sobject.find(name)
    if found is None or not found.is_stored:
        raise missing_on_sobject(name, sobject.name)
    return found


def canonical_sql(field: Field, column: str = "") -> str:
    """A stored value as the checksum writes it; `column` where it is not the field's own."""
    column = column or f'"{field.name}"'
    if field.type == "boolean":
        return f"CASE WHEN {column} THEN 'true' ELSE 'false' END"
    if field.type == "datetime":
        return f"coalesce(substr({column}, 1, 19) || 'Z', '')"
    if field.type in NUMBER_TYPES and field.scale:
        size = 10**field.scale
        sign = f"CASE WHEN {column} < 0 THEN '-' ELSE '' END"
        digits = f"printf('%d.%0{field.scale}d', abs({column}) / {size}, abs({column}) % {size})"
        return f"CASE WHEN {column} IS NULL THEN '' ELSE {sign} || rtrim(rtrim({digits}, '0'), '.') END"
    text = any_text(column) if field.type == "anyType" else column
    return f"coalesce({text}, '')"
