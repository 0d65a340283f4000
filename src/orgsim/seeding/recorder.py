"""Where finished rows wait: stamps the audit fields on each, and hands them over parents before children."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from orgsim.seeding.dice import Calendar, Dice, utc
from orgsim.seeding.fields import object_fields

Row = dict[str, object]
Batch = tuple[str, list[Row]]

BATCH_ROWS = 1_000
_MASS_UPDATE_SHARE = 0.05
_PARENTS = ("User", "Campaign", "Account", "Contact", "Opportunity", "Lead")
_LEAVES = tuple(name for name in object_fields() if name not in _PARENTS)
# Nothing points at these rows once the ones named before them are gone.
_DROPPED_FIRST = ("Task", "Event", "CampaignMember", "Case", "Lead")


@dataclass(slots=True)
class Recorder:
    """Rows of the current account (`fresh`) and of earlier ones not yet handed over (`waiting`)."""

    dice: Dice
    calendar: Calendar
    new_id: Callable[[str], str]
    fresh: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in object_fields()})
    waiting: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in object_fields()})

    def add(self, sobject: str, row: Row, created: int, author: str, modified: int | None = None) -> None:
        """Stamp the audit fields and keep the row; `modified` is the row's last event, if any came later."""
        changed = created if modified is None or modified < created else min(modified, self.calendar.end)
        row["IsDeleted"] = False
        row["CreatedDate"] = utc(created)
        row["CreatedById"] = author
        row["LastModifiedDate"] = utc(changed)
        row["LastModifiedById"] = author
        row["SystemModstamp"] = utc(self._system_moment(changed))
        self.fresh[sobject].append(row)

    def add_unaudited(self, sobject: str, row: Row) -> None:
        """Keep a row of an sObject without Salesforce's usual audit fields."""
        self.fresh[sobject].append(row)

    def _system_moment(self, changed: int) -> int:
        """A few rows were last touched by a mass update, which moves SystemModstamp alone (facts C.1)."""
        if self.dice.random() >= _MASS_UPDATE_SHARE:
            return changed
        moment = self.calendar.mass_update_after(changed)
        return changed if moment is None else moment

    def fresh_count(self) -> int:
        return sum(map(len, self.fresh.values()))

    def trim(self, room: int) -> None:
        """Drop childless fresh rows until at most `room` are left, so that the total asked for is met."""
        excess = self.fresh_count() - room
        for name in _DROPPED_FIRST:
            rows = self.fresh[name]
            dropped = min(max(excess, 0), len(rows))
            del rows[len(rows) - dropped :]
            excess -= dropped

    def settle(self) -> int:
        """Move the fresh rows to the waiting ones and say how many they were."""
        count = 0
        for name, rows in self.fresh.items():
            if rows:
                count += len(rows)
                self.waiting[name].extend(rows)
                rows.clear()
        return count

    def due(self) -> Iterator[Batch]:
        """Full batches: a leaf waits until it fills one, and every parent leaves before any leaf."""
        full = [name for name in _LEAVES if len(self.waiting[name]) >= BATCH_ROWS]
        if full or any(len(self.waiting[name]) >= BATCH_ROWS for name in _PARENTS):
            yield from self._release((*_PARENTS, *full))

    def rest(self) -> Iterator[Batch]:
        yield from self._release((*_PARENTS, *_LEAVES))

    def _release(self, names: tuple[str, ...]) -> Iterator[Batch]:
        for name in names:
            rows, self.waiting[name] = self.waiting[name], []
            for first in range(0, len(rows), BATCH_ROWS):
                yield name, rows[first : first + BATCH_ROWS]
