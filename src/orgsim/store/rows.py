"""Reads and writes whole rows by Id, in stored form. The lowest layer above SQL; it decides nothing."""

import sqlite3
from collections.abc import Iterable, Mapping

from orgsim.schema.model import SObject
from orgsim.store.values import Stored

Row = dict[str, Stored]


def read_row(connection: sqlite3.Connection, sobject: SObject, record_id: str) -> Row | None:
    return next(iter(find_rows(connection, sobject, "Id", record_id)), None)


def find_rows(connection: sqlite3.Connection, sobject: SObject, field: str, value: Stored) -> list[Row]:
    cursor = connection.execute(f'SELECT * FROM "{sobject.name}" WHERE "{field}" = ?', (value,))  # noqa: S608  names come from the schema
    names = [each[0] for each in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def live_ids(connection: sqlite3.Connection, sobject: SObject, field: str, value: Stored) -> list[str]:
    """Of the records with that value that are not in the recycle bin."""
    live = ' AND "IsDeleted" IS NOT 1' if sobject.has_recycle_bin else ""
    found = connection.execute(f'SELECT "Id" FROM "{sobject.name}" WHERE "{field}" = ?{live}', (value,))  # noqa: S608  names come from the schema
    return [row[0] for row in found]


def insert_row(connection: sqlite3.Connection, sobject: SObject, row: Mapping[str, Stored]) -> None:
    connection.execute(_insert_sql(sobject, tuple(row)), tuple(row.values()))


def insert_rows(
    connection: sqlite3.Connection, sobject: SObject, names: tuple[str, ...], rows: Iterable[tuple[Stored, ...]]
) -> None:
    connection.executemany(_insert_sql(sobject, names), rows)


def _insert_sql(sobject: SObject, names: tuple[str, ...]) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    return f'INSERT INTO "{sobject.name}" ({columns}) VALUES ({marks})'  # noqa: S608  names come from the schema


def update_row(connection: sqlite3.Connection, sobject: SObject, record_id: str, changes: Mapping[str, Stored]) -> None:
    if not changes:  # saved again within the same second, with the same values
        return
    columns = ", ".join(f'"{name}" = ?' for name in changes)
    connection.execute(
        f'UPDATE "{sobject.name}" SET {columns} WHERE "Id" = ?',  # noqa: S608  names come from the schema
        (*changes.values(), record_id),
    )


def erase_row(connection: sqlite3.Connection, sobject: SObject, record_id: str) -> None:
    connection.execute(f'DELETE FROM "{sobject.name}" WHERE "Id" = ?', (record_id,))  # noqa: S608  names come from the schema
