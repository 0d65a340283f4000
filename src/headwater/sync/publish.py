"""The last steps of a cycle: let readers see it, merge small parts, remove files that no reader lists.

Not here: reading (read.py).
"""

import shutil
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.jobs.running import RunningJob
from headwater.lake import Part, TableParts, compact, ids_are_unique, merge_later, sweep, to_merge
from headwater.sync.discover import tables_of
from headwater.sync.learning import keep_pace, note_changes, note_widths
from headwater.sync.models import Cycle, ManifestPart, ReplicaTable
from headwater.sync.plan import Mode, SyncPlan
from headwater.sync.read import SCRATCH_PREFIX, Seen
from headwater.sync.schemas import schema_of, shown_schema_of
from headwater.sync.soql import OVERLAP

GRACE = timedelta(hours=1)  # a reader that opened the manifest before may still read a retired part this long


def lake_directory(account: Account) -> Path:
    return Path(settings.DATA_DIR) / "lake" / str(account.pk)


def publish(
    account: Account,
    cycle: Cycle,
    plan: SyncPlan,
    read_from_utc: datetime,
    seen: Seen,
    actual: Mapping[str, Any],
    unique: Collection[str],
) -> None:
    """Called in a step's transaction: from here on readers see this cycle, of all objects at once.

    unique   Objects that were read in full and of which no Id came twice.
    """
    for read in plan.reads:
        table = ReplicaTable.of(account).get(sobject=read.sobject)
        if read.mode is not Mode.CHANGES and _is_outdated(table, cycle):
            retire(cycle.parts.filter(table=table))
            continue
        if read.mode is not Mode.CHANGES:
            retire(ManifestPart.of(account).filter(table=table, cycle__number__lt=cycle.number))
            ManifestPart.of(account).filter(table=table, cycle=cycle).update(is_base=read.sobject in unique)
            _has_all_rows(table, cycle)
            table.vanished_until_utc, table.vanished_checked_utc = read_from_utc - OVERLAP, read_from_utc
            table.full_read_utc = now_utc()
            table.formulas_read_utc = cycle.started_utc
        else:
            note_changes(table, seen.rows[read.sobject], read_from_utc)
        if table.read_from_utc is None or not cycle.is_backfill:
            table.read_from_utc = read_from_utc
        note_widths(table, seen.row_bytes.get(read.sobject), seen.page_rows.get(read.sobject))
        table.save()
    refreshed = [read.sobject for read in plan.refresh.reads] if plan.refresh else []
    ReplicaTable.of(account).filter(sobject__in=refreshed).update(formulas_read_utc=cycle.started_utc)
    keep_pace(account, seen.pace())
    cycle.published_utc, cycle.rows_read, cycle.actual = now_utc(), dict(seen.rows), dict(actual)
    cycle.save(update_fields=["published_utc", "rows_read", "actual"])


def _is_outdated(table: ReplicaTable, cycle: Cycle) -> bool:
    """A later cycle has read all of it meanwhile, while this one was stopped: of two bases one is too many."""
    return table.parts.filter(is_base=True, is_retired=False, cycle__number__gt=cycle.number).exists()


def unique_objects(account: Account, cycle: Cycle, plan: SyncPlan) -> list[str]:
    """The objects that this cycle has read in full and of which no Id came twice: readers need not look again."""
    in_full = [read.sobject for read in plan.reads if read.mode is Mode.FULL]
    return [name for name in in_full if _is_unique(account, cycle, ReplicaTable.of(account).get(sobject=name))]


def _is_unique(account: Account, cycle: Cycle, table: ReplicaTable) -> bool:
    parts = parts_of_cycle(account, table, cycle)
    return bool(parts) and ids_are_unique(TableParts(schema_of(table), parts), lake_directory(account))


def _has_all_rows(table: ReplicaTable, cycle: Cycle) -> None:
    """Unless its columns changed after the cycle began: then it read the older ones."""
    if cycle.schemas[table.sobject]["reload_number"] == table.reload_number:
        table.full_read_due, table.shown_as = False, {}


def retire(parts: QuerySet[ManifestPart]) -> None:
    parts.filter(is_retired=False).update(is_retired=True, retired_utc=now_utc())


def parts_of_cycle(account: Account, table: ReplicaTable, cycle: Cycle) -> list[Part]:
    """What one cycle has read of an object so far."""
    rows = ManifestPart.of(account).filter(table=table, cycle=cycle).select_related("cycle").order_by("pk")
    return [_part(row) for row in rows]


def live_parts(account: Account, table: ReplicaTable, under_way: Cycle | None = None) -> list[Part]:
    """The parts of published cycles, and of the one `under_way`, that are not retired, as the lake knows them."""
    rows = (
        ManifestPart.of(account)
        .filter(Q(cycle__published_utc__isnull=False) | Q(cycle=under_way), table=table, is_retired=False)
        .select_related("cycle")
        .order_by("cycle__number", "pk")
    )
    return [_part(row) for row in rows]


def _part(row: ManifestPart) -> Part:
    return Part(row.path, row.row_count, row.size_bytes, row.cycle.number, is_base=row.is_base)


def manifest(account: Account) -> dict[str, TableParts]:
    return {
        name: TableParts(shown_schema_of(table), live_parts(account, table))
        for name, table in tables_of(account).items()
    }


def compact_all(job: RunningJob, account: Account, cycle: Cycle) -> None:
    """Merge the parts of each table that has too many, one step a table."""
    for table in tables_of(account).values():
        parts = live_parts(account, table)
        merging = to_merge(parts)
        if merging and not table.full_read_due:  # a full read replaces the parts of cycles before it
            _compact(job, account, cycle, table, merging, is_all=len(merging) == len(parts))


def _compact(
    job: RunningJob, account: Account, cycle: Cycle, table: ReplicaTable, parts: Sequence[Part], *, is_all: bool
) -> None:
    def merge() -> Part:
        into_one = compact if is_all else merge_later
        return into_one(parts, schema_of(table), lake_directory(account), cycle.number)

    def record(merged: Part) -> int:
        retire(ManifestPart.of(account).filter(path__in=[part.path for part in parts]))
        ManifestPart.of(account).create(
            account=account,
            table=table,
            cycle=cycle,
            path=merged.path,
            row_count=merged.row_count,
            size_bytes=merged.size_bytes,
            is_base=merged.is_base,
        )
        return merged.row_count

    job.step(f"compact {table.sobject}", merge, record)


def sweep_all(account: Account) -> int:
    """Remove files that no live or recently retired part lists, and what killed processes left; returns how many.

    Parts whose files are gone leave the manifest, which would grow by thousands a day.
    """
    directory, oldest_kept_utc = lake_directory(account), now_utc() - GRACE
    if not directory.exists():  # an org without a row
        return 0
    ManifestPart.of(account).filter(is_retired=True, retired_utc__lt=oldest_kept_utc).delete()
    kept = ManifestPart.of(account)
    swept = sweep(directory, set(kept.values_list("path", flat=True)), GRACE)
    left = [
        folder
        for folder in directory.glob(f"{SCRATCH_PREFIX}*")
        if folder.stat().st_mtime < oldest_kept_utc.timestamp()
    ]
    for folder in left:
        shutil.rmtree(folder)
    return len(swept) + len(left)
