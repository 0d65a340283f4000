"""Forgets jobs that ended long ago, with their steps, so that the room stays small for years.

Not here: what other rooms keep of such a job, which they forget in the same transaction (watch.py).
"""

from collections.abc import Collection
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from headwater.common.clock import now_utc
from headwater.jobs.models import ENDED, Job, State

# A month's report and whoever comes back from holiday still find the job behind a number; at a sync every five minutes
# it is 9,000 jobs of an account. What a job cost and read is kept elsewhere for good.
JOBS_KEPT = timedelta(days=30)
BATCH_JOBS = 200


def has_forgettable() -> bool:
    """Whether there is anything to do: asked without holding anything up."""
    return _forgettable().exists()


def forget_batch() -> Collection[tuple[str, int]]:
    """Delete one batch of old jobs with their steps; returns their tenants and ids.

    Called in a transaction, in which the rows are held: nobody can put back a job that is going.
    """
    oldest = _forgettable().order_by("finished_utc", "pk").select_for_update()
    batch = list(oldest.values_list("tenant", "pk")[:BATCH_JOBS])
    Job.objects.filter(pk__in=[job_id for _, job_id in batch]).delete()
    return batch


def _forgettable() -> QuerySet[Job]:
    """Done or cancelled, and not the latest of its task; failed, and a later equal one has taken its place.

    What a person may still act on stays: blocked jobs, and failed ones that nothing came after.
    """
    later = Job.objects.filter(tenant=OuterRef("tenant"), task=OuterRef("task"), pk__gt=OuterRef("pk"))
    equal = later.filter(sole_key=OuterRef("sole_key")).exclude(state=State.CANCELLED)
    is_over = Q(Exists(later), state__in=[State.DONE, State.CANCELLED]) | Q(Exists(equal), state=State.FAILED)
    return Job.objects.filter(is_over, state__in=ENDED, finished_utc__lt=now_utc() - JOBS_KEPT)
