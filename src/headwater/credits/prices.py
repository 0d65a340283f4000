"""What a plan costs in API credits, before any is spent: the formulas of facts B.6, as pure functions.

Not here: choosing among them (sync/plan.py).
"""

import math

from headwater.salesforce.rest import COMPOSITE_QUERIES_MAX, QUERY_PAGE_ROWS

BULK_PAGE_ROWS = 250_000
BULK_ROWS_PER_SECOND = 20_000
POLL_FIRST_SECONDS = 2
POLL_FACTOR = 2
POLL_CAP_SECONDS = 60


def query_pages(rows: int) -> int:
    """Pages of a keyset read; an object without rows still needs the page that says so."""
    return max(1, math.ceil(rows / QUERY_PAGE_ROWS))


def composite_calls(pages_per_object: list[int]) -> int:
    """Credits for reading objects together, five pages a call, at most one page of an object in each."""
    if not pages_per_object:
        return 0
    return max(math.ceil(sum(pages_per_object) / COMPOSITE_QUERIES_MAX), *pages_per_object)


def bulk_result_pages(rows: int) -> int:
    return max(1, math.ceil(rows / BULK_PAGE_ROWS))


def poll_delay_seconds(poll: int) -> int:
    """Seconds to wait before poll number `poll` (from 0): 2, 4, 8 … 60."""
    return int(min(POLL_FIRST_SECONDS * POLL_FACTOR**poll, POLL_CAP_SECONDS))


def polls_for(seconds: float) -> int:
    """How many polls a job of `seconds` needs on that schedule."""
    waited, polls = 0.0, 0
    while True:
        waited += poll_delay_seconds(polls)
        polls += 1
        if waited >= seconds:
            return polls


def bulk_calls(rows_per_object: list[int]) -> int:
    """Credits for reading objects by Bulk jobs whose polls are shared: create + results each, polls once."""
    if not rows_per_object:
        return 0
    polls = polls_for(max(rows_per_object) / BULK_ROWS_PER_SECOND)
    return polls + sum(1 + bulk_result_pages(rows) for rows in rows_per_object)
