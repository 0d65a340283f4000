"""What became of a plan: rows and pages as they came, and credits as the ledger counted them.

Not here: the plan itself (plan.py), and learning from it (learning.py).
"""

from collections.abc import Mapping
from typing import Any

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.credits.spending import spending
from headwater.salesforce.meter import CallKind
from headwater.sync.models import Cycle
from headwater.sync.plan import SyncPlan
from headwater.sync.read import Seen

_DESCRIBES = (CallKind.COMPOSITE_DESCRIBE, CallKind.RECORD_COUNT, CallKind.COMPOSITE_DELETED)
_BULK = (CallKind.BULK_CREATE, CallKind.BULK_POLL, CallKind.BULK_RESULTS)


def actual_of(
    account: Account, cycle: Cycle, plan: SyncPlan, seen: Seen, refreshed: Seen, *, job_kind: str
) -> dict[str, Any]:
    """Beside what `plan` foresaw, in the same words; `objects` has rows, pages and Bulk credits of each object.

    `refresh` has the same of the formulas, from what came of them.

    A call that had to be repeated counts where it was made.
    """
    calls = _calls(account, cycle, job_kind)
    described = sum(calls.get((kind, ""), 0) for kind in _DESCRIBES)
    counting = max(0, plan.looking_calls - described)  # composites of COUNT() queries
    by_kind = {kind: sum(count for (each, _), count in calls.items() if each == kind) for kind in CallKind}
    return {
        "calls": sum(calls.values()),
        "looking_calls": described + counting,
        "query_calls": by_kind[CallKind.QUERY],
        "composite_calls": by_kind[CallKind.COMPOSITE_QUERY] - counting,
        "bulk_calls": sum(by_kind[kind] for kind in _BULK),
        "seconds": round((now_utc() - cycle.started_utc).total_seconds()),
        "objects": {
            name: _of_object(name, seen, _bulk_calls(name, calls) - _bulk_calls_seen(name, refreshed))
            for name in (read.sobject for read in plan.reads)
        },
        "refresh": {
            name: _of_object(name, refreshed, _bulk_calls_seen(name, refreshed))
            for name in (read.sobject for read in (plan.refresh.reads if plan.refresh else ()))
        },
    }


def _calls(account: Account, cycle: Cycle, job_kind: str) -> dict[tuple[str, str], int]:
    """{(kind of call, object, or empty where it served several): credits} of the cycle's job."""
    groups = spending(account, cycle.started_utc, now_utc(), by=["job_kind", "job_id", "call_kind", "sobject"])
    return {
        (each.call_kind or "", each.sobject or ""): each.calls
        for each in groups
        if (each.job_kind, each.job_id) == (job_kind, cycle.job_id)
    }


def _bulk_calls(sobject: str, calls: Mapping[tuple[str, str], int]) -> int:
    return sum(calls.get((kind, sobject), 0) for kind in _BULK)


def _bulk_calls_seen(sobject: str, seen: Seen) -> int:
    return seen.bulk_jobs[sobject] + seen.bulk_pages[sobject]


def _of_object(sobject: str, seen: Seen, bulk_calls: int) -> dict[str, int]:
    return {
        "rows": seen.rows[sobject],
        "pages": seen.pages[sobject],
        "bulk_pages": seen.bulk_pages[sobject],
        "bulk_calls": bulk_calls,
    }
