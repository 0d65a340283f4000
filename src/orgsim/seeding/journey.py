"""How accounts and people live through the three years: who appears when, what they meet, what comes of it.

Each of the three stories writes all rows of one account (or one company's leads) to the recorder.
"""

from orgsim.seeding.activities import log_event, log_task, open_case
from orgsim.seeding.dice import DAY_SECONDS
from orgsim.seeding.lexicon.selling import weighted
from orgsim.seeding.opportunities import Deal, plan_deal, write_deal, write_roles
from orgsim.seeding.people import (
    Account,
    Person,
    convert,
    enter_again,
    has_met,
    join,
    last_campaign_before,
    new_contact,
    new_lead,
    open_account,
    write_account,
    write_person,
)
from orgsim.seeding.world import World

_DEALS_PER_ACCOUNT = weighted({1: 62, 2: 28, 3: 10})
_SILENT_SHARE = 0.12  # of accounts with a single deal, which leaves about 5 % of all deals without any touch
_INBOUND_SHARE = 0.5
_BEGAN_AS_LEAD_SHARE = 0.25
_MOST_PEOPLE = 8

_BEFORE_DEAL = ("member",) * 6 + ("task",) * 5 + ("event",)
_DURING_DEAL = ("member", "task", "task", "task", "task", "event", "event")
_WITHOUT_DEAL = ("member", "member", "member", "task", "task")


def deal_story(world: World) -> None:
    """An account with one to three opportunities, from the first touch to the last."""
    dice = world.dice
    deals = sorted((plan_deal(world) for _ in range(dice.pick(_DEALS_PER_ACCOUNT))), key=lambda deal: deal.created)
    silent = len(deals) == 1 and dice.chance(_SILENT_SHARE)
    account, people, origin = _win_attention(world, deals, silent=silent)
    _gather(world, account, people, deals, origin=origin, silent=silent)
    if not silent:
        for deal in deals:
            _live_through(world, deal, people, origin)
    for deal in deals:
        campaign = last_campaign_before(people, deal.created)
        won_before = any(other.won and other.last_moment(deal.created) < deal.created for other in deals)
        write_deal(world, deal, account, first=people[0], campaign=campaign, is_customer=won_before)
        write_roles(world, deal, people, account.owner)
    _look_after(world, account, people, deals)
    if not silent:
        people += _strays(world, account, people, origin)
    _write(world, account, people)


def _win_attention(world: World, deals: list[Deal], *, silent: bool) -> tuple[Account, list[Person], int]:
    """The account, its first person, and when the story starts: a lead converted into the first deal, or a
    contact of an account that was known before."""
    dice, calendar, first = world.dice, world.calendar, deals[0]
    company = world.companies.found()
    runup_days = min(240, max(8, int(dice.log_normal(55, 0.6))))
    origin = max(calendar.start + DAY_SECONDS, first.created - runup_days * DAY_SECONDS)
    if dice.chance(_INBOUND_SHARE):
        champion = new_lead(world, company, origin, origin + (first.created - origin) // 3, silent=silent)
        account = open_account(world, company, first.created)
        convert(world, champion, account, first.created, first.id)
        return account, [champion], champion.entered
    account = open_account(world, company, _known_since(world, origin))
    return account, [new_contact(world, account, account.created)], origin


def _known_since(world: World, limit: int) -> int:
    """When an account was entered: by a list import, shared to the second with others, or by hand."""
    imported = world.calendar.import_before(world.dice, limit) if world.dice.chance(0.5) else None
    if imported is not None:
        return imported
    earlier_days = int(world.dice.log_normal(60, 0.8))
    return max(world.calendar.start, limit - earlier_days * DAY_SECONDS)


def _gather(
    world: World, account: Account, people: list[Person], deals: list[Deal], *, origin: int, silent: bool
) -> None:
    """More people come along until two thirds of the last deal's life; a won deal brings in more of them."""
    last_deal = deals[-1]
    lived = last_deal.last_moment(world.calendar.end) - last_deal.created
    until = max(last_deal.created + lived * 2 // 3, account.created)
    for _ in range(_company_size(world, deals) - len(people)):
        if world.dice.chance(_BEGAN_AS_LEAD_SHARE):
            people.append(_later_lead(world, account, deals, origin, until, silent=silent))
        else:
            people.append(new_contact(world, account, world.dice.working_moment(account.created, until)))


def _company_size(world: World, deals: list[Deal]) -> int:
    wanted = 3 + world.dice.poisson(2.6) if any(deal.won for deal in deals) else 2 + world.dice.poisson(1.4)
    return min(_MOST_PEOPLE, wanted)


def _later_lead(world: World, account: Account, deals: list[Deal], origin: int, until: int, *, silent: bool) -> Person:
    """A colleague who entered as a lead and was converted into the account, often into a deal then open."""
    dice, end = world.dice, world.calendar.end
    person = new_lead(world, account.company, origin, until, silent=silent)
    low = max(person.entered, account.created)
    moment = dice.working_moment(low, min(end, low + 20 * DAY_SECONDS))
    running = [deal.id for deal in deals if deal.created <= moment <= deal.last_moment(end)]
    convert(world, person, account, moment, running[-1] if running and dice.chance(0.6) else None)
    return person


def _live_through(world: World, deal: Deal, people: list[Person], origin: int) -> None:
    """Touches before, during and after one deal: most of them before, and more of them when it is won."""
    end = world.calendar.end
    before, during, after = (6.6, 4.6, 1.2) if deal.won else (2.6, 1.8, 0.4)
    low = max(origin, deal.created - 200 * DAY_SECONDS)
    _touch_often(world, people, low, deal.created, before, _BEFORE_DEAL, deal)
    _touch_often(world, people, deal.created, deal.last_moment(end), during, _DURING_DEAL, deal)
    if deal.closed is not None:
        _touch_often(world, people, deal.closed, _days_later(world, deal.closed, 150), after, _DURING_DEAL, deal)
    elif world.dice.chance(0.2):
        ahead = world.dice.working_moment(end + DAY_SECONDS, end + 12 * DAY_SECONDS)
        log_event(world, world.dice.pick(people), ahead, deal)


def _touch_often(
    world: World,
    people: list[Person],
    low: int,
    high: int,
    mean: float,
    kinds: tuple[str, ...],
    deal: Deal | None,
) -> None:
    known = [person for person in people if person.entered < high]
    if not known:
        return
    for _ in range(world.dice.poisson(mean)):
        person = world.dice.pick(known)
        _touch(world, person, max(low, person.entered), high, world.dice.pick(kinds), deal)


def _touch(world: World, person: Person, low: int, high: int, kind: str, deal: Deal | None) -> None:
    """One touch between low and high; a membership turns into a task where no campaign fits."""
    met = world.programme.meet(world.dice, low, high) if kind == "member" else None
    if met is not None and not has_met(person, met[0]):
        join(world, person, *met)
    elif kind == "event":
        log_event(world, person, world.dice.working_moment(low, high), deal)
    else:
        log_task(world, person, world.dice.working_moment(low, high), deal)


def _look_after(world: World, account: Account, people: list[Person], deals: list[Deal]) -> None:
    """An account with a won deal is a customer, and customers open cases."""
    wins = [deal.closed for deal in deals if deal.won and deal.closed is not None]
    if wins:
        account.type = world.dice.pick(("Customer - Direct", "Customer - Direct", "Customer - Channel"))
        _open_cases(world, account, people, wins[0], 2.6)


def _open_cases(world: World, account: Account, people: list[Person], since: int, mean: float) -> None:
    for _ in range(world.dice.poisson(mean)):
        open_case(world, account, world.dice.pick(people), since)


def _strays(world: World, account: Account, people: list[Person], origin: int) -> list[Person]:
    """Leads at a known account that nobody converted: a colleague, or somebody already there under the same address."""
    dice, end = world.dice, world.calendar.end
    strays = []
    if dice.chance(0.25):
        strays.append(new_lead(world, account.company, origin, end))
    if dice.chance(0.05):
        person = dice.pick(people)
        strays.append(enter_again(world, person, dice.working_moment(person.entered, end)))
    return strays


def quiet_story(world: World) -> None:
    """An account without any opportunity: a name on a list, a lead that led nowhere, or an old customer."""
    dice, end = world.dice, world.calendar.end
    account, people = _quiet_beginning(world)
    for _ in range(min(5, dice.poisson(1.45))):
        people.append(new_contact(world, account, dice.working_moment(account.created, end)))
    for person in people:
        _touch_often(world, [person], person.entered, _days_later(world, person.entered, 500), 0.4, _WITHOUT_DEAL, None)
    draw = dice.random()
    if draw < 0.18:
        account.type = "Customer - Direct"
        _open_cases(world, account, people, account.created, 2.4)
    elif draw < 0.23:
        account.type = dice.pick(("Technology Partner", "Channel Partner / Reseller", "Other"))
    _write(world, account, people)


def _quiet_beginning(world: World) -> tuple[Account, list[Person]]:
    company, moment = world.companies.found(), world.calendar.growing_moment(world.dice)
    if world.dice.chance(0.25):
        lead = new_lead(world, company, moment, _days_later(world, moment, 30))
        converted = world.dice.working_moment(lead.entered, _days_later(world, lead.entered, 40))
        account = open_account(world, company, converted)
        convert(world, lead, account, converted, None)
        return account, [lead]
    account = open_account(world, company, _known_since(world, moment))
    return account, [new_contact(world, account, account.created)]


def lead_story(world: World) -> None:
    """Leads of one company that no account knows; once in a while the same person twice."""
    dice = world.dice
    company, moment = world.companies.found(), world.calendar.growing_moment(dice)
    until = _days_later(world, moment, 45)
    leads = [new_lead(world, company, moment, until) for _ in range(dice.pick((1, 1, 1, 1, 1, 1, 2, 2, 3)))]
    if dice.chance(0.03):
        leads.append(enter_again(world, leads[0], dice.working_moment(leads[0].entered, world.calendar.end)))
    for lead in leads:
        _touch_often(world, [lead], lead.entered, _days_later(world, lead.entered, 200), 0.6, _WITHOUT_DEAL, None)
    _write(world, None, leads)


def _days_later(world: World, moment: int, days: int) -> int:
    return min(world.calendar.end, moment + days * DAY_SECONDS)


def _write(world: World, account: Account | None, people: list[Person]) -> None:
    for person in people:
        write_person(world, person)
    if account is not None:
        account.last_event = max(account.last_event, *(person.last_event for person in people))
        write_account(world, account)
