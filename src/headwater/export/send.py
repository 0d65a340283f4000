"""Sends one batch and records, per record, what became of it. Writing is idempotent: an upsert on our unique id.

Not here: what to send (wanted.py) and in which order (services.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.common.errors import Bug
from headwater.connections.package import UNIQUE_ID
from headwater.export.models import ExportError, WrittenRecord
from headwater.export.wanted import QueuedRecord
from headwater.salesforce.rest import Org, RecordResult
from headwater.salesforce.transport import Transport

_GONE_CODES = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"})


@dataclass(frozen=True, slots=True)
class Batch:
    account: Account
    job_id: str
    sobject: str
    records: Sequence[QueuedRecord]


def upsert(transport: Transport, batch: Batch) -> list[RecordResult]:
    results = Org(transport).upsert(batch.sobject, UNIQUE_ID, [row.record for row in batch.records])
    return _same_length(batch, results)


def delete(transport: Transport, batch: Batch) -> list[RecordResult]:
    return _same_length(batch, Org(transport).delete(batch.sobject, [row.salesforce_id for row in batch.records]))


def record_upserts(batch: Batch, results: Sequence[RecordResult]) -> dict[str, int]:
    """Called in the step's transaction: what went through is written, what did not becomes an ExportError."""
    pairs = list(zip(batch.records, results, strict=True))
    through = [(row, result) for row, result in pairs if not result.errors]
    WrittenRecord.of(batch.account).bulk_create(
        [
            WrittenRecord(
                account=batch.account,
                sobject=batch.sobject,
                unique_id=row.unique_id,
                salesforce_id=result.id or row.salesforce_id,
                content_hash=row.content_hash,
                written_utc=now_utc(),
            )
            for row, result in through
        ],
        update_conflicts=True,
        unique_fields=["account", "sobject", "unique_id"],
        update_fields=["salesforce_id", "content_hash", "written_utc"],
    )
    _forget_errors(batch, [row.unique_id for row, _ in through])
    refused = [(row, result) for row, result in pairs if result.errors]
    _note_errors(batch, refused)
    return {"done": len(through), "failed": len(refused)}


def record_deletes(batch: Batch, results: Sequence[RecordResult]) -> dict[str, int]:
    """A record that is gone already is as good as deleted."""
    pairs = list(zip(batch.records, results, strict=True))
    refused = [
        (row, result) for row, result in pairs if any(error.status_code not in _GONE_CODES for error in result.errors)
    ]
    kept = {row.unique_id for row, _ in refused}
    gone = [row.unique_id for row in batch.records if row.unique_id not in kept]
    WrittenRecord.of(batch.account).filter(sobject=batch.sobject, unique_id__in=gone).delete()
    _forget_errors(batch, gone)
    _note_errors(batch, refused)
    return {"done": len(gone), "failed": len(refused)}


def _forget_errors(batch: Batch, unique_ids: Sequence[str]) -> None:
    ExportError.of(batch.account).filter(sobject=batch.sobject, unique_id__in=unique_ids).delete()


def _note_errors(batch: Batch, refused: Sequence[tuple[QueuedRecord, RecordResult]]) -> None:
    now = now_utc()
    for row, result in refused:
        first = result.errors[0]
        told = {
            "status_code": first.status_code,
            "message": first.message,
            "fields": list(first.fields),
            "job_id": batch.job_id,
        }
        ExportError.of(batch.account).update_or_create(
            account=batch.account,
            sobject=batch.sobject,
            unique_id=row.unique_id,
            defaults={**told, "last_utc": now},
            create_defaults={**told, "first_utc": now, "last_utc": now},
        )


def _same_length(batch: Batch, results: list[RecordResult]) -> list[RecordResult]:
    if len(results) != len(batch.records):
        raise Bug("export.results_missing", f"Sent {len(batch.records)} records, got {len(results)} results.")
    return results
