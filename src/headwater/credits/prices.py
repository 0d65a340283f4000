"""What reading costs in API credits, before any is spent: the formulas of docs/reference/plan.md, as pure functions.

Not here: choosing among them (sync/plan.py) and what writing costs.
"""

import math
from collections.abc import Sequence

from headwater.salesforce.rest import COMPOSITE_QUERIES_MAX, OFFSET_ROWS_MAX

BULK_FILE_CAP_BYTES = 1 << 30  # a result file holds no more (facts C.4)
UNKNOWN_BULK_ROWS_PER_SECOND = 20_000
UNKNOWN_SECONDS_PER_CALL = 1.0
FIRST_POLL_MOST_SECONDS = 600.0
POLL_LEAST_SECONDS = 2.0
POLL_MOST_SECONDS = 300.0
POLL_WAITED_SHARE = 0.5  # each later wait is half of what was waited so far: late by half at most, few looks
POLL_FIRST_SECONDS = 2
POLL_FACTOR = 2
POLL_CAP_SECONDS = 60


def query_pages(rows: int, page_rows: int) -> int:
    """Pages of a read whose pages overlap by one row; an object without rows still needs the page that says so."""
    return max(1, math.ceil((rows - 1) / (page_rows - 1)))


def pages_from_an_end(page_rows: int) -> int:
    """How many pages of one object a composite can ask for from one end: OFFSET reaches 2,000 rows (facts C.3)."""
    return 1 + OFFSET_ROWS_MAX // (page_rows - 1)


def pages_of_one_object(page_rows: int) -> int:
    """How many pages of one object a composite can hold, from both its ends."""
    return min(COMPOSITE_QUERIES_MAX, 2 * pages_from_an_end(page_rows))


def share_composite(pages_left: Sequence[int], at_once: Sequence[int], is_new: Sequence[bool]) -> list[int]:
    """How many pages of each object the next composite asks for.

    Objects that nobody looked at yet come first, one page each; what room is left goes to whoever has the longest way.
    """
    by_size = sorted(range(len(pages_left)), key=lambda place: -pages_left[place])
    first = set([place for place in by_size if is_new[place]][:COMPOSITE_QUERIES_MAX])
    asked = [int(place in first) for place in range(len(pages_left))]
    while sum(asked) < COMPOSITE_QUERIES_MAX:
        open_places = [
            place
            for place in by_size
            if asked[place] < min(at_once[place], pages_left[place]) and (place in first or not is_new[place])
        ]
        if not open_places:
            break
        asked[max(open_places, key=lambda place: _way_left(pages_left[place] - asked[place], at_once[place]))] += 1
    return asked


def _way_left(pages: int, at_once: int) -> tuple[int, int]:
    return math.ceil(pages / at_once), pages


def composites_at_least(pages_per_object: Sequence[int], at_once_per_object: Sequence[int]) -> int:
    """No order of reading takes fewer: five pages a call, of each object at most as many as fit side by side."""
    ways = [math.ceil(pages / most) for pages, most in zip(pages_per_object, at_once_per_object, strict=True)]
    return max(math.ceil(sum(pages_per_object) / COMPOSITE_QUERIES_MAX), *ways, 0)


def composite_calls(
    pages_per_object: Sequence[int], at_once_per_object: Sequence[int], *, have_looked: bool = False
) -> int:
    """Credits for reading objects together, in the order in which it is then done."""
    left, calls = list(pages_per_object), 0
    is_new = [not have_looked] * len(left)
    while any(left):
        asked = share_composite(left, at_once_per_object, is_new)
        left = [pages - count for pages, count in zip(left, asked, strict=True)]
        is_new = [new and not count for new, count in zip(is_new, asked, strict=True)]
        calls += 1
    return calls


def bulk_page_rows(row_bytes: int, file_bytes: int) -> int:
    """`maxRecords`: as many rows as a file of `file_bytes` holds, and never more than half of Salesforce's own cap."""
    return max(1, min(file_bytes, BULK_FILE_CAP_BYTES // 2) // max(1, row_bytes))


def bulk_result_pages(rows: int, page_rows: int) -> int:
    return max(1, math.ceil(rows / page_rows))


def bulk_calls(result_pages_per_object: Sequence[int], polls: int) -> int:
    """Credits for reading objects by Bulk jobs whose polls are shared: create and pages of each, the polls once."""
    if not result_pages_per_object:
        return 0
    return polls + sum(1 + pages for pages in result_pages_per_object)


def bulk_polls(*, is_rate_known: bool) -> int:
    """Looks that jobs together are planned with: one at their expected end, and one more while nobody knows the org."""
    return 1 if is_rate_known else 2


def bulk_poll_delay_seconds(expected_left_seconds: float, waited_seconds: float, poll: int) -> float:
    """How long to wait before poll number `poll` (from 0): until the expected end, then half of all that was waited."""
    if poll == 0:
        return min(max(expected_left_seconds, POLL_LEAST_SECONDS), FIRST_POLL_MOST_SECONDS)
    return min(max(waited_seconds * POLL_WAITED_SHARE, POLL_LEAST_SECONDS), POLL_MOST_SECONDS)


def poll_delay_seconds(poll: int) -> int:
    """Seconds to wait before poll number `poll` (from 0) of work whose length nobody can expect: 2, 4, 8 … 60."""
    return int(min(POLL_FIRST_SECONDS * POLL_FACTOR**poll, POLL_CAP_SECONDS))


def polls_for(seconds: float) -> int:
    """How many polls a job of `seconds` needs on that schedule."""
    waited, polls = 0.0, 0
    while True:
        waited += poll_delay_seconds(polls)
        polls += 1
        if waited >= seconds:
            return polls
