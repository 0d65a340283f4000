"""The org that is measured: a seeded history, then contacts copied until there are as many as asked for."""

import os
from collections.abc import Mapping
from pathlib import Path

from benches.orgsim.processes import ORGSIM
from benches.running import Ran, run
from orgsim import ids
from orgsim.store.org import Org
from orgsim.store.state import State

USERNAME, PASSWORD = "bench@acme.example", "bench-password-1"
APP_KEY, APP_SECRET = "bench-key", "bench-secret"
ALLOWANCE_CALLS = 1_000_000
_SEED_OPTIONS = {
    "--user": USERNAME,
    "--password": PASSWORD,
    "--app-key": APP_KEY,
    "--app-secret": APP_SECRET,
    "--callback": "http://127.0.0.1/callback",
    "--allowance": str(ALLOWANCE_CALLS),
}


def seed(state: Path, records: int) -> Ran:
    options = [part for pair in _SEED_OPTIONS.items() for part in pair]
    return run((*ORGSIM, "seed", "--state", str(state), "--records", str(records), *options), os.environ)


def copy_contacts(state_folder: Path, wanted: int, values: Mapping[str, str] | None = None) -> None:
    """values   SQL for the fields in which a copy differs from its model."""
    state = State(state_folder)
    try:
        org = state.orgs()[0]
        org.set("bulk_delay_seconds", 0.0)
        _copy_contacts(org, wanted, values or {})
    finally:
        state.close()


def _copy_contacts(org: Org, wanted: int, values: Mapping[str, str]) -> None:
    """Straight into the table, whose indexes are made anew afterwards."""
    contact = org.catalog().get("Contact")
    names = [field.name for field in contact.stored_fields if field.name != "Id"]
    others = ", ".join(f'"{name}"' for name in names)
    copied = ", ".join(values.get(name, f'"{name}"') for name in names)
    with org.database.write() as connection:
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'Contact' AND sql IS NOT NULL"
        ).fetchall()
        (there,) = connection.execute('SELECT count(*) FROM "Contact" WHERE "IsDeleted" = 0').fetchone()
        missing = max(0, wanted - there)
        if not missing:
            return
        first = org.next_number(contact.key_prefix, missing)
        connection.create_function("nth_id", 1, lambda step: ids.make_id(contact.key_prefix, first + step))
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        connection.execute(
            f'INSERT INTO "Contact" ("Id", {others}) SELECT nth_id(value), {copied} '  # noqa: S608  names from the schema
            "FROM (WITH RECURSIVE step (value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM step LIMIT :missing) "
            "SELECT value FROM step) CROSS JOIN "
            '(SELECT row_number() OVER () - 1 AS place, * FROM "Contact" WHERE "IsDeleted" = 0) AS model '
            "ON model.place = value % :there",
            {"missing": missing, "there": there},
        )
        for _, sql in indexes:
            connection.execute(sql)
