"""/jobs/query: what may be asked in bulk, the job's life, and its results in pages (facts C.4)."""

import base64
import binascii

from starlette.responses import Response

from orgsim.background import Background
from orgsim.bulk.allowed import check_query
from orgsim.bulk.jobs import Job, abort_job, invalid_job, look_up, new_job, remove_files, wrong_state
from orgsim.bulk.lifetime import living_job
from orgsim.bulk.limits import take_query_job
from orgsim.bulk.listing import described, list_jobs
from orgsim.errors import ApiError
from orgsim.exchange import empty_response, json_response
from orgsim.filespan import SpanResponse
from orgsim.rest.call import Call
from orgsim.rest.faults import fail_struck_job
from orgsim.soql.plan import Asker, write_csv
from orgsim.store import linefile
from orgsim.store.org import Org
from orgsim.store.quotas import Quota

FAMILY = "query"
RESULT_PAGES = 5
_UNFINISHED = ("UploadComplete", "InProgress")


def create(call: Call) -> Response:
    request = call.exchange.json_object()
    if request.get("operation") not in ("query", "queryAll"):
        raise invalid_job(f"Unable to parse Job: invalid operation '{request.get('operation')}'")
    soql = str(request.get("query") or "")
    job = new_job(call.org, call.session.user_id, FAMILY, request, call.api_version)
    job.plain["object"] = check_query(call.asker, soql, job.delimiter)
    job.plain["_query"] = soql
    take_query_job(call.org)
    job.add("UploadComplete")
    start(call.org, job.id, call.exchange.background)
    return json_response(job.shown())


def read(call: Call) -> Response:
    return json_response(described(_job(call)))


def listing(call: Call) -> Response:
    return list_jobs(call, "query")


def abort(call: Call) -> Response:
    job = _job(call)
    if call.exchange.json_object().get("state") != "Aborted":
        raise invalid_job("Only the state Aborted can be set")
    return json_response(abort_job(call.org, FAMILY, job.id, _UNFINISHED).shown())


def delete(call: Call) -> Response:
    job = _job(call)
    if job.state in _UNFINISHED:
        raise ApiError("API_ERROR", "Error encountered when deleting the job because the job is not terminated")
    job.forget()
    return empty_response()


def results(call: Call) -> Response:
    job = _complete_job(call)
    first = _read_locator(call.exchange.query.get("locator"))
    most = _read_most(call.exchange.query.get("maxRecords")) or int(call.org.setting("bulk_page_rows"))
    total = int(job.plain["numberRecordsProcessed"])
    count = max(0, min(most, total - first + 1))
    following = first + count
    header = job.delimiter.join(f'"{name}"' for name in job.plain["_header"]) + job.line_ending
    return SpanResponse(
        linefile.span(job.result_file, first, count),
        head=header.encode(),
        headers={
            "Content-Type": "text/csv; charset=UTF-8",
            "Sforce-NumberOfRecords": str(count),
            "Sforce-Locator": _locator(following) if following <= total else "null",
        },
    )


def result_pages(call: Call) -> Response:
    """Up to five pages that may be fetched side by side."""
    job = _complete_job(call)
    rows, total = int(call.org.setting("bulk_page_rows")), int(job.plain["numberRecordsProcessed"])
    first = _read_locator(call.exchange.query.get("locator"))
    starts = list(range(first, max(total, 1) + 1, rows))
    base = f"{call.base_path}/jobs/query/{job.id}"
    pages = [{"resultUrl": f"{base}/results?locator={_locator(start)}&maxRecords={rows}"} for start in starts]
    more = len(starts) > RESULT_PAGES
    next_url = f"{base}/resultPages?locator={_locator(starts[RESULT_PAGES])}" if more else None
    return json_response({"resultPages": pages[:RESULT_PAGES], "nextRecordsUrl": next_url, "done": not more})


def start(org: Org, job_id: str, background: Background) -> None:
    """Half of the delay queued, half in progress, as far as a poll can see."""
    half = float(org.setting("bulk_delay_seconds")) / 2

    def work() -> None:
        job = look_up(org, FAMILY, job_id)
        if job and job.state == "UploadComplete":
            job.save("InProgress")
            background.sleep(half)
            _run(job)

    background.run_later(half, work)


def _run(job: Job) -> None:
    asker = Asker(job.org, job.plain["createdById"], str(job.plain["apiVersion"]))
    all_rows = job.plain["operation"] == "queryAll"
    state = "JobComplete"
    try:
        fail_struck_job(job.org.usage, "bulk_query")
        result = write_csv(
            asker,
            job.plain["_query"],
            job.result_file,
            all_rows=all_rows,
            delimiter=job.delimiter,
            ending=job.line_ending,
        )
        job.plain["_header"] = list(result.header)
        job.plain["numberRecordsProcessed"] = result.rows
        job.org.quotas.use(Quota.RESULT_BYTES, linefile.span(job.result_file, 1, result.rows).size_bytes)
    except ApiError as error:
        job.plain["errorMessage"], state = str(error), "Failed"
    job.finish_time()
    if not job.save(state):  # nobody can ask for this result any more
        remove_files(job.org, [job.id])


def _job(call: Call) -> Job:
    return living_job(call.org, FAMILY, call.param("job_id"))


def _complete_job(call: Call) -> Job:
    job = _job(call)
    if job.state != "JobComplete":
        raise wrong_state(f"Results are not available in state {job.state}")
    if float(call.api_version) != job.plain["apiVersion"]:
        message = f"The job was created with API version {job.plain['apiVersion']}; use the same to read it"
        raise ApiError("API_VERSION_MISMATCH", message, status=409)
    return job


def _locator(row: int) -> str:
    return base64.urlsafe_b64encode(str(row).encode()).decode().rstrip("=")


def _read_locator(text: str | None) -> int:
    """The first row of a page, from 1."""
    if not text or text == "null":
        return 1
    try:
        first = int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error) as error:
        raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator") from error
    if first < 1:
        raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
    return first


def _read_most(text: str | None) -> int | None:
    """The most rows of a page, where the client names them."""
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise invalid_job(f"maxRecords must be a number from 1 on: {text}")
    return int(text)
