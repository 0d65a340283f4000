"""/jobs/ingest: the life of a job that writes, and its three results (facts C.5). Writing itself: bulk/load.py."""

from collections.abc import Callable, Iterator
from io import SEEK_END, BytesIO
from itertools import islice, zip_longest
from shutil import copyfileobj
from typing import IO, Any

import orjson
from starlette.responses import Response, StreamingResponse

from orgsim.bulk.jobs import Job, abort_job, already, invalid_job, new_job, wrong_state
from orgsim.bulk.lifetime import living_job
from orgsim.bulk.limits import check_uploads
from orgsim.bulk.listing import described, list_jobs
from orgsim.bulk.load import FAMILY, read_upload, start, upload_header
from orgsim.bulk.rows import Outcome, read_outcomes
from orgsim.errors import ApiError
from orgsim.exchange import empty_response, json_response
from orgsim.multipart import is_multipart, read_parts
from orgsim.rest.call import Call

OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
# Of the content as Salesforce keeps it, in base64 (D api-asynch/upload-job-data).
MAX_ENCODED_BYTES = 150 * 1024 * 1024
MAX_PART_CHARACTERS = 100_000
LINES_AT_ONCE = 1000
FAILED_IDS_VERSION = 53  # since then failed results begin with sf__Id
_ABORTABLE = ("Open", "UploadComplete", "InProgress")


def create(call: Call) -> Response:
    """With the data in the same request when it is multipart: then nothing more needs to be sent."""
    if not is_multipart(call.exchange):
        job = _new_job(call, call.exchange.json_object())
        job.add("Open")
        return json_response(_shown(job))
    request, content = _read_form(call)
    job = _new_job(call, request)
    _keep(job, BytesIO(content))
    job.add("UploadComplete")
    start(call.org, job.id, call.exchange.background)
    return json_response(_shown(job))


def _new_job(call: Call, request: dict[str, Any]) -> Job:
    if request.get("operation") not in OPERATIONS:
        raise invalid_job(f"Unable to parse Job: invalid operation '{request.get('operation')}'")
    sobject = call.catalog.find(str(request.get("object")))
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
    if request.get("assignmentRuleId"):
        job.plain["assignmentRuleId"] = request["assignmentRuleId"]
    job.plain["contentUrl"] = f"{call.base_path.lstrip('/')}/jobs/ingest/{job.id}/batches"
    return job


def _read_form(call: Call) -> tuple[dict[str, Any], bytes]:
    """(the job's description, the data) of a multipart request."""
    try:
        parts = read_parts(call.exchange)
        request, content = orjson.loads(parts["job"]), parts["content"]
    except (KeyError, ValueError) as error:
        message = "The request must be multipart/form-data with a job part (JSON) and a content part (CSV)"
        raise ApiError("INVALID_MULTIPART_REQUEST", message) from error
    if len(content.decode("utf-8", errors="replace")) > MAX_PART_CHARACTERS:
        message = f"The content part must not have more than {MAX_PART_CHARACTERS} characters: upload it by itself"
        raise ApiError("INVALID_MULTIPART_REQUEST", message)
    return request, content


def upload(call: Call) -> Response:
    with call.org.database.write():
        job = _job(call)
        if job.state != "Open" or job.plain.get("_uploaded"):
            raise wrong_state(
                f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job"
            )
        if -(-call.exchange.content.seek(0, SEEK_END) // 3) * 4 > MAX_ENCODED_BYTES:
            raise ApiError("CLIENT_ERROR", "The uploaded content is too large", status=413)
        _keep(job, call.exchange.content)
        job.save()
    return empty_response(201)


def _keep(job: Job, content: IO[bytes]) -> None:
    job.upload_file.parent.mkdir(parents=True, exist_ok=True)
    content.seek(0)
    with job.upload_file.open("wb") as file:
        copyfileobj(content, file)
    job.plain["_uploaded"] = True


def change(call: Call) -> Response:
    job, state = _job(call), call.exchange.json_object().get("state")
    if state == "Aborted":
        return json_response(_shown(abort_job(call.org, FAMILY, job.id, _ABORTABLE)))
    if state != "UploadComplete":
        raise wrong_state(f"A job cannot be set to {state}")
    job = _close(call)
    start(call.org, job.id, call.exchange.background)
    return json_response(_shown(job))


def _close(call: Call) -> Job:
    """In one transaction, so that of two that close a job one is refused."""
    with call.org.database.write():
        job = _job(call)
        if job.state != "Open":
            raise already("Closing", job)
        if not job.plain.get("_uploaded"):
            raise wrong_state("No data was uploaded for this job")
        job.save("UploadComplete")
    return job


def read(call: Call) -> Response:
    job = _job(call)
    return json_response(_without_address(job, described(job)))


def listing(call: Call) -> Response:
    return list_jobs(call, "ingest")


def delete(call: Call) -> Response:
    """A job may wait (UploadComplete) or have ended, but neither be open nor at work (D api-asynch/delete-a-job)."""
    with call.org.database.write():
        job = _job(call)
        if job.state in ("Open", "InProgress"):
            raise wrong_state(f"Deleting Job not allowed in state {job.state}")
        job.forget()
    return empty_response()


def _shown(job: Job) -> dict[str, Any]:
    return _without_address(job, job.shown())


def _without_address(job: Job, shown: dict[str, Any]) -> dict[str, Any]:
    """Where to upload is told as long as something may be."""
    return shown if job.state == "Open" else {name: value for name, value in shown.items() if name != "contentUrl"}


def successful_results(call: Call) -> Response:
    return _results(call, ("sf__Id", "sf__Created"), lambda row: row is not None and row.error is None, _success_cells)


def failed_results(call: Call) -> Response:
    columns = ("sf__Id", "sf__Error")[float(call.api_version) < FAILED_IDS_VERSION :]

    def cells(outcome: Outcome) -> list[str]:
        told = {"sf__Id": outcome.record_id or "", "sf__Error": outcome.error.as_csv() if outcome.error else ""}
        return [told[name] for name in columns]

    return _results(call, columns, lambda row: row is not None and row.error is not None, cells)


def unprocessed_records(call: Call) -> Response:
    return _results(call, (), lambda row: row is None, lambda _: [])


def _success_cells(outcome: Outcome) -> list[str]:
    return [outcome.record_id or "", "true" if outcome.created else "false"]


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
        for values, outcome in zip_longest(_readable(job), read_outcomes(job.org, job.id)):
            if is_wanted(outcome):
                yield _line(job, [*(first_cells(outcome) if outcome else []), *values.values()])

    return StreamingResponse(_pieces(lines()), headers={"Content-Type": "text/csv; charset=UTF-8"})


def _pieces(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Many lines at once, as the server goes to another thread for each piece."""
    while piece := b"".join(islice(lines, LINES_AT_ONCE)):
        yield piece


def _readable(job: Job) -> Iterator[dict[str, str]]:
    """The rows up to the first that cannot be read, which failed the job."""
    try:
        yield from read_upload(job)
    except ApiError:
        return


def _line(job: Job, cells: list[str]) -> bytes:
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in cells)
    return (job.delimiter.join(quoted) + job.line_ending).encode()


def _job(call: Call) -> Job:
    return living_job(call.org, FAMILY, call.param("job_id"))
