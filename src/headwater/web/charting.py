"""What static/headwater/charts.js draws of credits, shaped from what the credits room says.

Not here: the tables below the charts, which templates make of the same values.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse

from headwater.credits.budget import Budget
from headwater.credits.forecast import BurnDown
from headwater.credits.reconcile_models import Reading
from headwater.credits.spending import WindowSpent
from headwater.web.breakdown import Breakdown, Chosen

FAR = 5  # a limit so many times above the use would press the use flat; then it is named beside the chart instead


def burn_chart(burn: BurnDown, budget: Budget) -> dict[str, Any]:
    """`limit` and `stop` are null where they lie far above what is used."""
    highest = max((point.high_calls or point.used_calls or 0 for point in burn.points), default=0)
    stop = None if budget.org_left_calls is None else burn.used_calls + budget.org_left_calls
    is_near, stops_first = _is_near(burn.limit_calls, highest), stop is not None and stop < burn.limit_calls
    return {
        "points": [
            {
                "at": _milliseconds(point.at_utc),
                "used": point.used_calls,
                "expected": point.expected_used_calls,
                "low": point.low_calls,
                "high": point.high_calls,
            }
            for point in burn.points
        ],
        "limit": burn.limit_calls if is_near else None,
        "stop": stop if stops_first and _is_near(stop, highest) else None,
    }


def readings_chart(said: Sequence[Reading], floor_calls: int | None) -> dict[str, Any]:
    """What the org counted over the days, and ours in the same 24 hours; null as in `burn_chart`."""
    highest = max((reading.used_calls for reading in said), default=0)
    limit = said[-1].limit_calls if said else None
    stop = None if limit is None or floor_calls is None else limit - floor_calls
    return {
        "points": [
            {"at": _milliseconds(reading.read_utc), "all": reading.used_calls, "own": reading.own_calls}
            for reading in said
        ],
        "limit": limit if _is_near(limit, highest) else None,
        "stop": stop if _is_near(stop, highest) else None,
    }


def history_chart(windows: Sequence[WindowSpent], chosen: datetime | None, zone: ZoneInfo) -> dict[str, Any]:
    """A column a window, named by its day in `zone`; the limit as a line, where it is not far above.

    A click on a column opens its split.
    """
    starts = [window.starts_utc for window in windows]
    highest = max(window.used_calls for window in windows)
    limits = [window.limit_calls if _is_near(window.limit_calls, highest) else None for window in windows]
    return {
        "categories": [f"{day:%b} {day.day}" for day in (start.astimezone(zone) for start in starts)],
        "series": [{"name": "Used", "values": [window.used_calls for window in windows]}],
        "line": {"name": "Limit", "values": limits} if any(limits) else None,
        "links": [window_link(start) for start in starts],
        "chosen": starts.index(chosen) if chosen in starts else None,
    }


def split_chart(split: Breakdown, chosen: Chosen) -> dict[str, Any]:
    """Columns for hours, lying bars for the rest; each row of the table is a piece of its group's bar."""
    if split.is_by_hour:
        return _hours_chart(split, chosen)
    pieces = [
        {"name": piece.name, "of": group.name, "value": piece.calls, "note": ""}
        for group in split.groups
        for piece in group.pieces
    ]
    return {"categories": [group.name for group in split.groups], "pieces": pieces}


def window_link(starts_utc: datetime) -> str:
    return f"{reverse('web:credits')}?window={starts_utc:%Y-%m-%dT%H:%M}#split"


def _hours_chart(split: Breakdown, chosen: Chosen) -> dict[str, Any]:
    names = list(dict.fromkeys(piece.name for group in split.groups for piece in group.pieces))
    calls: Mapping[tuple[str, str], int] = {
        (group.name, piece.name): piece.calls for group in split.groups for piece in group.pieces
    }
    links = {group.name: group.link for group in split.groups}
    hours = [chosen.name_of(hour) for hour in chosen.hours]
    return {
        "categories": hours,
        "series": [{"name": name, "values": [calls.get((hour, name), 0) for hour in hours]} for name in names],
        "line": None,
        "links": [links.get(hour, "") for hour in hours],
        "chosen": None,
    }


def _is_near(limit_calls: int | None, highest: int) -> bool:
    return limit_calls is not None and limit_calls <= highest * FAR


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
