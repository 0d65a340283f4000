"""Carries out a batch of Bulk API 1: the rows of a load 200 to a transaction, or a query into a result file.

Without a delay a batch is done before its request is answered, as clients that poll every 20 seconds would wait for it.
"""

from itertools import islice

from orgsim.background import Background
from orgsim.bulk.allowed import check_query
from orgsim.bulk.columns import invalid_batch, loaded_sobject
from orgsim.bulk.jobs import Job, find_job, look_up
from orgsim.bulk.limits import take_batch_rows, take_batches
from orgsim.bulk.rows import CHUNK_ROWS, Load, Values, count_outcomes, load_chunk
from orgsim.bulk1 import chunking
from orgsim.bulk1.batches import (
    COMPLETED,
    FAMILY,
    IN_PROGRESS,
    NOT_PROCESSED,
    UNFINISHED,
    Batch,
    add_batch,
    find_batch,
)
from orgsim.bulk1.content import read_rows
from orgsim.errors import ApiError
from orgsim.rest.faults import fail_struck_job
from orgsim.soql.plan import Asker, write_csv, write_json
from orgsim.store.org import Org

QUERIES = ("query", "queryAll")


def start(org: Org, job_id: str, batch_id: str, background: Background) -> None:
    half = float(org.setting("bulk_delay_seconds")) / 2

    def work() -> None:
        batch = _begin(org, job_id, batch_id)
        if batch is not None:
            background.sleep(half)
            for made in _run(find_job(org, FAMILY, job_id), batch):
                start(org, job_id, made.id, background)

    if half:
        background.run_later(half, work)
    else:
        work()


def _begin(org: Org, job_id: str, batch_id: str) -> Batch | None:
    """None when the job was aborted before the batch had begun. What has begun is carried to its end (facts C.9)."""
    with org.database.write():
        job = look_up(org, FAMILY, job_id)
        batch = find_batch(job, batch_id) if job else None
        if batch is None or batch.state not in UNFINISHED:
            return None
        batch.save(IN_PROGRESS)
    return batch


def _run(job: Job, batch: Batch) -> list[Batch]:
    """The batches that were made of this one; none unless its query was chunked."""
    try:
        fail_struck_job(job.org.usage, "bulk1")
        if job.plain["operation"] in QUERIES:
            return _run_query(job, batch)
        _run_load(job, batch)
    except ApiError as error:
        batch.fail(f"{error.code} : {error.message}")
    return []


def _run_load(job: Job, batch: Batch) -> None:
    plain = job.plain
    sobject = loaded_sobject(job.org, plain["createdById"], plain["object"])
    rows = read_rows(batch.request_file.read_bytes(), plain["contentType"], sobject)
    load = Load(
        job.org,
        plain["createdById"],
        plain["operation"],
        sobject.name,
        plain.get("externalIdFieldName", ""),
        batch.id,
    )
    numbered = islice(enumerate(rows, start=1), count_outcomes(job.org, batch.id), None)
    while chunk := list(islice(numbered, CHUNK_ROWS)):
        take_batch_rows(job.org, len(chunk))
        _load_chunk(load, batch, chunk)
    batch.finish(COMPLETED)


def _load_chunk(load: Load, batch: Batch, chunk: list[tuple[int, Values]]) -> None:
    with load.org.database.write():
        loaded = load_chunk(load, chunk)
        batch.plain["numberRecordsFailed"] += loaded.failed_rows
        batch.plain["apexProcessingTime"] += loaded.cpu_ms
        batch.plain["numberRecordsProcessed"] = chunk[-1][0]
        batch.save()


def _run_query(job: Job, batch: Batch) -> list[Batch]:
    soql = batch.request_file.read_bytes().decode("utf-8", errors="replace").strip()
    asker = Asker(job.org, job.plain["createdById"], job.plain["_version"])
    try:
        check_query(asker, soql, ",")
        parts = [] if "_chunk" in batch.plain else _chunks(job, soql)
        if not parts:
            _fill_result(job, batch, asker, soql)
    except ApiError as error:
        raise invalid_batch(f"Failed to process query: {error}") from error
    if not parts:
        return []
    take_batches(job.org, len(parts))
    return _add_chunks(job, batch, parts)


def _chunks(job: Job, soql: str) -> list[str]:
    wanted = chunking.read_header(job.plain["_chunking"])
    return chunking.chunk(job.org, soql, wanted) if wanted else []


def _add_chunks(job: Job, batch: Batch, parts: list[str]) -> list[Batch]:
    with job.org.database.write():
        made = []
        for number, part in enumerate(parts, start=1):
            chunk = add_batch(job, part.encode())
            chunk.plain["_chunk"] = number
            chunk.save()
            made.append(chunk)
        batch.finish(NOT_PROCESSED)
    return made


def _fill_result(job: Job, batch: Batch, asker: Asker, soql: str) -> None:
    all_rows = job.plain["operation"] == "queryAll"
    if job.plain["contentType"] == "JSON":
        count = write_json(asker, soql, batch.result_file, all_rows=all_rows)
    else:
        result = write_csv(asker, soql, batch.result_file, all_rows=all_rows)
        batch.plain["_header"], count = list(result.header), result.rows
    most = int(job.org.setting("bulk_query_timeout_rows"))
    if 0 < most < count and "_chunk" not in batch.plain:
        raise ApiError("QUERY_TIMEOUT", "Your query request was running for too long.")
    batch.plain["numberRecordsProcessed"] = count
    batch.finish(COMPLETED)
