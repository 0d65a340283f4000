"""The syntax tree of a SOQL query. `at` is the character offset in the query's text, for error messages."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Path:
    """`Name`, `Account.Owner.Name`."""

    names: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Call:
    """`COUNT(Id)`, `CALENDAR_YEAR(CreatedDate)`, `FIELDS(ALL)`."""

    name: str
    arguments: tuple["Expression", ...]
    at: int

    def __str__(self) -> str:
        return f"{self.name}({','.join(map(str, self.arguments))})"


Expression = Path | Call


@dataclass(frozen=True, slots=True)
class Item:
    expression: Expression
    alias: str | None


@dataclass(frozen=True, slots=True)
class Subquery:
    select: "Select"


@dataclass(frozen=True, slots=True)
class When:
    """`WHEN Contact THEN Id, Email` of a TYPEOF."""

    source: Path
    fields: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Typeof:
    relationship: Path
    whens: tuple[When, ...]
    otherwise: tuple[Path, ...]


class ValueKind(StrEnum):
    STRING = "string"
    NUMBER = "number"
    MONEY = "currency"  # USD5000
    DATE = "date"
    DATETIME = "datetime"
    DATE_LITERAL = "date literal"
    BOOLEAN = "boolean"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Value:
    kind: ValueKind
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` is one of = != < <= > >= like in not in includes excludes."""

    left: Expression
    operator: str
    values: tuple[Value, ...]
    inner: "Select | None" = None


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Both:
    """Conditions joined by AND, or by OR when `either`."""

    conditions: tuple["Condition", ...]
    either: bool


Condition = Comparison | Not | Both


@dataclass(frozen=True, slots=True)
class OrderItem:
    expression: Expression
    descending: bool
    nulls_last: bool | None


@dataclass(frozen=True, slots=True)
class Select:
    items: tuple[Item | Subquery | Typeof, ...]
    source: Path
    source_alias: str | None
    where: Condition | None
    group: tuple[Expression, ...]
    having: Condition | None
    order: tuple[OrderItem, ...]
    limit: int | None
    offset: int | None
    at: int
    using: Path | None = None
    parents: tuple[tuple[Path, str | None], ...] = ()  # `, c.Account a` in FROM: paths and their aliases
