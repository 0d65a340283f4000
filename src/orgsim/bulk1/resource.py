"""/services/async/{version}/job…: jobs, their batches, what was sent and what became of it (facts C.9)."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse

from orgsim.bulk.jobs import Job
from orgsim.bulk.lifetime import living_job
from orgsim.bulk.limits import take_batches
from orgsim.bulk.rows import Outcome, read_outcomes
from orgsim.bulk1 import chunking, wire, work
from orgsim.bulk1.batches import (
    COMPLETED,
    FAILED,
    FAMILY,
    Batch,
    add_batch,
    batches_of,
    drop_queued,
    find_batch,
    job_info,
)
from orgsim.bulk1.content import CONTENT_TYPES, refuse_large
from orgsim.errors import ApiError
from orgsim.exchange import Exchange
from orgsim.filespan import SpanResponse
from orgsim.oauth.grants import Session, session_of
from orgsim.rest.call import Call
from orgsim.rest.endpoints import Endpoint, match_endpoint
from orgsim.rest.gate import Api, pass_gate
from orgsim.schema.model import SObject
from orgsim.store import linefile
from orgsim.versions import MAX_VERSION, MIN_VERSION

OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete", *work.QUERIES)
_KIND = "bulk1"
_MODES = ("Parallel", "Serial")
_NO_ROWS = b"Records not found for this query"


def answer(exchange: Exchange) -> Response:
    return pass_gate(exchange, _API)


def create(call: Call) -> Response:
    info = wire.read_info(call.exchange)
    operation, content_type = info.get("operation"), info.get("contentType") or "XML"
    if operation not in OPERATIONS:
        raise ApiError("InvalidJob", f"Unable to parse Job: invalid operation '{operation}'")
    if content_type not in CONTENT_TYPES:
        message = f"Content type {content_type} is not supported here, only {' and '.join(CONTENT_TYPES)}"
        raise ApiError("UnsupportedContentType", message)
    sobject = call.catalog.find(str(info.get("object")))
    if sobject is None:
        raise ApiError("InvalidJob", f"Unable to find object: {info.get('object')}")
    job = Job(call.org, call.org.new_id("750"), FAMILY, "Open", {})
    job.plain = _new_plain(call, job.id, info, sobject)
    job.add("Open")
    return wire.described("jobInfo", job_info(job), json=wire.prefers_json(call.exchange), status=201)


def _new_plain(call: Call, job_id: str, info: dict[str, Any], sobject: SObject) -> dict[str, Any]:
    now = call.org.now_text()
    plain: dict[str, Any] = {
        "id": job_id,
        "operation": info["operation"],
        "object": sobject.name,
        "createdById": call.session.user_id,
        "createdDate": now,
        "systemModstamp": now,
        "state": "",
    }
    if info["operation"] == "upsert":
        plain["externalIdFieldName"] = _key(call, sobject, info)
    if info.get("assignmentRuleId"):
        plain["assignmentRuleId"] = info["assignmentRuleId"]
    header = call.exchange.headers.get(chunking.HEADER)
    chunking.read_header(header)
    return {
        **plain,
        "concurrencyMode": _mode(info.get("concurrencyMode")),
        "contentType": info["contentType"],
        "_version": call.api_version,
        "_chunking": header,
    }


def _key(call: Call, sobject: SObject, info: dict[str, Any]) -> str:
    name = str(info.get("externalIdFieldName") or "")
    try:
        return call.writer.external_id(sobject, name).name
    except ApiError as error:
        raise ApiError("InvalidJob", error.message) from error


def _mode(given: object) -> str:
    """By name, or by number as some clients send it (C simple-salesforce)."""
    text = str(given if given not in (None, "") else 0)
    if text in _MODES:
        return text
    if text not in ("0", "1"):
        raise ApiError("InvalidJob", f"Unable to parse Job: invalid concurrencyMode '{given}'")
    return _MODES[int(text)]


def change(call: Call, job: Job) -> Response:
    state = wire.read_info(call.exchange).get("state")
    if state not in ("Closed", "Aborted"):
        raise ApiError("InvalidJobState", f"A job cannot be set to {state}")
    with call.org.database.write():
        job = _job(call)
        if job.state == "Aborted" or (job.state, state) == ("Closed", "Closed"):
            deed = "Closing" if state == "Closed" else "Aborting"
            raise ApiError("InvalidJobState", f"{deed} already {job.state.lower()} Job not allowed")
        job.save(state)
        if state == "Aborted":
            drop_queued(job)
    return _job_response(job)


def read(_call: Call, job: Job) -> Response:
    return _job_response(job)


def add(call: Call, job: Job) -> Response:
    if job.state != "Open":
        message = f"Failed to create batch, since the Job is not Open. Current job state is '{job.state}'"
        raise ApiError("InvalidJobState", message)
    refuse_large(call.exchange.body)
    take_batches(call.org, 1)
    batch = add_batch(job, call.exchange.body)
    response = _batch_response(job, batch, status=201)
    work.start(call.org, job.id, batch.id, call.exchange.background)
    return response


def listing(_call: Call, job: Job) -> Response:
    shown = [batch.shown() for batch in batches_of(job)]
    return wire.described("batchInfoList", {"batchInfo": shown}, json=_speaks_json(job))


def read_batch(call: Call, job: Job) -> Response:
    return _batch_response(job, _batch(call, job))


def request(call: Call, job: Job) -> Response:
    content = _batch(call, job).request_file.read_bytes()
    is_query = job.plain["operation"] in work.QUERIES
    return Response(content, headers={"Content-Type": "text/plain" if is_query else _media_type(job)})


def results(call: Call, job: Job) -> Response:
    """Of a query the ids of its results, of a load its rows' outcomes in the order of the batch."""
    batch = _batch(call, job)
    is_query = job.plain["operation"] in work.QUERIES
    if batch.state != COMPLETED and (is_query or batch.state != FAILED):
        raise ApiError("InvalidBatch", "Batch not completed")
    if is_query:
        return wire.result_list([batch.result_id], json=_speaks_json(job))
    outcomes = read_outcomes(call.org, batch.id)
    lines = _json_outcomes(outcomes) if _speaks_json(job) else _csv_outcomes(outcomes)
    return StreamingResponse(lines, headers={"Content-Type": _media_type(job)})


def result(call: Call, job: Job) -> Response:
    batch = _batch(call, job)
    if batch.state != COMPLETED or call.param("result_id")[:15] != batch.result_id[:15]:
        raise ApiError("InvalidBatch", f"Unable to find result: {call.param('result_id')}")
    return _rows(batch, _media_type(job), json=_speaks_json(job))


def _csv_outcomes(outcomes: Iterator[Outcome]) -> Iterator[bytes]:
    yield b'"Id","Success","Created","Error"\n'
    for each in outcomes:
        error = (each.error.as_csv() if each.error else "").replace('"', '""')
        success = "false" if each.error else "true"
        yield f'"{each.record_id or ""}","{success}","{str(each.created).lower()}","{error}"\n'.encode()


def _json_outcomes(outcomes: Iterator[Outcome]) -> Iterator[bytes]:
    return _json_array(orjson.dumps(_json_outcome(each)) for each in outcomes)


def _json_outcome(outcome: Outcome) -> dict[str, object]:
    broken = outcome.error.all() if outcome.error else ()
    errors = [{**each.as_record(), "extendedErrorDetails": None} for each in broken]
    return {
        "success": outcome.error is None,
        "created": outcome.created,
        "id": outcome.record_id,
        "errors": errors,
    }


def _rows(batch: Batch, media_type: str, *, json: bool) -> Response:
    """No rows in CSV: one sentence and no header (C CumulusCI and others)."""
    headers = {"Content-Type": media_type}
    rows = linefile.span(batch.result_file, 1, int(batch.plain["numberRecordsProcessed"]))
    if json:
        return SpanResponse(rows.shortened(1), head=b"[", tail=b"]", headers=headers)  # no comma behind the last
    if not rows.size_bytes:
        return Response(_NO_ROWS, headers=headers)
    header = ",".join(f'"{name}"' for name in batch.plain["_header"]) + "\n"
    return SpanResponse(rows, head=header.encode(), headers=headers)


def _json_array(elements: Iterator[bytes]) -> Iterator[bytes]:
    separator = b"["
    for element in elements:
        yield separator + element
        separator = b","
    yield b"]" if separator == b"," else b"[]"


def _job_response(job: Job) -> Response:
    return wire.described("jobInfo", job_info(job), json=_speaks_json(job))


def _batch_response(job: Job, batch: Batch, status: int = 200) -> Response:
    return wire.described("batchInfo", batch.shown(), json=_speaks_json(job), status=status)


def _speaks_json(job: Job) -> bool:
    return bool(job.plain["contentType"] == "JSON")


def _media_type(job: Job) -> str:
    return "application/json" if _speaks_json(job) else "text/csv"


def _batch(call: Call, job: Job) -> Batch:
    return find_batch(job, call.param("batch_id"))


def _job(call: Call) -> Job:
    try:
        job = living_job(call.org, FAMILY, call.param("job_id"))
    except ApiError as error:
        raise ApiError("InvalidJob", f"Unable to find job: {call.param('job_id')}") from error
    if job.plain["_version"] != call.api_version:
        raise ApiError("InvalidVersion", f"The job was created with API version {job.plain['_version']}")
    return job


def _session(exchange: Exchange) -> Session | None:
    return session_of(exchange.state, exchange.headers.get("x-sfdc-session", ""))


def _of_job(handler: Callable[[Call, Job], Response]) -> Callable[[Call], Response]:
    """Finds the job of the path, and refuses in its format."""

    def handle(call: Call) -> Response:
        job = _job(call)
        try:
            return handler(call, job)
        except ApiError as error:
            return wire.refused(error, json=_speaks_json(job))

    return handle


_JOB = "/job/{job_id}"
_BATCH = _JOB + "/batch/{batch_id}"
ENDPOINTS = (
    Endpoint("POST", "/job", _KIND, create),
    Endpoint("GET", _JOB, _KIND, _of_job(read)),
    Endpoint("POST", _JOB, _KIND, _of_job(change)),
    Endpoint("POST", _JOB + "/batch", _KIND, _of_job(add)),
    Endpoint("GET", _JOB + "/batch", _KIND, _of_job(listing)),
    Endpoint("GET", _BATCH, _KIND, _of_job(read_batch)),
    Endpoint("GET", _BATCH + "/request", _KIND, _of_job(request)),
    Endpoint("GET", _BATCH + "/result", _KIND, _of_job(results)),
    Endpoint("GET", _BATCH + "/result/{result_id}", _KIND, _of_job(result)),
)


def _find(exchange: Exchange) -> tuple[Endpoint, dict[str, Any], str]:
    version, _, rest = exchange.path.removeprefix("/services/async/").partition("/")
    major, _, minor = version.partition(".")
    if not major.isdecimal() or minor != "0" or not MIN_VERSION <= int(major) <= MAX_VERSION:
        raise ApiError("InvalidUrl", f"unknown version: {version}")
    return *match_endpoint(ENDPOINTS, exchange.method, f"/{rest.rstrip('/')}"), version


def _refuse(exchange: Exchange, error: ApiError) -> Response:
    return wire.refused(error, json=wire.prefers_json(exchange))


_API = Api(_session, _find, _refuse, shows_usage=False)
