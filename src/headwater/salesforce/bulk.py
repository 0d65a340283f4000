"""Bulk API 2.0 query jobs: create, ask for the state of all at once, fetch pages of CSV straight into files.

A job survives us: its id and the locator of the next page are all that is needed to go on (facts C.4).
Not here: when to poll (sync/read.py) and what the CSV holds (lake/writing.py).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from headwater.common.errors import Bug
from headwater.salesforce.meter import Call, CallKind
from headwater.salesforce.rest import DATA
from headwater.salesforce.transport import Request, Transport

_LAST_PAGE = "null"  # the header holds this word where there is no further page


class JobState(StrEnum):
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
    """A page of results in a file; `locator` is empty after the last."""

    row_count: int
    locator: str


class Bulk:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create_query(self, sobject: str, soql: str) -> CreatedJob:
        """Start a queryAll job (deleted and archived rows too); one credit."""
        body = {"operation": "queryAll", "query": soql, "contentType": "CSV", "lineEnding": "LF"}
        request = Request("POST", f"{DATA}/jobs/query", f"starting a Bulk query of {sobject}", json=body)
        answer = self._transport.send(Call(CallKind.BULK_CREATE, sobject), request)
        return CreatedJob(answer.json()["id"], answer.server_utc)

    def states(self, job_ids: Collection[str]) -> dict[str, JobState]:
        """The states of all our jobs: one credit however many they are, up to 1,000 jobs of the org (facts B.6)."""
        found: dict[str, JobState] = {}
        path, params = f"{DATA}/jobs/query", {"jobType": "V2Query"}
        while True:
            answer = self._transport.send(
                Call(CallKind.BULK_POLL), Request("GET", path, "asking for Bulk jobs' states", params=params)
            ).json()
            found |= {row["id"]: JobState(row["state"]) for row in answer["records"] if row["id"] in job_ids}
            if len(found) == len(job_ids) or answer["done"]:
                break
            path, params = answer["nextRecordsUrl"], {}
        missing = set(job_ids) - found.keys()
        if missing:
            raise Bug("salesforce.bulk_job_gone", f"Salesforce no longer lists the Bulk jobs {sorted(missing)}.")
        return found

    def failure(self, job_id: str, sobject: str) -> str:
        """Salesforce's own words on why a job failed; one credit."""
        request = Request("GET", f"{DATA}/jobs/query/{job_id}", f"asking why the Bulk query of {sobject} failed")
        answer: dict[str, Any] = self._transport.send(Call(CallKind.BULK_POLL, sobject), request).json()
        return str(answer.get("errorMessage", ""))

    def fetch_page(self, sobject: str, job_id: str, locator: str, max_rows: int, save_to: Path) -> ResultPage:
        """Save one page of results; a page may be fetched again any number of times within 7 days; one credit."""
        params = {"maxRecords": str(max_rows)} | ({"locator": locator} if locator else {})
        request = Request(
            "GET",
            f"{DATA}/jobs/query/{job_id}/results",
            f"fetching {sobject} from Bulk job {job_id}",
            params=params,
            headers={"Accept": "text/csv"},
            save_to=save_to,
        )
        answer = self._transport.send(Call(CallKind.BULK_RESULTS, sobject), request)
        following = answer.headers["Sforce-Locator"]
        return ResultPage(
            row_count=int(answer.headers["Sforce-NumberOfRecords"]),
            locator="" if following == _LAST_PAGE else following,
        )
