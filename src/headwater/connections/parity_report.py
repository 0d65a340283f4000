"""A comparison of two snapshots as others read it: one JSON object, or a table of comma-separated values."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from headwater.connections.models import OrgSnapshot
from headwater.connections.parity import Comparison, Difference

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(
    before: OrgSnapshot, after: OrgSnapshot, found: Comparison, differences: Sequence[Difference] | None = None
) -> dict[str, Any]:
    """`differences`: those to tell, where not all are wanted; the counts are of all."""
    return {
        "before": about(before),
        "after": about(after),
        "counts": {level.value: count for level, count in found.counts.items()},
        "not_compared": [asdict(each) for each in found.not_compared],
        "differences": [asdict(each) for each in (found.differences if differences is None else differences)],
    }


def about(taken: OrgSnapshot) -> dict[str, Any]:
    """A snapshot without its content."""
    return {
        "id": taken.pk,
        "org_id": taken.org_id,
        "org_name": taken.org_name,
        "org_kind": taken.org_kind,
        "username": taken.username,
        "taken_utc": taken.taken_utc.isoformat(),
        "taken_by": taken.taken_by,
        "spent_calls": taken.spent_calls,
    }


def as_csv(found: Comparison, differences: Sequence[Difference]) -> str:
    """One row a difference, and one for each part that could not be compared, so that no table looks like equality."""
    written = io.StringIO()
    rows = csv.writer(written)
    names = [each.name for each in fields(Difference)]
    rows.writerow(names)
    for each in found.not_compared:
        told = {"level": "not_compared", "kind": each.part, "sentence": each.sentence, "you_can": each.you_can}
        rows.writerow([told.get(name, "") for name in names])
    for difference in differences:
        rows.writerow([_harmless(str(getattr(difference, name))) for name in names])
    return written.getvalue()


def _harmless(cell: str) -> str:
    """A spreadsheet would run a cell that begins so."""
    return f"'{cell}" if cell.startswith(_STARTS_A_FORMULA) else cell
