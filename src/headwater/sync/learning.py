"""What cycles teach for the plans after them: widths of rows, changes an hour, how fast the org is.

Kept as one number each, so that nothing grows. Not here: using them (discover.py, plan.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from headwater.accounts.models import Account
from headwater.sync.models import ReadingPace, ReplicaTable
from headwater.sync.plan import Pace

SHORTEST_SPAN = timedelta(minutes=10)  # the overlap of two reads: rows of it come in both
NEWEST_SHARE = 0.5  # of a new number in what is kept: three cycles forget most of an outlier
SAMPLED_RECORDS = 50
_CELL_BYTES = 3  # two quotes and a comma
_WIDTHS = {"id": 18, "reference": 18, "datetime": 24, "date": 10, "boolean": 5, "currency": 10, "double": 10, "int": 6}
_FILLED_SHARE = 0.25  # of a text field's length, as long as no row was seen


def described_row_bytes(describe: Mapping[str, Any], wanted: Sequence[str]) -> int:
    """What a row of these fields may take as CSV, from their types and lengths."""
    fields = [each for each in describe["fields"] if each["name"] in wanted]
    return sum(_CELL_BYTES + _WIDTHS.get(each["type"], int(each["length"] * _FILLED_SHARE)) for each in fields)


def sampled_row_bytes(records: Sequence[Mapping[str, Any]]) -> int:
    """The mean width of records as CSV, by the first of them."""
    sample = records[:SAMPLED_RECORDS]
    cells = (value for record in sample for name, value in record.items() if name != "attributes")
    return sum(_CELL_BYTES + (0 if value is None else len(str(value).encode())) for value in cells) // len(sample)


def pace_of(account: Account) -> Pace:
    row = ReadingPace.of(account).first()
    return Pace(row.seconds_per_call, row.bulk_rows_per_second, row.fetched_rows_per_second) if row else Pace()


def keep_pace(account: Account, seen: Pace) -> None:
    """Called in a step's transaction."""
    row, _ = ReadingPace.of(account).get_or_create(account=account)
    row.seconds_per_call = _blended(row.seconds_per_call, seen.seconds_per_call)
    row.bulk_rows_per_second = _blended(row.bulk_rows_per_second, seen.bulk_rows_per_second)
    row.fetched_rows_per_second = _blended(row.fetched_rows_per_second, seen.fetched_rows_per_second)
    row.save()


def _blended(before: float | None, seen: float | None) -> float | None:
    if seen is None or before is None:
        return before if seen is None else seen
    return before + (seen - before) * NEWEST_SHARE


def note_changes(table: ReplicaTable, rows: int, until_utc: datetime) -> None:
    """A read of changes brought `rows`; the caller saves the table, whose `read_from_utc` is still the old one."""
    if table.read_from_utc is None:
        return
    hours = (max(until_utc - table.read_from_utc, timedelta()) + SHORTEST_SPAN) / timedelta(hours=1)
    table.changed_rows_per_hour = _blended(table.changed_rows_per_hour, rows / hours)


def note_widths(table: ReplicaTable, row_bytes: int | None, page_rows: int | None) -> None:
    """The caller saves the table."""
    table.row_bytes = row_bytes or table.row_bytes
    table.page_rows = page_rows or table.page_rows


def rate(pairs: Iterable[tuple[float, float]]) -> float | None:
    """Amount a second over (amount, seconds) pairs; None where no time passed or nothing was done."""
    amounts, seconds = [sum(column) for column in zip(*pairs, strict=True)] or (0.0, 0.0)
    return amounts / seconds if amounts > 0 and seconds > 0 else None
