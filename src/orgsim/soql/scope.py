"""What the names in one SELECT mean: its object, the parents it reaches by dots, and the SQL columns behind them."""

import datetime as dt
import secrets
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from orgsim.errors import ApiError
from orgsim.formula.errors import FormulaError
from orgsim.schema.catalog import Catalog
from orgsim.schema.model import Field, SObject
from orgsim.soql import tree
from orgsim.soql.computed import computed_sql
from orgsim.soql.currency import Currencies, Money
from orgsim.soql.dates import offsets
from orgsim.soql.refuse import no_such_column, no_such_relationship
from orgsim.store.ddl import hiding_fields
from orgsim.store.lateness import EVERYTHING, Sight

MAX_PARENT_LEVELS = 5
MAX_PARENT_RELATIONSHIPS = 55
MAX_JOINED_TABLES = 60  # SQLite joins 64
# The fields of the object Name, which is all a polymorphic path leads to without TYPEOF.
_NAME_FIELDS = frozenset(
    {"id", "name", "firstname", "lastname", "middlename", "suffix", "alias", "email", "phone", "title", "isactive"}
    | {"username", "profileid", "userroleid", "recordtypeid"}
)
_LEAF_TERMS = 50
_TYPE_FIELD = Field("Type", "string", "Type", length=40)


@dataclass(slots=True)
class Question:
    """What all scopes of one query share: the text (for messages), the schema, the parameters, the asker's time."""

    text: str
    catalog: Catalog  # as the asker sees it
    whole_catalog: Catalog  # as formulas see it
    all_rows: bool
    now: dt.datetime
    time_zone: ZoneInfo
    api_version: str
    user_id: str
    currencies: Currencies | None = None  # of an org that has several
    milliseconds: bool = False
    params: dict[str, str | int | float | None] = field(default_factory=dict)
    aliases: int = 0
    sight: Sight = EVERYTHING
    batch_rows: int = 0  # how many children of a record come at once; 0: all
    child_sets: list[str] = field(default_factory=list)  # SQL of the children of one record, for each child subquery
    child_mark: str = field(default_factory=lambda: secrets.token_hex(16))  # what no record can hold by chance
    child_relationships: int = 0
    parent_relationships: set[tuple[str, ...]] = field(default_factory=set)

    def whole(self, sobject: SObject) -> SObject:
        """An object of the asker's with what is kept from them."""
        return sobject if self.catalog is self.whole_catalog else self.whole_catalog.get(sobject.name)

    def local_sql(self, sql: str) -> str:
        """A stored datetime as the asker's clock shows it: one WHEN per change of the clock."""
        spans = offsets(self.time_zone)
        whens = " ".join(f"WHEN {sql} < '{until}' THEN '{minutes:+d} minutes'" for until, minutes in spans[:-1])
        offset = f"CASE {whens} ELSE '{spans[-1][1]:+d} minutes' END" if whens else f"'{spans[-1][1]:+d} minutes'"
        return f"strftime('%Y-%m-%dT%H:%M:%S', substr({sql}, 1, 19), {offset})"

    def param(self, value: str | int | float | None) -> str:
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f":{name}"

    def alias(self) -> str:
        self.aliases += 1
        return f"t{self.aliases - 1}"

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(self.time_zone).date()


@dataclass(frozen=True, slots=True)
class Column:
    """An SQL expression with the field that says how to compare and show it."""

    sql: str
    field: Field
    entity: str
    money: Money | None = None  # of an amount in an org with several currencies


@dataclass(frozen=True, slots=True)
class Place:
    """The object at the end of a path. A polymorphic path ends in several, of which each row has one."""

    targets: tuple[tuple[str, SObject], ...]

    @property
    def entity(self) -> str:
        return self.targets[0][1].name if len(self.targets) == 1 else "Name"

    @property
    def id_sql(self) -> str:
        return _first_of([f'{alias}."Id"' for alias, _ in self.targets])

    @property
    def type_sql(self) -> str:
        if len(self.targets) == 1:
            return f"'{self.entity}'"
        whens = " ".join(f"WHEN {alias}.\"Id\" IS NOT NULL THEN '{each.name}'" for alias, each in self.targets)
        return f"CASE {whens} END"


class Scope:
    """One SELECT. Joins are made as paths are asked for."""

    def __init__(self, question: Question, sobject: SObject, alias_in_text: str | None, source: str = "") -> None:
        """`source` is what rows come from instead of the object's table."""
        self.question = question
        self.sobject = sobject
        self.alias = question.alias()
        self.level = 0  # of child subqueries above it
        self._source = source or question.sight.table_sql(sobject)
        self.joins: list[str] = []
        self.formula_joins: dict[tuple[str, str], str] = {}  # aliases by (alias of the child, relationship)
        self._own_names = {sobject.name.lower(), (alias_in_text or sobject.name).lower()}
        self._named: dict[str, tuple[str, ...]] = {}  # parents by the alias that FROM gives them
        self._places: dict[tuple[str, ...], Place] = {(): Place(((self.alias, sobject),))}

    def column(self, path: tree.Path) -> Column:
        """Raises ApiError INVALID_FIELD for a name the object does not have."""
        names = self.own_path(path)
        place = self.place(names[:-1], path)
        return self._field_of(place, names[-1], path)

    def own_path(self, path: tree.Path) -> tuple[str, ...]:
        """The names without a leading object name or alias, which stands for no parent or for the one it names."""
        first = path.names[0].lower()
        if len(path.names) > 1 and first in self._named:
            return (*self._named[first], *path.names[1:])
        if len(path.names) > 1 and first in self._own_names:
            return path.names[1:]
        return path.names

    def name_parent(self, path: tree.Path, alias: str | None) -> None:
        """`FROM Contact c, c.Account a`: the parent must be there, and may have an alias."""
        names = self.own_path(path)
        self.place(names, path)
        if alias:
            self._named[alias.lower()] = names

    def place(self, names: tuple[str, ...], path: tree.Path) -> Place:
        key = tuple(name.lower() for name in names)
        if key not in self._places:
            if len(names) > MAX_PARENT_LEVELS:
                raise ApiError("INVALID_FIELD", f"SOQL relationship path is too deep: {path}")
            self._count_relationship(key)
            self._places[key] = self._join(self.place(names[:-1], path), names[-1], path)
        return self._places[key]

    def _count_relationship(self, key: tuple[str, ...]) -> None:
        known = self.question.parent_relationships
        known.add((self.sobject.name, *key))
        if len(known) > MAX_PARENT_RELATIONSHIPS:
            message = f"A query can have at most {MAX_PARENT_RELATIONSHIPS} child-to-parent relationships."
            raise ApiError("MALFORMED_QUERY", message)

    def _join(self, start: Place, relationship: str, path: tree.Path) -> Place:
        links = [
            (f'{alias}."{found.name}"', found)
            for alias, each in start.targets
            if (found := each.find_relationship(relationship))
        ]
        if not links:
            raise no_such_relationship(relationship, self.question.text, path.at)
        link_sql = _first_of([sql for sql, _ in links])
        return Place(
            tuple((self.join(name, link_sql), self.question.catalog.get(name)) for name in links[0][1].reference_to)
        )

    def join(self, name: str, link_sql: str) -> str:
        """The alias of the row of an object that a reference leads to, if there is one."""
        if len(self.joins) >= MAX_JOINED_TABLES:
            raise ApiError(
                "QUERY_TOO_COMPLICATED",
                "Query is either selecting too many fields or the filter conditions are too complicated.",
            )
        alias = self.question.alias()
        source = self.question.sight.table_sql(self.question.catalog.get(name))
        self.joins.append(f'LEFT JOIN {source} {alias} ON {alias}."Id" = {link_sql}')
        return alias

    def _field_of(self, place: Place, name: str, path: tree.Path) -> Column:
        found = [(alias, each, field) for alias, each in place.targets if (field := each.find(name))]
        if len(place.targets) > 1 and name.lower() == "type":
            return Column(place.type_sql, _TYPE_FIELD, place.entity)
        if len(place.targets) > 1 and name.lower() not in _NAME_FIELDS:
            found = []
        if not found:
            raise no_such_column(name, place.entity, self.question.text, path.at)
        sql = _first_of([self._sql_of(alias, each, field) for alias, each, field in found])
        return Column(sql, found[0][2], place.entity, self._money_of(found))

    def _money_of(self, found: list[tuple[str, SObject, Field]]) -> Money | None:
        [alias, sobject, field], *others = found
        if self.question.currencies is None or others or field.type != "currency":
            return None
        return self.question.currencies.money_of(alias, sobject)

    def _sql_of(self, alias: str, sobject: SObject, field: Field) -> str:
        if field.formula is None:
            return f'{alias}."{field.name}"'
        try:
            return computed_sql(self, alias, sobject, field)
        except FormulaError as error:
            raise ApiError("INVALID_FIELD", f"{sobject.name}.{field.name}: {error}") from error

    def visible_sql(self) -> list[str]:
        """Without queryAll, the recycle bin and archived activities are out of sight (facts C.2)."""
        if self.question.all_rows:
            return []
        return [f'{self.alias}."{name}" = 0' for name in hiding_fields(self.sobject)]

    def from_sql(self) -> str:
        return " ".join((f"{self._source} {self.alias}", *self.joins))


def balanced(terms: list[str], operator: str) -> str:
    """Terms joined by an associative operator as a shallow tree: SQLite allows a depth of 1,000."""
    if len(terms) <= _LEAF_TERMS:
        return operator.join(terms)
    middle = len(terms) // 2
    return f"({balanced(terms[:middle], operator)}){operator}({balanced(terms[middle:], operator)})"


def _first_of(expressions: list[str]) -> str:
    return expressions[0] if len(expressions) == 1 else f"coalesce({', '.join(expressions)})"
