"""The measured org: little else than contacts, which grow from one size to the next.

Not here: serving it (benches/credits/stage.py).
"""

from collections.abc import Mapping
from pathlib import Path

from benches.credits.objects import CONTACT, FIELDS
from benches.credits.records import found
from benches.orgsim.records import copy_contacts
from orgsim.store.state import State

# A copy has a name, an address, a number and moments of its own: rows that repeat one another would be compressed and
# stored faster than any company's. No moment is as young as the overlap of two reads.
_STAMP = "strftime('%Y-%m-%dT%H:%M:%S.000+0000', 'now', '-' || ({} + abs(random()) % {}) || ' seconds')"
OWN_VALUES: Mapping[str, str] = {
    "LastName": "printf('Name-%x', abs(random()) % 1048576)",
    "Email": "printf('%x.%x@example.com', abs(random()) % 1048576, value)",
    "Phone": "printf('+1 %03d %03d %04d', 200 + abs(random()) % 800, abs(random()) % 1000, abs(random()) % 10000)",
    "CreatedDate": _STAMP.format(40_000_000, 60_000_000),
    "LastModifiedDate": _STAMP.format(100_000, 30_000_000),
    "SystemModstamp": _STAMP.format(100_000, 30_000_000),
}


def _empty_others(state_folder: Path) -> None:
    """Nobody else reads them; that there are none must still be found out."""
    state = State(state_folder)
    try:
        with state.orgs()[0].database.write() as connection:
            for sobject in FIELDS.keys() - {CONTACT, "User"}:
                connection.execute(f'DELETE FROM "{sobject}"')  # noqa: S608  names of the bench
    finally:
        state.close()


def grow(state_folder: Path, contacts: int, callback: str) -> None:
    """Found the org where it is not there yet; then there are so many contacts. Safe to repeat."""
    if not state_folder.exists():
        found(state_folder, contacts, callback)
        _empty_others(state_folder)
    copy_contacts(state_folder, contacts, OWN_VALUES)
