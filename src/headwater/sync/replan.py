"""The change of mind in mid-cycle: first pages tell the true counts, and what is far larger than expected goes by Bulk.

Not here: choosing (plan.py).
"""

from dataclasses import replace

from django.conf import settings

from headwater.credits.prices import bulk_calls, bulk_result_pages
from headwater.sync.plan import Method, ObjectRead, SyncPlan, Wish, choose, polls_of
from headwater.sync.read import Reading
from headwater.sync.rounds import Rounds, Unread


def plan_again(reading: Reading, plan: SyncPlan, rounds: Rounds) -> SyncPlan:
    """The plan with the org's own counts, as a step; the calls that were spent so far are in it."""

    def record(final: SyncPlan) -> dict[str, object]:
        reading.cycle.final_plan = final.to_json()
        reading.cycle.save(update_fields=["final_plan"])
        return final.to_json()

    final = SyncPlan.from_json(reading.job.step("plan again", lambda: _with_counts(reading, plan, rounds), record))
    reading.tally.expected_rows = final.rows
    return final


def _with_counts(reading: Reading, plan: SyncPlan, rounds: Rounds) -> SyncPlan:
    rest = choose(
        [_wish_for_rest(unread) for unread in rounds.left.values()],
        looking_calls=0,
        pace=reading.pace,
        bulk_file_bytes=settings.BULK_FILE_BYTES,
        have_looked=True,
        are_polls_paid=bool(plan.by_bulk_at_once),
    )
    ways = {read.sobject: read for read in rest.reads}
    reads = tuple(_counted(read, ways.get(read.sobject), reading) for read in plan.reads)
    seen, final = reading.tally.seen, replace(plan, reads=reads)
    pages = [bulk_result_pages(_by_job(read, ways), read.bulk_page_rows) for read in final.by_bulk]
    counted = replace(
        final,
        query_calls=seen.query_calls + rest.query_calls,
        composite_calls=seen.composite_calls + rest.composite_calls,
        bulk_calls=bulk_calls(pages, polls_of(reading.pace)),
        refresh=None,
    )
    return replace(counted.with_refresh(plan.refresh), seconds=plan.seconds, left_calls=plan.left_calls)


def _wish_for_rest(unread: Unread) -> Wish:
    read = unread.read
    return Wish(
        sobject=read.sobject,
        mode=read.mode,
        rows=unread.left_rows,
        since_utc=read.since_utc,
        row_bytes=read.row_bytes,
        page_rows=unread.page_rows,
        only=read.only,
    )


def _by_job(read: ObjectRead, ways: dict[str, ObjectRead]) -> int:
    """Rows that are left to a job: of an object that was looked at, without the page that was read."""
    return ways[read.sobject].rows if read.sobject in ways else read.rows


def _counted(read: ObjectRead, way: ObjectRead | None, reading: Reading) -> ObjectRead:
    """`way`: how the rest of it is read; None where nothing is left, or where its job was made at once."""
    if read.is_counted and read.method is Method.BULK:
        return read
    here = reading.tally.rows[read.sobject]
    if way is None:
        method = Method.COMPOSITE if read.method is Method.BULK else read.method
        return replace(read, method=method, rows=here, pages=reading.tally.seen.pages[read.sobject])
    is_bulk = way.method is Method.BULK
    why = f"{here + way.rows:,} rows, as its first page told: {way.why}"
    return replace(
        read,
        method=Method.BULK if is_bulk else Method.RANGES,
        rows=here + way.rows,
        pages=way.pages + (0 if is_bulk else reading.tally.seen.pages[read.sobject]),
        page_rows=way.page_rows,
        is_counted=False,
        why=why,
    )
