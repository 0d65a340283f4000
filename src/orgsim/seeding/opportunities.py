"""One deal: its outcome, path through the stages and amounts, and the rows that tell them.

Who took part and what they did before is the journey's business.
"""

from dataclasses import dataclass
from decimal import Decimal

from orgsim.seeding.dice import DAY_SECONDS, Dice, day_of, utc
from orgsim.seeding.lexicon.selling import LOST, NEXT_STEPS, OPEN_STAGES, ROLES, WON, Stage
from orgsim.seeding.people import Account, Person
from orgsim.seeding.recorder import Row
from orgsim.seeding.world import World

OPEN_SHARE = 0.20
WIN_RATE = 0.275
_FIRST_DEALS = ("New Business", "New Business", "Pilot", "Platform", "Starter, 50 seats")
_EXPANSIONS = ("Expansion", "Upgrade", "Renewal", "Second site")
_CUSTOMER_TYPES = ("Existing Customer - Upgrade", "Existing Customer - Upgrade", "Existing Customer - Replacement")
_LAST_OPEN_STAGE = len(OPEN_STAGES) - 1
# Median amount in cents, spread, median cycle in days; most deals are small.
_SMALL, _MIDDLE, _LARGE = (1_200_000, 0.5, 45), (4_500_000, 0.5, 70), (18_000_000, 0.6, 110)
_TIERS = (_SMALL,) * 11 + (_MIDDLE,) * 7 + (_LARGE,) * 2


@dataclass(frozen=True, slots=True)
class Deal:
    """`closed` is None while the deal is open; `cents` is None where nobody wrote an amount."""

    id: str
    created: int
    closed: int | None
    won: bool
    cents: int | None
    expected_days: int

    def last_moment(self, end: int) -> int:
        return end if self.closed is None else self.closed


@dataclass(frozen=True, slots=True)
class Step:
    moment: int
    stage: Stage
    cents: int | None
    close_day: int


def plan_deal(world: World) -> Deal:
    """Outcome first, then a place in the three years: an open deal has lived for part of its cycle only."""
    dice, calendar = world.dice, world.calendar
    median_cents, spread, median_days = dice.pick(_TIERS)
    days = min(400, max(5, int(dice.log_normal(median_days, 0.55))))
    closed: int | None = None
    is_open = dice.chance(OPEN_SHARE)
    if is_open:
        age = max(2 * DAY_SECONDS, int(dice.random() * 1.2 * days * DAY_SECONDS))
        created = dice.working_moment(calendar.end - age, calendar.end - age + DAY_SECONDS)
    else:
        first = calendar.start + 25 * DAY_SECONDS
        latest = calendar.end - (days + 2) * DAY_SECONDS
        created = first + int(dice.random() ** 0.8 * (latest - first))
        created = dice.working_moment(created, created + DAY_SECONDS)
        closed = dice.working_moment(created + (days - 3) * DAY_SECONDS, created + days * DAY_SECONDS)
    won = closed is not None and dice.chance(WIN_RATE)
    cents = None if dice.chance(0.01 if won else 0.05) else _amount_cents(dice, median_cents, spread)
    return Deal(world.new_id("Opportunity"), created, closed, won, cents, max(20, days))


def _amount_cents(dice: Dice, median: int, spread: float) -> int:
    """Round hundreds most of the time, odd cents where a quote was added up."""
    cents = int(dice.log_normal(median, spread))
    return cents if dice.chance(0.35) else max(10_000, round(cents, -4))


def stage_path(dice: Dice, outcome: Stage | None) -> list[Stage]:
    """Mostly forward, some stages skipped, some steps back; ends in `outcome`, or in an open stage if None."""
    at = dice.pick((0, 0, 0, 0, 0, 0, 0, 1, 1, 2))
    path = [OPEN_STAGES[at]]
    while dice.random() >= _giving_up(outcome, at):
        draw = dice.random()
        step = -1 if draw < 0.07 and at > 0 else (2 if draw > 0.7 else 1)
        at = min(at + step, _LAST_OPEN_STAGE)
        path.append(OPEN_STAGES[at])
        if at == _LAST_OPEN_STAGE:
            break
    return path if outcome is None else [*path, outcome]


def _giving_up(outcome: Stage | None, at: int) -> float:
    """The chance that the walk ends at stage number `at`: a won deal gets at least as far as a quote."""
    if outcome is WON:
        return 0.35 if at >= _LAST_OPEN_STAGE - 1 else 0.0
    return 0.22 if outcome is LOST else 0.4


def plan_steps(world: World, deal: Deal) -> list[Step]:
    """One step at creation and one per stage change, strictly later each; the last one is how the deal stands."""
    dice = world.dice
    outcome = None if deal.closed is None else (WON if deal.won else LOST)
    path = stage_path(dice, outcome)
    moments = _step_moments(dice, deal, len(path), world.calendar.end)
    close_day = (deal.closed or _open_close_moment(dice, deal, world.calendar.end)) // DAY_SECONDS
    steps = [Step(moments[-1], path[-1], deal.cents, close_day)]
    for moment, stage in zip(moments[-2::-1], path[-2::-1], strict=True):
        close_day = max(moment // DAY_SECONDS + 7, close_day - dice.pick((0, 0, 7, 14, 30)))
        steps.append(Step(moment, stage, _earlier_cents(dice, steps[-1].cents), close_day))
    return steps[::-1]


def _step_moments(dice: Dice, deal: Deal, count: int, end: int) -> list[int]:
    """Creation, then one moment in each of equal slices; a closed deal's last step is the close itself."""
    if count == 1:
        return [deal.created]
    last = deal.last_moment(end)
    slice_seconds = (last - deal.created) // (count - 1)
    moments = [deal.created]
    for number in range(count - 1):
        low = deal.created + number * slice_seconds + 1
        moments.append(dice.working_moment(low, low + slice_seconds - 2))
    if deal.closed is not None:
        moments[-1] = deal.closed
    return moments


def _open_close_moment(dice: Dice, deal: Deal, end: int) -> int:
    """The hoped-for close of an open deal: ahead of us, or already missed."""
    if dice.chance(0.15):
        return max(deal.created, end - dice.between(1, 40) * DAY_SECONDS)
    return max(end, deal.created + deal.expected_days * DAY_SECONDS) + dice.between(2, 60) * DAY_SECONDS


def _earlier_cents(dice: Dice, later: int | None) -> int | None:
    if later is None or dice.chance(0.08):
        return None
    return round(int(later * dice.log_normal(1.0, 0.15)), -4) if dice.chance(0.3) else later


def write_deal(
    world: World, deal: Deal, account: Account, *, first: Person, campaign: str | None, is_customer: bool
) -> None:
    """The Opportunity and its OpportunityHistory; `first` is the person through whom the account was won over."""
    steps = plan_steps(world, deal)
    owner = account.owner if world.dice.chance(0.85) else world.dice.pick(world.team.reps)
    for step in steps:
        _write_history(world, deal, step, owner)
    now = steps[-1]
    row: Row = _standing(now) | {
        "Id": deal.id,
        "Name": f"{account.company.name} - {world.dice.pick(_EXPANSIONS if is_customer else _FIRST_DEALS)}",
        "AccountId": account.id,
        "IsClosed": deal.closed is not None,
        "IsWon": deal.won,
        "Type": world.dice.pick(_CUSTOMER_TYPES) if is_customer else "New Customer",
        "LeadSource": first.source,
        "CampaignId": campaign if world.dice.chance(0.8) else None,
        "OwnerId": owner,
        "ForecastCategoryName": now.stage.category_name,
        "NextStep": None if deal.closed is not None else world.dice.pick(NEXT_STEPS),
        **_fiscal(now),
    }
    account.last_event = max(account.last_event, now.moment)
    world.recorder.add("Opportunity", row, deal.created, owner, now.moment)


def _fiscal(step: Step) -> Row:
    closes = day_of(step.close_day * DAY_SECONDS)
    return {"FiscalYear": closes.year, "FiscalQuarter": (closes.month + 2) // 3}


def _standing(step: Step) -> Row:
    """What the opportunity and each row of its history both say."""
    expected = None if step.cents is None else (step.cents * step.stage.probability + 50) // 100
    return {
        "StageName": step.stage.name,
        "Amount": _money(step.cents),
        "CloseDate": day_of(step.close_day * DAY_SECONDS),
        "Probability": step.stage.probability,
        "ForecastCategory": step.stage.category,
        "ExpectedRevenue": _money(expected),
    }


def _money(cents: int | None) -> Decimal | None:
    return None if cents is None else Decimal(cents).scaleb(-2)


def _write_history(world: World, deal: Deal, step: Step, author: str) -> None:
    written = utc(step.moment)
    row = _standing(step) | {
        "Id": world.new_id("OpportunityHistory"),
        "OpportunityId": deal.id,
        "CreatedById": author,
        "CreatedDate": written,
        "SystemModstamp": written,
        "IsDeleted": False,
    }
    world.recorder.add_unaudited("OpportunityHistory", row)


def write_roles(world: World, deal: Deal, people: list[Person], author: str) -> None:
    """Contact roles for the people known by the deal's end; the first of them is the primary one."""
    dice, last = world.dice, deal.last_moment(world.calendar.end)
    wanted = dice.between(2, 5) if deal.won else dice.pick((0, 1, 1, 2, 2, 2, 3))
    known = [person for person in people if person.contact_id is not None and person.contact_since <= last]
    for place, person in enumerate(known[:wanted]):
        low = max(deal.created, person.contact_since)
        added = low if dice.chance(0.5) else dice.working_moment(low, last)
        row: Row = {
            "Id": world.new_id("OpportunityContactRole"),
            "OpportunityId": deal.id,
            "ContactId": person.contact_id,
            "Role": dice.pick(ROLES) if dice.chance(0.85) else None,
            "IsPrimary": place == 0,
        }
        world.recorder.add("OpportunityContactRole", row, added, author)
