"""/jobs/ingest: the life of a job that writes, and its three results (facts C.5). Writing itself: bulk/load.py."""

from collections.abc import Callable, Iterator
from itertools import zip_longest

from starlette.responses import Response, StreamingResponse

from orgsim.bulk.jobs import LISTED_JOBS, Job, find_job, invalid_job, list_jobs, new_job, wrong_state
from orgsim.bulk.limits import check_uploads
from orgsim.bulk.load import FAMILY, read_upload, start, upload_header
from orgsim.bulk.rows import Outcome, read_outcomes
from orgsim.errors import ApiError
from orgsim.exchange import empty_response, json_response
from orgsim.rest.call import Call

OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
MAX_UPLOAD_BYTES = 150 * 1024 * 1024
_UNFINISHED = ("UploadComplete", "InProgress")


def create(call: Call) -> Response:
    request = call.exchange.json_object()
    if request.get("operation") not in OPERATIONS:
        raise invalid_job(f"Unable to parse Job: invalid operation '{request.get('operation')}'")
    sobject = call.org.catalog().find(str(request.get("object")))
    if sobject is None:
        raise ApiError("INVALIDENTITY", f"Entity '{request.get('object')}' is not supported by the Bulk API.")
    check_uploads(call.org)
    job = new_job(call.org, call.session.user_id, FAMILY, request, call.api_version)
    job.plain["object"] = sobject.name
    if request["operation"] == "upsert":
        key = str(request.get("externalIdFieldName") or "")
        if not key:
            raise invalid_job("External ID was blank for upsert operation")
        job.plain["externalIdFieldName"] = call.writer.external_id(sobject, key).name
    job.plain["contentUrl"] = f"{call.base_path.lstrip('/')}/jobs/ingest/{job.id}/batches"
    job.save("Open")
    return json_response(job.shown())


def upload(call: Call) -> Response:
    job = _job(call)
    if job.state != "Open":
        raise wrong_state(
            f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job"
        )
    if len(call.exchange.body) > MAX_UPLOAD_BYTES:
        raise ApiError("CLIENT_ERROR", "The uploaded content is too large", status=413)
    if job.plain.get("_uploaded"):
        raise wrong_state(
            f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job"
        )
    job.upload_file.parent.mkdir(parents=True, exist_ok=True)
    job.upload_file.write_bytes(call.exchange.body)
    job.plain["_uploaded"] = True
    job.save()
    return empty_response(201)


def change(call: Call) -> Response:
    job, state = _job(call), call.exchange.json_object().get("state")
    if state == "UploadComplete" and job.state == "Open":
        if not job.plain.get("_uploaded"):
            raise wrong_state("No data was uploaded for this job")
        job.save("UploadComplete")
        start(call.org, job.id, call.exchange.background)
    elif state == "Aborted" and job.state in ("Open", *_UNFINISHED):
        job.save("Aborted")
    else:
        raise wrong_state(f"Changing the state of this job to {state} is not allowed from {job.state}")
    return json_response(job.shown())


def read(call: Call) -> Response:
    return json_response(_described(_job(call)))


def listing(call: Call) -> Response:
    offset = int(call.exchange.query.get("queryLocator") or 0)
    jobs = list_jobs(call.org, FAMILY, offset=offset)
    more = len(jobs) == LISTED_JOBS
    next_url = f"{call.base_path}/jobs/ingest?queryLocator={offset + LISTED_JOBS}" if more else None
    return json_response({"done": not more, "records": [_described(job) for job in jobs], "nextRecordsUrl": next_url})


def delete(call: Call) -> Response:
    job = _job(call)
    if job.state in _UNFINISHED:
        raise wrong_state(f"Deleting Job not allowed in state {job.state}")
    job.forget()
    return empty_response()


def successful_results(call: Call) -> Response:
    return _results(call, ("sf__Id", "sf__Created"), lambda row: row is not None and row.error is None, _success_cells)


def failed_results(call: Call) -> Response:
    return _results(
        call, ("sf__Id", "sf__Error"), lambda row: row is not None and row.error is not None, _failure_cells
    )


def unprocessed_records(call: Call) -> Response:
    return _results(call, (), lambda row: row is None, lambda _: [])


def _success_cells(outcome: Outcome) -> list[str]:
    return [outcome.record_id or "", "true" if outcome.created else "false"]


def _failure_cells(outcome: Outcome) -> list[str]:
    return [outcome.record_id or "", outcome.error.as_csv() if outcome.error else ""]


def _results(
    call: Call,
    first_columns: tuple[str, ...],
    is_wanted: Callable[[Outcome | None], bool],
    first_cells: Callable[[Outcome], list[str]],
) -> Response:
    """Rows whose outcome is wanted; it is None for rows that the job ended before."""
    job = _job(call)
    if job.state not in ("JobComplete", "Failed", "Aborted"):
        raise wrong_state(f"Results are not available in state {job.state}")

    def lines() -> Iterator[bytes]:
        yield _line(job, [*first_columns, *upload_header(job)])
        for values, outcome in zip_longest(read_upload(job), read_outcomes(job.org, job.id)):
            if is_wanted(outcome):
                yield _line(job, [*(first_cells(outcome) if outcome else []), *values.values()])

    return StreamingResponse(lines(), headers={"Content-Type": "text/csv; charset=UTF-8"})


def _line(job: Job, cells: list[str]) -> bytes:
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in cells)
    return (job.delimiter.join(quoted) + job.line_ending).encode()


def _described(job: Job) -> dict[str, object]:
    progress = {
        "retries": 0,
        "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
        "numberRecordsProcessed": 0,
        "numberRecordsFailed": 0,
    }
    return {**progress, **job.shown(), "jobType": "V2Ingest"}


def _job(call: Call) -> Job:
    return find_job(call.org, FAMILY, call.param("job_id"))
