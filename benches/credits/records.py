"""What stands in the measured org: a small history, many contacts, then a day's changes. Straight into its tables.

Not here: serving and counting (stage.py).
"""

import os
import sqlite3
from pathlib import Path

from benches.credits.objects import CHANGED, CONTACT
from benches.orgsim.processes import ORGSIM
from benches.orgsim.records import copy_contacts
from benches.running import run
from orgsim import ids
from orgsim.oauth.users import any_admin
from orgsim.schema.model import SObject
from orgsim.store.org import Org
from orgsim.store.state import State
from orgsim.store.write import Writer

HISTORY_RECORDS = 2_000
ALLOWANCE_CALLS = 5_000_000
USERNAME, PASSWORD = "bench@acme.example", "bench-password-1"
APP_KEY, APP_SECRET = "bench-key", "bench-secret"
_PER_100K = 100_000
_TRACKED = {
    "Lead": {"Phone": "+1 555 0100"},
    "Contact": {"Phone": "+1 555 0101"},
    "Opportunity": {"NextStep": "Call them"},
}
# What differs between a row and the row it is made after; nobody else may log in by a user's name.
_VALUES = {
    **dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), ":now"),
    "Username": 'value || "Username"',
}
# Each contact changed at a moment of its own, so that no reader's last stamp is shared by thousands of rows.
_SPREAD = (
    'UPDATE "Contact" SET "SystemModstamp" = '
    "strftime('%Y-%m-%dT%H:%M:%S.000+0000', 'now', '-1 day', '-' || rowid || ' seconds')"
)


def found(state_folder: Path, contacts: int, callback: str) -> None:
    """The org of a small company, with at most so many contacts."""
    run(
        (
            *ORGSIM, "seed", "--state", str(state_folder), "--records", str(min(HISTORY_RECORDS, contacts)),
            "--user", USERNAME, "--password", PASSWORD, "--app-key", APP_KEY, "--app-secret", APP_SECRET,
            "--callback", callback, "--allowance", str(ALLOWANCE_CALLS),
        ),
        os.environ,
    )  # fmt: skip


def seed(state_folder: Path, contacts: int, callback: str) -> None:
    """Leads, deals and activities as a small company has them, a row of each field history, and so many contacts."""
    found(state_folder, contacts, callback)
    copy_contacts(state_folder, contacts)
    state = State(state_folder)
    try:
        org = state.orgs()[0]
        with org.database.write() as connection:
            connection.execute(_SPREAD)
        _leave_histories(Writer(org, any_admin(org)))
    finally:
        state.close()


def _leave_histories(writer: Writer) -> None:
    connection = writer.org.database.connect()
    for sobject, values in _TRACKED.items():
        condition = "IsDeleted = 0" + (" AND IsConverted = 0" if sobject == "Lead" else "")
        [row] = connection.execute(f'SELECT Id FROM "{sobject}" WHERE {condition} LIMIT 1').fetchall()  # noqa: S608  names written above
        writer.update(sobject, row[0], values)


def change_rows(state_folder: Path, rows: int) -> dict[str, int]:
    """Make `rows` changes in the proportions of CHANGED, stamped with this moment; returns them by object."""
    state = State(state_folder)
    try:
        org = state.orgs()[0]
        wanted = _share_out(rows)
        with org.database.write() as connection:
            for sobject, count in wanted.items():
                if sobject == CONTACT:
                    _touch_contacts(connection, org.now_text(), count)
                else:
                    _copy_rows(org, connection, org.catalog().get(sobject), count)
    finally:
        state.close()
    return wanted


def touch_contacts(state_folder: Path, rows: int) -> None:
    """Change so many contacts, stamped with this moment."""
    state = State(state_folder)
    try:
        org = state.orgs()[0]
        with org.database.write() as connection:
            _touch_contacts(connection, org.now_text(), rows)
    finally:
        state.close()


def _share_out(rows: int) -> dict[str, int]:
    shares = {sobject: max(1, rows * share // _PER_100K) for sobject, share in CHANGED.items()}
    shares[CONTACT] += rows - sum(shares.values())
    return shares


def _touch_contacts(connection: sqlite3.Connection, now: str, count: int) -> None:
    connection.execute(
        "UPDATE Contact SET Title = 'Changed', LastModifiedDate = :now, SystemModstamp = :now "
        "WHERE rowid IN (SELECT rowid FROM Contact WHERE IsDeleted = 0 LIMIT :count)",
        {"now": now, "count": count},
    )


def _copy_rows(org: Org, connection: sqlite3.Connection, sobject: SObject, count: int) -> None:
    """New rows after the pattern of those that are there."""
    names = [field.name for field in sobject.stored_fields if field.name != "Id"]
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(_VALUES.get(name, f'"{name}"') for name in names)
    first = org.next_number(sobject.key_prefix, count)
    connection.create_function("nth_id", 1, lambda step: ids.make_id(sobject.key_prefix, first + step))
    live = 'WHERE "IsDeleted" = 0' if "IsDeleted" in names else ""
    connection.execute(
        f'INSERT INTO "{sobject.name}" ("Id", {columns}) SELECT nth_id(value), {values} '  # noqa: S608  names from the schema
        "FROM (WITH RECURSIVE step (value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM step LIMIT :count) "
        "SELECT value FROM step) CROSS JOIN "
        f'(SELECT row_number() OVER () - 1 AS place, * FROM "{sobject.name}" {live}) AS model '
        f'ON model.place = value % (SELECT count(*) FROM "{sobject.name}" {live})',
        {"count": count, "now": org.now_text()},
    )
