"""One org: its file of records, its schema, its settings, its usage account and its id sequences.

Not here: what may be written (store/write.py), what can be asked (soql/), who may log in (oauth/).
"""

import datetime as dt
import secrets
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from orgsim import ids
from orgsim.clock import Clock, datetime_text
from orgsim.schema.catalog import Catalog, View
from orgsim.schema.model import Field, SObject, from_plain, to_json
from orgsim.store import ddl
from orgsim.store.allowance import DEVELOPER, allowed_calls
from orgsim.store.database import Database
from orgsim.store.quotas import Quotas
from orgsim.store.running import RunningRequests
from orgsim.store.settings import read_setting, write_setting
from orgsim.store.usage import Usage


class Org:
    """Opens the org kept under `folder`/`org_id`; the files are made on first use."""

    def __init__(self, folder: Path, org_id: str, clock: Clock) -> None:
        self.org_id = org_id
        self.clock = clock
        self.job_folder = folder / f"{org_id}.jobs"
        self.database = Database(folder / f"{org_id}.db", ddl.ORG_TABLES)
        self.usage = Usage(Database(folder / f"{org_id}.usage.db", f"{Usage.TABLES};{Quotas.TABLES}"), clock)
        self.quotas = Quotas(self.usage.database, clock)
        self.running = RunningRequests()
        self._schema: tuple[object, Catalog, dict[str, View]] | None = None

    def close(self) -> None:
        self.database.close()
        self.usage.close()

    # settings

    def setting(self, name: str) -> Any:
        return self.database.remembered(("setting", name), lambda: read_setting(self.database.connect(), name))

    def settings(self, *names: str) -> list[Any]:
        """Several at once, in the order of their names."""
        return [self.setting(name) for name in names]

    def set(self, name: str, value: object) -> None:
        with self.database.write() as connection:
            write_setting(connection, name, value)
            self.database.forget()

    @property
    def is_sandbox(self) -> bool:
        return bool(self.setting("is_sandbox"))

    @property
    def is_paid_production(self) -> bool:
        """Not a sandbox, a trial or a Developer Edition, which Salesforce treats more strictly (facts B.2, B.4)."""
        is_sandbox, is_trial, edition = self.settings("is_sandbox", "is_trial", "edition")
        return not (is_sandbox or is_trial or edition == DEVELOPER)

    def allowance_calls(self) -> int:
        """In 24 hours: what is set, or what edition and licences give."""
        chosen, edition, licences, is_sandbox = self.settings("allowance_calls", "edition", "licences", "is_sandbox")
        return int(chosen) if chosen is not None else allowed_calls(edition, licences, is_sandbox=is_sandbox)

    def now(self) -> dt.datetime:
        """What the clock shows; all of one transaction happens at one moment."""
        return self.database.kept("now", self.clock.now)

    def now_text(self) -> str:
        return self.database.kept("now as text", lambda: datetime_text(self.now()))

    # schema

    def catalog(self) -> Catalog:
        """The schema as it is now; another process may have changed it."""
        return self.schema()[0]

    def schema(self) -> tuple[Catalog, dict[str, View]]:
        """The catalog, and the views of it that have been made by user; store/access.py makes them."""
        return self.database.remembered("schema", self._read_schema)

    def _read_schema(self) -> tuple[Catalog, dict[str, View]]:
        connection = self.database.connect()
        version = read_setting(connection, "schema_version")
        if self._schema is None or self._schema[0] != version:
            rows = connection.execute("SELECT plain FROM _sobject ORDER BY position").fetchall()
            self._schema = (version, Catalog(_sobject(row[0]) for row in rows), {})
        return self._schema[1:]

    def add_sobjects(self, sobjects: Iterable[SObject], *, with_indexes: bool = True) -> None:
        with self.database.write() as connection:
            for each in sobjects:
                connection.execute(ddl.create_table(each))
                if with_indexes:
                    for statement in ddl.create_indexes(each):
                        connection.execute(statement)
                self._save_sobject(each)
            self._mark_schema_changed()

    def add_field(self, sobject: SObject, field: Field) -> SObject:
        with self.database.write() as connection:
            changed = sobject.with_field(field)
            if field.is_stored:
                connection.execute(ddl.add_column(sobject, field))
                if statement := ddl.create_index(changed, field):
                    connection.execute(statement)
            self._save_sobject(changed)
            self._mark_schema_changed()
        return changed

    def change_sobject(self, changed: SObject) -> None:
        """Keep another description of an object whose columns stay as they are."""
        with self.database.write():
            self._save_sobject(changed)
            self._mark_schema_changed()

    def _save_sobject(self, sobject: SObject) -> None:
        connection = self.database.connect()
        (position,) = connection.execute("SELECT count(*) FROM _sobject").fetchone()
        connection.execute(
            "INSERT INTO _sobject VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET plain = excluded.plain",
            (sobject.name, position, to_json(sobject).decode()),
        )

    def access_changed(self) -> None:
        """Somebody may see more or less than before: views and describes are made anew."""
        with self.database.write():
            self._mark_schema_changed()

    def _mark_schema_changed(self) -> None:
        connection = self.database.connect()
        # Never the same twice, so that a schema that was rolled back is not taken for a later one.
        write_setting(connection, "schema_version", secrets.token_hex(8))
        write_setting(connection, "schema_changed_at", self.now_text())
        self.database.forget()

    # ids

    def new_id(self, key_prefix: str) -> str:
        return self.new_ids(key_prefix, 1)[0]

    def new_ids(self, key_prefix: str, count: int) -> list[str]:
        first = self.next_number(key_prefix, count)
        return [ids.make_id(key_prefix, first + step) for step in range(count)]

    def peek_number(self, sequence: str) -> int:
        """The number a sequence would give next."""
        row = (
            self.database.connect().execute("SELECT next_number FROM _sequence WHERE name = ?", (sequence,)).fetchone()
        )
        return int(row[0]) if row else 1

    def next_number(self, sequence: str, count: int = 1) -> int:
        """Take `count` numbers from a sequence of this org; the first of them is returned."""
        with self.database.join() as connection:
            row = connection.execute(
                "INSERT INTO _sequence VALUES (?, 1 + ?) "
                "ON CONFLICT (name) DO UPDATE SET next_number = next_number + ? RETURNING next_number",
                (sequence, count, count),
            ).fetchone()
        return int(row[0]) - count


@lru_cache(maxsize=1000)  # a change of the schema leaves most objects as they were, and most orgs have the same
def _sobject(plain: str) -> SObject:
    return from_plain(orjson.loads(plain))
