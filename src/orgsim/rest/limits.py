"""GET /limits and /limits/recordCount (facts B.3)."""

from starlette.responses import Response

from orgsim.bulk.limits import BATCHES_PER_DAY, batches_left
from orgsim.exchange import json_response
from orgsim.rest.call import Call
from orgsim.store.lateness import sight_of

_UNHEARD_OF: dict[str, int] = {
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentSyncReportRuns": 20,
    "DailyAsyncApexExecutions": 250_000,
    "DailyDurableStreamingApiEvents": 1_000_000,
    "DailyGenericStreamingApiEvents": 10_000,
    "DailyStreamingApiEvents": 1_000_000,
    "DailyWorkflowEmails": 100_000,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DataStorageMB": 10_240,
    "FileStorageMB": 10_240,
    "HourlyAsyncReportRuns": 1_200,
    "HourlyODataCallout": 10_000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 1_000,
    "MassEmail": 5_000,
    "SingleEmail": 5_000,
    "StreamingApiConcurrentClients": 2_000,
}
BULK_QUERY_JOBS_PER_DAY = 10_000


def limits(call: Call) -> Response:
    most = int(call.org.setting("allowance_calls"))
    answer: dict[str, object] = {name: {"Max": value, "Remaining": value} for name, value in _UNHEARD_OF.items()}
    answer["DailyApiRequests"] = {"Max": most, "Remaining": max(0, most - call.org.usage.used_calls())}
    jobs = _jobs_today(call, "query")
    answer["DailyBulkV2QueryJobs"] = {"Max": BULK_QUERY_JOBS_PER_DAY, "Remaining": BULK_QUERY_JOBS_PER_DAY - jobs}
    answer["DailyBulkApiBatches"] = {"Max": BATCHES_PER_DAY, "Remaining": batches_left(call.org)}
    return json_response(dict(sorted(answer.items())))


def record_count(call: Call) -> Response:
    """Unknown objects are dropped without a word; the bin and archived activities are not counted."""
    catalog = call.org.catalog()
    wanted = [name for name in call.exchange.query.get("sObjects", "").split(",") if name]
    known = [found for name in wanted if (found := catalog.find(name.strip()))] if wanted else list(catalog)
    sight = sight_of(call.org)
    counts = []
    for sobject in known:
        hidden = [f'"{name}" = 0' for name in ("IsDeleted", "IsArchived") if sobject.find(name)]
        where = f" WHERE {' AND '.join(hidden)}" if hidden else ""
        row = call.org.database.connect().execute(f"SELECT count(*) FROM {sight.table_sql(sobject)}{where}").fetchone()  # noqa: S608  names come from the schema
        counts.append({"count": row[0], "name": sobject.name})
    return json_response({"sObjects": counts})


def _jobs_today(call: Call, family: str) -> int:
    day = call.org.now_text()[:10]
    row = call.org.database.connect().execute("SELECT count(*) FROM _job WHERE family = ? AND made >= ?", (family, day))
    return int(row.fetchone()[0])
