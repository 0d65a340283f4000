"""Where the rooms meet: the pipeline of one account, and the tasks that a worker must know.

Importing this module registers every task. Not here: what a step does (each room's services).
"""

from collections.abc import Collection

from headwater.accounts.models import Account
from headwater.connections import services as connections
from headwater.connections.models import Connection
from headwater.connections.services import Callback
from headwater.credits import services as credits
from headwater.export.services import export_records, run_export
from headwater.jobs.models import Job, JsonValue, State
from headwater.jobs.running import RunningJob
from headwater.jobs.services import jobs_of, retry
from headwater.jobs.tasks import task
from headwater.results.services import attribute, run_attribution
from headwater.sync.cycle import run_cycle
from headwater.sync.services import sync_cycle

__all__ = [
    "attribute",
    "change_daily_limit",
    "enqueue_pipeline",
    "export_records",
    "finish_connecting",
    "pipeline",
    "sync_cycle",
]

NEEDS_LOG_IN = {
    "connections.authorization_required",
    "connections.not_connected",
    "connections.unopenable_secret",
    "salesforce.authorization_dead",
}


@task("pipeline.run")
def pipeline(job: RunningJob, *, account_id: int) -> JsonValue:
    """Sync, attribute, export, in this order: all that a run of an account is."""
    account = Account.objects.get(pk=account_id)
    return {
        "sync": run_cycle(job, account),
        "attribute": run_attribution(job, account),
        "export": run_export(job, account),
    }


def enqueue_pipeline(account: Account) -> Job:
    return pipeline.enqueue(tenant=str(account.pk), account_id=account.pk)


def change_daily_limit(account: Account, typed: str, actor: str, *, expected: int | None = None) -> int:
    """Store the limit as a person typed it, and let go on what waits for credits: a raised limit counts at once."""
    limit = credits.change_daily_limit(account, typed, actor, expected=expected)
    _go_on(account, {"credits.quota_reached"})
    return limit


def finish_connecting(account: Account, callback: Callback, *, actor: str) -> Connection:
    """Complete a log-in, and let go on what stopped because there was none: what was missed is caught up (row A11)."""
    row = connections.finish(account, callback, actor=actor)
    _go_on(account, NEEDS_LOG_IN)
    return row


def _go_on(account: Account, codes: Collection[str]) -> None:
    """Put back the jobs that stopped for one of these reasons."""
    stopped = jobs_of(str(account.pk)).filter(state__in=[State.WAITING, State.BLOCKED], reason_code__in=codes)
    for job in stopped:
        retry(job)
