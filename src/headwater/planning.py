"""What the next sync and export will cost, before a credit is spent on them (row D1), asked from the rooms.

Not here: choosing and pricing (sync/plan.py, credits/write_prices.py).
"""

from dataclasses import dataclass
from typing import Any

from headwater.accounts.models import Account
from headwater.credits.write_prices import WritePlan
from headwater.export.services import plan_export
from headwater.results.services import latest_run
from headwater.sync.plan import SyncPlan
from headwater.sync.services import plan_sync


@dataclass(frozen=True, slots=True)
class ExportAhead:
    """What differs from what was written. `plan` is None where the account is read only, and `not_written` says so.

    left_calls   what exports may still spend afterwards; below zero: so many wait for the next window
    """

    records: int
    plan: WritePlan | None = None
    left_calls: int | None = None
    not_written: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "records": self.records,
            "plan": self.plan.to_json() if self.plan else None,
            "left_calls": self.left_calls,
            "not_written": self.not_written,
        }


@dataclass(frozen=True, slots=True)
class Ahead:
    """`export` is None before the first attribution: nothing is known that could be written."""

    sync: SyncPlan
    export: ExportAhead | None


def plan_ahead(account: Account, *, count_changes: bool = False) -> Ahead:
    """Looking costs as plan_sync says; planning the export costs nothing. Raises Wait or Fix as a sync would."""
    return Ahead(plan_sync(account, count_changes=count_changes), _export(account) if latest_run(account) else None)


def _export(account: Account) -> ExportAhead:
    told = plan_export(account)
    records = sum(told["queued"].values())
    if "not_written" in told:
        return ExportAhead(records, not_written=told["not_written"])
    return ExportAhead(records, WritePlan.from_json(told["plan"]), told["left_calls"])
