"""The accounts of credits as tables for spreadsheets: what the pages hand out and the command prints.

A cell that a spreadsheet would take for a formula is written as text. Not here: what is counted (spending.py).
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from headwater.accounts.models import Account
from headwater.credits.spending import By, history, spending

HISTORY_WINDOWS = 90
_DETAIL: tuple[By, ...] = ("job_kind", "job_id", "sobject", "call_kind", "outcome")
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")


class Written(Protocol):
    """Whatever takes text: a file, an answer to a browser."""

    def write(self, text: str, /) -> object: ...


@dataclass(frozen=True, slots=True)
class Span:
    """From `since_utc` on and before `until_utc`."""

    since_utc: datetime
    until_utc: datetime


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    columns: tuple[str, ...]
    rows: Iterable[Sequence[Any]]

    def write(self, file: Written) -> None:
        """As CSV: UTC times, whole numbers without groups."""
        writer = csv.writer(file)
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow([_cell(value) for value in row])


def split_sheet(account: Account, span: Span) -> Sheet:
    """Each kind of call that was made in the span, by job, object and outcome."""
    rows = spending(account, span.since_utc, span.until_utc, by=_DETAIL)
    return Sheet("split", (*_DETAIL, "calls"), ([*(getattr(row, name) for name in _DETAIL), row.calls] for row in rows))


def hours_sheet(account: Account, span: Span) -> Sheet:
    """The same, hour by hour."""
    by: tuple[By, ...] = ("hour", *_DETAIL)
    rows = spending(account, span.since_utc, span.until_utc, by=by)
    return Sheet(
        "hours", ("hour_utc", *_DETAIL, "calls"), ([*(getattr(row, name) for name in by), row.calls] for row in rows)
    )


def history_sheet(account: Account, _span: Span) -> Sheet:
    """The last 90 windows."""
    columns = ("starts_utc", "ends_utc", "used_calls", "limit_calls", "refused", "unanswered")
    return Sheet("history", columns, _windows(account, columns))


SHEETS: Mapping[str, Callable[[Account, Span], Sheet]] = {
    "split": split_sheet,
    "hours": hours_sheet,
    "history": history_sheet,
}


def _windows(account: Account, columns: Sequence[str]) -> Iterator[list[Any]]:
    for window in history(account, windows=HISTORY_WINDOWS):
        yield [getattr(window, name) for name in columns]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, str) and value.startswith(_FORMULA_BEGINS):
        return f"'{value}"
    return value
