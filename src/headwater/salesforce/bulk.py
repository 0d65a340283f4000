"""Bulk API 2.0: query jobs and ingest jobs. Create, ask for the state of all at once, CSV straight from and to files.

A job survives us: its id, and of a query the locator of the next page, are all it takes to go on (facts C.4, C.5).
Not here: when to poll (sync/read.py, export/bulk_lane.py), what the CSV holds (lake/writing.py, export/csv_files.py).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import orjson

from headwater.salesforce.meter import Call, CallKind
from headwater.salesforce.multipart import Part, form
from headwater.salesforce.rest import DATA
from headwater.salesforce.transport import Request, Transport

UPLOAD_BYTES_MAX = 100_000_000  # of CSV in one ingest job (facts C.5)
MULTIPART_CHARACTERS_MAX = 100_000
_DONE_BEFORE = frozenset({"INVALIDJOBSTATE", "NOT_FOUND"})
_RESULT_GONE = frozenset({"INVALID_QUERY_LOCATOR", "NOT_FOUND"})  # it lived seven days (facts C.4)
_LAST_PAGE = "null"  # the header holds this word where there is no further page


class JobState(StrEnum):
    OPEN = "Open"
    UPLOAD_COMPLETE = "UploadComplete"
    IN_PROGRESS = "InProgress"
    JOB_COMPLETE = "JobComplete"
    ABORTED = "Aborted"
    FAILED = "Failed"


ENDED = frozenset({JobState.JOB_COMPLETE, JobState.ABORTED, JobState.FAILED})


@dataclass(frozen=True, slots=True)
class CreatedJob:
    id: str
    server_utc: datetime


@dataclass(frozen=True, slots=True)
class ResultPage:
    """A page of results in a file, compressed where Salesforce sent it so; `locator` is empty after the last."""

    row_count: int
    locator: str
    is_gzip: bool


class Bulk:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create_query(self, sobject: str, soql: str) -> CreatedJob:
        """Start a queryAll job (deleted and archived rows too); one credit."""
        body = {"operation": "queryAll", "query": soql, "contentType": "CSV", "lineEnding": "LF"}
        request = Request("POST", f"{DATA}/jobs/query", f"starting a Bulk query of {sobject}", json=body)
        answer = self._transport.send(Call(CallKind.BULK_CREATE, sobject), request)
        return CreatedJob(answer.json["id"], answer.server_utc)

    def states(self, job_ids: Collection[str]) -> dict[str, JobState]:
        """The states of our jobs: a credit for up to 1,000 jobs of the org (facts B.6); one that is gone is absent."""
        return _listed(self._transport, "query", "V2Query", job_ids)

    def failure(self, job_id: str, sobject: str) -> str:
        """Salesforce's own words on why a job failed; one credit."""
        return _failure(self._transport, "query", job_id, sobject)

    def fetch_page(self, sobject: str, job_id: str, locator: str, max_rows: int, save_to: Path) -> ResultPage | None:
        """Save one page of results; a page may be fetched again any number of times within 7 days; one credit.

        None: the org no longer has it.
        """
        params = {"maxRecords": str(max_rows)} | ({"locator": locator} if locator else {})
        request = Request(
            "GET",
            f"{DATA}/jobs/query/{job_id}/results",
            f"fetching {sobject} from Bulk job {job_id}",
            params=params,
            headers={"Accept": "text/csv"},
            save_to=save_to,
            is_kept_compressed=True,
            let_pass=_RESULT_GONE,
        )
        answer = self._transport.send(Call(CallKind.BULK_RESULTS, sobject), request)
        if answer.refusal:
            return None
        following = answer.headers["Sforce-Locator"]
        return ResultPage(
            row_count=int(answer.headers["Sforce-NumberOfRecords"]),
            locator="" if following == _LAST_PAGE else following,
            is_gzip=answer.headers.get("Content-Encoding", "").lower() == "gzip",
        )


class Operation(StrEnum):
    UPSERT = "upsert"
    DELETE = "delete"


class Results(StrEnum):
    """What became of an ingest job's rows; those in neither were not processed."""

    SUCCESSFUL = "successfulResults"
    FAILED = "failedResults"


class Ingest:
    """Bulk 2.0 ingest jobs; each method is one credit.

    What was uploaded or closed already, by a try whose answer was lost, is not refused: the state tells what is so.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, operation: Operation, sobject: str, external_id_field: str = "") -> str:
        """An open job, by its id. One that is never filled does nothing, and ends by itself after 24 hours."""
        request = Request(
            "POST",
            f"{DATA}/jobs/ingest",
            f"starting a Bulk {operation.value} of {sobject}",
            json=_description(operation, sobject, external_id_field),
        )
        return str(self._transport.send(Call(CallKind.BULK_CREATE, sobject), request).json["id"])

    def create_with(self, operation: Operation, sobject: str, csv: bytes) -> str:
        """A job with its rows in the same call, up to 100,000 characters of them; nothing more needs to be sent.

        Its answer may be lost though the org works on it: only for rows that may be sent twice.
        """
        content, headers = form(
            Part("job", "application/json", orjson.dumps(_description(operation, sobject, ""))),
            Part("content", "text/csv", csv, file_name="content.csv"),
        )
        request = Request(
            "POST",
            f"{DATA}/jobs/ingest",
            f"starting a Bulk {operation.value} of {sobject}",
            content=content,
            headers=headers,
        )
        return str(self._transport.send(Call(CallKind.BULK_CREATE, sobject), request).json["id"])

    def upload(self, job_id: str, sobject: str, csv: Path) -> None:
        request = Request(
            "PUT",
            f"{DATA}/jobs/ingest/{job_id}/batches",
            f"sending {sobject} to Bulk job {job_id}",
            headers={"Content-Type": "text/csv"},
            load_from=csv,
            let_pass=_DONE_BEFORE,
        )
        self._transport.send(Call(CallKind.BULK_UPLOAD, sobject), request)

    def close(self, job_id: str, sobject: str) -> None:
        """Say that all is uploaded: the org begins to work."""
        request = Request(
            "PATCH",
            f"{DATA}/jobs/ingest/{job_id}",
            f"closing the upload of Bulk job {job_id}",
            json={"state": JobState.UPLOAD_COMPLETE.value},
            let_pass=_DONE_BEFORE,
        )
        self._transport.send(Call(CallKind.BULK_CLOSE, sobject), request)

    def states(self, job_ids: Collection[str]) -> dict[str, JobState]:
        """The states of our jobs, up to 1,000 jobs of the org a credit (facts B.6); a job that is gone is absent."""
        return _listed(self._transport, "ingest", "V2Ingest", job_ids)

    def failure(self, job_id: str, sobject: str) -> str:
        """Salesforce's own words on why a job failed."""
        return _failure(self._transport, "ingest", job_id, sobject)

    def fetch(self, job_id: str, sobject: str, results: Results, save_to: Path) -> None:
        """Save the rows with this outcome as CSV; they may be fetched again any number of times within 7 days."""
        request = Request(
            "GET",
            f"{DATA}/jobs/ingest/{job_id}/{results.value}",
            f"fetching the results of Bulk job {job_id}",
            headers={"Accept": "text/csv"},
            save_to=save_to,
        )
        self._transport.send(Call(CallKind.BULK_RESULTS, sobject), request)


def _description(operation: Operation, sobject: str, external_id_field: str) -> dict[str, str]:
    keyed = {"externalIdFieldName": external_id_field} if external_id_field else {}
    return {"operation": operation.value, "object": sobject, "contentType": "CSV", "lineEnding": "LF", **keyed}


def _listed(transport: Transport, resource: str, job_type: str, job_ids: Collection[str]) -> dict[str, JobState]:
    """One credit a page of 1,000 jobs, the newest first, and only until all of ours are found."""
    found: dict[str, JobState] = {}
    path, params = f"{DATA}/jobs/{resource}", {"jobType": job_type}
    while True:
        answer = transport.send(
            Call(CallKind.BULK_POLL), Request("GET", path, "asking for Bulk jobs' states", params=params)
        ).json
        found |= {row["id"]: JobState(row["state"]) for row in answer["records"] if row["id"] in job_ids}
        if len(found) == len(job_ids) or answer["done"]:
            return found
        path, params = answer["nextRecordsUrl"], {}


def _failure(transport: Transport, resource: str, job_id: str, sobject: str) -> str:
    """Empty where the org says nothing, or no longer knows the job."""
    doing = f"asking why the Bulk job of {sobject} failed"
    request = Request("GET", f"{DATA}/jobs/{resource}/{job_id}", doing, let_pass=_RESULT_GONE)
    answer = transport.send(Call(CallKind.BULK_POLL, sobject), request)
    return "" if answer.refusal else str(answer.json.get("errorMessage", ""))
