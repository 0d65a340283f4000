"""The operation of the REST API about the local copy: what it holds of each object, and what is being read."""

from dataclasses import asdict
from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema

from headwater.api.asking import account_of
from headwater.api.endpoints import job_shape
from headwater.api.fields import NoticeShape, notice_shape
from headwater.api.shapes import JobShape
from headwater.sync.audit_findings import AuditView
from headwater.sync.inventory import ObjectCopy, replica_of
from headwater.sync.services import latest_audit

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


class AuditedMonthShape(Schema):
    """A month of creation that differed. `became`: in words; `kept`: rows that are gone, and shown on."""

    sobject: str
    month: str
    org_rows: int
    rows: int
    missing: int
    stale: int
    gone: int
    kept: int
    became: str


class AuditShape(Schema):
    finished_utc: datetime
    after_cycle: int
    planned_calls: int
    spent_calls: int
    repaired_rows: int
    compared: list[str]
    differing: list[AuditedMonthShape]


class ReplicaShape(Schema):
    """`shown` is null before the first read, `now` where nothing reads or waits to, `audit` before the first one."""

    shown: ShownShape | None
    now: ReadingShape | None
    next: NextReadShape
    objects: list[CopyShape]
    audit: AuditShape | None


@router.get("", response=ReplicaShape)
def replica(request: HttpRequest) -> ReplicaShape:
    """Rows, size and freshness of each object, which cycle readers see, the read under way and the next one."""
    mine = account_of(request)
    found, audit = replica_of(mine), latest_audit(mine)
    now = found.now
    return ReplicaShape(
        shown=ShownShape(**asdict(found.shown)) if found.shown else None,
        now=ReadingShape(job=job_shape(now.view), planned_calls=now.planned_calls, spent_calls=now.spent_calls)
        if now
        else None,
        next=NextReadShape(**asdict(found.next)),
        objects=[_copy(copy) for copy in found.copies],
        audit=_audit(audit) if audit else None,
    )


def _audit(view: AuditView) -> AuditShape:
    months = [
        AuditedMonthShape(**{**asdict(month), "sobject": sobject, "became": became})
        for sobject, month, became in view.differing
    ]
    return AuditShape(
        finished_utc=view.finished_utc,
        after_cycle=view.after_cycle,
        planned_calls=view.planned_calls,
        spent_calls=view.spent_calls,
        repaired_rows=view.repaired_rows,
        compared=[each.sobject for each in view.compared],
        differing=months,
    )


def _copy(copy: ObjectCopy) -> CopyShape:
    return CopyShape(**{**asdict(copy), "notices": [notice_shape(notice) for notice in copy.notices]})
