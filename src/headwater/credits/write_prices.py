"""What writing costs in API credits, and the cheapest correct way for each queue, before any is spent. Pure.

Three ways (facts B.6): collections of up to 200 records, composites of five collections, Bulk 2.0 jobs. Not here: what
is in the queues (export/wanted.py), and whether the org admits Bulk (export/bulk_refusals.py).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import product
from typing import Any

from headwater.common.errors import Facts, Fix
from headwater.salesforce.bulk import MULTIPART_CHARACTERS_MAX, UPLOAD_BYTES_MAX
from headwater.salesforce.collections import COLLECTION_ROWS_MAX, COLLECTIONS_MAX

BATCH_SIZES = (200, 100, 50, 25)
JOB_BYTES = UPLOAD_BYTES_MAX * 95 // 100  # a record is never cut in two: room for the one that crosses the border
CALLS_PER_JOB = 4  # create, upload, close, successful results; failed results are one more where there are any
CALLS_PER_SMALL_JOB = 2  # created with its rows in the same call, and successful results
# What an org without heavy automation does; one that is slower or faster moves the number of polls a little.
BULK_ROWS_PER_SECOND = 500
BULK_START_SECONDS = 10
RECORDS_PER_SECOND = 100  # by collections
FIRST_POLL_PART = 0.5  # of the expected time; then polls by a quarter of it, each half as long again as the last
NEXT_POLL_PART = 0.25
POLL_FACTOR = 1.5
POLL_LEAST_SECONDS, POLL_MOST_SECONDS = 2.0, 900.0
SMALL_BATCHES = "Batches of fewer than 200 records are set, for lighter transactions in the org: Bulk jobs take 200."


class Action(StrEnum):
    DELETE = "delete"
    UPSERT = "upsert"


class Way(StrEnum):
    COLLECTIONS = "collections"
    COMPOSITE = "composite"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Queue:
    """Records of one object to be upserted or deleted.

    csv_bytes       what they take as CSV, at most
    unfit_records   of `records`, those that CSV cannot say: they are written by collections whatever happens
    """

    action: Action
    sobject: str
    records: int
    csv_bytes: int
    unfit_records: int = 0

    @property
    def fit_records(self) -> int:
        return self.records - self.unfit_records

    @property
    def jobs(self) -> int:
        return math.ceil(self.csv_bytes / JOB_BYTES)

    @property
    def is_small(self) -> bool:
        """Whether one job takes its rows with its creation. Only deletes: an upsert sent twice at once can collide."""
        return self.action is Action.DELETE and self.csv_bytes <= MULTIPART_CHARACTERS_MAX


@dataclass(frozen=True, slots=True)
class QueueWrite:
    """How one queue is written. `jobs` is 0 where it is not by Bulk, `batches` counts collections."""

    action: Action
    sobject: str
    records: int
    unfit_records: int
    way: Way
    jobs: int
    is_small: bool
    batches: int


@dataclass(frozen=True, slots=True)
class WritePlan:
    """`without_bulk` says why Bulk was not considered; empty where it was."""

    writes: tuple[QueueWrite, ...]
    batch_size: int
    without_bulk: str
    looking_calls: int
    collection_calls: int
    bulk_calls: int
    seconds: int

    @property
    def calls(self) -> int:
        return self.looking_calls + self.collection_calls + self.bulk_calls

    @property
    def records(self) -> int:
        return sum(each.records for each in self.writes)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "calls": self.calls}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "WritePlan":
        writes = tuple(
            QueueWrite(**{**each, "action": Action(each["action"]), "way": Way(each["way"])})
            for each in stored["writes"]
        )
        return cls(**{**{name: value for name, value in stored.items() if name != "calls"}, "writes": writes})


def check_batch_size(batch_size: int) -> int:
    if batch_size in BATCH_SIZES:
        return batch_size
    raise Fix(
        "credits.bad_batch_size",
        f"{batch_size:,} is no export batch size.",
        Facts(left="Nothing was written.", you_can=f"choose one of {', '.join(map(str, BATCH_SIZES))}"),
    )


def choose(
    queues: Sequence[Queue],
    *,
    batch_size: int = COLLECTION_ROWS_MAX,
    looking_calls: int = 0,
    without_bulk: str = "",
) -> WritePlan:
    """The cheapest of all splits of the queues between Bulk and collections; of equals the one with least Bulk.

    without_bulk   Why the org's Bulk API is not to be used: then everything goes by collections, and the plan says so.
    """
    check_batch_size(batch_size)
    if not without_bulk and batch_size < COLLECTION_ROWS_MAX:
        without_bulk = SMALL_BATCHES
    filled = [queue for queue in queues if queue.records]
    options = [
        (collection_calls(filled, split, batch_size) + bulk_calls(filled, split), sum(split), split)
        for split in _splits(filled, may_bulk=not without_bulk)
    ]
    _, _, split = min(options)
    in_collections, in_bulk = collection_calls(filled, split, batch_size), bulk_calls(filled, split)
    return WritePlan(
        writes=_writes(filled, split, batch_size),
        batch_size=batch_size,
        without_bulk=without_bulk,
        looking_calls=looking_calls if filled else 0,
        collection_calls=in_collections,
        bulk_calls=in_bulk,
        seconds=_seconds(filled, split),
    )


def collection_calls(queues: Sequence[Queue], split: Sequence[bool], batch_size: int) -> int:
    """All collections in their order, five a call, whatever they hold."""
    return math.ceil(sum(_batches(queues, split, batch_size)) / COLLECTIONS_MAX)


def bulk_calls(queues: Sequence[Queue], split: Sequence[bool]) -> int:
    """Jobs with the same action are polled together; deletes are over before upserts begin."""
    calls = 0
    for action in Action:
        chosen = [queue for queue, is_bulk in zip(queues, split, strict=True) if is_bulk and queue.action is action]
        if chosen:
            calls += polls_for(seconds_of_jobs(sum(queue.fit_records for queue in chosen)))
            calls += sum(CALLS_PER_SMALL_JOB if queue.is_small else CALLS_PER_JOB * queue.jobs for queue in chosen)
    return calls


def seconds_of_jobs(records: int) -> int:
    """How long Bulk jobs of so many records together are expected to take."""
    return BULK_START_SECONDS + math.ceil(records / BULK_ROWS_PER_SECOND)


def poll_delays(expected_seconds: float) -> Iterator[float]:
    """Seconds to wait before each poll of jobs that are expected to take this long; without end."""
    yield _delay(expected_seconds * FIRST_POLL_PART)
    step = expected_seconds * NEXT_POLL_PART
    while True:
        yield _delay(step)
        step *= POLL_FACTOR


def polls_for(expected_seconds: float) -> int:
    """How many polls that schedule makes where the expectation holds."""
    waited = 0.0
    for polls, delay in enumerate(poll_delays(expected_seconds), start=1):
        waited += delay
        if waited >= expected_seconds:
            return polls
    raise AssertionError("poll_delays has no end")


def _delay(seconds: float) -> float:
    return min(max(seconds, POLL_LEAST_SECONDS), POLL_MOST_SECONDS)


def _splits(queues: Sequence[Queue], *, may_bulk: bool) -> Iterator[tuple[bool, ...]]:
    """Every way to give some of the queues to Bulk."""
    return product(*((False, True) if may_bulk and queue.fit_records else (False,) for queue in queues))


def _batches(queues: Sequence[Queue], split: Sequence[bool], batch_size: int) -> list[int]:
    return [
        math.ceil((queue.unfit_records if is_bulk else queue.records) / batch_size)
        for queue, is_bulk in zip(queues, split, strict=True)
    ]


def _writes(queues: Sequence[Queue], split: Sequence[bool], batch_size: int) -> tuple[QueueWrite, ...]:
    batches = _batches(queues, split, batch_size)
    by_collections = Way.COLLECTIONS if sum(batches) <= 1 else Way.COMPOSITE
    return tuple(
        QueueWrite(
            queue.action,
            queue.sobject,
            queue.records,
            queue.unfit_records,
            Way.BULK if is_bulk else by_collections,
            (1 if queue.is_small else queue.jobs) if is_bulk else 0,
            is_bulk and queue.is_small,
            count,
        )
        for queue, is_bulk, count in zip(queues, split, batches, strict=True)
    )


def _seconds(queues: Sequence[Queue], split: Sequence[bool]) -> int:
    pairs = list(zip(queues, split, strict=True))
    collected = sum(queue.unfit_records if is_bulk else queue.records for queue, is_bulk in pairs)
    in_bulk = sum(
        seconds_of_jobs(rows)
        for action in Action
        if (rows := sum(queue.fit_records for queue, is_bulk in pairs if is_bulk and queue.action is action))
    )
    return math.ceil(collected / RECORDS_PER_SECOND) + in_bulk
