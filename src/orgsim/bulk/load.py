"""Carries out an ingest job: 200 rows and their outcomes per transaction, so a restart goes on where it was."""

import csv
from collections.abc import Iterator
from itertools import islice

from orgsim.background import Background
from orgsim.bulk.columns import invalid_batch, loaded_sobject, refuse_unknown_columns, values_of
from orgsim.bulk.jobs import Job, look_up
from orgsim.bulk.limits import take_rows
from orgsim.bulk.rows import CHUNK_ROWS, Load, Values, count_outcomes, load_chunk
from orgsim.errors import ApiError
from orgsim.rest.faults import fail_struck_job
from orgsim.store.org import Org

FAMILY = "ingest"


def start(org: Org, job_id: str, background: Background) -> None:
    half = float(org.setting("bulk_delay_seconds")) / 2

    def work() -> None:
        job = _begin(org, job_id)
        if job is not None:
            background.sleep(half)
            run(job)

    background.run_later(half, work)


def _begin(org: Org, job_id: str) -> Job | None:
    """None when the job was aborted or deleted while it waited."""
    with org.database.write():
        job = look_up(org, FAMILY, job_id)
        if job is None or job.state not in ("UploadComplete", "InProgress"):
            return None
        job.save("InProgress")
    return job


def run(job: Job) -> None:
    """A column that does not exist or a wrong line ending fails the job before its first row (facts C.5)."""
    done = count_outcomes(job.org, job.id)
    state = "JobComplete"
    try:
        fail_struck_job(job.org.usage, "bulk_ingest")
        _refuse_other_line_ending(job)
        sobject = loaded_sobject(job.org, job.plain["createdById"], job.plain["object"])
        refuse_unknown_columns(sobject, upload_header(job))
        rows = islice(enumerate(map(values_of, read_upload(job)), start=1), done, None)
        while chunk := list(islice(rows, CHUNK_ROWS)):
            if not _load_chunk(job, chunk):
                return
    except ApiError as error:
        job.plain["errorMessage"], state = f"{error.code} : {error.message}", "Failed"
    job.finish_time()
    job.save(state)


def read_upload(job: Job) -> Iterator[dict[str, str]]:
    """Each row of the upload by column name. Raises ApiError InvalidBatch for what is no such CSV."""
    if not job.upload_file.exists():
        return
    try:
        with job.upload_file.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file, delimiter=job.delimiter, restval="", restkey=None, strict=True):
                if None in row:
                    raise invalid_batch("a row has more cells than the header")
                yield row
    except (csv.Error, UnicodeDecodeError) as error:
        raise invalid_batch(str(error)) from error


def upload_header(job: Job) -> list[str]:
    """The column names; none when nothing was uploaded, or nothing that can be read."""
    if not job.upload_file.exists():
        return []
    with job.upload_file.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return next(csv.reader(file, delimiter=job.delimiter), [])


def _refuse_other_line_ending(job: Job) -> None:
    """Looks at the end of the header."""
    with job.upload_file.open("rb") as file:
        header = file.readline()
    if header.endswith(b"\n") and header.endswith(b"\r\n") != (job.line_ending == "\r\n"):
        told = f"LineEnding is invalid on user data. Current LineEnding setting is {job.plain['lineEnding']}"
        raise ApiError("ClientInputError", told)


def _load_chunk(job: Job, chunk: list[tuple[int, Values]]) -> bool:
    """False when the job was aborted: then nothing is written. An abort waits for the end of a chunk."""
    plain = job.plain
    load = Load(
        job.org,
        plain["createdById"],
        plain["operation"],
        plain["object"],
        plain.get("externalIdFieldName", ""),
        job.id,
    )
    with job.org.database.write():
        current = look_up(job.org, FAMILY, job.id)
        if current is None or current.state != "InProgress":
            return False
        take_rows(job.org, chunk[0][0], len(chunk))
        loaded = load_chunk(load, chunk)
        job.add_apex_time(loaded.cpu_ms)
        plain["numberRecordsFailed"] = plain.get("numberRecordsFailed", 0) + loaded.failed_rows
        plain["numberRecordsProcessed"] = chunk[-1][0]
        job.save("InProgress")
    return True
