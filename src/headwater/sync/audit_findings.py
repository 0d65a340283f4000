"""What an audit finds, and which months of creation differ. Pure.

Not here: asking (audit_asks.py) and repairing (audit.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from headwater.lake import MonthSum, Wrong

MOST_RANGES = 30  # of one query: beyond that the months between are read too (a WHERE has 4,000 characters, facts C.3)
Months = Mapping[str, MonthSum]  # by month of creation and, it may be, time of change: `2024-05 2025-01-31`
_MONTH = len("2024-05")
FEW_GONE_ROWS = 100
MANY_GONE_SHARE = 10  # a tenth
NO_ROOM = "Reading its months anew takes more credits than history may spend now."
MANY_GONE = "More than a tenth of its records went without a trace; they are kept until a person has looked."


class Finding(StrEnum):
    """What became of an object."""

    EQUAL = "equal"
    REPAIRED = "repaired"
    NO_ROOM = "no_room"  # it differs, and the credits for repairing it are not there
    DIFFERS_AGAIN = "differs_again"  # right after the repair
    MANY_GONE = "many_gone"  # the org shows so much less than before that a person must look first
    NOT_COMPARED = "not_compared"

    @property
    def in_words(self) -> str:
        special = {Finding.NO_ROOM: "waits for credits", Finding.MANY_GONE: "many gone, kept"}
        return special.get(self, self.value.replace("_", " "))


@dataclass(frozen=True, slots=True)
class MonthFinding:
    """A month that differed: rows in the org and here, and which of ours were wrong (lake.Wrong).

    kept   Gone too, and shown on (MANY_GONE).
    """

    month: str
    org_rows: int
    rows: int
    missing: int = 0
    stale: int = 0
    gone: int = 0
    kept: int = 0
    differs_again: bool = False

    @property
    def repaired_rows(self) -> int:
        return self.missing + self.stale + self.gone


@dataclass(frozen=True, slots=True)
class ObjectFinding:
    """One object.

    why            Where it was not compared, or not repaired.
    months         How many months of creation have rows.
    org_rows, rows   Together, of rows that have not changed since the last read.
    differing      The months that differed.
    """

    sobject: str
    finding: Finding
    why: str = ""
    months: int = 0
    org_rows: int = 0
    rows: int = 0
    differing: tuple[MonthFinding, ...] = field(default=())

    @property
    def repaired_rows(self) -> int:
        return sum(each.repaired_rows for each in self.differing)

    def month_in_words(self, month: MonthFinding) -> str:
        """What became of one of its months that differed."""
        if month.kept:
            return f"{month.kept:,} gone, kept"
        if month.differs_again:
            return "differs again"
        return "repaired" if self.finding in (Finding.REPAIRED, Finding.DIFFERS_AGAIN) else "not repaired yet"

    @property
    def kept_rows(self) -> int:
        return sum(each.kept for each in self.differing)

    def are_many_gone(self, wrong: Mapping[str, Wrong]) -> bool:
        """Whoever sees a tenth less than before may have lost rights, rather than the org its records."""
        gone = sum(each.gone for each in wrong.values())
        return gone > max(FEW_GONE_ROWS, self.rows // MANY_GONE_SHARE)

    def repaired(self, wrong: Mapping[str, Wrong]) -> "ObjectFinding":
        """With what was wrong by month. A row of a month between two that differ counts with the one before it."""
        if self.are_many_gone(wrong):
            kept = self._with(wrong)
            differing = tuple(replace(each, gone=0, kept=each.gone) for each in kept.differing)
            return replace(kept, finding=Finding.MANY_GONE, why=MANY_GONE, differing=differing)
        return self._with(wrong)

    def _with(self, wrong: Mapping[str, Wrong]) -> "ObjectFinding":
        counted = {each.month: Wrong() for each in self.differing}
        for month, counts in wrong.items():
            at = max((each for each in counted if each <= month), default=self.differing[0].month)
            counted[at] = counted[at].plus(counts)
        differing = tuple(replace(each, **asdict(counted[each.month])) for each in self.differing)
        return replace(self, finding=Finding.REPAIRED, why="", differing=differing)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ObjectFinding":
        differing = tuple(MonthFinding(**each) for each in stored["differing"])
        return cls(**{**stored, "finding": Finding(stored["finding"]), "differing": differing})


def differing_months(org: Months, ours: Months, *, may_keep_more: bool) -> list[str]:
    """The months whose sums are not the same, in order.

    may_keep_more   The org forgets old rows that are kept here: only rows that are missing here are a difference.
    """
    keys = org.keys() | ours.keys()
    if may_keep_more:
        return [month for month in _months(keys) if _rows(org, month) > _rows(ours, month)]
    return _months(key for key in keys if org.get(key) != ours.get(key))


def finding_of(sobject: str, org: Months, ours: Months, *, may_keep_more: bool) -> ObjectFinding:
    """As it is before a repair: EQUAL, or NO_ROOM as long as nobody has repaired it."""
    differing = differing_months(org, ours, may_keep_more=may_keep_more)
    return ObjectFinding(
        sobject,
        Finding.NO_ROOM if differing else Finding.EQUAL,
        why=NO_ROOM if differing else "",
        months=len(_months(org.keys() | ours.keys())),
        org_rows=sum(each.rows for each in org.values()),
        rows=sum(each.rows for each in ours.values()),
        differing=tuple(MonthFinding(month, _rows(org, month), _rows(ours, month)) for month in differing),
    )


def ranges_of(months: Sequence[str]) -> list[tuple[datetime, datetime]]:
    """Spans of time (from, until just before) that hold these months (in order); months that touch are one span."""
    spans: list[tuple[datetime, datetime]] = []
    for month in months:
        start, end = _span(month)
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans if len(spans) <= MOST_RANGES else [(spans[0][0], spans[-1][1])]


def _span(month: str) -> tuple[datetime, datetime]:
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    is_last = start.month == 12
    return start, start.replace(year=start.year + is_last, month=1 if is_last else start.month + 1)


def _rows(months: Months, month: str) -> int:
    return sum(each.rows for key, each in months.items() if key[:_MONTH] == month)


def _months(keys: Iterable[str]) -> list[str]:
    return sorted({key[:_MONTH] for key in keys})


@dataclass(frozen=True, slots=True)
class AuditView:
    """An audit as pages and commands show it. Credits: planned for comparing, and spent with the repair."""

    started_utc: datetime
    finished_utc: datetime
    after_cycle: int
    planned_calls: int
    spent_calls: int
    repaired_rows: int
    objects: tuple[ObjectFinding, ...]

    @property
    def compared(self) -> tuple[ObjectFinding, ...]:
        return tuple(each for each in self.objects if each.finding is not Finding.NOT_COMPARED)

    @property
    def not_compared(self) -> tuple[ObjectFinding, ...]:
        return tuple(each for each in self.objects if each.finding is Finding.NOT_COMPARED)

    @property
    def differing(self) -> tuple[tuple[str, MonthFinding, str], ...]:
        """Each month that differed, with its sObject before it and behind it what became of it, in words."""
        return tuple(
            (found.sobject, month, found.month_in_words(month)) for found in self.objects for month in found.differing
        )
