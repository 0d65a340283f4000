"""Chooses the cheapest correct way to read each object and prices it before a credit is spent (row D1). Pure.

Two ways are correct for every object: keyset pages of 2,000 in composites of five queries, or a Bulk 2.0 job. What
they cost together: credits/prices.py. Not here: asking the org how many rows there are (discover.py).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from headwater.credits.prices import bulk_calls, composite_calls, query_pages


class Method(StrEnum):
    COMPOSITE = "composite"
    BULK = "bulk"


class Mode(StrEnum):
    FULL = "full"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Wish:
    """An object to read: all of it, or what changed since (ISO text of Salesforce's clock). `rows` is an estimate."""

    sobject: str
    mode: Mode
    rows: int
    since_utc: str = ""


@dataclass(frozen=True, slots=True)
class ObjectRead:
    sobject: str
    mode: Mode
    rows: int
    since_utc: str
    method: Method
    pages: int


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """`looking_calls` were spent to make the plan; the rest is what carrying it out will take."""

    reads: tuple[ObjectRead, ...]
    looking_calls: int
    composite_calls: int
    bulk_calls: int

    @property
    def calls(self) -> int:
        return self.looking_calls + self.composite_calls + self.bulk_calls

    @property
    def rows(self) -> int:
        return sum(read.rows for read in self.reads)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "SyncPlan":
        reads = tuple(
            ObjectRead(**{**row, "mode": Mode(row["mode"]), "method": Method(row["method"])}) for row in stored["reads"]
        )
        return cls(reads, stored["looking_calls"], stored["composite_calls"], stored["bulk_calls"])


def choose(wishes: Sequence[Wish], *, looking_calls: int) -> SyncPlan:
    """Give the k largest objects to Bulk, the others to composites, for the k that costs least (ties: fewest jobs)."""
    by_size = sorted(wishes, key=lambda wish: (-wish.rows, wish.sobject))
    options = []
    for bulk_count in range(len(by_size) + 1):
        bulk, composite = by_size[:bulk_count], by_size[bulk_count:]
        in_bulk = bulk_calls([wish.rows for wish in bulk])
        in_composites = composite_calls([query_pages(wish.rows) for wish in composite])
        options.append((in_bulk + in_composites, bulk_count, in_composites, in_bulk))
    _, bulk_count, in_composites, in_bulk = min(options)
    reads = tuple(
        ObjectRead(
            wish.sobject,
            wish.mode,
            wish.rows,
            wish.since_utc,
            Method.BULK if place < bulk_count else Method.COMPOSITE,
            query_pages(wish.rows),
        )
        for place, wish in enumerate(by_size)
    )
    return SyncPlan(reads, looking_calls, in_composites, in_bulk)
