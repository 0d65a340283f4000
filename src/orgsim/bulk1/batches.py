"""A batch of a Bulk API 1 job as it is kept, and the description of a job with the sums over its batches."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from orgsim.bulk.jobs import Job
from orgsim.clock import parse_datetime
from orgsim.errors import ApiError
from orgsim.store.org import Org

FAMILY = "classic"
QUEUED, IN_PROGRESS, COMPLETED, FAILED, NOT_PROCESSED = "Queued", "InProgress", "Completed", "Failed", "NotProcessed"
UNFINISHED = (QUEUED, IN_PROGRESS)
_COUNTERS = ("totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime")


@dataclass(slots=True)
class Batch:
    """`plain` is what is shown besides the state; keys beginning with "_" are our own and not shown."""

    org: Org
    id: str
    job_id: str
    state: str
    plain: dict[str, Any]

    @property
    def request_file(self) -> Path:
        return self.org.job_folder / f"{self.id}.request"

    @property
    def result_file(self) -> Path:
        return self.org.job_folder / f"{self.id}.result"

    @property
    def result_id(self) -> str:
        """Every query batch has one result; its id differs from the batch's in the prefix alone."""
        return f"752{self.id[3:15]}"

    def shown(self) -> dict[str, Any]:
        """In the order that was recorded (R CumulusCI)."""
        plain = {name: value for name, value in self.plain.items() if not name.startswith("_")}
        message = {"stateMessage": plain.pop("stateMessage")} if "stateMessage" in plain else {}
        return {"id": self.id, "jobId": self.job_id, "state": self.state, **message, **plain}

    def save(self, state: str | None = None) -> None:
        self.state = state or self.state
        self.plain["systemModstamp"] = self.org.now_text()
        with self.org.database.write() as connection:
            connection.execute(
                "INSERT INTO _batch VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET state = excluded.state, plain = excluded.plain",
                (self.id, self.job_id, self.state, self.plain["createdDate"], orjson.dumps(self.plain).decode()),
            )

    def fail(self, message: str) -> None:
        self.plain["stateMessage"] = message
        self.finish(FAILED)

    def finish(self, state: str) -> None:
        took = self.org.clock.now() - parse_datetime(self.plain["createdDate"])
        milliseconds = max(0, int(took.total_seconds() * 1000)) + int(self.plain["apexProcessingTime"])
        self.plain |= {"totalProcessingTime": milliseconds, "apiActiveProcessingTime": milliseconds}
        self.save(state)


def add_batch(job: Job, content: bytes) -> Batch:
    """A queued batch with its request kept."""
    org, now = job.org, job.org.now_text()
    plain = {
        "createdDate": now,
        "systemModstamp": now,
        "numberRecordsProcessed": 0,
        "numberRecordsFailed": 0,
        **dict.fromkeys(_COUNTERS, 0),
    }
    batch = Batch(org, org.new_id("751"), job.id, QUEUED, plain)
    batch.request_file.parent.mkdir(parents=True, exist_ok=True)
    batch.request_file.write_bytes(content)
    batch.save()
    return batch


def find_batch(job: Job, batch_id: str) -> Batch:
    for batch in batches_of(job):
        if batch.id[:15] == batch_id[:15]:
            return batch
    raise ApiError("InvalidBatch", f"Unable to find batch: {batch_id}")


def batches_of(job: Job) -> list[Batch]:
    """In the order they were added."""
    rows = (
        job.org.database.connect()
        .execute("SELECT id, job_id, state, plain FROM _batch WHERE job_id = ? ORDER BY id", (job.id,))
        .fetchall()
    )
    return [Batch(job.org, row[0], row[1], row[2], orjson.loads(row[3])) for row in rows]


def unfinished_batches(org: Org) -> list[tuple[str, str]]:
    """(job id, batch id) of what an earlier run of the server left undone."""
    rows = org.database.connect().execute("SELECT job_id, id FROM _batch WHERE state IN (?, ?) ORDER BY id", UNFINISHED)
    return [(row[0], row[1]) for row in rows]


def drop_queued(job: Job) -> None:
    """What has not begun when its job is aborted never will."""
    for batch in batches_of(job):
        if batch.state == QUEUED:
            batch.save(NOT_PROCESSED)


def job_info(job: Job) -> dict[str, Any]:
    """In the order that was recorded (R CumulusCI). Batches that are never processed are not counted (facts C.9)."""
    batches = batches_of(job)

    def count(*states: str) -> int:
        return sum(batch.state in states for batch in batches)

    def total(name: str) -> int:
        return sum(int(batch.plain[name]) for batch in batches)

    return {
        **job.shown(),
        "numberBatchesQueued": count(QUEUED),
        "numberBatchesInProgress": count(IN_PROGRESS),
        "numberBatchesCompleted": count(COMPLETED),
        "numberBatchesFailed": count(FAILED),
        "numberBatchesTotal": count(*UNFINISHED, COMPLETED, FAILED),
        "numberRecordsProcessed": total("numberRecordsProcessed"),
        "numberRetries": 0,
        "apiVersion": float(job.plain["_version"]),
        "numberRecordsFailed": total("numberRecordsFailed"),
        **{name: total(name) for name in _COUNTERS},
    }
