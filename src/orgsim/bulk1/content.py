"""The rows of a Bulk API 1 batch that writes: CSV or JSON, read and checked as a whole before the first is written."""

import csv
import io

import orjson

from orgsim.bulk.columns import invalid_batch, refuse_unknown_columns, values_of
from orgsim.bulk.rows import Values
from orgsim.errors import ApiError
from orgsim.schema.model import SObject

CONTENT_TYPES = ("CSV", "JSON")
MAX_BATCH_BYTES = 10_000_000
MAX_BATCH_ROWS = 10_000


def refuse_large(content: bytes) -> None:
    if len(content) > MAX_BATCH_BYTES:
        message = f"Failed to read request. Exceeded max size limit of {MAX_BATCH_BYTES} with size {len(content)}"
        raise ApiError("ClientInputError", message)


def read_rows(content: bytes, content_type: str, sobject: SObject) -> list[Values]:
    """Raises ApiError InvalidBatch for what is no such content, and for names that the object does not have."""
    rows = _read_json(content, sobject) if content_type == "JSON" else _read_csv(content, sobject)
    if len(rows) > MAX_BATCH_ROWS:
        raise invalid_batch(f"Maximum number of records exceeded: {MAX_BATCH_ROWS}")
    return rows


def _read_csv(content: bytes, sobject: SObject) -> list[Values]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), restval="", strict=True)
        refuse_unknown_columns(sobject, reader.fieldnames or [])
        rows = list(reader)
    except (csv.Error, UnicodeDecodeError) as error:
        raise invalid_batch(str(error)) from error
    if any(None in row for row in rows):
        raise invalid_batch("a row has more cells than the header")
    return [values_of(row) for row in rows]


def _read_json(content: bytes, sobject: SObject) -> list[Values]:
    """A null empties a field, and a parent is an object in the object: `{"ReportsTo": {"Email": "x"}}`."""
    try:
        rows = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise invalid_batch(str(error)) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise invalid_batch("The batch must be a JSON array of objects")
    refuse_unknown_columns(sobject, dict.fromkeys(_column(name, value) for row in rows for name, value in row.items()))
    return rows


def _column(name: str, value: object) -> str:
    """The name that the same value would have in the header of a CSV."""
    if not isinstance(value, dict):
        return name
    key = next((each for each in value if each not in ("type", "attributes")), "")
    return f"{value['type']}:{name}.{key}" if "type" in value else f"{name}.{key}"
