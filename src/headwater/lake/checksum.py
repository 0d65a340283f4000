"""One number over the live records of an object, whatever their order, to compare the copy with its source.

Each row is the text `name=value` of its fields joined by U+001F; its weight is the first 8 bytes of the text's SHA-256;
the checksum is the sum of the weights modulo 2^64. `canonical_text` says how each value is written.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

import duckdb

from headwater.lake.quoting import quote_name

_SEPARATOR = "\x1f"
_ROWS_AT_A_TIME = 10_000


def checksum(connection: duckdb.DuckDBPyConnection, sobject: str, fields: Sequence[str]) -> tuple[int, str]:
    """(number of live records, checksum as 16 hex digits) of `fields`, in the order given."""
    names = ", ".join(quote_name(field) for field in fields)
    answer = connection.execute(f"SELECT {names} FROM {quote_name(sobject)}")  # noqa: S608  # quoted names
    rows, total = 0, 0
    while batch := answer.fetchmany(_ROWS_AT_A_TIME):
        rows += len(batch)
        total += sum(_weight(fields, values) for values in batch)
    return rows, f"{total % 2**64:016x}"


def _weight(fields: Sequence[str], values: Sequence[object]) -> int:
    text = _SEPARATOR.join(f"{name}={canonical_text(value)}" for name, value in zip(fields, values, strict=True))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")


def canonical_text(value: object) -> str:
    """A value as the checksum writes it: null is empty, times are UTC seconds, numbers plain with no needless zeros."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case Decimal() | float():
            return _plain(Decimal(str(value)))
        case _:
            return str(value)


def _plain(number: Decimal) -> str:
    """Without exponent, trailing zeros or point: 1234.5, 1000."""
    return f"{number.normalize():f}" if number else "0"
