"""Locks that others hold on records: rows that a transaction works on, and records in an approval (facts C.23).

Kept beside the usage account, as faults are: what a refused write has used up of a lock stays used up.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from orgsim.clock import datetime_text
from orgsim.errors import ApiError
from orgsim.schema.model import SObject
from orgsim.store.org import Org
from orgsim.store.rows import Row

KINDS = ("row", "children", "approval")
_NOT_PARENTS = frozenset({"CreatedById", "LastModifiedById"})
_LIVING = "(until IS NULL OR until > :now) AND (writes_left IS NULL OR writes_left > 0)"


@dataclass(frozen=True, slots=True)
class Lock:
    """`row` refuses writes of the record, `children` of what points at it, `approval` of it and of its details.

    It ends at the moment `until`, or when it has refused `writes_left` more writes; with neither it stays.
    """

    record_id: str
    kind: str
    until: str | None = None
    writes_left: int | None = None


def lay_lock(org: Org, record_id: str, kind: str, *, seconds: float | None, writes: int | None) -> None:
    """Instead of one of the same kind on the record. Raises ApiError for a kind that does not exist."""
    if kind not in KINDS:
        raise ApiError("INVALID_INPUT", f"A lock is one of {', '.join(KINDS)}")
    until = None if seconds is None else datetime_text(org.clock.now() + dt.timedelta(seconds=seconds))
    with org.usage.database.write() as connection:
        connection.execute("REPLACE INTO record_lock VALUES (?, ?, ?, ?)", (record_id, kind, until, writes))


def lift_locks(org: Org, record_id: str) -> None:
    with org.usage.database.write() as connection:
        connection.execute("DELETE FROM record_lock WHERE record_id = ?", (record_id,))


def living_locks(org: Org) -> list[Lock]:
    rows = org.usage.database.connect().execute(
        f"SELECT record_id, kind, until, writes_left FROM record_lock WHERE {_LIVING} ORDER BY record_id, kind",  # noqa: S608  a fixed condition
        {"now": org.now_text()},
    )
    return [Lock(*row) for row in rows]


def refuse_locked(org: Org, sobject: SObject, row: Row, *rows: Row) -> None:
    """Raises ApiError for the record of `row`; `rows` are further states of it, whose parents count as well."""
    if not org.database.kept("has locks", lambda: _has_locks(org)):
        return
    record_id = str(row["Id"])
    masters = set(_targets(sobject, (row, *rows), masters_only=True))
    parents = set(_targets(sobject, (row, *rows), masters_only=False))
    for lock in living_locks(org):
        match lock.kind:
            case "row" if lock.record_id == record_id:
                raise _unable_to_lock(org, lock)
            case "children" if lock.record_id in parents:
                raise _unable_to_lock(org, lock)
            case "approval" if lock.record_id == record_id or lock.record_id in masters:
                _use_up(org, lock)
                raise ApiError("ENTITY_IS_LOCKED", "the entity is locked for editing", fields=())


def _has_locks(org: Org) -> bool:
    """Asked once a transaction: a lock that is laid while one runs stops what begins after it."""
    return org.usage.database.connect().execute("SELECT 1 FROM record_lock LIMIT 1").fetchone() is not None


def _targets(sobject: SObject, rows: Iterable[Row], *, masters_only: bool) -> Iterable[str]:
    for field in sobject.fields:
        if field.type == "reference" and field.name not in _NOT_PARENTS and (field.cascade_delete or not masters_only):
            yield from (str(row[field.name]) for row in rows if row.get(field.name))


def _unable_to_lock(org: Org, lock: Lock) -> ApiError:
    _use_up(org, lock)
    message = f"unable to obtain exclusive access to this record or 1 records: {lock.record_id}"
    return ApiError("UNABLE_TO_LOCK_ROW", message, fields=())


def _use_up(org: Org, lock: Lock) -> None:
    with org.usage.database.write() as connection:
        connection.execute(
            "UPDATE record_lock SET writes_left = writes_left - 1 WHERE record_id = ? AND kind = ?",
            (lock.record_id, lock.kind),
        )
