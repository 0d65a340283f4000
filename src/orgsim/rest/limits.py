"""GET /limits and /limits/recordCount (facts B.3)."""

from collections.abc import Iterator

from starlette.responses import Response

from orgsim.bulk.limits import BYTES_PER_MB, left_of, most_of
from orgsim.errors import ApiError
from orgsim.exchange import json_response
from orgsim.rest.allowance import limits_of_apps, reported_calls
from orgsim.rest.call import Call
from orgsim.store.access import may
from orgsim.store.allowance import DEVELOPER
from orgsim.store.ddl import hiding_fields
from orgsim.store.lateness import sight_of
from orgsim.store.org import Org
from orgsim.store.quotas import Quota

# What is named here orgsim has nothing of, so that all of it remains. Numbers: D rest-api/list-org-limits, an example.
_UNUSED: dict[str, int] = {
    "ActiveScratchOrgs": 3,
    "AnalyticsExternalDataSizeMB": 40_960,
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentEinsteinDataInsightsStoryCreation": 5,
    "ConcurrentEinsteinDiscoveryStoryCreation": 2,
    "ConcurrentSyncReportRuns": 20,
    "DailyAnalyticsDataflowJobExecutions": 60,
    "DailyAnalyticsUploadedFilesSizeMB": 51_200,
    "DailyAsyncApexExecutions": 250_000,
    "DailyAsyncApexTests": 500,
    "DailyDeliveredPlatformEvents": 10_000,
    "DailyDurableGenericStreamingApiEvents": 10_000,
    "DailyDurableStreamingApiEvents": 10_000,
    "DailyEinsteinDataInsightsStoryCreation": 1_000,
    "DailyEinsteinDiscoveryPredictAPICalls": 50_000,
    "DailyEinsteinDiscoveryPredictionsByCDC": 5_000_000,
    "DailyEinsteinDiscoveryStoryCreation": 100,
    "DailyFunctionsApiCallLimit": 235_000,
    "DailyGenericStreamingApiEvents": 10_000,
    "DailyMetadataRetrievesWithDependencies": 10_000,
    "DailyScratchOrgs": 6,
    "DailyStandardVolumePlatformEvents": 10_000,
    "DailyStreamingApiEvents": 10_000,
    "DailyWorkflowEmails": 100_000,
    "DurableStreamingApiConcurrentClients": 20,
    "HourlyAsyncReportRuns": 1_200,
    "HourlyDashboardRefreshes": 200,
    "HourlyDashboardResults": 5_000,
    "HourlyDashboardStatuses": 999_999_999,
    "HourlyLongTermIdMapping": 100_000,
    "HourlyManagedContentPublicRequests": 50_000,
    "HourlyODataCallout": 20_000,
    "HourlyPublishedPlatformEvents": 50_000,
    "HourlyPublishedStandardVolumePlatformEvents": 1_000,
    "HourlyShortTermIdMapping": 100_000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 1_000,
    "MassEmail": 5_000,
    "MonthlyEinsteinDiscoveryStoryCreation": 500,
    "MonthlyPlatformEventsUsageEntitlement": 0,
    "Package2VersionCreates": 6,
    "Package2VersionCreatesWithoutValidation": 500,
    "PlatformEventTriggersWithParallelProcessing": 5,
    "PrivateConnectOutboundCalloutHourlyLimitMB": 0,
    "SingleEmail": 5_000,
    "StreamingApiConcurrentClients": 20,
}
_SINCE_VERSION = {
    "DailyBulkV2QueryFileStorageMB": 47,
    "DailyBulkV2QueryJobs": 47,
    "DailyMetadataRetrievesWithDependencies": 64,
}
_BATCHES_RENAMED = 49  # DailyBulkApiRequests before
_PERMISSION_SETS, _CUSTOM_PERMISSION_SETS = 1_500, 1_000
_FILE_STORAGE_MB = 10_240
_DATA_STORAGE_MB, _DATA_STORAGE_MB_PER_LICENCE = 10_240, 20
_DEVELOPER_STORAGE_MB = {"DataStorageMB": 5, "FileStorageMB": 20}
# Kilobytes that a record takes, whatever is in it (D Help "Data and File Storage Allocations").
_RECORD_KB = 2
_OTHER_RECORD_KB = {"Campaign": 8, "CampaignMember": 1}
_WITHOUT_STORAGE = frozenset(
    {
        "User", "Organization", "RecordType", "Group", "Profile", "UserRole", "PermissionSet",
        "PermissionSetAssignment", "ApexTrigger", "OpportunityHistory", "CampaignMemberStatus",
    }
)  # fmt: skip


def limits(call: Call) -> Response:
    org, version = call.org, float(call.api_version)
    if not may(org, call.session.user_id, "ViewSetup"):
        raise ApiError("FORBIDDEN", "You must have the View Setup and Configuration permission", status=403)
    answer: dict[str, object] = {name: _limit(most, most) for name, most in _UNUSED.items()}
    calls = _limit(org.allowance_calls(), org.allowance_calls() - reported_calls(org))
    answer["DailyApiRequests"] = {**calls, **limits_of_apps(org)}
    batches = "DailyBulkApiBatches" if version >= _BATCHES_RENAMED else "DailyBulkApiRequests"
    answer[batches] = _quota(org, Quota.BATCHES)
    answer["DailyBulkV2QueryJobs"] = _quota(org, Quota.QUERY_JOBS)
    answer["DailyBulkV2QueryFileStorageMB"] = _quota(org, Quota.RESULT_BYTES, BYTES_PER_MB)
    answer |= dict(_storage(org))
    answer["PermissionSets"] = _permission_sets(org)
    return json_response({name: answer[name] for name in sorted(answer) if version >= _SINCE_VERSION.get(name, 0)})


def _limit(most: int, remaining: int) -> dict[str, int]:
    return {"Max": most, "Remaining": max(0, remaining)}


def _quota(org: Org, quota: Quota, unit: int = 1) -> dict[str, int]:
    return _limit(most_of(org, quota) // unit, left_of(org, quota) // unit)


def _storage(org: Org) -> Iterator[tuple[str, dict[str, int]]]:
    """By edition. Records are counted, and there are no files."""
    if org.setting("edition") == DEVELOPER and not org.is_sandbox:
        most = _DEVELOPER_STORAGE_MB
    else:
        licences = sum(org.setting("licences").values())
        data_mb = _DATA_STORAGE_MB + _DATA_STORAGE_MB_PER_LICENCE * licences
        most = {"DataStorageMB": data_mb, "FileStorageMB": _FILE_STORAGE_MB}
    yield "DataStorageMB", _limit(most["DataStorageMB"], most["DataStorageMB"] - -(-_used_kb(org) // 1024))
    yield "FileStorageMB", _limit(most["FileStorageMB"], most["FileStorageMB"])


def _used_kb(org: Org) -> int:
    """Counted anew only when something was written since, as it takes long in a large org."""
    return org.database.remembered("used kilobytes", lambda: _count_kb(org))


def _count_kb(org: Org) -> int:
    """Field history counts for nothing (facts C.27)."""
    kept = [each.name for each in org.catalog() if each.name not in _WITHOUT_STORAGE and not each.is_history]
    sums = (f'{_OTHER_RECORD_KB.get(name, _RECORD_KB)} * (SELECT count(*) FROM "{name}")' for name in kept)  # noqa: S608  names come from the schema
    row = org.database.connect().execute(f"SELECT {' + '.join(sums)}").fetchone()
    return int(row[0])


def _permission_sets(org: Org) -> dict[str, object]:
    (made,) = (
        org.database.connect().execute('SELECT count(*) FROM "PermissionSet" WHERE "IsOwnedByProfile" = 0').fetchone()
    )
    custom = _limit(_CUSTOM_PERMISSION_SETS, _CUSTOM_PERMISSION_SETS - made)
    return {**_limit(_PERMISSION_SETS, _PERMISSION_SETS - made), "CreateCustom": custom}


def record_count(call: Call) -> Response:
    """Unknown objects are dropped without a word; the bin, archived activities and histories are not counted."""
    catalog = call.catalog
    wanted = [name for name in call.exchange.query.get("sObjects", "").split(",") if name]
    known = [found for name in wanted if (found := catalog.find(name.strip()))] if wanted else list(catalog)
    known = [each for each in known if not each.is_history and each.name != "OpportunityHistory"]
    sight = sight_of(call.org)
    counts = []
    for sobject in known:
        hidden = " OR ".join(f'"{name}" = 1' for name in hiding_fields(sobject)) or "false"
        table = sight.table_sql(sobject)
        sql = f"SELECT (SELECT count(*) FROM {table}) - (SELECT count(*) FROM {table} WHERE {hidden})"  # noqa: S608  names come from the schema
        row = call.org.database.connect().execute(sql).fetchone()
        counts.append({"count": row[0], "name": sobject.name})
    return json_response({"sObjects": counts})
