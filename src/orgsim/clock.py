"""The one clock of a simulated org, movable by its owner, and the text forms of a moment.

Not here: how long a Bulk job takes to process; that is real time, so that a frozen clock does not stop the machinery.
"""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass

UTC = dt.UTC


@dataclass(frozen=True, slots=True)
class ClockSetting:
    """Either frozen at a moment, or running `offset_seconds` ahead of the machine's own clock."""

    offset_seconds: float = 0.0
    frozen_at: dt.datetime | None = None


class Clock:
    """Asks for its setting every time, so that one process can move the clock of another."""

    def __init__(self, read_setting: Callable[[], ClockSetting]) -> None:
        self._read_setting = read_setting

    def now(self) -> dt.datetime:
        setting = self._read_setting()
        if setting.frozen_at is not None:
            return setting.frozen_at
        return machine_now() + dt.timedelta(seconds=setting.offset_seconds)


def machine_now() -> dt.datetime:
    return dt.datetime.now(UTC)


def machine_seconds() -> float:
    """Real seconds since 1970, for delays that must pass whatever the org's clock shows."""
    return time.time()


def datetime_text(moment: dt.datetime) -> str:
    """`2022-03-17T16:21:26.000+0000`: the REST form, which is also the stored form. Whole seconds (facts C.1)."""
    return moment.astimezone(UTC).isoformat()[:19] + ".000+0000"


def parse_datetime(text: str) -> dt.datetime:
    """Reads any form an API client may send. Raises ValueError. Without a zone it is taken as UTC."""
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)
