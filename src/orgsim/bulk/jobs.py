"""A Bulk job as it is kept: its describing values, its state, its files. Shared by both Bulk APIs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from orgsim.clock import parse_datetime
from orgsim.errors import ApiError, not_found
from orgsim.store.org import Org

DELIMITERS = {"COMMA": ",", "TAB": "\t", "PIPE": "|", "CARET": "^", "SEMICOLON": ";", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


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

    def add(self, state: str) -> None:
        self.state = state
        with self.org.database.write() as connection:
            connection.execute(
                "INSERT INTO _job VALUES (?, ?, ?, ?, ?)",
                (self.id, self.family, self.plain["createdDate"], self.state, orjson.dumps(self.plain).decode()),
            )

    def save(self, state: str | None = None) -> bool:
        """False for an aborted or deleted job, which stays so whatever its worker still wants to write."""
        self.state = state or self.state
        self.plain["systemModstamp"] = self.org.now_text()
        with self.org.database.join() as connection:
            changed = connection.execute(
                "UPDATE _job SET state = ?, plain = ? WHERE id = ? AND state <> 'Aborted'",
                (self.state, orjson.dumps(self.plain).decode(), self.id),
            ).rowcount
        return changed == 1

    def forget(self) -> None:
        """With its batches, where it has some, and all that is kept for them."""
        with self.org.database.write() as connection:
            connection.execute("DELETE FROM _job WHERE id = ?", (self.id,))
            batches = connection.execute("DELETE FROM _batch WHERE job_id = ? RETURNING id", (self.id,)).fetchall()
            names = [self.id, *(batch_id for (batch_id,) in batches)]
            connection.executemany("DELETE FROM _job_row WHERE job_id = ?", [(name,) for name in names])
        remove_files(self.org, names)

    def add_apex_time(self, cpu_ms: int) -> None:
        """Time that triggers took; all of it is time in which the API was active."""
        for name in ("apexProcessingTime", "apiActiveProcessingTime"):
            self.plain[name] = self.plain.get(name, 0) + cpu_ms

    def finish_time(self) -> None:
        """The time since the job was made, and that of triggers, which no clock has seen."""
        took = self.org.clock.now() - parse_datetime(self.plain["createdDate"])
        apex_ms = self.plain.get("apexProcessingTime", 0)
        self.plain["totalProcessingTime"] = max(0, int(took.total_seconds() * 1000)) + apex_ms


def remove_files(org: Org, names: list[str]) -> None:
    """All that is kept under the ids of jobs or batches."""
    for path in (path for name in names for path in org.job_folder.glob(f"{name}.*")):
        path.unlink(missing_ok=True)


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
        "contentType": one_of(request, "contentType", ("CSV",)),
        "apiVersion": float(api_version),
        "lineEnding": one_of(request, "lineEnding", tuple(LINE_ENDINGS)),
        "columnDelimiter": one_of(request, "columnDelimiter", tuple(DELIMITERS)),
    }
    return Job(org, plain["id"], family, "Open", plain)


def find_job(org: Org, family: str, job_id: str) -> Job:
    """Raises ApiError NOT_FOUND."""
    job = look_up(org, family, job_id)
    if job is None:
        raise not_found()
    return job


def look_up(org: Org, family: str, job_id: str) -> Job | None:
    row = (
        org.database.connect()
        .execute(
            "SELECT id, family, state, plain FROM _job WHERE substr(id, 1, 15) = ? AND family = ?",
            (job_id[:15], family),
        )
        .fetchone()
    )
    return Job(org, row[0], row[1], row[2], orjson.loads(row[3])) if row else None


def jobs_in(org: Org, family: str, states: tuple[str, ...]) -> list[Job]:
    """In the order they were made."""
    marks = ", ".join("?" * len(states))
    rows = (
        org.database.connect()
        .execute(
            f"SELECT id, family, state, plain FROM _job WHERE family = ? AND state IN ({marks}) ORDER BY id",  # noqa: S608  only question marks are put in
            (family, *states),
        )
        .fetchall()
    )
    return [Job(org, row[0], row[1], row[2], orjson.loads(row[3])) for row in rows]


def abort_job(org: Org, family: str, job_id: str, states: tuple[str, ...]) -> Job:
    """In one transaction, so that no count of a worker is lost. Raises ApiError for a job that has ended."""
    with org.database.write():
        job = find_job(org, family, job_id)
        if job.state not in states:
            raise already("Aborting", job)
        job.save("Aborted")
    return job


def already(deed: str, job: Job) -> ApiError:
    """The wording of D api-asynch/abort-a-query-job."""
    state = "Completed" if job.state == "JobComplete" else job.state
    return wrong_state(f"{deed} already {state} Job not allowed")


def wrong_state(message: str) -> ApiError:
    return ApiError("INVALIDJOBSTATE", message)


def invalid_job(message: str) -> ApiError:
    return ApiError("INVALIDJOB", message)


def one_of(request: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = request.get(name) or allowed[0]
    if value not in allowed:
        raise invalid_job(f"Unable to parse Job: invalid {name} '{value}', expected one of {', '.join(allowed)}")
    return str(value)
