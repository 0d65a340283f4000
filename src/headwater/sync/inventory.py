"""What the replica holds of each object, what it lacks, and what comes next; asked at any time, and the org is not.

Rows are counted in the parts once, and again only after those changed. Not here: reading (cycle.py, backfill.py).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
from django.db.models import Count, Max, Q, Sum

from headwater.accounts.models import Account
from headwater.credits.services import calls_of_job
from headwater.jobs.models import LIVE, Job, State
from headwater.jobs.services import JobView, job_view, jobs_of
from headwater.lake import open_snapshot
from headwater.sync.describe import needs_describe
from headwater.sync.discover import mode_of, price, tables_to_read, wishes_of
from headwater.sync.extras import ObjectRead, objects_read
from headwater.sync.fitting import BACKFILL_TASK
from headwater.sync.formulas import due_wishes
from headwater.sync.models import Cycle, ManifestPart, ReplicaTable
from headwater.sync.notices import Notice, notices_of
from headwater.sync.objects import GOES_WITH
from headwater.sync.plan import Mode
from headwater.sync.publish import lake_directory, manifest
from headwater.sync.schedule import AUDIT_TASK, CYCLE_TASK, chosen_minutes, next_cycle_utc
from headwater.sync.schemas import shown_schema_of
from headwater.sync.services import ReplicaState, latest_audit, plan_against_actual, replica_state
from headwater.sync.vanished import asking_calls

NOT_READ = "none"


@dataclass(frozen=True, slots=True)
class ObjectCopy:
    """One object in the replica, as readers see it. What is not known yet is None.

    state                   As of ObjectRead: read, waiting, lost or absent.
    next_read               A Mode: changes, full (all of it) or anew (all of a small one); or `none`.
    is_daily                It is read once a day and not with each cycle.
    deleted_rows            Kept and not shown: deleted records, and history of such.
    newest_utc              The newest SystemModstamp (of field history: CreatedDate) of any row.
    read_until_utc          Salesforce's clock as the last published read of it began.
    full_read_utc           When all of it was last read; None too where that was before this was kept.
    vanished_checked_utc    When records that are gone without a trace were last looked for.
    audited_utc             When it was last compared with the org, month by month of creation.
    audit_finding           What that found, a Finding; empty where it was not compared yet.
    lost_fields             Named or needed, and no longer shown by the org; none of an object that is not shown at all.
    new_fields              Read from the next cycle on.
    is_reload_due           A column is new or of another type, and older rows lack its values until all is read again.
    """

    sobject: str
    state: str
    next_read: str
    is_daily: bool
    live_rows: int | None
    deleted_rows: int | None
    columns: int
    size_bytes: int
    parts: int
    newest_utc: datetime | None
    read_until_utc: datetime | None
    full_read_utc: datetime | None
    vanished_checked_utc: datetime | None
    audited_utc: datetime | None
    audit_finding: str
    lost_fields: tuple[str, ...]
    new_fields: tuple[str, ...]
    is_reload_due: bool
    notices: tuple[Notice, ...]

    @property
    def next_read_in_words(self) -> str:
        if self.next_read == NOT_READ:
            return "not read"
        what = "what changed" if self.next_read == Mode.CHANGES else "all of it"
        return f"{what}, once a day" if self.is_daily else what


@dataclass(frozen=True, slots=True)
class ReadingNow:
    """The job that reads or is to, with its progress in `view`; credits as planned (None: not yet) and spent so far."""

    view: JobView
    planned_calls: int | None
    spent_calls: int


@dataclass(frozen=True, slots=True)
class NextRead:
    """`every_minutes` is None where reads are started by hand alone; `next_utc` where none comes by itself.

    expected_calls   As changes came so far, without asking the org; None where only a plan can tell (a full read).
    """

    every_minutes: int | None
    next_utc: datetime | None
    expected_calls: int | None


@dataclass(frozen=True, slots=True)
class Replica:
    shown: ReplicaState | None
    now: ReadingNow | None
    next: NextRead
    copies: tuple[ObjectCopy, ...]


def replica_of(account: Account) -> Replica:
    return Replica(replica_state(account), reading_now(account), next_read(account), copies_of(account))


def reading_now(account: Account) -> ReadingNow | None:
    """None where nothing reads, waits to, or was stopped by something that a person must see."""
    job = _reading_job(account)
    if job is None:
        return None
    against = plan_against_actual(account, str(job.pk))
    together = against.calls[-1] if against else None
    planned = None if together is None else together.planned_again_calls or together.planned_calls
    return ReadingNow(job_view(job), planned, calls_of_job(account, str(job.pk)))


def _reading_job(account: Account) -> Job | None:
    """The one that runs, else the latest that may go on. A cycle may be a part of a larger job."""
    latest = Cycle.of(account).order_by("-number").values_list("job_id", flat=True).first()
    reading = jobs_of(str(account.pk)).filter(Q(task__in=[CYCLE_TASK, BACKFILL_TASK, AUDIT_TASK]) | Q(pk=latest))
    found = list(reading.filter(state__in=[*LIVE, State.BLOCKED]))
    if found:
        return next((job for job in found if job.state == State.RUNNING), found[0])
    last = reading.first()
    return last if last is not None and last.state == State.FAILED else None


def next_read(account: Account) -> NextRead:
    return NextRead(chosen_minutes(account), next_cycle_utc(account), _expected_calls(account))


def _expected_calls(account: Account) -> int | None:
    tables = tables_to_read(account)
    wishes = wishes_of(tables, {})
    if not tables or any(wish.mode is Mode.FULL for wish in wishes):
        return None
    looking_calls = int(needs_describe(account)) + asking_calls(account)
    formulas = due_wishes(account)
    refresh_calls = price(account, formulas, looking_calls=0).calls if formulas else 0
    return price(account, wishes, looking_calls=looking_calls).calls + refresh_calls


def copies_of(account: Account) -> tuple[ObjectCopy, ...]:
    """Each object that is read or wanted. Counts what was not counted since its parts changed."""
    tables = {table.sobject: table for table in ReplicaTable.of(account)}
    files = _files_of(account)
    _count_anew(account, tables.values(), files)
    notices, audited = notices_of(account), _audited(account)
    return tuple(
        _copy(
            found,
            tables.get(found.sobject),
            files.get(found.sobject, {}),
            audited.get(found.sobject, (None, "")),
            _about(found.sobject, notices),
        )
        for found in objects_read(account)
    )


def _copy(
    found: ObjectRead,
    table: ReplicaTable | None,
    stored: Mapping[str, int],
    audited: tuple[datetime | None, str],
    notices: tuple[Notice, ...],
) -> ObjectCopy:
    counted: Mapping[str, Any] = table.counted if table else {}
    audited_utc, audit_finding = audited
    was_read = table is not None and table.read_from_utc is not None
    return ObjectCopy(
        sobject=found.sobject,
        state=found.state,
        next_read=_next_read(found, table),
        is_daily=found.is_daily,
        live_rows=counted["live_rows"] if counted and was_read else None,
        deleted_rows=counted["deleted_rows"] if counted and was_read else None,
        columns=len(table.columns) if table else 0,
        size_bytes=stored.get("size_bytes", 0),
        parts=stored.get("parts", 0),
        newest_utc=_moment(counted.get("newest_utc")),
        read_until_utc=table.read_from_utc if table else None,
        full_read_utc=table.full_read_utc if table else None,
        vanished_checked_utc=table.vanished_checked_utc if table else None,
        audited_utc=audited_utc,
        audit_finding=audit_finding,
        lost_fields=tuple(field.name for field in found.fields if field.state == "lost") if _is_there(found) else (),
        new_fields=tuple(field.name for field in found.fields if field.state == "named" and was_read),
        is_reload_due=found.is_reload_due,
        notices=notices,
    )


def _next_read(found: ObjectRead, table: ReplicaTable | None) -> str:
    if not _is_there(found):
        return NOT_READ
    return (mode_of(table) if table else Mode.FULL).value


def _audited(account: Account) -> dict[str, tuple[datetime, str]]:
    """By object: when the last audit came to its end, and what it found."""
    view = latest_audit(account)
    return {each.sobject: (view.finished_utc, each.finding.value) for each in view.objects} if view else {}


def _is_there(found: ObjectRead) -> bool:
    return found.state not in ("lost", "absent")


def _about(sobject: str, notices: Iterable[Notice]) -> tuple[Notice, ...]:
    return tuple(each for each in notices if each.subject.partition(".")[0] == sobject)


def _files_of(account: Account) -> dict[str, dict[str, int]]:
    """By object: parts, their bytes and rows, and the newest of them, as readers see them."""
    shown = ManifestPart.of(account).filter(cycle__published_utc__isnull=False, is_retired=False)
    sums = shown.values_list("table__sobject").annotate(Count("pk"), Sum("size_bytes"), Sum("row_count"), Max("pk"))
    return {
        sobject: {"parts": parts, "size_bytes": size_bytes, "rows": rows, "newest": newest}
        for sobject, parts, size_bytes, rows, newest in sums
    }


def _count_anew(account: Account, tables: Collection[ReplicaTable], files: Mapping[str, Mapping[str, int]]) -> None:
    """Count the tables whose parts, or whose owner's parts, are others than those that were counted."""
    stale = {}
    for table in tables:
        state = _state_of_parts(table.sobject, files)
        if table.columns and table.read_from_utc is not None and table.counted.get("of") != state:
            stale[table.sobject] = (table, state)
    if not stale:
        return
    needed = {*stale, *(GOES_WITH[name][0] for name in stale if name in GOES_WITH)}
    parts = {name: of_table for name, of_table in manifest(account).items() if name in needed}
    with open_snapshot(parts, lake_directory(account)) as connection:
        for table, state in stale.values():
            table.counted = {"of": state, **_count(connection, table)}
            ReplicaTable.of(account).filter(pk=table.pk).update(counted=table.counted)


def _state_of_parts(sobject: str, files: Mapping[str, Mapping[str, int]]) -> str:
    """The same as long as the parts are the same: a part that is added has a new number, one that goes took rows."""
    names = [sobject, *GOES_WITH.get(sobject, ())[:1]]
    found = [files.get(name, {}) for name in names]
    return " ".join(f"{each.get('parts', 0)}/{each.get('newest', 0)}/{each.get('rows', 0)}" for each in found)


def _count(connection: duckdb.DuckDBPyConnection, table: ReplicaTable) -> dict[str, Any]:
    schema = shown_schema_of(table)
    stamp = next((name for name in ("SystemModstamp", "CreatedDate") if schema.has(name)), None)
    newest = f'max("{stamp}")' if stamp else "NULL"
    kept, newest_utc = connection.execute(f'SELECT count(*), {newest} FROM "{table.sobject}__all"').fetchall()[0]  # noqa: S608  # our own names
    live = connection.execute(f'SELECT count(*) FROM "{table.sobject}"').fetchall()[0][0]  # noqa: S608  # our own names
    return {
        "live_rows": live,
        "deleted_rows": kept - live,
        "newest_utc": f"{newest_utc.isoformat()}+00:00" if newest_utc else None,
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
