"""The recycle bin: which rows go together, what lies in it and since when, and what is gone after 15 days (facts C.2).

Not here: putting records in and taking them out as a user does (store/write.py).
"""

import datetime as dt
from collections.abc import Iterator

from orgsim.clock import datetime_text
from orgsim.schema.model import Field, SObject
from orgsim.store.org import Org
from orgsim.store.rows import Row, find_rows

KEPT = dt.timedelta(days=15)
_DUE = "FROM _binned WHERE binned_at <= ?"


def owned_rows(org: Org, sobject: SObject, record_id: str) -> Iterator[tuple[SObject, Row]]:
    """What hangs on a record, details of details first. A row that hangs on two of them comes twice."""
    for child, field in _owned_children(org, sobject):
        for owned in find_rows(org.database.connect(), child, field.name, record_id):
            yield from owned_rows(org, child, str(owned["Id"]))
            yield child, owned


def _owned_children(org: Org, sobject: SObject) -> list[tuple[SObject, Field]]:
    """Details of a master, and an account's contacts and opportunities."""
    taken = {"Contact", "Opportunity"} if sobject.name == "Account" else set[str]()
    return [
        (each.child, each.field)
        for each in org.catalog().children_of(sobject.name)
        if each.field.cascade_delete or (each.child.name in taken and each.field.name == "AccountId")
    ]


def log_deletion(org: Org, sobject: SObject, record_id: str) -> None:
    """For getDeleted. A record that is deleted from the bin keeps the moment at which it went there."""
    org.database.connect().execute(
        "INSERT INTO _deleted VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (sobject.name, record_id, org.now_text())
    )


def note_binned(org: Org, sobject: SObject, record_id: str, root_id: str) -> None:
    """The record lies in the bin since now, because `root_id` was deleted."""
    log_deletion(org, sobject, record_id)
    org.database.connect().execute(
        "INSERT INTO _binned VALUES (?, ?, ?, ?)", (record_id, sobject.name, root_id, org.now_text())
    )


def note_restored(org: Org, sobject: SObject, record_id: str) -> None:
    connection = org.database.connect()
    connection.execute("DELETE FROM _deleted WHERE sobject = ? AND record_id = ?", (sobject.name, record_id))
    connection.execute("DELETE FROM _binned WHERE record_id = ?", (record_id,))


def note_erased(org: Org, sobject: SObject, record_id: str) -> None:
    log_deletion(org, sobject, record_id)
    org.database.connect().execute("DELETE FROM _binned WHERE record_id = ?", (record_id,))


def root_in_bin(org: Org, record_id: str) -> str | None:
    """The record whose deletion brought this one into the bin; None when it is not there."""
    found = org.database.connect().execute("SELECT root_id FROM _binned WHERE record_id = ?", (record_id,)).fetchone()
    return found[0] if found else None


def empty_old(org: Org) -> int:
    """Erase what has been in the bin for 15 days. Returns how many rows; one look when none."""
    border = (datetime_text(org.clock.now() - KEPT),)
    if org.database.connect().execute(f"SELECT 1 {_DUE}", border).fetchone() is None:
        return 0
    with org.database.write() as connection:
        for (name,) in connection.execute(f"SELECT DISTINCT sobject {_DUE}", border).fetchall():
            due = f"SELECT record_id {_DUE} AND sobject = ?"
            connection.execute(f'DELETE FROM "{name}" WHERE "Id" IN ({due})', (*border, name))  # noqa: S608  names come from the schema
        return connection.execute(f"DELETE {_DUE}", border).rowcount
