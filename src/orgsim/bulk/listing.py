"""GET /jobs/query and /jobs/ingest: descriptions of jobs, newest first, 1,000 at a time (facts C.4)."""

import re
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.responses import Response

from orgsim.bulk.jobs import Job, invalid_job
from orgsim.bulk.lifetime import end_old_jobs
from orgsim.errors import ApiError
from orgsim.exchange import json_response
from orgsim.rest.call import Call

LISTED_JOBS = 1000
_TYPES = {"query": "V2Query", "ingest": "V2Ingest", "classic": "Classic"}
_PROGRESS: dict[str, dict[str, object]] = {
    "query": {"retries": 0, "totalProcessingTime": 0, "numberRecordsProcessed": 0, "isPkChunkingSupported": True},
    "ingest": {
        "retries": 0,
        "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
        "numberRecordsProcessed": 0,
        "numberRecordsFailed": 0,
    },
    "classic": {},
}
# `01g`, the last job's own characters, how many were listed before: as Salesforce's look (D api-asynch).
_LOCATOR = re.compile(r"01g(\w{12})-(\d+)")


def described(job: Job) -> dict[str, Any]:
    """What GET shows of one job, and a list of each."""
    shown = {**_PROGRESS[job.family], **job.shown(), "jobType": _TYPES[job.family]}
    if job.family == "classic":
        shown["apiVersion"] = float(job.plain["_version"])
    return shown


def list_jobs(call: Call, resource: str) -> Response:
    """`resource` is query or ingest: its own jobs, and those of Bulk API 1 unless a type is asked for."""
    end_old_jobs(call.org)
    families = _families(call, resource)
    before, passed = _read_locator(call.exchange.query.get("queryLocator"))
    rows = (
        call.org.database.connect()
        .execute(
            "SELECT id, family, state, plain FROM _job WHERE family IN (SELECT value FROM json_each(?)) "
            "AND id < ? AND (? = 0 OR lower(json_extract(plain, '$._chunking')) NOT IN ('', 'false')) "
            "AND (? = '' OR lower(json_extract(plain, '$.concurrencyMode')) = ?) ORDER BY id DESC LIMIT ?",
            (
                orjson.dumps(families).decode(),
                before,
                call.exchange.query.get("isPkChunkingEnabled", "").lower() == "true",
                *[call.exchange.query.get("concurrencyMode", "").lower()] * 2,
                LISTED_JOBS + 1,
            ),
        )
        .fetchall()
    )
    jobs = [Job(call.org, row[0], row[1], row[2], orjson.loads(row[3])) for row in rows[:LISTED_JOBS]]
    more = len(rows) > LISTED_JOBS
    next_url = _next_url(call, resource, jobs[-1].id, passed + LISTED_JOBS) if more else None
    return json_response({"done": not more, "records": [described(job) for job in jobs], "nextRecordsUrl": next_url})


def _families(call: Call, resource: str) -> list[str]:
    wanted = call.exchange.query.get("jobType")
    if wanted is None:
        return [resource, "classic"]
    found = [family for family, name in _TYPES.items() if name.lower() == wanted.lower()]
    if not found:
        raise invalid_job(f"Invalid jobType '{wanted}', expected one of {', '.join(_TYPES.values())}")
    return found


def _read_locator(text: str | None) -> tuple[str, int]:
    """(the id that what follows is older than, how many came before it)."""
    if not text:
        return "751", 0
    found = _LOCATOR.fullmatch(text)
    if found is None:
        raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
    return f"750{found[1]}", int(found[2])


def _next_url(call: Call, resource: str, last_id: str, passed: int) -> str:
    filters = {name: value for name, value in call.exchange.query.items() if name != "queryLocator"}
    query = urlencode({**filters, "queryLocator": f"01g{last_id[3:15]}-{passed}"})
    return f"{call.base_path}/jobs/{resource}?{query}"
