"""Makes whole rows of new values of a few columns, for values that move without a stamp. SQL alone, no loop over rows.

Not here: reading these values (sync/formulas.py).
"""

from pathlib import Path

from headwater.lake.engine import spilling
from headwater.lake.parts import Part, write_part
from headwater.lake.quoting import quote_name
from headwater.lake.schema import ALWAYS
from headwater.lake.snapshot import TableParts, all_rows, newest_rows


def write_renewed(table: TableParts, seen: TableParts, seen_directory: Path, directory: Path, sequence: int) -> Part:
    """The newest rows of `table` with the values of `seen`, where one of them is another there.

    seen   Id, SystemModstamp and the columns that were read just now, each Id once.

    Left out are rows that are deleted; rows with another SystemModstamp than in `seen`, as the change that moved it
    brings them whole; and rows that `sequence` has brought already, which are as new.
    """
    with spilling(directory) as connection:
        return write_part(
            connection, _renewed(table, seen, seen_directory, directory, sequence), table.schema, directory, sequence
        )


def _renewed(table: TableParts, seen: TableParts, seen_directory: Path, directory: Path, sequence: int) -> str:
    columns = [name for name in seen.schema.names if name not in ALWAYS]
    values = ", ".join(f"{'seen' if name in columns else 'newest'}.{quote_name(name)}" for name in table.schema.names)
    differs = " OR ".join(f"newest.{quote_name(name)} IS DISTINCT FROM seen.{quote_name(name)}" for name in columns)
    is_live = "newest.IsDeleted IS NOT TRUE" if table.schema.has("IsDeleted") else "true"
    brought = [part for part in table.parts if part.sequence == sequence]
    return (
        f"SELECT {values} FROM ({newest_rows(table, directory)}) AS newest "  # noqa: S608  # quoted names
        f"JOIN ({all_rows(seen.schema, seen.parts, seen_directory)}) AS seen ON seen.Id = newest.Id "
        f"WHERE {is_live} AND seen.SystemModstamp = newest.SystemModstamp AND ({differs}) "
        f"AND newest.Id NOT IN (SELECT Id FROM ({all_rows(table.schema, brought, directory)}))"
    )
