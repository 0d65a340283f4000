"""Founds an org: settings, an administrator, an app, and a generated history loaded straight into the tables.

Not here: what the history tells (seeding/).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from orgsim import ids
from orgsim.founding import add_organization_row
from orgsim.oauth.apps import App, add_app, apps_of
from orgsim.oauth.users import NewUser, add_user
from orgsim.schema.model import SObject
from orgsim.seeding import generate
from orgsim.store import ddl
from orgsim.store.org import Org
from orgsim.store.rows import insert_rows
from orgsim.store.state import NewOrg, State
from orgsim.store.values import Stored, to_stored

RawRow = dict[str, object]
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


@dataclass(frozen=True, slots=True)
class Founding:
    """`records` 0 founds an empty org. Without an app of its own a sandbox takes its production org's apps."""

    new_org: NewOrg
    user: NewUser
    app: App | None = None
    records: int = 0
    seed: int = 1


def found_org(state: State, wish: Founding) -> Org:
    org = state.create_org(replace(wish.new_org, with_indexes=False))
    user_id = add_user(org, wish.user)
    add_organization_row(org, user_id)
    for app in _apps(state, wish):
        add_app(org, app)
    if wish.records:
        load_history(org, records=wish.records, seed=wish.seed)
    build_indexes(org)
    return org


def load_history(org: Org, *, records: int, seed: int) -> int:
    """Load a generated history that ends now. Returns how many rows it has."""
    numbers = _Numbers(org)
    end = org.clock.now()
    return load_rows(org, generate(records=records, seed=seed, end=end, new_id=numbers.new_id), numbers)


def load_rows(org: Org, batches: Iterable[tuple[str, list[RawRow]]], numbers: "_Numbers | None" = None) -> int:
    """Insert complete rows as they are: no checks, no triggers, stamps kept."""
    numbers = numbers or _Numbers(org)
    count = 0
    with org.database.write() as connection:
        for name, rows in batches:
            sobject = org.catalog().get(name)
            columns = tuple(field.name for field in sobject.stored_fields)
            insert_rows(connection, sobject, columns, _stored(sobject, rows, numbers))
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


def _stored(sobject: SObject, rows: list[RawRow], numbers: _Numbers) -> Iterator[tuple[Stored, ...]]:
    fields = sobject.stored_fields
    defaults = {each.name: to_stored(each, each.default) for each in fields if each.type == "boolean"}
    automatic = [each for each in fields if each.auto_number]
    for row in rows:
        for field in automatic:
            row.setdefault(field.name, field.numbered(numbers.next_number(f"{sobject.name}.{field.name}")))
        yield tuple(
            to_stored(field, row[field.name]) if row.get(field.name) is not None else defaults.get(field.name)
            for field in fields
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


def build_indexes(org: Org) -> None:
    with org.database.write() as connection:
        for sobject in org.catalog():
            for statement in ddl.create_indexes(sobject):
                connection.execute(statement)
        connection.execute("ANALYZE")
