"""The plan of an export: its queue, priced, by the cheapest correct way, with what is known of the org (row D1).

Not here: the prices and the choice themselves (credits/write_prices.py).
"""

from dataclasses import dataclass
from pathlib import Path

from headwater.accounts.models import Account
from headwater.connections.package import seen_complete
from headwater.credits.write_prices import WritePlan, choose
from headwater.export.bulk_refusals import why_no_bulk
from headwater.export.queue_file import queues_in
from headwater.salesforce.collections import COLLECTION_ROWS_MAX

NO_BULK_ASKED = "This export was asked to do without Bulk jobs."


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person may choose of an export. batch_size: records a collection, one of BATCH_SIZES."""

    batch_size: int = COLLECTION_ROWS_MAX
    use_bulk: bool = True


def make_plan(account: Account, queue: Path, choices: Choices, *, without_bulk: str = "") -> WritePlan:
    """Spends nothing. without_bulk: why this export has to do without Bulk jobs from now on."""
    why = "" if choices.use_bulk else NO_BULK_ASKED
    return choose(
        queues_in(queue),
        batch_size=choices.batch_size,
        looking_calls=0 if seen_complete(account) else 1,
        without_bulk=why or without_bulk or why_no_bulk(account),
    )
