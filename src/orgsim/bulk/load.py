"""Carries out an ingest job: 200 rows and their outcomes per transaction, so a restart goes on where it was."""

import csv
from collections.abc import Iterator
from itertools import islice

from orgsim.background import Background
from orgsim.bulk.columns import refuse_unknown_columns, values_of
from orgsim.bulk.jobs import Job, find_job
from orgsim.bulk.limits import take_rows
from orgsim.bulk.rows import CHUNK_ROWS, Load, Values, count_outcomes, load_chunk
from orgsim.errors import ApiError
from orgsim.rest.faults import fail_struck_job
from orgsim.store.org import Org

FAMILY = "ingest"


def start(org: Org, job_id: str, background: Background) -> None:
    half = float(org.setting("bulk_delay_seconds")) / 2

    def work() -> None:
        job = find_job(org, FAMILY, job_id)
        if job.state in ("UploadComplete", "InProgress"):
            job.save("InProgress")
            background.sleep(half)
            run(job)

    background.run_later(half, work)


def run(job: Job) -> None:
    done = count_outcomes(job.org, job.id)
    state = "JobComplete"
    try:
        fail_struck_job(job.org.usage, "bulk_ingest")
        refuse_unknown_columns(job.org.catalog().get(job.plain["object"]), upload_header(job))
        rows = islice(enumerate(map(values_of, read_upload(job)), start=1), done, None)
        while chunk := list(islice(rows, CHUNK_ROWS)):
            if find_job(job.org, FAMILY, job.id).state == "Aborted":
                return
            take_rows(job.org, chunk[0][0], len(chunk))
            _load_chunk(job, chunk)
    except (csv.Error, UnicodeDecodeError) as error:
        job.plain["errorMessage"], state = f"InvalidBatch : {error}", "Failed"
    except ApiError as error:
        job.plain["errorMessage"], state = f"{error.code} : {error.message}", "Failed"
    job.finish_time()
    job.save(state)


def read_upload(job: Job) -> Iterator[dict[str, str]]:
    """Each row of the upload by column name. Raises csv.Error for a row with too many cells."""
    if not job.upload_file.exists():
        return
    with job.upload_file.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=job.delimiter, restval="", restkey=None, strict=True):
            if None in row:
                raise csv.Error("a row has more cells than the header")
            yield row


def upload_header(job: Job) -> list[str]:
    """The column names; none when nothing was uploaded."""
    if not job.upload_file.exists():
        return []
    with job.upload_file.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file, delimiter=job.delimiter), [])


def _load_chunk(job: Job, chunk: list[tuple[int, Values]]) -> None:
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
        loaded = load_chunk(load, chunk)
        job.add_apex_time(loaded.cpu_ms)
        plain["numberRecordsFailed"] = plain.get("numberRecordsFailed", 0) + loaded.failed_rows
        plain["numberRecordsProcessed"] = chunk[-1][0]
        job.save("InProgress")
