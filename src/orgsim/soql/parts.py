"""The parts of one compiled SELECT, and the clauses that end it: ORDER BY, LIMIT and OFFSET."""

from collections.abc import Sequence
from dataclasses import dataclass

from orgsim.errors import ApiError
from orgsim.soql import tree
from orgsim.soql.scope import Scope

MAX_OFFSET = 2000
MAX_LIMIT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Lead:
    """A condition whose index might lead: SQL that counts its rows, up to a limit, and the condition as a hint."""

    probe: str
    hint: str


@dataclass(frozen=True, slots=True)
class Parts:
    """Empty strings where the query has no such clause."""

    scope: Scope
    kind: str  # records, count or aggregate
    output: str
    where: str
    order: str
    limit: str
    header: tuple[str, ...] = ()
    leads: tuple[Lead, ...] = ()
    aggregate_sql: str = ""

    @property
    def from_sql(self) -> str:
        return self.scope.from_sql()

    @property
    def sql(self) -> str:
        if self.aggregate_sql:
            return self.aggregate_sql
        rows = f"SELECT {self.output} FROM {self.from_sql}{self.where}{self.order}{self.limit}"  # noqa: S608  names come from the schema
        return f"SELECT count(*) FROM ({rows})" if self.kind == "count" else rows  # noqa: S608  names come from the schema


def order_sql(columns: Sequence[str], select: tree.Select) -> str:
    terms = []
    for sql, item in zip(columns, select.order, strict=True):
        nulls = " NULLS LAST" if item.nulls_last else " NULLS FIRST" if item.descending else ""
        terms.append(f"{sql}{' DESC' if item.descending else ''}{nulls}")
    return f" ORDER BY {', '.join(terms)}" if terms else ""


def limit_sql(select: tree.Select) -> str:
    if (select.offset or 0) > MAX_OFFSET:
        raise ApiError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
    if (select.limit or 0) > MAX_LIMIT:
        raise ApiError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL limit allowed is {MAX_LIMIT}")
    if select.limit is None and select.offset is None:
        return ""
    return f" LIMIT {-1 if select.limit is None else select.limit} OFFSET {select.offset or 0}"
