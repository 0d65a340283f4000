"""The marketing programme: Campaign rows in their seasons, and which campaign a person can meet in a given week."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orgsim.seeding.dice import DAY_SECONDS, Calendar, Dice, day_of
from orgsim.seeding.lexicon.selling import (
    CAMPAIGN_KINDS,
    CAMPAIGN_NOTES,
    CAMPAIGN_TYPES,
    MONTH_WEIGHTS,
    TOPICS,
    CampaignKind,
)
from orgsim.seeding.recorder import Recorder
from orgsim.seeding.team import Team

_WEEK_SECONDS = 7 * DAY_SECONDS
_CHILD_SHARE = 0.08
_ABORTED_SHARE = 0.03
_BUSIEST_MONTH = max(MONTH_WEIGHTS)


@dataclass(frozen=True, slots=True)
class Campaign:
    """`loaded` is the second at which the whole member list was written, or None where people join one by one."""

    id: str
    type: str
    kind: CampaignKind
    starts: int
    ends: int
    loaded: int | None
    owner: str

    def moment_near(self, dice: Dice, wanted: int, low: int, high: int) -> int | None:
        """When a person met around `wanted` joins, or None if the campaign offers nothing between low and high."""
        if self.loaded is not None:
            return self.loaded if low <= self.loaded <= high else None
        first, last = max(low, self.starts, wanted - _WEEK_SECONDS), min(high, self.ends, wanted + _WEEK_SECONDS)
        return dice.working_moment(first, last) if first <= last else None


class Programme:
    """All campaigns of the story, found by the week in which they gain members."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._weeks: list[list[Campaign]] = [[] for _ in range(self._week(calendar.end) + 1)]

    def _week(self, moment: int) -> int:
        return (moment - self._calendar.start) // _WEEK_SECONDS

    def add(self, campaign: Campaign, pull: int) -> None:
        """`pull` is how many times likelier than a small campaign it is to be met."""
        first = campaign.starts if campaign.loaded is None else campaign.loaded - _WEEK_SECONDS
        last = campaign.ends if campaign.loaded is None else campaign.loaded + _WEEK_SECONDS
        for week in range(max(0, self._week(first)), min(len(self._weeks) - 1, self._week(last)) + 1):
            self._weeks[week].extend([campaign] * pull)

    def meet(self, dice: Dice, low: int, high: int) -> tuple[Campaign, int] | None:
        """A campaign and the moment between low and high at which it is met, if a few tries find one."""
        for _ in range(4):
            wanted = dice.between(low, high)
            running = self._weeks[self._week(wanted)]
            if running:
                campaign = dice.pick(running)
                moment = campaign.moment_near(dice, wanted, low, high)
                if moment is not None:
                    return campaign, moment
        return None


def run_programme(dice: Dice, recorder: Recorder, team: Team, count: int) -> Programme:
    """Write `count` Campaign rows, parents first, and return where people can meet them."""
    programme = Programme(recorder.calendar)
    parents: list[Campaign] = []
    for number in range(count):
        campaign = _plan(dice, recorder, team, number)
        parent = dice.pick(parents) if parents and dice.chance(_CHILD_SHARE) else None
        aborted = dice.chance(_ABORTED_SHARE)
        _write(dice, recorder, campaign, parent, aborted=aborted)
        if parent is None and campaign.type in {"Conference", "Trade Show", "Partners", "Advertisement"}:
            parents.append(campaign)
        if not aborted:
            programme.add(campaign, dice.between(1, 4))
    return programme


def _plan(dice: Dice, recorder: Recorder, team: Team, number: int) -> Campaign:
    # The first ones are of the long-running kinds, so that even a tiny org has something to meet in most weeks.
    kind_name = ("Search", "Webinar", "Social Media", "Email")[number] if number < 4 else dice.pick(CAMPAIGN_TYPES)
    kind = CAMPAIGN_KINDS[kind_name]
    starts = _season_start(dice, recorder.calendar)
    ends = starts + max(1, int(kind.days * dice.log_normal(1.0, 0.25))) * DAY_SECONDS
    is_list = dice.chance(kind.loaded)
    loaded = dice.working_moment(ends + DAY_SECONDS, ends + 4 * DAY_SECONDS) if is_list else None
    return Campaign(recorder.new_id("Campaign"), kind_name, kind, starts, ends, loaded, owner=dice.pick(team.marketers))


def _season_start(dice: Dice, calendar: Calendar) -> int:
    """A working moment in a busy month, up to three weeks after the end of the story for what is only planned."""
    while True:
        moment = dice.working_moment(calendar.start + DAY_SECONDS, calendar.end + 21 * DAY_SECONDS)
        if dice.random() * _BUSIEST_MONTH < MONTH_WEIGHTS[day_of(moment).month - 1]:
            return moment


def _write(dice: Dice, recorder: Recorder, campaign: Campaign, parent: Campaign | None, *, aborted: bool) -> None:
    end = recorder.calendar.end
    created = min(recorder.calendar.clamp(campaign.starts - dice.between(7, 60) * DAY_SECONDS), end)
    status = "Aborted" if aborted else _status(campaign, end)
    budget_cents = round(int(dice.log_normal(campaign.kind.budget, 0.5)), -2) * 100
    spent_cents = None if status == "Planned" or dice.chance(0.04) else int(budget_cents * dice.log_normal(0.95, 0.2))
    row: dict[str, object] = {
        "Id": campaign.id,
        "Name": _name(dice, campaign),
        "Type": campaign.type,
        "Status": status,
        "IsActive": status == "In Progress" or (status == "Completed" and dice.chance(0.3)),
        "StartDate": day_of(campaign.starts),
        "EndDate": day_of(campaign.ends),
        "BudgetedCost": Decimal(budget_cents).scaleb(-2),
        "ActualCost": None if spent_cents is None else Decimal(spent_cents).scaleb(-2),
        "ParentId": None if parent is None else parent.id,
        "OwnerId": campaign.owner,
        "Description": dice.pick(CAMPAIGN_NOTES),
    }
    recorder.add("Campaign", row, created, campaign.owner, min(campaign.ends, end))


def _status(campaign: Campaign, end: int) -> str:
    if campaign.starts > end:
        return "Planned"
    return "In Progress" if campaign.ends > end else "Completed"


def _name(dice: Dice, campaign: Campaign) -> str:
    starts: date = day_of(campaign.starts)
    return f"{starts.year}-Q{(starts.month + 2) // 3} {campaign.kind.topics}: {dice.pick(TOPICS)}"
