"""Writes the rows of an upload, 200 to a transaction, and keeps what became of each of them (facts C.5).

Shared by Bulk API 2.0 and Bulk API 1. Not here: reading an upload (bulk/upload.py, bulk1/content.py).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson

from orgsim import ids
from orgsim.errors import ApiError
from orgsim.store.chunk import Chunk
from orgsim.store.org import Org
from orgsim.store.triggers import CPU_LIMIT_MS, CpuLimitError, reckon_cpu_ms
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


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a chunk of rows came to; `cpu_ms` is the time that Apex triggers took."""

    failed_rows: int
    cpu_ms: int


def load_chunk(load: Load, rows: list[tuple[int, Values]]) -> Loaded:
    """Write numbered rows and keep their outcomes, inside the caller's transaction."""
    chunk = Chunk()
    writer = Writer(load.org, load.user_id, chunk=chunk, enforced=True)
    repeated = _repeated_keys(load, [values for _, values in rows])
    try:
        with load.org.database.write():
            outcomes = [_load_row(load, writer, values, repeated) for _, values in rows]
            cpu_ms = reckon_cpu_ms(load.org, chunk)
    except CpuLimitError as error:
        outcomes = [Outcome(_take_id(values), error=error) for _, values in rows]
        cpu_ms = CPU_LIMIT_MS
    _keep_outcomes(load, [number for number, _ in rows], outcomes)
    return Loaded(sum(each.error is not None for each in outcomes), cpu_ms)


def _keep_outcomes(load: Load, numbers: list[int], outcomes: list[Outcome]) -> None:
    kept = (
        (load.kept_as, number, each.record_id, int(each.created), _kept_error(each.error))
        for number, each in zip(numbers, outcomes, strict=True)
    )
    with load.org.database.join() as connection:
        connection.executemany("INSERT INTO _job_row VALUES (?, ?, ?, ?, ?)", kept)


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
    """What the writer does to one record is one deed already: it stands or falls by itself."""
    record_id = _take_id(values)
    try:
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
