"""Where the rooms meet: the pipeline of one account, and the tasks that a worker must know.

Importing this module registers every task. Not here: what a step does (each room's services).
"""

from headwater.accounts.models import Account
from headwater.export.services import export_records, run_export
from headwater.jobs.models import Job, JsonValue
from headwater.jobs.running import RunningJob
from headwater.jobs.tasks import task
from headwater.results.services import attribute, run_attribution
from headwater.sync.cycle import run_cycle
from headwater.sync.services import sync_cycle

__all__ = ["attribute", "enqueue_pipeline", "export_records", "pipeline", "sync_cycle"]


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
