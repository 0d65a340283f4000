"""Writing back: wanted state against written state, and only the difference is sent.

A second run with nothing changed finds an empty difference and spends nothing.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from headwater.accounts.models import Account
from headwater.accounts.services import open_account_of_job
from headwater.common.errors import Facts, Fix
from headwater.connections.package import PERMISSION_SET, installed_in, is_read_only, why_missing
from headwater.connections.services import session
from headwater.credits.prices import write_calls
from headwater.credits.priorities import Priority
from headwater.export.models import ExportError, WrittenRecord
from headwater.export.send import Batch, delete, record_deletes, record_upserts, upsert
from headwater.export.wanted import DELETE, SOBJECTS, UPSERT, batches, write_queue
from headwater.jobs.models import JsonValue
from headwater.jobs.running import RunningJob
from headwater.jobs.tasks import task
from headwater.salesforce.rest import COLLECTION_ROWS_MAX, RecordResult
from headwater.salesforce.transport import Transport

JOB_KIND = "export"
BATCH_SIZE = COLLECTION_ROWS_MAX
READ_ONLY_TOLD = "This account is read only: an Account Admin chose that nothing is ever written to its org."


@dataclass(frozen=True, slots=True)
class Pass:
    """All batches of one action and one object."""

    action: str
    sobject: str
    send: Callable[[Transport, Batch], list[RecordResult]]
    record: Callable[[Batch, Sequence[RecordResult]], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Sending:
    """What the passes of one export share; `tally` counts what went through and what was refused."""

    job: RunningJob
    account: Account
    transport: Transport
    queue: Path
    records: int
    tally: Counter[str]


# Deletes go first, so that a touchpoint that changed its id never stands in the org twice.
PASSES = (
    *(Pass(DELETE, sobject, delete, record_deletes) for sobject in SOBJECTS),
    *(Pass(UPSERT, sobject, upsert, record_upserts) for sobject in SOBJECTS),
)


@task("export.records")
def export_records(job: RunningJob, *, account_id: int) -> JsonValue:
    """Write one account's touchpoints back to its org."""
    return run_export(job, open_account_of_job(job.tenant, account_id))


def run_export(job: RunningJob, account: Account) -> dict[str, Any]:
    """Steps: difference -> is the package there? -> deletes -> upserts. Returns counts, planned calls and refusals.

    An account that is read only gets its difference counted and nothing sent; `not_written` says so.
    """
    difference = job.step("export: difference", lambda: _write_difference(job, account))
    counts: dict[str, int] = difference["counts"]
    queue = queue_path(account, difference["queue"])
    tally = Counter(done=0, failed=0)
    held_back = {"not_written": READ_ONLY_TOLD} if is_read_only(account) else {}
    if counts and not held_back:
        with session(
            account, job_kind=JOB_KIND, job_id=str(job.id), fence=job.fence, priority=Priority.EXPORT
        ) as transport:
            job.step("export: package", lambda: _require_package(account, transport))
            for one in PASSES:
                _run_pass(Sending(job, account, transport, queue, sum(counts.values()), tally), one)
            held_back = {"not_written": READ_ONLY_TOLD} if is_read_only(account) else {}
    if held_back:
        return {"queued": counts, "planned_calls": 0, **tally, **held_back}
    job.step("export: errors that are over", lambda: None, lambda _: _forget_old_errors(account, str(job.id)))
    return {"queued": counts, "planned_calls": planned_calls(counts), **tally}


def _write_difference(job: RunningJob, account: Account) -> dict[str, Any]:
    """Write the queue and remove those of earlier jobs; this job's own stays, because a resumed job reads it again.

    Its name holds the fence: a worker that lost the job writes beside the queue that is being sent, never into it.
    """
    name = f"{job.id}-{job.fence}"
    counts = write_queue(account, queue_path(account, name))
    for old in queue_path(account, name).parent.glob("*.parquet"):
        if not old.name.startswith(f"{job.id}-"):
            old.unlink(missing_ok=True)
    return {"queue": name, "counts": counts}


def _run_pass(sending: Sending, one: Pass) -> None:
    job, account, tally = sending.job, sending.account, sending.tally
    for number, records in enumerate(batches(sending.queue, one.action, one.sobject, BATCH_SIZE)):
        if is_read_only(account):  # chosen while this export was under way
            return
        batch = Batch(account, str(job.id), one.sobject, records)
        send, record = partial(one.send, sending.transport, batch), partial(one.record, batch)
        tally.update(job.step(f"{one.action} {one.sobject} {number}", send, record))
        job.progress(tally.total(), sending.records, "records", note=one.sobject)


def _forget_old_errors(account: Account, job_id: str) -> int:
    """A refusal that this export did not meet again is over: the record went through, or nobody wants it any more."""
    forgotten, _ = ExportError.of(account).exclude(job_id=job_id).delete()
    return forgotten


def queue_path(account: Account, name: str) -> Path:
    return Path(settings.DATA_DIR) / "export" / str(account.pk) / f"{name}.parquet"


def planned_calls(counts: Mapping[str, int]) -> int:
    """Credits for a queue: one to look whether the package is there, and one a batch of each action and object."""
    return sum(write_calls(records, BATCH_SIZE) for records in counts.values()) + (1 if counts else 0)


def plan_export(account: Account) -> dict[str, Any]:
    """What an export would send now, and its price. Spends nothing."""
    with tempfile.TemporaryDirectory() as folder:
        counts = write_queue(account, Path(folder) / "plan.parquet")
    if is_read_only(account):
        return {"queued": counts, "planned_calls": 0, "not_written": READ_ONLY_TOLD}
    return {"queued": counts, "planned_calls": planned_calls(counts)}


def written_counts(account: Account) -> dict[str, int]:
    return {sobject: WrittenRecord.of(account).filter(sobject=sobject).count() for sobject in SOBJECTS}


def forget_written(account: Account) -> dict[str, int]:
    """Delete what is kept of records in the org; the records themselves are not touched. Safe to repeat."""
    records, _ = WrittenRecord.of(account).delete()
    errors, _ = ExportError.of(account).delete()
    folder = queue_path(account, "").parent
    if folder.exists():
        shutil.rmtree(folder)
    return {"records": records, "errors": errors}


def export_errors(account: Account) -> QuerySet[ExportError]:
    return ExportError.of(account).order_by("-last_utc", "unique_id")


def _require_package(account: Account, transport: Transport) -> int:
    state = installed_in(transport, account)
    if state.is_ungranted:
        raise Fix(
            "export.package_not_granted",
            "Headwater's objects are installed, but the connected user may not use them.",
            Facts(
                why=why_missing(state),
                left="Nothing was written to the org.",
                you_can=f"assign the permission set {PERMISSION_SET} in Setup > Permission Sets, or install again "
                "(Settings > Salesforce package, headwater package --install), which assigns it",
            ),
        )
    if not state.is_complete:
        raise Fix(
            "export.package_missing",
            "Headwater's objects are not installed in the org.",
            Facts(
                why=why_missing(state),
                left="Nothing was written to the org.",
                you_can="install them in Settings > Salesforce package (headwater package --install)",
            ),
        )
    return 1
