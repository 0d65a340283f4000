"""FORMAT(): values as a user of the locale en_US reads them, made by SQLite (facts C.3)."""

from collections.abc import Callable

from orgsim.schema.model import Field
from orgsim.soql.currency import Currencies
from orgsim.soql.scope import Column, Question

_TEXT = Field("text", "string", "text", length=255)


def formatted(question: Question, column: Column) -> Column | None:
    """None for a kind of field that has no format."""
    if column.field.type == "currency":
        sql = _money_text(question, column)
    elif known := _FORMATS.get(column.field.type):
        sql = known(question, column)
    else:
        return None
    text = Field(column.field.name, "string", column.field.label, length=_TEXT.length)
    return Column(f"CASE WHEN {column.sql} IS NOT NULL THEN {sql} END", text, column.entity)


def _number_text(sql: str, scale: int, decimals: int) -> str:
    """A number kept in units of 10**-scale, with so many decimals and commas between thousands."""
    units = f"CAST(round({sql} * {10**decimals} / {10**scale}.0) AS INTEGER)"
    sign = f"CASE WHEN {units} < 0 THEN '-' ELSE '' END"
    whole = f"printf('%,d', abs({units}) / {10**decimals})"
    fraction = f" || '.' || printf('%0{decimals}d', abs({units}) % {10**decimals})" if decimals else ""
    return f"{sign} || {whole}{fraction}"


def _number(_: Question, column: Column) -> str:
    return _number_text(column.sql, column.field.scale, column.field.scale)


def _percent(question: Question, column: Column) -> str:
    return f"{_number(question, column)} || '%'"


def _day(_: Question, column: Column) -> str:
    return _day_text(column.sql)


def _moment(question: Question, column: Column) -> str:
    local = question.local_sql(column.sql)
    hour = f"CAST(substr({local}, 12, 2) AS INTEGER)"
    half = f"CASE WHEN {hour} < 12 THEN ' AM' ELSE ' PM' END"
    return f"{_day_text(local)} || ', ' || (({hour} + 11) % 12 + 1) || substr({local}, 14, 3) || {half}"


def _day_text(sql: str) -> str:
    """`4/10/2025`."""
    month, day = (f"CAST(substr({sql}, {start}, 2) AS INTEGER)" for start in (6, 9))
    return f"{month} || '/' || {day} || '/' || substr({sql}, 1, 4)"


def _money_text(question: Question, column: Column) -> str:
    """`$44,000.00`; with several currencies `EUR 1,500.00 (USD 1,630.43)`, the second in the asker's own."""
    currencies, scale = question.currencies, column.field.scale
    if currencies is None or column.money is None:
        amount = _number_text(f"abs({column.sql})", scale, max(scale, 2))
        return f"CASE WHEN {column.sql} < 0 THEN '-' ELSE '' END || '$' || {amount}"
    text = _with_code(currencies, column.sql, column.money.code_sql, scale)
    mine = currencies.converted(column, column.money, currencies.mine)
    own = _with_code(currencies, mine.sql, f"'{currencies.mine}'", scale)
    is_own = f"{column.money.code_sql} = '{currencies.mine}'"
    return f"{text} || CASE WHEN {is_own} THEN '' ELSE ' (' || {own} || ')' END"


def _with_code(currencies: Currencies, sql: str, code_sql: str, scale: int) -> str:
    whens = " ".join(
        f"WHEN '{code}' THEN '{code} ' || {_number_text(sql, scale, decimals)}"
        for code, decimals in currencies.decimals.items()
    )
    return f"CASE {code_sql} {whens} END"


_FORMATS: dict[str, Callable[[Question, Column], str]] = {
    "double": _number,
    "int": _number,
    "percent": _percent,
    "date": _day,
    "datetime": _moment,
}
