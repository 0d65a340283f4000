"""Chooses the cheapest correct way to read each object and prices it before a credit is spent (row D1). Pure.

The ways, the formulas and an example: docs/reference/plan.md; what they cost together: credits/prices.py.
Not here: asking the org how many rows there are, or expecting it (discover.py).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from math import ceil
from typing import Any

from headwater.credits.prices import (
    UNKNOWN_BULK_ROWS_PER_SECOND,
    UNKNOWN_SECONDS_PER_CALL,
    bulk_calls,
    bulk_page_rows,
    bulk_polls,
    bulk_result_pages,
    composite_calls,
    composites_at_least,
    pages_of_one_object,
    query_pages,
)
from headwater.salesforce.rest import QUERY_PAGE_ROWS
from headwater.sync.soql import parse_stamp

BULK_FILE_BYTES = 512 * 1024 * 1024
UNKNOWN_ROW_BYTES = 500


class Method(StrEnum):
    """PAGES: a plain query, alone. COMPOSITE: a page beside others' pages. RANGES: several pages of it side by side."""

    PAGES = "pages"
    COMPOSITE = "composite"
    RANGES = "ranges"
    BULK = "bulk"


class Mode(StrEnum):
    """FULL: history, all of it. ANEW: all of a small table, as often as it is due. CHANGES: since the last read.

    FORMULAS: of all live rows the values that move without a stamp, as often as they are due.
    """

    FULL = "full"
    ANEW = "anew"
    CHANGES = "changes"
    FORMULAS = "formulas"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the org was so far; None where nobody knows yet."""

    seconds_per_call: float | None = None
    bulk_rows_per_second: float | None = None  # until a job is complete
    fetched_rows_per_second: float | None = None  # of a complete job, into a part


@dataclass(frozen=True, slots=True)
class Wish:
    """An object to read: all of it, or what changed since (ISO text of Salesforce's clock).

    rows        How many are expected.
    is_counted  Somebody counted them just now, so that a Bulk job may be made without a look at the first page.
    row_bytes   Width of a row as CSV.
    page_rows   Rows of a REST page, fewer than 2,000 where the org sends wide rows in smaller pages.
    formulas    The columns to read, of a refresh.
    only        A condition on the rows, as SOQL; empty: all of them.
    """

    sobject: str
    mode: Mode
    rows: int
    since_utc: str = ""
    is_counted: bool = True
    row_bytes: int = UNKNOWN_ROW_BYTES
    page_rows: int = QUERY_PAGE_ROWS
    formulas: tuple[str, ...] = ()
    only: str = ""

    @property
    def pages(self) -> int:
        return query_pages(self.rows, self.page_rows)

    @property
    def at_once(self) -> int:
        return pages_of_one_object(self.page_rows)


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """`pages`: of a query, or of a Bulk job's result. `bulk_page_rows`: `maxRecords`, should it go by Bulk.

    is_counted      As in Wish: a Bulk job needs no look.
    after, before   Ids between which a Bulk job reads, where pages were read already.
    only            As in Wish.
    """

    sobject: str
    mode: Mode
    rows: int
    since_utc: str
    method: Method
    pages: int
    page_rows: int
    row_bytes: int
    bulk_page_rows: int
    why: str
    is_counted: bool = True
    after: str = ""
    before: str = ""
    only: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What this cycle leaves out, for how many credits it will be read, and when there is room again."""

    sobject: str
    rows: int
    calls: int
    until_utc: str
    mode: Mode = Mode.FULL

    @property
    def until(self) -> datetime:
        return parse_stamp(self.until_utc)


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """`looking_calls` were spent to make the plan; the rest is what carrying it out will take.

    refresh       Of it the formulas, which are read once `reads` are in; None where none are due.
    left_calls    What the window would grant afterwards; below zero: so many have to wait until `resets_utc`.
    floor_calls   Of the org's allowance, kept for its other users; None where the org has not told it.
    """

    reads: tuple[ObjectRead, ...]
    looking_calls: int
    query_calls: int
    composite_calls: int
    bulk_calls: int
    seconds: int = 0
    left_calls: int | None = None
    floor_calls: int | None = None
    resets_utc: str = ""
    waiting: tuple[Waiting, ...] = field(default=())
    refresh: "SyncPlan | None" = None

    @property
    def resets(self) -> datetime | None:
        return parse_stamp(self.resets_utc) if self.resets_utc else None

    @property
    def reading_calls(self) -> int:
        return self.query_calls + self.composite_calls + self.bulk_calls

    @property
    def calls(self) -> int:
        return self.looking_calls + self.reading_calls

    @property
    def rows(self) -> int:
        return sum(read.rows for read in self.reads)

    @property
    def all_reads(self) -> tuple[ObjectRead, ...]:
        return (*self.reads, *(self.refresh.reads if self.refresh else ()))

    @property
    def all_waiting(self) -> tuple[Waiting, ...]:
        return (*self.waiting, *(self.refresh.waiting if self.refresh else ()))

    def with_refresh(self, refresh: "SyncPlan | None") -> "SyncPlan":
        """This plan, which has none, and the refresh behind it."""
        if refresh is None:
            return self
        return replace(
            self,
            query_calls=self.query_calls + refresh.query_calls,
            composite_calls=self.composite_calls + refresh.composite_calls,
            bulk_calls=self.bulk_calls + refresh.bulk_calls,
            seconds=self.seconds + refresh.seconds,
            left_calls=None if self.left_calls is None else self.left_calls - refresh.reading_calls,
            refresh=refresh,
        )

    @property
    def by_bulk(self) -> list[ObjectRead]:
        return [read for read in self.reads if read.method is Method.BULK]

    @property
    def by_bulk_at_once(self) -> list[ObjectRead]:
        """Those whose job is made before anything was read of them."""
        return [read for read in self.by_bulk if read.is_counted]

    @property
    def to_look_at(self) -> list[ObjectRead]:
        return [read for read in self.reads if read not in self.by_bulk_at_once]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def told(self) -> dict[str, Any]:
        """For people and programmes: formulas stand among the rest."""
        whole = replace(self, reads=self.all_reads, waiting=self.all_waiting, refresh=None)
        return {**{name: value for name, value in whole.to_json().items() if name != "refresh"}, "calls": self.calls}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "SyncPlan":
        reads = tuple(
            ObjectRead(**{**row, "mode": Mode(row["mode"]), "method": Method(row["method"])}) for row in stored["reads"]
        )
        waiting = tuple(Waiting(**{**row, "mode": Mode(row.get("mode", Mode.FULL))}) for row in stored["waiting"])
        refresh = cls.from_json(stored["refresh"]) if stored.get("refresh") else None
        return cls(**{**stored, "reads": reads, "waiting": waiting, "refresh": refresh})


@dataclass(frozen=True, slots=True)
class _Option:
    """The `bulk` objects by Bulk jobs, all others in composites."""

    bulk: tuple[Wish, ...]
    pages: tuple[int, ...]  # of each object in composites: all of it, or the look at one that goes by Bulk
    at_once: tuple[int, ...]
    bulk_calls: int
    have_looked: bool

    @property
    def least_calls(self) -> int:
        return composites_at_least(self.pages, self.at_once) + self.bulk_calls

    @property
    def composite_calls(self) -> int:
        return composite_calls(self.pages, self.at_once, have_looked=self.have_looked)


def choose(
    wishes: Sequence[Wish],
    *,
    looking_calls: int,
    pace: Pace = Pace(),
    bulk_file_bytes: int = BULK_FILE_BYTES,
    have_looked: bool = False,
    are_polls_paid: bool = False,
) -> SyncPlan:
    """Give the k largest objects to Bulk, the others to composites, for the k that costs least (ties: fewest jobs).

    have_looked      The first pages were read and the counts are the org's own: what goes by Bulk needs no look.
    are_polls_paid   Other jobs are under way, which are looked at anyway.
    """
    by_size = sorted(wishes, key=lambda wish: (-wish.pages, wish.sobject))
    polls = 0 if are_polls_paid else polls_of(pace)
    options = [
        _option(by_size, bulk_count, polls, bulk_file_bytes, have_looked=have_looked)
        for bulk_count in range(len(by_size) + 1)
    ]
    best, in_composites = _cheapest(options)
    reads = tuple(_read(wish, best, bulk_file_bytes) for wish in by_size)
    is_alone = [read.method for read in reads if read.method is not Method.BULK] == [Method.PAGES]
    return SyncPlan(
        reads=reads,
        looking_calls=looking_calls,
        query_calls=in_composites if is_alone else 0,
        composite_calls=0 if is_alone else in_composites,
        bulk_calls=best.bulk_calls,
        seconds=_seconds(best, in_composites, pace),
    )


def polls_of(pace: Pace) -> int:
    return bulk_polls(is_rate_known=pace.bulk_rows_per_second is not None)


def _cheapest(options: Sequence[_Option]) -> tuple[_Option, int]:
    """The best and its composites. Those that cannot win are not gone through call by call: they may be very long."""
    first, *others = sorted(options, key=lambda each: (each.least_calls, len(each.bulk)))
    best, in_composites = first, first.composite_calls
    for option in others:
        least_to_beat = (in_composites + best.bulk_calls, len(best.bulk))
        if (option.least_calls, len(option.bulk)) >= least_to_beat:
            continue
        calls = option.composite_calls
        if (calls + option.bulk_calls, len(option.bulk)) < least_to_beat:
            best, in_composites = option, calls
    return best, in_composites


def _option(by_size: Sequence[Wish], bulk_count: int, polls: int, file_bytes: int, *, have_looked: bool) -> _Option:
    bulk, others = by_size[:bulk_count], by_size[bulk_count:]
    looks = [wish for wish in bulk if not wish.is_counted and not have_looked]
    return _Option(
        bulk=tuple(bulk),
        pages=tuple([wish.pages for wish in others] + [1] * len(looks)),
        at_once=tuple([wish.at_once for wish in others] + [1] * len(looks)),
        bulk_calls=bulk_calls([_result_pages(wish, file_bytes) for wish in bulk], polls),
        have_looked=have_looked,
    )


def _result_pages(wish: Wish, file_bytes: int) -> int:
    return bulk_result_pages(wish.rows, bulk_page_rows(wish.row_bytes, file_bytes))


def _read(wish: Wish, option: _Option, file_bytes: int) -> ObjectRead:
    method, why = _method(wish, option)
    if wish.formulas:
        why = f"{', '.join(wish.formulas)} may move without a stamp; {why}"
    return ObjectRead(
        sobject=wish.sobject,
        mode=wish.mode,
        rows=wish.rows,
        since_utc=wish.since_utc,
        method=method,
        pages=_result_pages(wish, file_bytes) if method is Method.BULK else wish.pages,
        page_rows=wish.page_rows,
        row_bytes=wish.row_bytes,
        bulk_page_rows=bulk_page_rows(wish.row_bytes, file_bytes),
        why=why,
        is_counted=wish.is_counted,
        only=wish.only,
    )


def _method(wish: Wish, option: _Option) -> tuple[Method, str]:
    if wish in option.bulk:
        return Method.BULK, f"{ceil(wish.pages / wish.at_once):,} composites would cost more than a job and its file"
    if len(option.pages) == 1 and wish.pages <= 2:
        return Method.PAGES, "alone: a plain query costs the same as a composite"
    if wish.pages == 1:
        return Method.COMPOSITE, "one page, beside those of others"
    return Method.RANGES, f"{wish.pages:,} pages, up to {wish.at_once} of them in one composite"


def _seconds(option: _Option, in_composites: int, pace: Pace) -> int:
    """Jobs run while composites are read; then their results are fetched one after the other."""
    by_rest = in_composites * (pace.seconds_per_call or UNKNOWN_SECONDS_PER_CALL)
    rows_per_second = pace.bulk_rows_per_second or UNKNOWN_BULK_ROWS_PER_SECOND
    jobs = max((wish.rows for wish in option.bulk), default=0) / rows_per_second
    fetching = sum(wish.rows for wish in option.bulk) / (pace.fetched_rows_per_second or rows_per_second)
    return ceil(max(by_rest, jobs) + fetching)
