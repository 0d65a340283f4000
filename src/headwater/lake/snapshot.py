"""Opens the listed parts as one consistent set of tables, in memory, beside any number of other readers.

Not here: choosing the parts. A part, once listed, never changes; so neither does a snapshot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from headwater.common.errors import Bug, Facts
from headwater.lake.engine import engine, spilling
from headwater.lake.parts import SEQUENCE_COLUMN, Part
from headwater.lake.quoting import quote_list, quote_name
from headwater.lake.schema import Column, Owner, TableSchema


@dataclass(frozen=True, slots=True)
class TableParts:
    schema: TableSchema
    parts: Sequence[Part]


def open_snapshot(tables: Mapping[str, TableParts], directory: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with two views for each sObject; the caller closes it.

    "<sObject>"       the live records: for each Id its newest row by (sequence, SystemModstamp), unless deleted.
                      Of an object that belongs to another in `tables`, the rows of that one's live records.
    "<sObject>__all"  the same with deleted records (IsDeleted true) still shown.

    A column that a part does not have yet is null there. Times are UTC.

    Errors    Bug   lake.part_missing  a listed file is not in the directory.
    """
    _refuse_missing_files(tables, directory)
    connection = spilling(directory)
    for sobject, table in tables.items():
        connection.execute(f"CREATE VIEW {quote_name(f'{sobject}__all')} AS {newest_rows(table, directory)}")
    for sobject, table in sorted(tables.items(), key=lambda named: named[1].schema.owner is not None):
        owner = table.schema.owner
        has_owner = owner is not None and owner.sobject in tables
        rows = _rows_of_owner(sobject, owner) if owner and has_owner else _rows_not_deleted(table.schema)
        connection.execute(f"CREATE VIEW {quote_name(sobject)} AS {rows}")
    return connection


def _rows_not_deleted(schema: TableSchema) -> str:
    where = "WHERE IsDeleted IS NOT TRUE" if schema.has("IsDeleted") else ""
    return f"SELECT * FROM {quote_name(f'{schema.sobject}__all')} {where}"  # noqa: S608  # quoted names


def _rows_of_owner(sobject: str, owner: Owner) -> str:
    """Live is what belongs to a live record, whatever the row itself said when it was read."""
    everything, owners = quote_name(f"{sobject}__all"), quote_name(owner.sobject)
    return (
        f"SELECT * REPLACE (false AS IsDeleted) FROM {everything} "  # noqa: S608  # quoted names
        f"WHERE {quote_name(owner.field)} IN (SELECT Id FROM {owners})"
    )


def newest_rows(table: TableParts, directory: Path) -> str:
    """SQL for the newest row of each Id, deleted ones included, with the schema's columns and types.

    Of a base, which may be a thousand times as large as all that came after it, nothing needs to be put in order.
    """
    base = [part for part in table.parts if part.is_base]
    later = [part for part in table.parts if not part.is_base]
    if not base or any(part.sequence <= max(each.sequence for each in base) for part in later):
        return _newest_of(table.schema, table.parts, directory)
    names = ", ".join(quote_name(name) for name in table.schema.names)
    rows = all_rows(table.schema, base, directory)
    if not later:
        return f"SELECT {names} FROM ({rows})"  # noqa: S608  # quoted names
    replaced = f"SELECT Id FROM ({all_rows(table.schema, later, directory)})"  # noqa: S608  # quoted names
    return (
        f"SELECT {names} FROM ({rows}) ANTI JOIN ({replaced}) USING (Id) "  # noqa: S608  # quoted names
        f"UNION ALL {_newest_of(table.schema, later, directory)}"
    )


def ids_are_unique(table: TableParts, directory: Path) -> bool:
    """Whether no Id stands twice in these parts. Once in a million million times it says no though it is so."""
    with engine() as connection:
        rows, ids = connection.execute(
            f"SELECT count(*), count(DISTINCT hash(Id)) FROM ({all_rows(table.schema, table.parts, directory)})"  # noqa: S608  # quoted names
        ).fetchall()[0]
    return bool(rows == ids)


def _newest_of(schema: TableSchema, parts: Sequence[Part], directory: Path) -> str:
    names = ", ".join(quote_name(name) for name in schema.names)
    newest_first = ", ".join(
        f"{name} DESC NULLS LAST"
        for name in (SEQUENCE_COLUMN, "SystemModstamp", "IsDeleted")
        if name == SEQUENCE_COLUMN or schema.has(name)
    )
    return (
        f"SELECT {names} FROM ({all_rows(schema, parts, directory)}) "  # noqa: S608  # quoted names
        f"QUALIFY row_number() OVER (PARTITION BY Id ORDER BY {newest_first}) = 1"
    )


def all_rows(schema: TableSchema, parts: Sequence[Part], directory: Path) -> str:
    """SQL for every row of these parts, with the schema's columns and types and the sequence of each."""
    typed = ", ".join(f"{_typed(column)} AS {quote_name(column.name)}" for column in schema.columns)
    none = ", ".join(f"CAST(NULL AS {kind}) AS {quote_name(name)}" for name, kind in _stored(schema.columns).items())
    empty = f"SELECT {none}, CAST(NULL AS BIGINT) AS {SEQUENCE_COLUMN} WHERE false"
    files = quote_list(str(directory / name) for name in sorted({part.path for part in parts}))
    rows = f"SELECT * FROM read_parquet({files}, union_by_name = true) UNION ALL BY NAME " if parts else ""  # noqa: S608  # quoted names
    return f"SELECT {typed}, {SEQUENCE_COLUMN} FROM ({rows}{empty})"  # noqa: S608  # quoted names


def _typed(column: Column) -> str:
    old = f"CAST({quote_name(column.stored_name)} AS {column.type.value})"
    if not column.newer:
        return old
    return f"COALESCE({old}, TRY_CAST({quote_name(column.newer)} AS {column.type.value}))"


def _stored(columns: Sequence[Column]) -> dict[str, str]:
    """Types by the names in parts, so that a part without one of them has it empty; the newer's type is its own."""
    newer = {column.newer: "VARCHAR" for column in columns if column.newer}
    return newer | {column.stored_name: column.type.value for column in columns}


def _refuse_missing_files(tables: Mapping[str, TableParts], directory: Path) -> None:
    listed = (part.path for table in tables.values() for part in table.parts)
    missing = [name for name in listed if not (directory / name).is_file()]
    if missing:
        raise Bug(
            "lake.part_missing",
            f"{len(missing)} files of the local copy are gone, the first is {missing[0]}.",
            Facts(
                why=f"They are listed in the manifest and not in {directory}.",
                left="Nothing was read.",
                you_can="restore the files from a backup, or have the object read anew: headwater rebuild OBJECT",
            ),
        )
