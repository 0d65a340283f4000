"""A Bulk job as it is kept: its describing values, its state, its files. Shared by query and ingest."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from orgsim.clock import parse_datetime
from orgsim.errors import ApiError, not_found
from orgsim.store.org import Org

DELIMITERS = {"COMMA": ",", "TAB": "\t", "PIPE": "|", "CARET": "^", "SEMICOLON": ";", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
LISTED_JOBS = 1000


@dataclass(slots=True)
class Job:
    """`plain` is what GET shows, besides the state; keys beginning with "_" are our own and not shown."""

    org: Org
    id: str
    family: str
    state: str
    plain: dict[str, Any]

    @property
    def delimiter(self) -> str:
        return DELIMITERS[self.plain["columnDelimiter"]]

    @property
    def line_ending(self) -> str:
        return LINE_ENDINGS[self.plain["lineEnding"]]

    @property
    def result_file(self) -> Path:
        return self.org.job_folder / f"{self.id}.result"

    @property
    def upload_file(self) -> Path:
        return self.org.job_folder / f"{self.id}.upload.csv"

    def shown(self) -> dict[str, Any]:
        visible = {name: value for name, value in self.plain.items() if not name.startswith("_")}
        visible["state"] = self.state
        return visible

    def save(self, state: str | None = None) -> None:
        """An aborted job stays as it is, whatever its worker still wants to write."""
        self.state = state or self.state
        self.plain["systemModstamp"] = self.org.now_text()
        with self.org.database.write() as connection:
            connection.execute(
                "INSERT INTO _job VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET state = excluded.state, plain = excluded.plain "
                "WHERE _job.state <> 'Aborted'",
                (self.id, self.family, self.plain["createdDate"], self.state, orjson.dumps(self.plain).decode()),
            )

    def forget(self) -> None:
        with self.org.database.write() as connection:
            connection.execute("DELETE FROM _job WHERE id = ?", (self.id,))
            connection.execute("DELETE FROM _job_row WHERE job_id = ?", (self.id,))
        self.result_file.unlink(missing_ok=True)
        self.upload_file.unlink(missing_ok=True)

    def add_apex_time(self, cpu_ms: int) -> None:
        """Time that triggers took; all of it is time in which the API was active."""
        for name in ("apexProcessingTime", "apiActiveProcessingTime"):
            self.plain[name] = self.plain.get(name, 0) + cpu_ms

    def finish_time(self) -> None:
        """The time since the job was made, and that of triggers, which no clock has seen."""
        took = self.org.clock.now() - parse_datetime(self.plain["createdDate"])
        apex_ms = self.plain.get("apexProcessingTime", 0)
        self.plain["totalProcessingTime"] = max(0, int(took.total_seconds() * 1000)) + apex_ms


def new_job(org: Org, user_id: str, family: str, request: dict[str, Any], api_version: str) -> Job:
    """The values every job has. Raises ApiError for a dialect that does not exist."""
    now = org.now_text()
    plain: dict[str, Any] = {
        "id": org.new_id("750"),
        "operation": request.get("operation"),
        "object": request.get("object"),
        "createdById": user_id,
        "createdDate": now,
        "systemModstamp": now,
        "state": "",
        "concurrencyMode": "Parallel",
        "contentType": _one_of(request, "contentType", ("CSV",)),
        "apiVersion": float(api_version),
        "lineEnding": _one_of(request, "lineEnding", tuple(LINE_ENDINGS)),
        "columnDelimiter": _one_of(request, "columnDelimiter", tuple(DELIMITERS)),
    }
    return Job(org, plain["id"], family, "Open", plain)


def find_job(org: Org, family: str, job_id: str) -> Job:
    row = (
        org.database.connect()
        .execute(
            "SELECT id, family, state, plain FROM _job WHERE substr(id, 1, 15) = ? AND family = ?",
            (job_id[:15], family),
        )
        .fetchone()
    )
    if row is None:
        raise not_found()
    return Job(org, row[0], row[1], row[2], orjson.loads(row[3]))


def list_jobs(org: Org, family: str, *, offset: int = 0, states: tuple[str, ...] = ()) -> list[Job]:
    """Newest first, at most 1,000. `states` empty: all."""
    marks = f"AND state IN ({', '.join('?' * len(states))})" if states else ""
    rows = (
        org.database.connect()
        .execute(
            f"SELECT id, family, state, plain FROM _job WHERE family = ? {marks} ORDER BY id DESC LIMIT ? OFFSET ?",  # noqa: S608  only question marks are put in
            (family, *states, LISTED_JOBS, offset),
        )
        .fetchall()
    )
    return [Job(org, row[0], row[1], row[2], orjson.loads(row[3])) for row in rows]


def wrong_state(message: str) -> ApiError:
    return ApiError("INVALIDJOBSTATE", message)


def invalid_job(message: str) -> ApiError:
    return ApiError("INVALIDJOB", message)


def _one_of(request: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = request.get(name) or allowed[0]
    if value not in allowed:
        raise invalid_job(f"Unable to parse Job: invalid {name} '{value}', expected one of {', '.join(allowed)}")
    return str(value)
