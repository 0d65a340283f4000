"""Forgets how old cycles were planned; what they read and cost stays.

Not here: their files and the manifest (publish.py).
"""

from collections.abc import Collection

from django.db.models import OuterRef, Subquery

from headwater.sync.models import Cycle, ManifestPart
from headwater.sync.publish import retire

OBJECTS = "objects"  # of Cycle.actual: pages and calls of each; its rows stand in rows_read too


def forget_plans(jobs: Collection[tuple[str, int]]) -> None:
    """Of the cycles that these jobs (tenant, id) carried out, but not of one that readers see.

    What a cycle read that never came to its end is let go too: nobody will publish it.
    """
    accounts = {int(tenant) for tenant, _ in jobs if tenant.isdigit()}
    carried_out = Cycle.of_all().filter(account__in=accounts, job_id__in=[str(job_id) for _, job_id in jobs])
    retire(ManifestPart.of_all().filter(cycle__in=carried_out.filter(published_utc=None)))
    of_account = Cycle.of_all().filter(account=OuterRef("account"), published_utc__isnull=False)
    shown = of_account.order_by("-number").values("pk")[:1]
    cycles = list(carried_out.exclude(pk=Subquery(shown)))
    for cycle in cycles:
        cycle.plan, cycle.final_plan, cycle.schemas = {}, {}, {}
        cycle.actual = {name: figure for name, figure in cycle.actual.items() if name != OBJECTS}
    Cycle.of_all().bulk_update(cycles, ["plan", "final_plan", "schemas", "actual"])
