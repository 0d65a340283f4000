"""The CPU time that Apex triggers take of a chunk of records: reckoned, never burnt, as no Apex runs (facts C.24)."""

from collections.abc import Iterator

from orgsim.errors import ApiError
from orgsim.store.chunk import Chunk
from orgsim.store.org import Org

CPU_LIMIT_MS = 10_000


class CpuLimitError(ApiError):
    """Fails the whole chunk, not one record of it."""


def reckon_cpu_ms(org: Org, chunk: Chunk) -> int:
    """The time of all triggers over what the chunk has written. Raises CpuLimitError when it is too much."""
    used_ms = 0
    for (sobject, event), records in chunk.saves.items():
        for name, ms_per_record in _runs(org, sobject, event):
            used_ms += ms_per_record * records
            if used_ms > CPU_LIMIT_MS:
                message = f"{name}: System.LimitException: Apex CPU time limit exceeded"
                raise CpuLimitError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, fields=())
    return used_ms


def keep_cost(org: Org, trigger_id: str, cpu_ms_per_record: int) -> None:
    with org.database.write() as connection:
        connection.execute("REPLACE INTO _trigger_cost VALUES (?, ?)", (trigger_id, cpu_ms_per_record))


def cost_of(org: Org, trigger_id: str) -> int:
    row = (
        org.database.connect()
        .execute("SELECT cpu_ms_per_record FROM _trigger_cost WHERE trigger_id = ?", (trigger_id,))
        .fetchone()
    )
    return int(row[0]) if row else 0


def _runs(org: Org, sobject: str, event: str) -> Iterator[tuple[str, int]]:
    """(name, milliseconds per record) of the active triggers: those before the event first, each kind by name."""
    for when in ("Before", "After"):
        if (when, event) == ("Before", "Undelete"):
            continue  # there is no such event
        yield from org.database.connect().execute(
            'SELECT "Name", cpu_ms_per_record FROM _trigger_cost JOIN "ApexTrigger" ON "Id" = trigger_id '  # noqa: S608  the column is one of seven
            f'WHERE "TableEnumOrId" = ? AND "Status" = \'Active\' AND "Usage{when}{event}" = 1 ORDER BY "Name"',
            (sobject,),
        )
