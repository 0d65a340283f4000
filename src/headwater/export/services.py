"""Writing back: wanted state against written state, and only the difference is sent.

A second run with nothing changed finds an empty difference and spends nothing.
"""

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from headwater.accounts.models import Account
from headwater.accounts.services import open_account_of_job
from headwater.connections.package import is_read_only
from headwater.connections.services import job_session
from headwater.credits.priorities import Priority
from headwater.credits.services import budget_of
from headwater.export.bulk_refusals import forget_refusal
from headwater.export.models import ExportError, WrittenRecord
from headwater.export.package_guard import PackageGuard
from headwater.export.plan import Choices, make_plan
from headwater.export.rounds import Export, write_all
from headwater.export.wanted import SOBJECTS, write_queue
from headwater.jobs.models import JsonValue
from headwater.jobs.running import RunningJob
from headwater.jobs.tasks import task

JOB_KIND = "export"
READ_ONLY_TOLD = "This account is read only: an Account Admin chose that nothing is ever written to its org."
STANDARD = Choices()


@task("export.records")
def export_records(job: RunningJob, *, account_id: int, batch_size: int = 200, use_bulk: bool = True) -> JsonValue:
    """Write one account's touchpoints back to its org."""
    return run_export(job, open_account_of_job(job.tenant, account_id), Choices(batch_size, use_bulk))


def run_export(job: RunningJob, account: Account, choices: Choices = STANDARD) -> dict[str, Any]:
    """Steps: difference -> plan -> is the package there? -> deletes -> upserts. Returns counts, plans and spent calls.

    An account that is read only gets its difference counted and nothing sent; `not_written` says so.
    """
    difference = job.step("export: difference", lambda: _write_difference(job, account))
    counts: dict[str, int] = difference["counts"]
    tally = Counter(done=0, failed=0)
    held_back = {"not_written": READ_ONLY_TOLD} if is_read_only(account) else {}
    told: dict[str, Any] = {"planned_calls": 0}
    if counts and not held_back:
        with job_session(account, job, job_kind=JOB_KIND, priority=Priority.EXPORT) as transport:
            export = Export(job, account, transport, PackageGuard(account, transport), choices, tally)
            told = write_all(export, queue_path(account, difference["queue"]))
            held_back = {"not_written": READ_ONLY_TOLD} if is_read_only(account) else {}
    if held_back:
        return {"queued": counts, **told, **tally, **held_back}
    job.step("export: errors that are over", lambda: None, lambda _: _forget_old_errors(account, str(job.id)))
    return {"queued": counts, **told, **tally}


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


def _forget_old_errors(account: Account, job_id: str) -> int:
    """A refusal that this export did not meet again is over: the record went through, or nobody wants it any more."""
    forgotten, _ = ExportError.of(account).exclude(job_id=job_id).delete()
    return forgotten


def queue_path(account: Account, name: str) -> Path:
    return Path(settings.DATA_DIR) / "export" / str(account.pk) / f"{name}.parquet"


def plan_export(account: Account, choices: Choices = STANDARD) -> dict[str, Any]:
    """What an export would send now, by which way, its price, and what is left afterwards. Spends nothing."""
    with tempfile.TemporaryDirectory() as folder:
        queue = Path(folder) / "plan.parquet"
        counts = write_queue(account, queue)
        if is_read_only(account):
            return {"queued": counts, "planned_calls": 0, "not_written": READ_ONLY_TOLD}
        plan = make_plan(account, queue, choices)
    left_calls = (
        budget_of(account).left_for(Priority.EXPORT) - plan.calls
    )  # below 0: part of it waits for the next window
    return {"queued": counts, "planned_calls": plan.calls, "plan": plan.to_json(), "left_calls": left_calls}


def written_counts(account: Account) -> dict[str, int]:
    return {sobject: WrittenRecord.of(account).filter(sobject=sobject).count() for sobject in SOBJECTS}


def forget_written(account: Account) -> dict[str, int]:
    """Delete what is kept of records in the org; the records themselves are not touched. Safe to repeat."""
    records, _ = WrittenRecord.of(account).delete()
    errors, _ = ExportError.of(account).delete()
    forget_refusal(account)
    folder = queue_path(account, "").parent
    if folder.exists():
        shutil.rmtree(folder)
    return {"records": records, "errors": errors}


def export_errors(account: Account) -> QuerySet[ExportError]:
    return ExportError.of(account).order_by("-last_utc", "unique_id")
