"""Whose calls go first when credits are short, and how far into the quota each may go.

Why these numbers: docs/decisions/0008-floor-and-priorities.md. Not here: counting (ledger.py).
"""

from enum import StrEnum


class Priority(StrEnum):
    """FRESH: what changed since the last look. EXPORT: writing back. BACKFILL: history, which can wait for days."""

    FRESH = "fresh"
    EXPORT = "export"
    BACKFILL = "backfill"


CEILING_PERCENT = {Priority.FRESH: 100, Priority.EXPORT: 95, Priority.BACKFILL: 90}


def ceiling_calls(priority: Priority, limit_calls: int) -> int:
    """How many of the quota's calls may be used, by whomever, when a call of this priority is still granted."""
    return limit_calls * CEILING_PERCENT[priority] // 100


def share_calls(share_percent: int, limit_calls: int) -> int:
    """How many calls of a window history may take."""
    return limit_calls * share_percent // 100
