"""Makes tombstones: the last known rows of records that are gone, with IsDeleted true. SQL alone, no loop over rows.

Not here: how the org tells which records are gone (sync/vanished.py).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from headwater.lake.engine import spilling
from headwater.lake.parts import Part, write_part
from headwater.lake.quoting import quote_name, quote_text
from headwater.lake.schema import TableSchema
from headwater.lake.snapshot import TableParts, newest_rows


@dataclass(frozen=True, slots=True)
class Deleted:
    """Salesforce's list as JSON: `id` and `deletedDate` of each record; an Id may stand there twice.

    before_utc   What was deleted then or later does not count yet.
    """

    file: Path
    before_utc: datetime


AskWhichLive = Callable[[list[str]], Collection[str]]


def can_hold_tombstones(schema: TableSchema) -> bool:
    """Not a row without IsDeleted, nor one that goes and comes back with a record of another object."""
    return schema.has("IsDeleted") and schema.has("SystemModstamp") and schema.owner is None


def write_deleted(
    table: TableParts, deleted: Deleted, directory: Path, sequence: int, ask_which_live: AskWhichLive
) -> Part:
    """Tombstones of the records that `deleted` names, but for those that changed after they were deleted.

    ask_which_live   Gets the Ids that were deleted in the second of their last change, and returns those that are
                     there: whether such a record was undeleted again cannot be told from its stamp.
    """
    with spilling(directory) as connection:
        connection.execute(_candidates(table, deleted, directory))
        doubtful = connection.execute("SELECT Id FROM candidate WHERE SystemModstamp = deleted ORDER BY Id").fetchall()
        if doubtful:
            live = ask_which_live([row[0] for row in doubtful])
            connection.execute("DELETE FROM candidate WHERE Id IN (SELECT unnest(?::VARCHAR[]))", [list(live)])
        return write_part(connection, as_tombstones(table.schema, "candidate"), table.schema, directory, sequence)


def _candidates(table: TableParts, deleted: Deleted, directory: Path) -> str:
    before = f"TIMESTAMP {quote_text(f'{deleted.before_utc:%Y-%m-%d %H:%M:%S}')}"
    return (
        "CREATE TEMP TABLE candidate AS WITH gone AS ("  # noqa: S608  # quoted text
        "SELECT id, max(strptime(deletedDate, '%Y-%m-%dT%H:%M:%S.%g+0000')) AS deleted "
        f"FROM read_json({quote_text(str(deleted.file))}, format = 'array', maximum_object_size = 1073741824, "
        "columns = {id: 'VARCHAR', deletedDate: 'VARCHAR'}) GROUP BY id) "
        f"SELECT newest.*, gone.deleted FROM ({newest_rows(table, directory)}) AS newest "
        "JOIN gone ON gone.id = newest.Id "
        f"WHERE newest.IsDeleted IS NOT TRUE AND newest.SystemModstamp <= gone.deleted AND gone.deleted < {before}"
    )


def as_tombstones(schema: TableSchema, source: str) -> str:
    """The rows of `source`, which has the schema's columns, as deleted ones."""
    names = ", ".join("true AS IsDeleted" if name == "IsDeleted" else quote_name(name) for name in schema.names)
    return f"SELECT {names} FROM {source}"  # noqa: S608  # quoted names
