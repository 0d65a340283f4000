"""Chance and time for the generator: one seeded source of draws, and the three years the story covers.

Moments are whole seconds since 1970 (UTC) until a row is written; nothing here reads a clock.
"""

import bisect
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

DAY_SECONDS = 86_400
HISTORY_DAYS = 3 * 365
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_OPENING_SECONDS = 7 * 3600
_OFFICE_HOURS_SECONDS = 11 * 3600


class Dice(random.Random):
    """Seeded draws; `random.Random` with the few shapes the story needs."""

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self.random() * len(choices))]

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def log_normal(self, median: float, sigma: float) -> float:
        return median * math.exp(self.gauss(0.0, sigma))

    def poisson(self, mean: float) -> int:
        """Knuth's product method: cheap because every mean here is small."""
        limit = math.exp(-mean)
        count, product = 0, self.random()
        while product > limit:
            count += 1
            product *= self.random()
        return count

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.random() * (high - low + 1))

    def working_moment(self, low: int, high: int) -> int:
        """A second from low to high, on a weekday in office hours wherever the span allows it."""
        raw = self.between(low, high)
        day, second = divmod(raw, DAY_SECONDS)
        weekend_days = max(0, (day + 3) % 7 - 4)  # 1970-01-01 was a Thursday, and Monday counts 0
        shifted = (day - weekend_days) * DAY_SECONDS + _OPENING_SECONDS
        shifted += second * _OFFICE_HOURS_SECONDS // DAY_SECONDS
        return shifted if low <= shifted <= high else raw


@dataclass(frozen=True, slots=True)
class Calendar:
    """First and last second of the story, and the seconds at which many rows were written at once."""

    start: int
    end: int
    imports: tuple[int, ...]
    mass_updates: tuple[int, ...]
    import_spread_seconds: int

    def clamp(self, moment: int) -> int:
        return min(max(moment, self.start), self.end)

    def import_before(self, dice: Dice, limit: int) -> int | None:
        """The second of a list import that was over by `limit`; neighbours in the list share it."""
        known = bisect.bisect_right(self.imports, limit - self.import_spread_seconds)
        if not known:
            return None
        return self.imports[int(dice.random() ** 2 * known)] + dice.between(0, self.import_spread_seconds - 1)

    def mass_update_after(self, moment: int) -> int | None:
        at = bisect.bisect_left(self.mass_updates, moment)
        return self.mass_updates[at] if at < len(self.mass_updates) else None

    def growing_moment(self, dice: Dice) -> int:
        """Any moment of the story, later ones a little likelier: the business grows."""
        first = self.start + DAY_SECONDS
        return first + int(dice.random() ** 0.8 * (self.end - first))


def plan_calendar(dice: Dice, end: datetime, records: int) -> Calendar:
    if end.tzinfo is None:
        raise ValueError("`end` needs a time zone: a moment without one means a different second on every machine.")
    last = int(end.timestamp())
    start = last - HISTORY_DAYS * DAY_SECONDS
    twelfth = (last - start) // 12
    imports = [start + 2 * DAY_SECONDS + n * twelfth + dice.between(0, DAY_SECONDS) for n in range(11)]
    updates = [start + (n + 1) * twelfth * 2 - dice.between(DAY_SECONDS, 20 * DAY_SECONDS) for n in range(6)]
    return Calendar(start, last, tuple(imports), tuple(updates), 1 + records // 20_000)


def utc(moment: int) -> datetime:
    return _EPOCH + timedelta(seconds=moment)


def day_of(moment: int) -> date:
    return date.fromordinal(_EPOCH_ORDINAL + moment // DAY_SECONDS)
