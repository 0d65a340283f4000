"""Where the rooms meet: the pipeline of one account, and the tasks that a worker must know.

Importing this module registers every task. Not here: what a step does (each room's services).
"""

from headwater.accounts.models import Account
from headwater.credits import services as credits
from headwater.export.services import export_records, run_export
from headwater.jobs.models import Job, JsonValue, State
from headwater.jobs.running import RunningJob
from headwater.jobs.services import jobs_of, retry
from headwater.jobs.tasks import task
from headwater.results.services import attribute, run_attribution
from headwater.sync.cycle import run_cycle
from headwater.sync.services import sync_cycle

__all__ = ["attribute", "change_daily_limit", "enqueue_pipeline", "export_records", "pipeline", "sync_cycle"]


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
    for job in jobs_of(str(account.pk)).filter(state=State.WAITING, reason_code="credits.quota_reached"):
        retry(job)
    return limit
