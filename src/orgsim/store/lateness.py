"""Changes that queries see late (facts C.1): what a record was like before, kept until its change may be seen.

Not here: who looks that way (soql/plan.py, rest/replication.py) and who does not, such as a read by id.
"""

import datetime as dt
import sqlite3
from dataclasses import dataclass
from hashlib import sha256

import orjson

from orgsim.clock import datetime_text
from orgsim.schema.model import TEXT_TYPES, Field, SObject
from orgsim.store.org import Org
from orgsim.store.rows import read_row


def hold_back(org: Org, sobject: SObject, record_id: str) -> None:
    """To be called before each change of a record. Does nothing unless the org is set to show changes late."""
    seconds = float(org.setting("late_visible_seconds"))
    if seconds <= 0:
        return
    number = org.next_number("_late_write")
    if not _is_chosen(record_id, number, float(org.setting("late_visible_share"))):
        return
    connection = org.database.connect()
    now = org.now()
    made, until = datetime_text(now), datetime_text(now + dt.timedelta(seconds=seconds))
    connection.execute("DELETE FROM _held WHERE until <= ?", (made,))
    # An older image that is kept as long already says what this one would.
    if not _is_held(connection, record_id, until):
        row = read_row(connection, sobject, record_id)
        image = None if row is None else orjson.dumps(row).decode()
        deleted_at = _deleted_at(connection, sobject, record_id)
        connection.execute(
            "INSERT INTO _held VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, sobject.name, record_id, made, until, image, deleted_at),
        )


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen at a moment: of the objects in `held` not yet every change, of all others everything."""

    now: str = ""
    held: frozenset[str] = frozenset()

    def table_sql(self, sobject: SObject) -> str:
        """What stands for the object's table in FROM."""
        if sobject.name not in self.held:
            return f'"{sobject.name}"'
        columns = ", ".join(f'"{each.name}"' for each in sobject.stored_fields)
        images = ", ".join(_of_image(each) for each in sobject.stored_fields)
        return (
            f'(SELECT {columns} FROM "{sobject.name}" WHERE "Id" NOT IN ({self._held_ids(sobject)}) '  # noqa: S608  names come from the schema
            f"UNION ALL SELECT {images} FROM {self._images(sobject)} WHERE image IS NOT NULL)"
        )

    def deletions_sql(self, sobject: SObject) -> str:
        """The ids of deleted records and when they were, as `record_id` and `deleted_at`."""
        log = f"SELECT record_id, deleted_at FROM _deleted WHERE sobject = '{sobject.name}'"  # noqa: S608  names come from the schema
        if sobject.name not in self.held:
            return log
        return (
            f"{log} AND record_id NOT IN ({self._held_ids(sobject)}) "  # noqa: S608  names come from the schema
            f"UNION ALL SELECT record_id, deleted_at FROM {self._images(sobject)} WHERE deleted_at IS NOT NULL"
        )

    def covered_until(self, connection: sqlite3.Connection, sobject: SObject) -> dt.datetime | None:
        """The moment of the first change that cannot be seen yet."""
        if sobject.name not in self.held:
            return None
        (made,) = connection.execute(f"SELECT min(made) FROM _held WHERE {self._of(sobject)}").fetchone()  # noqa: S608  names come from the schema
        return dt.datetime.fromisoformat(made) if made else None

    def _held_ids(self, sobject: SObject) -> str:
        return f"SELECT record_id FROM _held WHERE {self._of(sobject)}"  # noqa: S608  names come from the schema

    def _images(self, sobject: SObject) -> str:
        """The oldest image of each record: before the first of its changes that cannot be seen yet."""
        first = "SELECT record_id, image, deleted_at, min(number) FROM _held"  # SQLite: the columns of the least number
        return f"({first} WHERE {self._of(sobject)} GROUP BY record_id)"

    def _of(self, sobject: SObject) -> str:
        return f"sobject = '{sobject.name}' AND until > '{self.now}'"


EVERYTHING = Sight()


def sight_of(org: Org) -> Sight:
    """What queries see now."""
    now = org.now_text()
    rows = org.database.connect().execute("SELECT DISTINCT sobject FROM _held WHERE until > ?", (now,))
    return Sight(now, frozenset(row[0] for row in rows))


def _is_chosen(record_id: str, number: int, share: float) -> bool:
    """By the record's id and the number of the write alone, so that the same edits are late again."""
    digest = sha256(f"{record_id}:{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def _is_held(connection: sqlite3.Connection, record_id: str, until: str) -> bool:
    found = connection.execute("SELECT 1 FROM _held WHERE record_id = ? AND until >= ?", (record_id, until))
    return found.fetchone() is not None


def _deleted_at(connection: sqlite3.Connection, sobject: SObject, record_id: str) -> str | None:
    found = connection.execute(
        "SELECT deleted_at FROM _deleted WHERE sobject = ? AND record_id = ?", (sobject.name, record_id)
    ).fetchone()
    return found[0] if found else None


def _of_image(field: Field) -> str:
    collation = " COLLATE NOCASE" if field.type in TEXT_TYPES else ""
    return f"json_extract(image, '$.{field.name}'){collation} AS \"{field.name}\""
