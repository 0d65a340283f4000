"""The daily quotas of both Bulk APIs: what is left of them, and the refusals when nothing is (facts B.4)."""

from orgsim.errors import ApiError
from orgsim.store.org import Org
from orgsim.store.quotas import Quota

ROWS_PER_BATCH = 10_000
BYTES_PER_MB = 1024 * 1024
_SETTINGS = {
    Quota.QUERY_JOBS: "bulk_query_jobs_per_day",
    Quota.RESULT_BYTES: "bulk_result_mb_per_day",
    Quota.BATCHES: "bulk_batches_per_day",
    Quota.RECORDS: "bulk_records_per_day",
}


def most_of(org: Org, quota: Quota) -> int:
    setting = int(org.setting(_SETTINGS[quota]))
    return setting * BYTES_PER_MB if quota is Quota.RESULT_BYTES else setting


def left_of(org: Org, quota: Quota) -> int:
    return max(0, most_of(org, quota) - org.quotas.used(quota))


def take_query_job(org: Org) -> None:
    """Raises ApiError LIMIT_EXCEEDED when the org has made all its query jobs, or filled its room for results."""
    if not left_of(org, Quota.RESULT_BYTES):
        kilobytes = most_of(org, Quota.RESULT_BYTES) // 1024
        message = f"Max bulk v2 query result size stored ({kilobytes}) kb per 24 hrs has been exceeded"
        raise ApiError("LIMIT_EXCEEDED", message)
    most = most_of(org, Quota.QUERY_JOBS)
    if not org.quotas.take(Quota.QUERY_JOBS, 1, most=most):
        message = f"Max bulk v2 query jobs ({most}) per 24 hrs has been reached ({org.quotas.used(Quota.QUERY_JOBS)})"
        raise ApiError("LIMIT_EXCEEDED", message)


def check_uploads(org: Org) -> None:
    """Raises ApiError LIMIT_EXCEEDED when no more can be uploaded today."""
    for quota in (Quota.BATCHES, Quota.RECORDS):
        if not left_of(org, quota):
            raise _no_more(quota, "LIMIT_EXCEEDED")


def take_rows(org: Org, first: int, count: int) -> None:
    """For rows of an ingest job, from 1, about to be written: the org cuts them into batches by itself."""
    if (first - 1) % ROWS_PER_BATCH == 0:
        _take(org, Quota.BATCHES, 1, "LIMIT_EXCEEDED")
    _take(org, Quota.RECORDS, count, "LIMIT_EXCEEDED")


def take_batches(org: Org, count: int) -> None:
    """For batches of Bulk API 1, which has a word of its own for it."""
    _take(org, Quota.BATCHES, count, "ExceededQuota")


def take_batch_rows(org: Org, count: int) -> None:
    """For rows of such a batch, about to be written."""
    _take(org, Quota.RECORDS, count, "ExceededQuota")


def _take(org: Org, quota: Quota, amount: int, code: str) -> None:
    if not org.quotas.take(quota, amount, most=most_of(org, quota)):
        raise _no_more(quota, code)


def _no_more(quota: Quota, code: str) -> ApiError:
    subject = "ApiBatchItems" if quota is Quota.BATCHES else "Daily Bulk API records"
    return ApiError(code, f"{subject} Limit exceeded.")
