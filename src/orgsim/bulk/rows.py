"""Writes the rows of an upload, 200 to a transaction, and keeps what became of each of them (facts C.5).

Shared by Bulk API 2.0 and Bulk API 1. Not here: reading an upload (bulk/upload.py, bulk1/content.py).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson

from orgsim import ids
from orgsim.errors import ApiError
from orgsim.store.org import Org
from orgsim.store.write import Writer

CHUNK_ROWS = 200
_OUTCOMES_AT_ONCE = 2000

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Load:
    """What is done with each row. `key` is the external id field of an upsert; `kept_as` names the outcomes' owner."""

    org: Org
    user_id: str
    operation: str
    sobject: str
    key: str
    kept_as: str


@dataclass(frozen=True, slots=True)
class Outcome:
    record_id: str | None = None
    created: bool = False
    error: ApiError | None = None


def load_chunk(load: Load, chunk: list[tuple[int, Values]]) -> int:
    """Write numbered rows and keep their outcomes, inside the caller's transaction. Returns how many failed."""
    writer = Writer(load.org, load.user_id).in_one_chunk()
    repeated = _repeated_keys(load, [values for _, values in chunk])
    failed = 0
    with load.org.database.write() as connection:
        for number, values in chunk:
            outcome = _load_row(load, writer, values, repeated)
            connection.execute(
                "INSERT INTO _job_row VALUES (?, ?, ?, ?, ?)",
                (load.kept_as, number, outcome.record_id, int(outcome.created), _kept_error(outcome.error)),
            )
            failed += outcome.error is not None
    return failed


def count_outcomes(org: Org, kept_as: str) -> int:
    """How many rows, from the first on, have been tried."""
    row = org.database.connect().execute("SELECT count(*) FROM _job_row WHERE job_id = ?", (kept_as,)).fetchone()
    return int(row[0])


def read_outcomes(org: Org, kept_as: str) -> Iterator[Outcome]:
    """In the order of the rows, as far as they have been tried."""
    first = 1
    while True:
        rows = (
            org.database.connect()
            .execute(
                "SELECT record_id, created, error FROM _job_row WHERE job_id = ? AND number >= ? AND number < ? "
                "ORDER BY number",
                (kept_as, first, first + _OUTCOMES_AT_ONCE),
            )
            .fetchall()
        )
        yield from (Outcome(record_id, bool(created), _read_error(error)) for record_id, created, error in rows)
        if len(rows) < _OUTCOMES_AT_ONCE:
            return
        first += _OUTCOMES_AT_ONCE


def _load_row(load: Load, writer: Writer, values: Values, repeated: frozenset[str]) -> Outcome:
    record_id = _take_id(values)
    try:
        with load.org.database.write():
            _refuse_repeated(load, values, repeated)
            return _write(load, writer, record_id, _without_id(values))
    except ApiError as error:
        return Outcome(record_id, error=error)


def _write(load: Load, writer: Writer, record_id: str | None, values: dict[str, object]) -> Outcome:
    name = load.sobject
    if load.operation == "insert" and record_id:
        message = "cannot specify Id in an insert call"
        raise ApiError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=("Id",))
    # An upsert by Id creates what has none (recorded by CumulusCI).
    if load.operation == "insert" or (load.operation == "upsert" and load.key == "Id" and not record_id):
        return Outcome(writer.insert(name, values), created=True)
    if load.operation == "upsert":
        key_value = record_id if load.key == "Id" else _take(values, load.key)
        return Outcome(*writer.upsert(name, load.key, key_value, values))
    if record_id is None:
        raise ApiError("MISSING_ARGUMENT", "Id not specified in an update call", fields=("Id",))
    if load.operation == "update":
        writer.update(name, record_id, values)
    elif load.operation == "delete":
        writer.delete(name, record_id)
    else:
        writer.purge(name, record_id)
    return Outcome(ids.to_18(record_id))


def _repeated_keys(load: Load, rows: list[Values]) -> frozenset[str]:
    """Keys that stand on several rows of one chunk of an upsert: all of those rows are refused."""
    if load.operation != "upsert":
        return frozenset()
    counted = Counter(key for values in rows if (key := _key_text(load, values)))
    return frozenset(key for key, times in counted.items() if times > 1)


def _refuse_repeated(load: Load, values: Values, repeated: frozenset[str]) -> None:
    if repeated and (key := _key_text(load, values)) in repeated:
        raise ApiError("DUPLICATE_VALUE", f"Duplicate external id specified: {key}", fields=(load.key,))


def _key_text(load: Load, values: Values) -> str:
    return next((str(value).lower() for name, value in values.items() if name.lower() == load.key.lower()), "")


def _take_id(values: Values) -> str | None:
    return next((str(value) for name, value in values.items() if name.lower() == "id" and value), None)


def _without_id(values: Values) -> dict[str, object]:
    return {name: value for name, value in values.items() if name.lower() != "id"}


def _take(values: dict[str, object], key: str) -> object:
    name = next((name for name in values if name.lower() == key.lower()), key)
    return values.pop(name, None)


def _kept_error(error: ApiError | None) -> str | None:
    if error is None:
        return None
    return orjson.dumps([[each.code, each.message, each.fields] for each in error.all()]).decode()


def _read_error(kept: str | None) -> ApiError | None:
    if kept is None:
        return None
    first, *further = [
        ApiError(code, message, fields=None if fields is None else tuple(fields))
        for code, message, fields in orjson.loads(kept)
    ]
    first.further = tuple(further)
    return first
