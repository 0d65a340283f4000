"""Founds an org: settings, an administrator, an app, and a generated history loaded straight into the tables.

Not here: what the history tells (seeding/).
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from orgsim import ids
from orgsim.founding import add_organization_row
from orgsim.oauth.apps import App, add_app, apps_of
from orgsim.oauth.users import NewUser, add_user
from orgsim.schema.model import Field, SObject
from orgsim.seeding import generate
from orgsim.store import ddl
from orgsim.store.currencies import Currency, enable_currencies, keep_currency, spread_currencies
from orgsim.store.org import Org
from orgsim.store.rows import insert_rows
from orgsim.store.state import NewOrg, State
from orgsim.store.values import Stored, to_stored

_LOADING_CACHE_KIB = 65_536  # for the one connection that loads all
RawRow = dict[str, object]
Told = Callable[[str, int, int], None]  # of a step: how much is done, of how much
_COPIES = (
    "Name",
    "FirstName",
    "LastName",
    "Title",
    "Email",
    "Phone",
    "LeadSource",
    "HasOptedOutOfEmail",
    "HasOptedOutOfFax",
    "DoNotCall",
)


def tell_nobody(_step: str, _done: int, _total: int) -> None:
    """For whoever does not watch."""


@dataclass(frozen=True, slots=True)
class Founding:
    """`records` 0 founds an empty org. Without an app of its own a sandbox takes its production org's apps."""

    new_org: NewOrg
    user: NewUser
    app: App | None = None
    records: int = 0
    seed: int = 1
    currencies: tuple[Currency, ...] = ()  # besides US dollars


def found_org(state: State, wish: Founding, told: Told = tell_nobody) -> Org:
    org = state.create_org(replace(wish.new_org, with_indexes=False))
    org.database.connect().execute(f"PRAGMA cache_size = -{_LOADING_CACHE_KIB}")
    user_id = add_user(org, wish.user)
    add_organization_row(org, user_id)
    for app in _apps(state, wish):
        add_app(org, app)
    if wish.records:
        load_history(org, records=wish.records, seed=wish.seed, told=told)
    build_indexes(org, told)
    if wish.currencies:
        enable_currencies(org, user_id)
        for currency in wish.currencies:
            keep_currency(org, user_id, currency)
        spread_currencies(org)
    return org


def load_history(org: Org, *, records: int, seed: int, told: Told = tell_nobody) -> int:
    """Load a generated history that ends now. Returns how many rows it has."""
    numbers = _Numbers(org)
    rows_told = 0

    def counted() -> Iterator[tuple[str, list[RawRow]]]:
        nonlocal rows_told
        for name, rows in generate(records=records, seed=seed, end=org.clock.now(), new_id=numbers.new_id):
            yield name, rows
            rows_told += len(rows)
            told("records", rows_told, records)

    return load_rows(org, counted(), numbers)


def load_rows(org: Org, batches: Iterable[tuple[str, list[RawRow]]], numbers: "_Numbers | None" = None) -> int:
    """Insert complete rows as they are: no checks, no triggers, stamps kept."""
    numbers = numbers or _Numbers(org)
    count = 0
    with org.database.write() as connection:
        for name, rows in batches:
            _insert(connection, org.catalog().get(name), rows, numbers)
            count += len(rows)
        _copy_people_to_members(org)
    numbers.save()
    return count


class _Numbers:
    """Id sequences kept in memory while a history is loaded."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._prefixes = {each.name: each.key_prefix for each in org.catalog()}
        self._first: dict[str, int] = {}
        self._next: dict[str, int] = {}

    def new_id(self, name: str) -> str:
        prefix = self._prefixes[name]
        return ids.make_id(prefix, self.next_number(prefix))

    def next_number(self, sequence: str) -> int:
        if sequence not in self._next:
            self._first[sequence] = self._next[sequence] = self._org.peek_number(sequence)
        self._next[sequence] += 1
        return self._next[sequence] - 1

    def save(self) -> None:
        for sequence, following in self._next.items():
            self._org.next_number(sequence, following - self._first[sequence])
        self._first, self._next = dict(self._next), dict(self._next)


def _insert(connection: sqlite3.Connection, sobject: SObject, rows: list[RawRow], numbers: _Numbers) -> None:
    """Only the columns that some row has, or that are never empty: most of an object's columns are."""
    for field in (each for each in sobject.stored_fields if each.auto_number):
        for row in rows:
            row.setdefault(field.name, field.numbered(numbers.next_number(f"{sobject.name}.{field.name}")))
    named = set().union(*rows)
    fields = [each for each in sobject.stored_fields if each.name in named or each.type == "boolean"]
    insert_rows(connection, sobject, tuple(field.name for field in fields), _stored(fields, rows))


def _stored(fields: list[Field], rows: list[RawRow]) -> Iterator[tuple[Stored, ...]]:
    absent = [(field, to_stored(field, field.default) if field.type == "boolean" else None) for field in fields]
    for row in rows:
        yield tuple(
            default if (value := row.get(field.name)) is None else to_stored(field, value) for field, default in absent
        )


def _copy_people_to_members(org: Org) -> None:
    """The names and addresses a CampaignMember shows of its lead or contact."""
    connection = org.database.connect()
    for kind, other in (("Lead", 'AND "CampaignMember"."ContactId" IS NULL'), ("Contact", "")):
        copies = ", ".join(f'"{name}" = person."{name}"' for name in _COPIES)
        connection.execute(
            f'UPDATE "CampaignMember" SET "Type" = \'{kind}\', "LeadOrContactId" = person."Id", '  # noqa: S608  names written above
            f'"LeadOrContactOwnerId" = person."OwnerId", {copies} FROM "{kind}" AS person '
            f'WHERE person."Id" = "CampaignMember"."{kind}Id" AND "CampaignMember"."Type" IS NULL {other}'
        )


def _apps(state: State, wish: Founding) -> list[App]:
    if wish.app is not None:
        return [wish.app]
    return apps_of(state.org(wish.new_org.sandbox_of)) if wish.new_org.sandbox_of else []


def build_indexes(org: Org, told: Told = tell_nobody) -> None:
    statements = [statement for sobject in org.catalog() for statement in ddl.create_indexes(sobject)]
    with org.database.write() as connection:
        for done, statement in enumerate([*statements, "ANALYZE"], start=1):
            connection.execute(statement)
            told("indexes", done, len(statements) + 1)
