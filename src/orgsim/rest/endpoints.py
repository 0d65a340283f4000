"""The table of data API endpoints: method, path, the kind of call it is accounted as, handler."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from re import Pattern
from typing import Any

from starlette.convertors import Convertor
from starlette.responses import Response
from starlette.routing import compile_path

from orgsim.bulk import ingest
from orgsim.bulk import query as bulk_query
from orgsim.errors import ApiError, not_found
from orgsim.exchange import Exchange, json_response, refusal
from orgsim.metadata import resource as metadata
from orgsim.rest import collections, composite, graph, limits, query, replication, search, sobjects
from orgsim.rest.call import Call
from orgsim.rest.tooling import query as tooling_query
from orgsim.rest.tooling import triggers
from orgsim.versions import MAX_VERSION, MIN_VERSION

Handler = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`cost` says how many credits a request takes (facts B.5); `since` is the version that brought it."""

    method: str
    path: str
    kind: str
    handler: Handler
    cost: Callable[[Exchange], int] = lambda _: 1
    since: int = MIN_VERSION
    pattern: Pattern[str] = field(init=False)
    convertors: dict[str, Convertor[Any]] = field(init=False)

    def __post_init__(self) -> None:
        pattern, _, convertors = compile_path(self.path)
        object.__setattr__(self, "pattern", pattern)
        object.__setattr__(self, "convertors", convertors)

    def match(self, path: str) -> dict[str, Any] | None:
        found = self.pattern.match(path)
        if found is None:
            return None
        return {name: self.convertors[name].convert(value) for name, value in found.groupdict().items()}


def versions() -> Response:
    """GET /services/data: free, without a login (facts B.3)."""
    return json_response(
        [
            {"label": f"API {number}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(MIN_VERSION, MAX_VERSION + 1)
        ]
    )


def read_version(path: str) -> tuple[str, str]:
    """("59.0", the rest of the path) of `/services/data/v59.0/…`. Raises ApiError for what is not served."""
    head, _, rest = path.removeprefix("/services/data/").partition("/")
    major, dot, minor = head.removeprefix("v").partition(".")
    if not head.startswith("v") or not dot or minor != "0" or not major.isdigit() or int(major) > MAX_VERSION:
        raise not_found()
    if int(major) < MIN_VERSION:
        raise ApiError("UNSUPPORTED_API_VERSION", f"API version {major}.0 is no longer supported", status=410)
    return f"{major}.0", f"/{rest.rstrip('/')}"


def resources(call: Call) -> Response:
    names = ("sobjects", "query", "queryAll", "composite", "limits", "jobs", "tooling", "metadata")
    identity = f"{call.exchange.base_url}/id/{call.org.org_id}/{call.session.user_id}"
    return json_response({**{name: f"{call.base_path}/{name}" for name in names}, "identity": identity})


def find_endpoint(method: str, path: str, version: str) -> tuple[Endpoint, dict[str, Any]]:
    """Among those that the data API has in a version."""
    return match_endpoint([each for each in ENDPOINTS if each.since <= float(version)], method, path)


def match_endpoint(endpoints: Sequence[Endpoint], method: str, path: str) -> tuple[Endpoint, dict[str, Any]]:
    """Raises ApiError NOT_FOUND, or METHOD_NOT_ALLOWED when only the method is wrong."""
    allowed = []
    for endpoint in endpoints:
        params = endpoint.match(path)
        if params is None:
            continue
        if endpoint.method == method:
            return endpoint, params
        allowed.append(endpoint.method)
    if allowed:
        message = f"HTTP Method '{method}' not allowed. Allowed are {','.join(allowed)}"
        raise ApiError("METHOD_NOT_ALLOWED", message, status=405)
    raise not_found()


def dispatch(call: Call, method: str, path: str) -> Response:
    """Answer one (sub)request of an already counted call; refusals become responses."""
    try:
        version, rest = read_version(path)
        endpoint, params = find_endpoint(method, rest, version)
        return endpoint.handler(call.with_exchange(call.exchange, params))
    except ApiError as error:
        return refusal(error)


def _composite(call: Call) -> Response:
    return composite.composite(call, dispatch)


def _graph(call: Call) -> Response:
    return graph.graph(call, dispatch)


def _batch(call: Call) -> Response:
    return composite.batch(call, dispatch)


_ROW = "/sobjects/{sobject}/{record_id}"
_KEY = "/sobjects/{sobject}/{field}/{value:path}"
_SET = "/composite/sobjects"
_TRIGGERS = "/tooling/sobjects/ApexTrigger"
_QUERY_JOB = "/jobs/query/{job_id}"
_INGEST_JOB = "/jobs/ingest/{job_id}"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/", "resources", resources),
    Endpoint("GET", "/query", "query", query.query),
    Endpoint("GET", "/queryAll", "query", query.query_all),
    Endpoint("GET", "/query/{locator}", "query_more", query.query_more),
    Endpoint("GET", "/queryAll/{locator}", "query_more", query.query_more),
    Endpoint("GET", "/search", "search", search.refuse_search),
    Endpoint("GET", "/parameterizedSearch", "search", search.refuse_search),
    Endpoint("POST", "/parameterizedSearch", "search", search.refuse_search),
    Endpoint("GET", "/tooling/query", "tooling", tooling_query.query),
    Endpoint("POST", _TRIGGERS, "tooling", triggers.create),
    Endpoint("PATCH", _TRIGGERS + "/{record_id}", "tooling", triggers.update),
    Endpoint("DELETE", _TRIGGERS + "/{record_id}", "tooling", triggers.delete),
    Endpoint("GET", "/limits", "limits", limits.limits),
    Endpoint("GET", "/limits/recordCount", "record_count", limits.record_count),
    Endpoint("GET", "/sobjects", "describe", sobjects.global_describe),
    Endpoint("GET", "/sobjects/{sobject}", "describe", sobjects.basic_information),
    Endpoint("POST", "/sobjects/{sobject}", "record", sobjects.create),
    Endpoint("GET", "/sobjects/{sobject}/describe", "describe", sobjects.describe),
    Endpoint("GET", "/sobjects/{sobject}/updated", "replication", replication.updated),
    Endpoint("GET", "/sobjects/{sobject}/deleted", "replication", replication.deleted),
    Endpoint("GET", _ROW, "record", sobjects.read),
    Endpoint("PATCH", _ROW, "record", sobjects.update),
    Endpoint("DELETE", _ROW, "record", sobjects.delete),
    Endpoint("GET", _KEY, "record", sobjects.read_by_key),
    Endpoint("PATCH", _KEY, "record", sobjects.upsert),
    Endpoint("DELETE", _KEY, "record", sobjects.delete_by_key),
    Endpoint("POST", "/composite", "composite", _composite),
    Endpoint("POST", "/composite/graph", "graph", _graph),
    Endpoint("POST", "/composite/batch", "batch", _batch, composite.batch_size),
    Endpoint("POST", "/composite/tree/{sobject}", "tree", composite.tree),
    Endpoint("POST", _SET, "collections", collections.create),
    Endpoint("PATCH", _SET, "collections", collections.update),
    Endpoint("DELETE", _SET, "collections", collections.delete),
    Endpoint("GET", _SET + "/{sobject}", "collections", collections.retrieve),
    Endpoint("POST", _SET + "/{sobject}", "collections", collections.retrieve),
    Endpoint("PATCH", _SET + "/{sobject}/{field}", "collections", collections.upsert),
    Endpoint("POST", "/jobs/query", "bulk_query", bulk_query.create, since=47),
    Endpoint("GET", "/jobs/query", "bulk_query", bulk_query.listing, since=47),
    Endpoint("GET", _QUERY_JOB, "bulk_query", bulk_query.read, since=47),
    Endpoint("PATCH", _QUERY_JOB, "bulk_query", bulk_query.abort, since=47),
    Endpoint("DELETE", _QUERY_JOB, "bulk_query", bulk_query.delete, since=47),
    Endpoint("GET", _QUERY_JOB + "/results", "bulk_query", bulk_query.results, since=47),
    Endpoint("GET", _QUERY_JOB + "/resultPages", "bulk_query", bulk_query.result_pages, since=58),
    Endpoint("GET", _QUERY_JOB + "/resultpages", "bulk_query", bulk_query.result_pages, since=58),
    Endpoint("POST", "/jobs/ingest", "bulk_ingest", ingest.create, since=41),
    Endpoint("GET", "/jobs/ingest", "bulk_ingest", ingest.listing, since=41),
    Endpoint("GET", _INGEST_JOB, "bulk_ingest", ingest.read, since=41),
    Endpoint("PATCH", _INGEST_JOB, "bulk_ingest", ingest.change, since=41),
    Endpoint("DELETE", _INGEST_JOB, "bulk_ingest", ingest.delete, since=41),
    Endpoint("PUT", _INGEST_JOB + "/batches", "bulk_ingest", ingest.upload, since=41),
    Endpoint("GET", _INGEST_JOB + "/successfulResults", "bulk_ingest", ingest.successful_results, since=41),
    Endpoint("GET", _INGEST_JOB + "/failedResults", "bulk_ingest", ingest.failed_results, since=41),
    # Spelled both ways, by the documentation (api-asynch, step 4) and by clients (C jsforce, simple-salesforce).
    Endpoint("GET", _INGEST_JOB + "/unprocessedrecords", "bulk_ingest", ingest.unprocessed_records, since=41),
    Endpoint("GET", _INGEST_JOB + "/unprocessedRecords", "bulk_ingest", ingest.unprocessed_records, since=41),
    Endpoint("POST", "/metadata/deployRequest", "deploy", metadata.deploy),
    Endpoint("GET", "/metadata/deployRequest/{deploy_id}", "deploy", metadata.status),
    Endpoint("PATCH", "/metadata/deployRequest/{deploy_id}", "deploy", metadata.cancel),
)
