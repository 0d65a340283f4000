"""Things people did with a customer: Task, Event and Case rows. When and how often is the journey's business."""

from orgsim.seeding.dice import DAY_SECONDS, Dice, day_of, utc
from orgsim.seeding.lexicon.selling import (
    CASE_ORIGINS,
    CASE_PRIORITIES,
    CASE_SUBJECTS,
    LOCATIONS,
    MEETINGS,
    OPEN_TASK_STATUSES,
    PRIORITIES,
    TASK_NOTES,
    TASK_SUBJECTS,
    TASK_TYPES,
)
from orgsim.seeding.opportunities import Deal
from orgsim.seeding.people import Account, Person
from orgsim.seeding.recorder import Row
from orgsim.seeding.world import World

# Events this old, and closed tasks due this long ago, are archived (facts C.2).
ARCHIVE_SECONDS = 365 * DAY_SECONDS
_MINUTE_SECONDS = 60
_QUARTER_HOUR_SECONDS = 15 * _MINUTE_SECONDS


def log_task(world: World, person: Person, moment: int, deal: Deal | None) -> None:
    """A call or mail noted when it happened, or a to-do with a day ahead of it."""
    dice = world.dice
    is_open = dice.chance(0.35 if world.calendar.end - moment < 30 * DAY_SECONDS else 0.03)
    due = moment + (dice.between(0, 14) * DAY_SECONDS if is_open else 0)
    kind, subtype = dice.pick(TASK_TYPES)
    row: Row = _parties(dice, person, moment, deal) | {
        "Id": world.new_id("Task"),
        "Subject": dice.pick(TASK_SUBJECTS[kind]),
        "Type": kind,
        "Status": dice.pick(OPEN_TASK_STATUSES) if is_open else "Completed",
        "Priority": dice.pick(PRIORITIES),
        "ActivityDate": day_of(due),
        "IsClosed": not is_open,
        "IsArchived": not is_open and due // DAY_SECONDS <= (world.calendar.end - ARCHIVE_SECONDS) // DAY_SECONDS,
        "TaskSubtype": subtype,
        "OwnerId": person.owner,
        "Description": dice.pick(TASK_NOTES),
    }
    person.saw(moment)
    done = moment if dice.chance(0.7) else moment + dice.between(60, 3 * DAY_SECONDS)
    world.recorder.add("Task", row, moment, person.owner, done)


def log_event(world: World, person: Person, moment: int, deal: Deal | None) -> None:
    """A meeting that starts at `moment` on the quarter hour; it was put in the calendar some days before."""
    dice = world.dice
    kind, subject, minutes = dice.pick(MEETINGS)
    starts = max(moment - moment % _QUARTER_HOUR_SECONDS, person.entered)
    booked = max(person.entered, min(starts, world.calendar.end) - dice.between(1, 12 * DAY_SECONDS))
    ends = starts + minutes * _MINUTE_SECONDS
    row: Row = _parties(dice, person, starts, deal) | {
        "Id": world.new_id("Event"),
        "Subject": subject,
        "Type": kind,
        "StartDateTime": utc(starts),
        "EndDateTime": utc(ends),
        "ActivityDate": day_of(starts),
        "DurationInMinutes": minutes,
        "IsArchived": ends <= world.calendar.end - ARCHIVE_SECONDS,
        "Location": dice.pick(LOCATIONS),
        "OwnerId": person.owner,
    }
    person.saw(booked if starts > world.calendar.end else starts)
    world.recorder.add("Event", row, booked, person.owner, ends if dice.chance(0.4) else booked)


def _parties(dice: Dice, person: Person, moment: int, deal: Deal | None) -> Row:
    """Who and about what. A lead's activity has neither WhatId nor AccountId, as Salesforce demands."""
    if person.contact_id is None or person.account is None:
        return {"WhoId": person.lead_id, "WhatId": None, "AccountId": None}
    what = None
    if deal is not None and moment >= deal.created and dice.chance(0.8):
        what = deal.id
    elif moment >= person.account.created and dice.chance(0.15):
        what = person.account.id
    return {"WhoId": person.contact_id, "WhatId": what, "AccountId": person.account.id}


def open_case(world: World, account: Account, person: Person, low: int) -> None:
    """A support case of a customer; the oldest are nearly all closed."""
    dice, end = world.dice, world.calendar.end
    opened = dice.working_moment(max(low, person.contact_since), end)
    answered = opened + int(dice.log_normal(2.5 * DAY_SECONDS, 1.0))
    closed = answered if answered <= end and dice.chance(0.96) else None
    origin, agent = dice.pick(CASE_ORIGINS), dice.pick(world.team.agents)
    is_known = dice.chance(0.95)
    row: Row = {
        "Id": world.new_id("Case"),
        "ContactId": person.contact_id if is_known else None,
        "AccountId": account.id if is_known else None,
        "Subject": dice.pick(CASE_SUBJECTS),
        "Status": dice.pick(("New", "Working", "Escalated")) if closed is None else "Closed",
        "Origin": origin,
        "Priority": dice.pick(CASE_PRIORITIES),
        "SuppliedEmail": None if origin == "Phone" else person.identity.email,
        "IsClosed": closed is not None,
        "ClosedDate": None if closed is None else utc(closed),
        "OwnerId": agent,
        "MasterRecordId": None,
    }
    world.recorder.add("Case", row, opened, agent, closed)
