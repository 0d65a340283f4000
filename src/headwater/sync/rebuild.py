"""Has objects dropped and read anew: their next cycle reads all rows into a new base.

Readers see the old rows until that cycle is published; the old parts are swept an hour later (publish.py).
Not here: reading, which is a full read like any other (cycle.py, backfill.py).
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction

from headwater.accounts.models import Account
from headwater.accounts.services import record_event
from headwater.common.errors import Facts, Fix
from headwater.sync.discover import live_rows, price, tables_of, wishes_of
from headwater.sync.models import ReplicaTable

REBUILT = "sync.rebuilt"


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What is to be read anew: about how many rows of each object, and for how many credits."""

    rows: dict[str, int]
    calls: int


def plan_rebuild(account: Account, sobjects: Collection[str]) -> Rebuild:
    """Of these objects, or of all where none is named. Asks the org nothing, which counts its rows when it is read.

    Nor does it open a file of the replica: one that is damaged or lost is a reason to rebuild.

    Errors   Fix sync.object_not_read
    """
    tables = _tables(account, sobjects)
    for table in tables.values():
        table.full_read_due = True  # of these objects here, not in the database
    rows = {name: live_rows(table) for name, table in sorted(tables.items())}
    return Rebuild(rows, price(account, wishes_of(tables, rows), looking_calls=0).calls)


@transaction.atomic
def rebuild(account: Account, sobjects: Collection[str], *, actor: str) -> Rebuild:
    """From the next cycle that begins: one that is under way has the old rows still. Safe to repeat.

    Raises as plan_rebuild does.
    """
    planned = plan_rebuild(account, sobjects)
    for table in ReplicaTable.of(account).filter(sobject__in=planned.rows, full_read_due=False):
        table.full_read_due, table.reload_number = True, table.reload_number + 1
        table.save(update_fields=["full_read_due", "reload_number"])
    record_event(account, actor=actor, action=REBUILT, after=", ".join(planned.rows))
    return planned


def _tables(account: Account, sobjects: Collection[str]) -> dict[str, ReplicaTable]:
    read = {name: table for name, table in tables_of(account).items() if table.read_from_utc is not None}
    known = {name.lower(): name for name in read}
    unknown = [name for name in sobjects if name.lower() not in known]
    if unknown or not read:
        raise Fix(
            "sync.object_not_read",
            f"No rows of an object called {unknown[0][:80]} were read."
            if unknown
            else "Nothing of the org was read yet.",
            Facts(
                why=f"Those are: {', '.join(sorted(read))}." if read else "",
                left="Nothing was changed.",
                you_can="name one of them" if read else "run headwater sync first",
            ),
        )
    return {known[name.lower()]: read[known[name.lower()]] for name in sobjects} if sobjects else read
