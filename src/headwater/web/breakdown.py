"""Where the credits of a window or of one of its hours went, grouped as a person asked: groups, and pieces of each.

Not here: counting (credits/spending.py) and drawing (charting.py).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404
from django.urls import reverse

from headwater.accounts.models import Account
from headwater.credits.sheets import Span
from headwater.credits.spending import By, Spent, WindowSpent, spending
from headwater.jobs.services import jobs_of
from headwater.web.wording import CALL_KINDS, JOB_KINDS

HOUR = timedelta(hours=1)
NO_OBJECT, NO_JOB = "Several objects or none", "Outside a job"
_MINUTE_SHAPE, _HOUR_SHAPE = "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H"


@dataclass(frozen=True, slots=True)
class View:
    """A way to group: the groups' column and that of the pieces in each, with their headings."""

    label: str
    groups: By
    heading: str
    pieces: By
    pieces_heading: str


VIEWS: Mapping[str, View] = {  # by what ?by= names
    "hour": View("By hour", "hour", "Hour, UTC", "job_kind", "Kind of job"),
    "job_kind": View("Kind of job", "job_kind", "Kind of job", "call_kind", "Kind of call"),
    "job": View("Job", "job_id", "Job", "call_kind", "Kind of call"),
    "object": View("Object", "sobject", "Object", "call_kind", "Kind of call"),
    "call": View("Kind of call", "call_kind", "Kind of call", "job_kind", "Kind of job"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    name: str
    calls: int
    refused: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class Group:
    """`link` leads to the group's own page or split, where it has one."""

    name: str
    calls: int
    pieces: tuple[Piece, ...]
    link: str


@dataclass(frozen=True, slots=True)
class Breakdown:
    view: View
    groups: tuple[Group, ...]
    calls: int
    refused: int
    unanswered: int

    @property
    def is_by_hour(self) -> bool:
        return self.view.groups == "hour"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asks for: a window, perhaps one hour of it, and how to group."""

    window: WindowSpent
    hour: datetime | None
    by: str

    @property
    def span(self) -> Span:
        if self.hour is None:
            return Span(self.window.starts_utc, self.window.ends_utc)
        return Span(max(self.hour, self.window.starts_utc), min(self.hour + HOUR, self.window.ends_utc))

    @property
    def hours(self) -> list[datetime]:
        """The hours of the clock that the window touches."""
        first = self.window.starts_utc.replace(minute=0, second=0, microsecond=0)
        count = -((first - self.window.ends_utc) // HOUR)
        return [first + HOUR * place for place in range(count)]

    def name_of(self, hour: datetime) -> str:
        """As 14:00; with its day where the window has another one."""
        is_first_day = hour.date() == self.window.starts_utc.date()
        return f"{hour:%H:%M}" if is_first_day else f"{hour:%H:%M}, {hour:%b} {hour.day}"

    def query(self, **changed: str) -> str:
        """The address of another view of the same; an empty value leaves its part out."""
        parts = {
            "window": f"{self.window.starts_utc:{_MINUTE_SHAPE}}",
            "hour": f"{self.hour:{_HOUR_SHAPE}}" if self.hour else "",
            "by": self.by,
            **changed,
        }
        return "?" + "&".join(f"{name}={value}" for name, value in parts.items() if value)


def chosen_of(asked: Mapping[str, str], windows: list[WindowSpent]) -> Chosen:
    """The newest window, by hour, where nothing else is asked for. Raises Http404 for what is not there."""
    named = {f"{window.starts_utc:{_MINUTE_SHAPE}}": window for window in windows}
    window = windows[-1] if not asked.get("window") else named.get(asked["window"])
    by = asked.get("by") or ("job_kind" if asked.get("hour") else "hour")
    if window is None or by not in VIEWS:
        raise Http404
    whole = Chosen(window, None, by)
    if not asked.get("hour"):
        return whole
    hour = {f"{hour:{_HOUR_SHAPE}}": hour for hour in whole.hours}.get(asked["hour"])
    if hour is None:
        raise Http404
    return Chosen(window, hour, by)


def breakdown(account: Account, chosen: Chosen) -> Breakdown:
    view, span = VIEWS[chosen.by], chosen.span
    pieces: dict[Any, list[Piece]] = {}
    for row in spending(account, span.since_utc, span.until_utc, by=[view.groups, view.pieces]):
        pieces.setdefault(getattr(row, view.groups), []).append(_piece(row, view.pieces, chosen))
    groups = spending(account, span.since_utc, span.until_utc, by=[view.groups])
    jobs = _jobs_there(account, groups)
    all_of_it = spending(account, span.since_utc, span.until_utc, by=[])
    total = all_of_it[0] if all_of_it else Spent(0, 0, 0)
    return Breakdown(
        view=view,
        groups=tuple(_group(row, view, chosen, pieces[getattr(row, view.groups)], jobs) for row in groups),
        calls=total.calls,
        refused=total.refused,
        unanswered=total.unanswered,
    )


def _piece(row: Spent, column: By, chosen: Chosen) -> Piece:
    return Piece(_name(column, getattr(row, column), chosen), row.calls, row.refused, row.unanswered)


def _group(row: Spent, view: View, chosen: Chosen, pieces: list[Piece], jobs: Collection[int]) -> Group:
    value = getattr(row, view.groups)
    return Group(_name(view.groups, value, chosen), row.calls, tuple(pieces), _link(view.groups, value, chosen, jobs))


def _link(column: By, value: Any, chosen: Chosen, jobs: Collection[int]) -> str:
    if column == "hour":
        return f"{chosen.query(hour=format(value, _HOUR_SHAPE), by='job_kind')}#split"
    if column == "job_id" and str(value).isdecimal() and int(value) in jobs:
        return reverse("web:jobs_detail", kwargs={"job_id": int(value)})
    return ""


def _jobs_there(account: Account, groups: Iterable[Spent]) -> Collection[int]:
    """Of the jobs that spent, those that are not forgotten: they have a page."""
    ids = [int(row.job_id) for row in groups if row.job_id and row.job_id.isdecimal()]
    return set(jobs_of(str(account.pk)).filter(pk__in=ids).values_list("pk", flat=True)) if ids else ()


def _name(column: By, value: Any, chosen: Chosen) -> str:
    return chosen.name_of(value) if column == "hour" else _NAMES[column](value)


_NAMES: Mapping[By, Callable[[str], str]] = {
    "job_kind": lambda kind: JOB_KINDS.get(kind, kind),
    "job_id": lambda job_id: f"Job {job_id}" if job_id else NO_JOB,
    "sobject": lambda sobject: sobject or NO_OBJECT,
    "call_kind": lambda kind: CALL_KINDS.get(kind, kind),
}
