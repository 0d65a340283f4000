"""Turns what Salesforce sent (Bulk 2.0 CSV, REST records) into a part. DuckDB streams; no Python loop over rows.

A value that does not fit its described type stops the part and is named: nothing becomes null in silence.
Not here: fetching the files (sync room).
"""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import chain
from pathlib import Path

import duckdb
import orjson

from headwater.common.errors import Bug, Facts, Fix
from headwater.lake.arriving import GZIP_SUFFIX, Arrival, DamagedError, text_of
from headwater.lake.engine import engine
from headwater.lake.lanes import LONGEST_RECORD_BYTES, in_lanes
from headwater.lake.parts import Part, write_part
from headwater.lake.quoting import quote_list, quote_name, quote_text
from headwater.lake.schema import CanonicalType, Column, TableSchema

_NUMBER = r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"
_DAY = "%Y-%m-%d"
# Bulk CSV writes Z, REST writes +0000, both with milliseconds (facts C.1); any other offset is refused. Tried in this
# order.
_MOMENTS = [
    f"{_DAY}T%H:%M:%S{fraction}{zone}"
    for fraction in (".%g", "", ".%f")
    for zone in ("Z", "+0000", "+00:00", "-0000", "-00:00")
]
_YEAR_OF_FOUR_DIGITS = 1000  # `22` is read as the year 22
_MARK = "headwater-bad-value"
_PIPE = "<pipe>"
_SHOWN_CHARACTERS = 80


def csv_size_bytes(csv_path: Path) -> int:
    """Without its compression, as gzip's last four bytes tell: exact below 4 GiB, and a result holds 1 (facts C.4)."""
    if csv_path.suffix != GZIP_SUFFIX:
        return csv_path.stat().st_size
    with csv_path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(4), "little")


def write_part_from_csv(source: Path | Arrival, schema: TableSchema, directory: Path, sequence: int) -> Part:
    """A part from a Bulk 2.0 result: header row, quoted values, empty is null, `NA` and `NULL` are data (facts C.4).

    source  As it was sent, compressed or not; what is still arriving is read as it comes.

    Raises Interrupted where what was read was not all of it.

    Errors    Fix   lake.bad_value        a value does not fit its type; field and value are named.
              Bug   lake.columns_missing  the file lacks columns of the schema.
              Bug   lake.unreadable_file  the file is not what Salesforce documents, for instance cut short.
    """
    with nullcontext(source) if isinstance(source, Arrival) else Arrival(source, is_whole=True) as arrival:
        try:
            names, header, records = _csv_header(text_of(arrival))
            # Some orgs send an empty body for no rows (facts C.4).
            query = _csv_query(arrival.path, schema, names or list(schema.names))
            with _no_part_of_less(directory) as made, in_lanes(header, records) as pipes:
                every = " UNION ALL ".join(query.replace(_PIPE, quote_text(pipe)) for pipe in pipes)
                made.append(_write(arrival.path, every, schema, directory, sequence))
            return made[0]
        except DamagedError as error:
            raise _unreadable(arrival.path, schema, error) from error


def _csv_query(csv_path: Path, schema: TableSchema, header: list[str]) -> str:
    """With a place for the name of what DuckDB reads from."""
    _refuse_missing_columns(csv_path, schema, header)
    columns = ", ".join(f"{quote_text(name)}: 'VARCHAR'" for name in header)
    values = ", ".join(_typed(column, quote_name(column.name)) for column in schema.columns)
    return (
        f"SELECT {values} FROM read_csv({_PIPE}, auto_detect = false, header = true, columns = {{{columns}}}, "  # noqa: S608  # quoted names
        "delim = ',', quote = '\"', escape = '\"', nullstr = '', "
        f"max_line_size = {LONGEST_RECORD_BYTES}, buffer_size = {LONGEST_RECORD_BYTES})"
    )


@contextmanager
def _no_part_of_less(directory: Path) -> Iterator[list[Part]]:
    """What turns out at its end not to be whole leaves no part."""
    made: list[Part] = []
    try:
        yield made
    except BaseException:
        for part in made:
            (directory / part.path).unlink()
        raise


def write_part_from_ndjson(path: Path, schema: TableSchema, directory: Path, sequence: int) -> Part:
    """A part from REST records, one JSON object a line, fields at the top level; `attributes` is ignored.

    Errors as in `write_part_from_csv`.
    """
    with path.open("rb") as file:
        first_line = file.readline()
    if first_line.strip():
        _refuse_missing_columns(path, schema, list(orjson.loads(first_line)))
    paths = quote_list(f'$."{name}"' for name in schema.names)
    values = ", ".join(
        _typed(column, _json_text(column, place)) for place, column in enumerate(schema.columns, start=1)
    )
    query = (
        f"SELECT {values} FROM (SELECT CAST(json AS VARCHAR) AS line, json_extract_string(json, {paths}) AS texts "  # noqa: S608  # quoted names
        f"FROM read_json_objects({quote_text(str(path))}, format = 'newline_delimited', "
        f"maximum_object_size = {LONGEST_RECORD_BYTES}))"
    )
    return _write(path, query, schema, directory, sequence)


def _json_text(column: Column, place: int) -> str:
    """The value's text. Money is cut from the line itself: DuckDB reads JSON numbers as doubles (15 digits)."""
    text = f"NULLIF(texts[{place}], '')"
    if column.type is not CanonicalType.DECIMAL:
        return text
    pattern = quote_text(f'"{column.name}"\\s*:\\s*({_NUMBER})')
    return f"COALESCE(NULLIF(regexp_extract(line, {pattern}, 1), ''), {text})"


def _typed(column: Column, text: str) -> str:
    """SQL for one column: the text as its type, null as null, anything else an error that names field and value.

    Every value is read once, by the strictest function there is; a pattern is matched only where that one is lenient.
    """
    name = quote_name(column.name)
    if column.type is CanonicalType.STRING:
        return f"{text} AS {name}"
    complaint = f"error({quote_text(f'{_MARK}|{column.name}|')} || left({text}, {_SHOWN_CHARACTERS}) || '|')"
    return f"CASE WHEN {text} IS NULL THEN NULL ELSE COALESCE({_read(column.type, text)}, {complaint}) END AS {name}"


def _read(kind: CanonicalType, text: str) -> str:
    """SQL for the text as a value of its type, null where it is none."""
    if kind is CanonicalType.BOOLEAN:
        return f"CASE {text} WHEN 'true' THEN true WHEN 'false' THEN false ELSE {_boolean_in_any_case(text)} END"
    if kind in (CanonicalType.DATE, CanonicalType.TIMESTAMP):
        formats = quote_text(_DAY) if kind is CanonicalType.DATE else quote_list(_MOMENTS)
        moment = f"try_strptime({text}, {formats})"
        return f"CASE WHEN year({moment}) >= {_YEAR_OF_FOUR_DIGITS} THEN CAST({moment} AS {kind.value}) END"
    fits = f"regexp_full_match({text}, {quote_text(_NUMBER)})"  # a cast alone takes `nan` and rows of blanks
    return f"TRY_CAST(CASE WHEN {fits} THEN {text} END AS {kind.value})"


def _boolean_in_any_case(text: str) -> str:
    return f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END"


def _write(source: Path, query: str, schema: TableSchema, directory: Path, sequence: int) -> Part:
    with engine() as connection:
        try:
            return write_part(connection, query, schema, directory, sequence)
        except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException) as error:
            raise _explained(error, source, schema) from error


def _explained(error: duckdb.Error, source: Path, schema: TableSchema) -> Fix | Bug:
    _, mark, rest = str(error).partition(f"{_MARK}|")
    if not mark:
        if isinstance(error, duckdb.IOException):
            raise error  # the disk's fault, not the file's
        return _unreadable(source, schema, error)
    field, value = rest.split("|", 1)
    described = next(column.type for column in schema.columns if column.name == field)
    return Fix(
        "lake.bad_value",
        f"{schema.sobject}.{field} holds {value.rsplit('|', 1)[0]!r}, which is not a {described.name.lower()}.",
        Facts(
            why="The field's type in Salesforce may have changed since it was described.",
            left="No row of the file was taken in.",
            you_can="load the object anew, so that its fields are described again",
        ),
    )


def _unreadable(source: Path, schema: TableSchema, error: Exception) -> Bug:
    return Bug(
        "lake.unreadable_file",
        f"{source.name}, sent for {schema.sobject}, is not in the documented form.",
        Facts(
            why=str(error).splitlines()[0],
            left="No row of the file was taken in.",
            next="The next sync fetches the object again.",
        ),
    )


def _csv_header(text: Iterator[bytes]) -> tuple[list[str], bytes, Iterator[bytes]]:
    """The names in the first line, that line, and what follows it."""
    first = b""
    for piece in text:
        first += piece
        if b"\n" in first or len(first) > LONGEST_RECORD_BYTES:
            break
    line, end, rest = first.partition(b"\n")
    return next(csv.reader([line.decode(errors="replace")]), []), line + end, chain([rest], text)


def _refuse_missing_columns(source: Path, schema: TableSchema, found: list[str]) -> None:
    missing = [name for name in schema.names if name not in found]
    if missing:
        raise Bug(
            "lake.columns_missing",
            f"{source.name}, sent for {schema.sobject}, lacks {len(missing)} columns: {', '.join(missing)}.",
            Facts(why="The answer does not hold what was asked for.", left="No row of the file was taken in."),
        )
