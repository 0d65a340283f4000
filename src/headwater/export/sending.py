"""What the two lanes of an export share: the job, the org, the queue, and what has become of records so far."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from headwater.credits.write_prices import WritePlan
from headwater.export.package_guard import PackageGuard
from headwater.export.record import Exporting
from headwater.jobs.running import RunningJob
from headwater.salesforce.transport import Transport


@dataclass(frozen=True, slots=True)
class Sending:
    """One round: a queue and the plan for it. A round whose Bulk jobs met trouble is followed by one for what is left.

    records   how many the whole export has; `tally` counts those that went through and that were refused
    """

    job: RunningJob
    exporting: Exporting
    transport: Transport
    guard: PackageGuard
    number: int
    queue: Path
    plan: WritePlan
    records: int
    tally: Counter[str]

    def step_name(self, name: str) -> str:
        return f"export {self.number}: {name}"

    def add(self, counts: dict[str, int], sobject: str) -> None:
        self.tally.update({name: counts[name] for name in ("done", "failed")})
        self.job.progress(self.tally.total(), self.records, "records", note=sobject)
