"""The generator's front door: how many stories of each kind, until exactly the rows asked for are written."""

from collections.abc import Callable, Iterator
from datetime import datetime

from orgsim.seeding.campaigns import run_programme
from orgsim.seeding.dice import Dice, plan_calendar
from orgsim.seeding.journey import deal_story, lead_story, quiet_story
from orgsim.seeding.naming import CompanyRegister
from orgsim.seeding.recorder import Batch, Recorder
from orgsim.seeding.team import hire_team
from orgsim.seeding.world import World

Story = Callable[[World], None]

MINIMUM_RECORDS = 100
_USERS_PER_RECORD = 60 / 50_000
_MOST_USERS = 600
_CAMPAIGNS_PER_RECORD = 110 / 50_000
# Each story, how often it is told, and the room it needs for the rows that other rows point at.
_STORIES: tuple[tuple[Story, float, int], ...] = (
    (deal_story, 1_215, 70),
    (quiet_story, 1_385, 12),
    (lead_story, 3_400, 0),
)
_ALL_SHARES = sum(share for _, share, _ in _STORIES)


def generate(*, records: int, seed: int, end: datetime, new_id: Callable[[str], str]) -> Iterator[Batch]:
    """Yield (sObject, rows) in batches of at most 1,000 rows, `records` rows in all, parents before children.

    The story covers the three years before `end` (time zone required). Equal arguments give equal rows.
    Raises ValueError below 100 records: a team and a programme alone need some twenty.
    """
    if records < MINIMUM_RECORDS:
        raise ValueError(f"{records} records are too few for a story; ask for {MINIMUM_RECORDS} or more.")
    dice = Dice(seed)
    recorder = Recorder(dice, plan_calendar(dice, end, records), new_id)
    return _tell(_open_world(dice, recorder, records), records)


def _open_world(dice: Dice, recorder: Recorder, records: int) -> World:
    team = hire_team(dice, recorder, min(_MOST_USERS, max(12, round(records * _USERS_PER_RECORD))))
    programme = run_programme(dice, recorder, team, max(8, round(records * _CAMPAIGNS_PER_RECORD)))
    return World(dice, recorder.calendar, recorder, team, programme, CompanyRegister(dice))


def _tell(world: World, records: int) -> Iterator[Batch]:
    recorder = world.recorder
    left = records - recorder.settle()
    yield from recorder.due()
    # The deal comes first: even the smallest org has an opportunity to attribute.
    credit = {story: float(story is deal_story) * _ALL_SHARES for story, _, _ in _STORIES}
    while left > 0:
        _next_story(credit, left)(world)
        recorder.trim(left)
        left -= recorder.settle()
        yield from recorder.due()
    yield from recorder.rest()


def _next_story(credit: dict[Story, float], room: int) -> Story:
    """The story most overdue by its share (smooth weighted round robin) among those that fit into `room` rows."""
    for story, share, _ in _STORIES:
        credit[story] += share
    fitting = [story for story, _, needed in _STORIES if needed <= room]
    chosen = max(fitting, key=lambda story: credit[story])
    credit[chosen] -= _ALL_SHARES
    return chosen
