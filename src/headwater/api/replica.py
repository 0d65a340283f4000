"""The operation of the REST API about the local copy: what it holds of each object, and what is being read."""

from dataclasses import asdict
from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema

from headwater.api.asking import account_of
from headwater.api.endpoints import job_shape
from headwater.api.fields import NoticeShape, notice_shape
from headwater.api.shapes import JobShape
from headwater.sync.inventory import ObjectCopy, replica_of

router = Router()


class ShownShape(Schema):
    """The cycle that readers see. Credits are null of a cycle of an older version."""

    cycle: int
    published_utc: datetime
    planned_calls: int | None
    spent_calls: int | None


class ReadingShape(Schema):
    """The job that reads or is to. `planned_calls` is null before its plan is made."""

    job: JobShape
    planned_calls: int | None
    spent_calls: int


class NextReadShape(Schema):
    """`every_minutes` null: started by hand alone. `expected_calls` null: only a plan can tell."""

    every_minutes: int | None
    next_utc: datetime | None
    expected_calls: int | None


class CopyShape(Schema):
    """An object in the local copy. Null: not known yet.

    `next_read`: changes, full or anew (all of it), none. `audit_finding`: equal, repaired, no_room, differs_again,
    many_gone, not_compared; empty before the first audit.
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
    lost_fields: list[str]
    new_fields: list[str]
    is_reload_due: bool
    notices: list[NoticeShape]


class ReplicaShape(Schema):
    """`shown` is null before the first read, `now` where nothing reads or waits to."""

    shown: ShownShape | None
    now: ReadingShape | None
    next: NextReadShape
    objects: list[CopyShape]


@router.get("", response=ReplicaShape)
def replica(request: HttpRequest) -> ReplicaShape:
    """Rows, size and freshness of each object, which cycle readers see, the read under way and the next one."""
    found = replica_of(account_of(request))
    now = found.now
    return ReplicaShape(
        shown=ShownShape(**asdict(found.shown)) if found.shown else None,
        now=ReadingShape(job=job_shape(now.view), planned_calls=now.planned_calls, spent_calls=now.spent_calls)
        if now
        else None,
        next=NextReadShape(**asdict(found.next)),
        objects=[_copy(copy) for copy in found.copies],
    )


def _copy(copy: ObjectCopy) -> CopyShape:
    return CopyShape(**{**asdict(copy), "notices": [notice_shape(notice) for notice in copy.notices]})
