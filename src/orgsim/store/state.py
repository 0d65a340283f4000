"""The state folder: which orgs there are, the clock they share, and the key that signs ID tokens."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from orgsim import ids
from orgsim.clock import Clock, ClockSetting, datetime_text, parse_datetime
from orgsim.schema.standard import STANDARD_OBJECTS
from orgsim.store.database import Database
from orgsim.store.org import Org

_TABLES = """
CREATE TABLE IF NOT EXISTS org (number INTEGER PRIMARY KEY, org_id TEXT NOT NULL UNIQUE, sandbox_of TEXT);
CREATE TABLE IF NOT EXISTS clock (
    only INTEGER PRIMARY KEY CHECK (only = 1), offset_seconds REAL NOT NULL, frozen_at TEXT
);
CREATE TABLE IF NOT EXISTS signing_key (only INTEGER PRIMARY KEY CHECK (only = 1), pem TEXT NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class NewOrg:
    """What must be decided about an org before it exists."""

    name: str = "Acme"
    edition: str = "Enterprise Edition"
    is_sandbox: bool = False
    sandbox_of: str | None = None
    allowance_calls: int | None = None
    licences: dict[str, int] = field(default_factory=dict)
    is_trial: bool = False
    with_indexes: bool = True


class State:
    """All orgs under one folder. Safe to open from several processes at once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = Database(folder / "state.db", _TABLES)
        self._orgs: dict[str, Org] = {}
        self._lock = threading.Lock()
        self.clock = Clock(self._read_clock)

    def close(self) -> None:
        for org in self._orgs.values():
            org.close()
        self.database.close()

    # orgs

    def create_org(self, new: NewOrg) -> Org:
        """An org with the standard objects and no records."""
        with self.database.write() as connection:
            (number,) = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM org").fetchone()
            org_id = ids.make_id("00D", number)
            org = Org(self.folder, org_id, self.clock)
            org.add_sobjects(STANDARD_OBJECTS, with_indexes=new.with_indexes)
            _write_first_settings(org, new)
            connection.execute("INSERT INTO org VALUES (?, ?, ?)", (number, org_id, new.sandbox_of))
        with self._lock:
            return self._orgs.setdefault(org_id, org)

    def orgs(self) -> list[Org]:
        rows = self.database.connect().execute("SELECT org_id FROM org ORDER BY number").fetchall()
        return [self._open(row[0]) for row in rows]

    def org(self, org_id: str) -> Org:
        """Raises KeyError when there is no such org. Accepts the 15-character form."""
        if ids.is_id(org_id):
            wanted = ids.to_18(org_id)
            row = self.database.connect().execute("SELECT 1 FROM org WHERE org_id = ?", (wanted,)).fetchone()
            if row:
                return self._open(wanted)
        raise KeyError(f"There is no org {org_id!r} in {self.folder}.")

    def _open(self, org_id: str) -> Org:
        with self._lock:
            if org_id not in self._orgs:
                self._orgs[org_id] = Org(self.folder, org_id, self.clock)
            return self._orgs[org_id]

    # the key of ID tokens

    def kept_key(self) -> str | None:
        row = self.database.connect().execute("SELECT pem FROM signing_key").fetchone()
        return str(row[0]) if row else None

    def keep_key(self, pem: str) -> str:
        """The key that is kept from now on: this one, unless another was kept before it."""
        with self.database.write() as connection:
            connection.execute("INSERT INTO signing_key VALUES (1, ?) ON CONFLICT DO NOTHING", (pem,))
        return self.kept_key() or pem

    # clock

    def _read_clock(self) -> ClockSetting:
        return self.database.remembered("clock", self._read_clock_row)

    def _read_clock_row(self) -> ClockSetting:
        row = self.database.connect().execute("SELECT offset_seconds, frozen_at FROM clock").fetchone()
        if row is None:
            return ClockSetting()
        return ClockSetting(row[0], parse_datetime(row[1]) if row[1] else None)

    def set_clock(self, setting: ClockSetting) -> None:
        frozen = datetime_text(setting.frozen_at) if setting.frozen_at else None
        with self.database.write() as connection:
            connection.execute(
                "INSERT INTO clock VALUES (1, ?, ?) ON CONFLICT (only) DO UPDATE "
                "SET offset_seconds = excluded.offset_seconds, frozen_at = excluded.frozen_at",
                (setting.offset_seconds, frozen),
            )
            self.database.forget()

    def clock_setting(self) -> ClockSetting:
        return self._read_clock()


def _write_first_settings(org: Org, new: NewOrg) -> None:
    org.set("name", new.name)
    org.set("edition", new.edition)
    org.set("is_sandbox", new.is_sandbox)
    org.set("is_trial", new.is_trial)
    org.set("licences", new.licences)
    org.set("allowance_calls", new.allowance_calls)
