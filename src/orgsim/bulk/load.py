"""Carries out an ingest job: 200 rows and their outcomes per transaction, so a restart goes on where it was."""

import csv
from collections.abc import Iterator
from itertools import islice

from orgsim import ids
from orgsim.background import Background
from orgsim.bulk.jobs import Job, find_job
from orgsim.errors import ApiError
from orgsim.store.org import Org
from orgsim.store.write import Writer

FAMILY = "ingest"
CHUNK_ROWS = 200
SET_NULL = "#N/A"


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
    done = _done_rows(job)
    state = "JobComplete"
    try:
        rows = islice(enumerate(read_upload(job), start=1), done, None)
        while chunk := list(islice(rows, CHUNK_ROWS)):
            if find_job(job.org, FAMILY, job.id).state == "Aborted":
                return
            _load_chunk(job, chunk)
    except (csv.Error, UnicodeDecodeError) as error:
        job.plain["errorMessage"], state = f"InvalidBatch : {error}", "Failed"
    job.finish_time()
    job.save(state)


def read_upload(job: Job) -> Iterator[dict[str, str]]:
    """Each row of the upload by column name. Raises csv.Error for a row with too many cells."""
    with job.upload_file.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=job.delimiter, restval="", restkey=None, strict=True):
            if None in row:
                raise csv.Error("a row has more cells than the header")
            yield row


def _load_chunk(job: Job, chunk: list[tuple[int, dict[str, str]]]) -> None:
    writer = Writer(job.org, job.plain["createdById"])
    with job.org.database.write() as connection:
        for number, cells in chunk:
            record_id, created, error = _load_row(job, writer, cells)
            connection.execute(
                "INSERT INTO _job_row VALUES (?, ?, ?, ?, ?)", (job.id, number, record_id, created, error)
            )
            job.plain["numberRecordsProcessed"] = number
            job.plain["numberRecordsFailed"] = job.plain.get("numberRecordsFailed", 0) + (error is not None)
        job.save("InProgress")


def _load_row(job: Job, writer: Writer, cells: dict[str, str]) -> tuple[str | None, int, str | None]:
    """(Id, created, error) of one row."""
    record_id = next((value for name, value in cells.items() if name.lower() == "id"), "") or None
    try:
        with job.org.database.write():
            return _write(job, writer, record_id, _values(cells))
    except ApiError as error:
        return record_id, 0, error.as_csv()


def _write(
    job: Job, writer: Writer, record_id: str | None, values: dict[str, object]
) -> tuple[str | None, int, str | None]:
    name, operation = job.plain["object"], job.plain["operation"]
    if operation == "insert":
        return writer.insert(name, values), 1, None
    if operation == "upsert":
        key = job.plain["externalIdFieldName"]
        key_value = record_id if key == "Id" else _take(values, key)
        upserted, created = writer.upsert(name, key, key_value, values)
        return upserted, int(created), None
    if record_id is None:
        raise ApiError("MISSING_ARGUMENT", "Id not specified in an update call", fields=("Id",))
    if operation == "update":
        writer.update(name, record_id, values)
    elif operation == "delete":
        writer.delete(name, record_id)
    else:
        writer.purge(name, record_id)
    return ids.to_18(record_id), 0, None


def _take(values: dict[str, object], key: str) -> object:
    name = next((name for name in values if name.lower() == key.lower()), key)
    return values.pop(name, None)


def _values(cells: dict[str, str]) -> dict[str, object]:
    """Empty cells leave a field alone, `#N/A` empties it, `Account.Key__c` names a parent by its external id."""
    values: dict[str, object] = {}
    for name, cell in cells.items():
        if name.lower() == "id" or cell == "":
            continue
        value = None if cell == SET_NULL else cell
        relationship, dot, key = name.partition(".")
        values[relationship if dot else name] = {key: value} if dot else value
    return values


def _done_rows(job: Job) -> int:
    row = job.org.database.connect().execute("SELECT count(*) FROM _job_row WHERE job_id = ?", (job.id,)).fetchone()
    return int(row[0])
