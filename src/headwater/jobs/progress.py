"""How far a job has come, how fast it goes and how long it will take. Pure; stored on the job's row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headwater.jobs.models import Job


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` (None: not known) in `unit`; counting began at `from_done`, `from_utc`."""

    done: int
    total: int | None
    unit: str
    note: str
    from_done: int
    from_utc: datetime
    at_utc: datetime

    @property
    def rate_per_second(self) -> float | None:
        """None until time has passed and something was done."""
        seconds = (self.at_utc - self.from_utc).total_seconds()
        gained = self.done - self.from_done
        return gained / seconds if seconds > 0 and gained > 0 else None

    @property
    def seconds_left(self) -> int | None:
        rate = self.rate_per_second
        if rate is None or self.total is None:
            return None
        return round(max(self.total - self.done, 0) / rate)

    def columns(self) -> dict[str, Any]:
        return {
            "progress_done": self.done,
            "progress_total": self.total,
            "progress_unit": self.unit,
            "progress_note": self.note,
            "progress_from": self.from_done,
            "progress_from_utc": self.from_utc,
            "progress_utc": self.at_utc,
        }


def advanced(before: Progress | None, done: int, total: int | None, unit: str, note: str, *, now: datetime) -> Progress:
    """Progress after `before`. Another unit, or a count that starts over, starts a new measure of the rate."""
    goes_on = before is not None and before.unit == unit and before.done <= done and before.from_utc <= now
    from_done, from_utc = (before.from_done, before.from_utc) if before and goes_on else (done, now)
    return Progress(done, total, unit, note, from_done, from_utc, now)


def progress_of(job: Job) -> Progress | None:
    """What the row tells; None where the job has not said anything yet."""
    if job.progress_done is None or job.progress_from is None:
        return None
    if job.progress_from_utc is None or job.progress_utc is None:
        return None
    return Progress(
        job.progress_done,
        job.progress_total,
        job.progress_unit,
        job.progress_note,
        job.progress_from,
        job.progress_from_utc,
        job.progress_utc,
    )
