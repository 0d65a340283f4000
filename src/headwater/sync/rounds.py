"""Reads objects in rounds of up to five pages a credit: first a page of each, then the rest of whoever is not through.

Pages of one object stand side by side from both ends of what is unread. Two pages that follow each other overlap by
one row: only where that row is the same, nothing can have slipped between them. Why so: docs/reference/plan.md.
Every round is a step of the job, recorded with the parts it made. Not here: what to read how (plan.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from headwater.common.clock import now_utc
from headwater.credits.prices import pages_from_an_end, pages_of_one_object, query_pages, share_composite
from headwater.lake import Part
from headwater.salesforce.rest import Org, QueryPage, Record, SubQuery
from headwater.sync.learning import sampled_row_bytes
from headwater.sync.plan import ObjectRead
from headwater.sync.read import Reading, since_of
from headwater.sync.soql import Slice, Span, page_soql, to_literal


@dataclass(slots=True)
class Unread:
    """What is still to come of one object. `left_rows` is expected until somebody has looked, then counted.

    next_path   Where the page behind the only one so far is.
    """

    read: ObjectRead
    span: Span
    left_rows: int
    page_rows: int
    is_looked_at: bool = False
    next_path: str = ""

    @property
    def pages(self) -> int:
        return query_pages(self.left_rows, self.page_rows)

    def slices(self, count: int) -> list[Slice]:
        """`count` pages, as many as possible from the front; the very first without a limit, as it tells the total."""
        in_front = min(count, pages_from_an_end(self.page_rows))
        step = self.page_rows - 1
        front = [Slice(self.page_rows, skip=place * step) for place in range(in_front)]
        if not self.is_looked_at:
            front[0] = Slice(None)
        return front + [Slice(self.page_rows, place * step, is_from_end=True) for place in range(count - in_front)]


@dataclass(frozen=True, slots=True)
class Ask:
    """The pages that a round asks for of one object."""

    unread: Unread
    slices: tuple[Slice, ...]

    @property
    def sobject(self) -> str:
        return self.unread.read.sobject


class Rounds:
    """Reads `reads`; objects may be taken out between looking and finishing, to be read on by Bulk."""

    def __init__(self, reading: Reading, reads: Iterable[ObjectRead]) -> None:
        self._reading = reading
        self._number = 0
        self._open = {
            read.sobject: Unread(read, Span(read.after, read.before), read.rows, read.page_rows) for read in reads
        }

    @property
    def left(self) -> Mapping[str, Unread]:
        return self._open

    def look(self) -> None:
        """Until a page of each object was read and its true number of rows is known."""
        while any(not each.is_looked_at for each in self._open.values()):
            self._round()

    def take_out(self, sobject: str) -> Unread:
        return self._open.pop(sobject)

    def finish(self) -> None:
        while self._open:
            self._round()

    def _round(self) -> None:
        asks = self._compose()
        result = _carry_out(self._reading, self._number, asks)
        self._reading.tally.add_round(result)
        for sobject, outcome in result["objects"].items():
            self._go_on(self._open[sobject], outcome)
        self._number += 1

    def _compose(self) -> list[Ask]:
        objects = sorted(self._open.values(), key=lambda each: (-each.left_rows, each.read.sobject))
        shares = share_composite(
            [each.pages for each in objects],
            [pages_of_one_object(each.page_rows) for each in objects],
            [not each.is_looked_at for each in objects],
        )
        return [Ask(each, tuple(each.slices(count))) for each, count in zip(objects, shares, strict=True) if count]

    def _go_on(self, unread: Unread, outcome: Mapping[str, Any]) -> None:
        if outcome["is_done"]:
            del self._open[unread.read.sobject]
            return
        unread.span = Span(**outcome["span"])
        unread.left_rows, unread.page_rows = outcome["left_rows"], outcome["page_rows"]
        unread.next_path = outcome["next_path"]
        unread.is_looked_at = True


def _carry_out(reading: Reading, number: int, asks: Sequence[Ask]) -> dict[str, Any]:
    def fetch() -> tuple[list["_Joined"], list[Part | None], datetime, float]:
        began_utc = now_utc()
        pages, server_utc = _send(reading, asks)
        seconds = (now_utc() - began_utc).total_seconds()
        joined = [_join(ask, of_ask) for ask, of_ask in zip(asks, pages, strict=True)]
        return joined, [reading.write_records(each.sobject, each.records) for each in joined], server_utc, seconds

    def record(fetched: tuple[list["_Joined"], list[Part | None], datetime, float]) -> dict[str, Any]:
        joined, parts, server_utc, seconds = fetched
        for each, part in zip(joined, parts, strict=True):
            if part is not None:
                reading.record_part(each.sobject, part)
        outcomes = {each.sobject: each.outcome() for each in joined}
        return {"server_utc": to_literal(server_utc), "seconds": seconds, "objects": outcomes}

    result: dict[str, Any] = reading.job.step(f"round {number}", fetch, record)
    return result


def _send(reading: Reading, asks: Sequence[Ask]) -> tuple[list[list[QueryPage]], datetime]:
    """The pages of each ask, for one credit. A single page goes as a plain query, or behind the one before it.

    Where the org no longer knows which one that was, it is asked as any other, for one credit more.
    """
    queries = [[_query(reading, ask, piece) for piece in ask.slices] for ask in asks]
    flat = [query for of_ask in queries for query in of_ask]
    org = Org(reading.transport)
    if len(flat) == 1:
        path = asks[0].unread.next_path
        followed = org.follow(flat[0], path) if path else None
        page, server_utc = followed or org.query_alone(flat[0])
        return [[page]], server_utc
    pages, server_utc = org.query_together(flat)
    rest = iter(pages)
    return [[next(rest) for _ in of_ask] for of_ask in queries], server_utc


def _query(reading: Reading, ask: Ask, piece: Slice) -> SubQuery:
    read = ask.unread.read
    soql = page_soql(reading.schemas[read.sobject], since_of(read), ask.unread.span, piece, read.only)
    return SubQuery(read.sobject, soql, batch_rows=max(ask.unread.page_rows, 200))


@dataclass(slots=True)
class _Joined:
    """The rows of an object's pages of one round, each once, and what is still unread between them."""

    sobject: str
    records: list[Record]
    span: Span
    left_rows: int
    page_rows: int
    pages: int
    is_done: bool = False
    is_shrunk: bool = False
    next_path: str = ""

    def outcome(self) -> dict[str, Any]:
        """What the next round must know, as JSON."""
        return {
            "rows": len(self.records),
            "row_bytes": sampled_row_bytes(self.records) if self.records else None,
            "span": asdict(self.span),
            "left_rows": self.left_rows,
            "page_rows": self.page_rows,
            "pages": self.pages,
            "is_done": self.is_done,
            "is_shrunk": self.is_shrunk,
            "next_path": self.next_path,
        }


def _join(ask: Ask, pages: Sequence[QueryPage]) -> _Joined:
    unread = ask.unread
    is_look = not unread.is_looked_at
    total = pages[0].total_rows if is_look else unread.left_rows
    joined = _Joined(ask.sobject, [], unread.span, total, unread.page_rows, len(pages))
    pairs = list(zip(ask.slices, pages, strict=True))
    _join_end(joined, [pair for pair in pairs if not pair[0].is_from_end])
    if not joined.is_done:
        _join_end(joined, [pair for pair in pairs if pair[0].is_from_end])
    joined.left_rows = max(1, total - len(joined.records))
    if len(pages) == 1 and not joined.is_done and joined.left_rows <= joined.page_rows and not pages[0].is_last:
        joined.next_path = pages[0].next_path
    return joined


def _join_end(joined: _Joined, pairs: Sequence[tuple[Slice, QueryPage]]) -> None:
    """Add pages that go on from one end, as long as each joins on to the one before and meets none of the other end."""
    known = {record["Id"] for record in joined.records}
    last = ""
    for piece, page in pairs:
        records = page.records
        if piece.skip:
            if not records or records[0]["Id"] != last:
                return  # rows came or went meanwhile: the next round asks again
            records = records[1:]
        fresh = [record for record in records if record["Id"] not in known]
        joined.records.extend(fresh)
        if fresh:
            last = fresh[-1]["Id"]
            joined.span = Span(joined.span.after, last) if piece.is_from_end else Span(last, joined.span.before)
        if len(fresh) < len(records) or _is_end(piece, page):
            joined.is_done = True
            return
        if len(page.records) < joined.page_rows:  # the org sends fewer rows a page than asked for (facts C.3)
            joined.page_rows, joined.is_shrunk = max(2, len(page.records)), True
            return


def _is_end(piece: Slice, page: QueryPage) -> bool:
    """A full page is never taken for the last, whatever it says of itself."""
    return page.is_last and (piece.rows is None or len(page.records) < piece.rows)
