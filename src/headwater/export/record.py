"""Records what became of each record: what went through is written, what did not becomes an ExportError.

Called in a step's transaction, whichever way the records went. Not here: sending (collections_lane.py, bulk_lane.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headwater.accounts.models import Account
from headwater.common.batches import batches
from headwater.common.clock import now_utc
from headwater.credits.write_prices import Action
from headwater.export.models import ExportError, WrittenRecord
from headwater.salesforce.rest import RecordError

_GONE_CODES = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"})
_IDS_AT_ONCE = 500  # in one statement
_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Settled:
    """A record that the org has answered for; `error` is None where it went through."""

    unique_id: str
    content_hash: str
    salesforce_id: str
    error: RecordError | None = None


@dataclass(frozen=True, slots=True)
class Exporting:
    """Whose records they are, and which export met them."""

    account: Account
    job_id: str


def record_settled(exporting: Exporting, action: Action, sobject: str, rows: Sequence[Settled]) -> dict[str, int]:
    """Returns how many are done and how many failed. A record to delete that is gone already is as good as deleted."""
    refused = [
        row for row in rows if row.error and not (action is Action.DELETE and row.error.status_code in _GONE_CODES)
    ]
    failed = {row.unique_id for row in refused}
    through = [row for row in rows if row.unique_id not in failed]
    if action is Action.UPSERT:
        _note_written(exporting.account, sobject, through)
    else:
        _forget_written(exporting.account, sobject, through)
    _forget_errors(exporting.account, sobject, through)
    _note_errors(exporting, sobject, refused)
    return {"done": len(through), "failed": len(refused)}


def _note_written(account: Account, sobject: str, rows: Sequence[Settled]) -> None:
    now = now_utc()
    WrittenRecord.of(account).bulk_create(
        [
            WrittenRecord(
                account=account,
                sobject=sobject,
                unique_id=row.unique_id,
                salesforce_id=row.salesforce_id,
                content_hash=row.content_hash,
                written_utc=now,
            )
            for row in rows
        ],
        batch_size=_ROWS_AT_ONCE,
        update_conflicts=True,
        unique_fields=["account", "sobject", "unique_id"],
        update_fields=["salesforce_id", "content_hash", "written_utc"],
    )


def _forget_written(account: Account, sobject: str, rows: Sequence[Settled]) -> None:
    for unique_ids in _ids(rows):
        WrittenRecord.of(account).filter(sobject=sobject, unique_id__in=unique_ids).delete()


def _forget_errors(account: Account, sobject: str, rows: Sequence[Settled]) -> None:
    errors = ExportError.of(account).filter(sobject=sobject)
    if errors.exists():
        for unique_ids in _ids(rows):
            errors.filter(unique_id__in=unique_ids).delete()


def _note_errors(exporting: Exporting, sobject: str, refused: Sequence[Settled]) -> None:
    now = now_utc()
    ExportError.of(exporting.account).bulk_create(
        [
            ExportError(
                account=exporting.account,
                sobject=sobject,
                unique_id=row.unique_id,
                status_code=row.error.status_code,
                message=row.error.message,
                fields=list(row.error.fields),
                job_id=exporting.job_id,
                first_utc=now,
                last_utc=now,
            )
            for row in refused
            if row.error
        ],
        batch_size=_ROWS_AT_ONCE,
        update_conflicts=True,
        unique_fields=["account", "sobject", "unique_id"],
        update_fields=["status_code", "message", "fields", "job_id", "last_utc"],
    )


def _ids(rows: Sequence[Settled]) -> Iterator[list[str]]:
    return ([row.unique_id for row in some] for some in batches(rows, _IDS_AT_ONCE))
