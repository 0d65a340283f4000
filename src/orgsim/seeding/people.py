"""Accounts and the people who buy: Account, Contact and Lead rows, and the campaigns a person joined.

When somebody appears and what they do is the journey's business.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from orgsim.seeding.campaigns import Campaign
from orgsim.seeding.dice import DAY_SECONDS, day_of
from orgsim.seeding.lexicon.selling import INBOUND_SOURCES, TITLES
from orgsim.seeding.naming import Company, Identity, introduce, telephone
from orgsim.seeding.recorder import Row
from orgsim.seeding.world import World

NO_MAIL_SHARE = 0.03
FREE_MAIL_SHARE = 0.04
_OPTED_OUT_SHARE = 0.06


@dataclass(slots=True)
class Account:
    id: str
    company: Company
    created: int
    owner: str
    type: str = "Prospect"
    last_event: int = 0


@dataclass(frozen=True, slots=True)
class Membership:
    campaign: Campaign
    joined: int
    status: str
    responded: int | None


@dataclass(slots=True)
class Person:
    """One human, known as a lead from `entered` on, as a contact from `contact_since` on, or as both in turn."""

    identity: Identity
    company: Company
    entered: int
    owner: str
    account: Account | None = None
    lead_id: str | None = None
    contact_id: str | None = None
    converted: int | None = None
    converted_opportunity: str | None = None
    source: str | None = None
    author: str = ""
    last_event: int = 0
    memberships: list[Membership] = field(default_factory=list)

    @property
    def contact_since(self) -> int:
        return self.entered if self.converted is None else self.converted

    @property
    def who_id(self) -> str | None:
        """Activities follow the person to the contact once there is one."""
        return self.contact_id or self.lead_id

    def saw(self, moment: int) -> None:
        self.last_event = max(self.last_event, moment)


def open_account(world: World, company: Company, created: int) -> Account:
    return Account(world.new_id("Account"), company, created, world.dice.pick(world.team.reps), last_event=created)


def new_contact(world: World, account: Account, entered: int) -> Person:
    """A person entered straight as a contact, by the account's owner or by a list import."""
    identity = introduce(world.dice, account.company, FREE_MAIL_SHARE, NO_MAIL_SHARE)
    person = Person(identity, account.company, entered, account.owner, account)
    person.contact_id = world.new_id("Contact")
    person.source = world.dice.pick(INBOUND_SOURCES) if world.dice.chance(0.6) else None
    person.author = account.owner
    return person


def new_lead(world: World, company: Company, low: int, high: int, *, silent: bool = False) -> Person:
    """A person who enters as a lead between low and high, most often through a campaign met in that very second."""
    dice = world.dice
    identity = introduce(dice, company, FREE_MAIL_SHARE, 0.01)
    door = None if silent or identity.email is None or dice.chance(0.35) else world.programme.meet(dice, low, high)
    entered = dice.working_moment(low, high) if door is None else door[1]
    person = Person(identity, company, entered, dice.pick(world.team.callers))
    person.lead_id = world.new_id("Lead")
    if door is None:
        person.source = dice.pick(INBOUND_SOURCES) if dice.chance(0.95) else None
        person.author = world.team.admin if person.source == "Purchased List" else person.owner
    else:
        person.source, person.author = door[0].kind.lead_source, door[0].owner
        join(world, person, door[0], entered, at_the_door=True)
    return person


def enter_again(world: World, person: Person, entered: int) -> Person:
    """The same human as a second lead with the same address, which nobody merged."""
    again = Person(person.identity, person.company, entered, world.dice.pick(world.team.callers))
    again.lead_id, again.author = world.new_id("Lead"), again.owner
    again.source = world.dice.pick(INBOUND_SOURCES)
    return again


def convert(world: World, person: Person, account: Account, moment: int, opportunity: str | None) -> None:
    """The lead becomes a contact of the account; the opportunity, if any, is the one it was converted into."""
    person.contact_id = world.new_id("Contact")
    person.account, person.converted, person.owner = account, moment, account.owner
    person.converted_opportunity = opportunity
    person.saw(moment)


def join(world: World, person: Person, campaign: Campaign, moment: int, *, at_the_door: bool = False) -> None:
    """Note a membership; its row waits for the person's, because a conversion adds the contact to it."""
    dice = world.dice
    if at_the_door or dice.chance(0.58):
        responded = _response_moment(world, campaign, moment, at_the_door=at_the_door)
        membership = Membership(campaign, moment, dice.pick(campaign.kind.answered), responded)
    else:
        membership = Membership(campaign, moment, dice.pick(campaign.kind.silent), None)
    person.memberships.append(membership)
    person.saw(membership.responded or moment)
    person.saw(moment)


def has_met(person: Person, campaign: Campaign) -> bool:
    return any(membership.campaign is campaign for membership in person.memberships)


def _response_moment(world: World, campaign: Campaign, joined: int, *, at_the_door: bool) -> int:
    """A list brings answers given while the campaign ran; otherwise people answer at once or within days."""
    if campaign.loaded is not None:
        return max(world.calendar.start, world.dice.between(campaign.starts, campaign.ends))
    delay_days = 0 if at_the_door else world.dice.between(0, 5)
    return min(joined + delay_days * DAY_SECONDS, world.calendar.end)


def last_campaign_before(people: list[Person], moment: int) -> str | None:
    """The primary campaign source: the latest membership of any of these people up to `moment`."""
    joined = [(m.joined, m.campaign.id) for person in people for m in person.memberships if m.joined <= moment]
    return max(joined)[1] if joined else None


def write_account(world: World, account: Account) -> None:
    company, place = account.company, account.company.place
    row: Row = {
        "Id": account.id,
        "Name": company.name,
        "Website": _website(world, company),
        "Phone": telephone(world.dice, place),
        "Industry": company.industry,
        "NumberOfEmployees": company.employees,
        "AnnualRevenue": Decimal(company.employees * world.dice.between(90, 260) * 100_000).scaleb(-2),
        "BillingCity": place.city,
        "BillingState": place.state,
        "BillingCountry": place.country,
        "Type": account.type,
        "OwnerId": account.owner,
        "MasterRecordId": None,
    }
    world.recorder.add("Account", row, account.created, account.owner, account.last_event)


def _website(world: World, company: Company) -> str:
    return world.dice.pick(("https://www.", "https://www.", "www.", "https://", "http://www.", "")) + company.domain


def write_person(world: World, person: Person) -> None:
    """The lead, the contact, or both, with every membership."""
    opted_out, phone = world.dice.chance(_OPTED_OUT_SHARE), telephone(world.dice, person.company.place)
    title, department = world.dice.pick(TITLES)
    if person.contact_id is not None:
        _write_contact(world, person, {"Title": title, "Department": department, "Phone": phone}, opted_out=opted_out)
    if person.lead_id is not None:
        _write_lead(world, person, {"Title": title, "Phone": phone}, opted_out=opted_out)
    for membership in person.memberships:
        _write_membership(world, person, membership)


def _write_contact(world: World, person: Person, shared: Row, *, opted_out: bool) -> None:
    place = person.company.place
    row: Row = shared | {
        "Id": person.contact_id,
        "AccountId": None if person.account is None else person.account.id,
        "FirstName": person.identity.first,
        "LastName": person.identity.last,
        "Name": person.identity.full_name,
        "Email": person.identity.email,
        "LeadSource": person.source,
        "MailingCity": place.city,
        "MailingState": place.state,
        "MailingCountry": place.country,
        "HasOptedOutOfEmail": opted_out,
        "OwnerId": person.owner,
        "MasterRecordId": None,
    }
    author = person.author if person.converted is None else person.owner
    world.recorder.add("Contact", row, person.contact_since, author, person.last_event)


def _write_lead(world: World, person: Person, shared: Row, *, opted_out: bool) -> None:
    company, converted = person.company, person.converted
    account = person.account if converted is not None else None
    row: Row = shared | {
        "Id": person.lead_id,
        "FirstName": person.identity.first,
        "LastName": person.identity.last,
        "Name": person.identity.full_name,
        "Company": company.name,
        "Email": person.identity.email,
        "Status": _lead_status(world, person),
        "LeadSource": person.source,
        "Website": _website(world, company) if world.dice.chance(0.7) else None,
        "Industry": company.industry if world.dice.chance(0.8) else None,
        "Country": company.place.country,
        "HasOptedOutOfEmail": opted_out,
        "IsConverted": converted is not None,
        "ConvertedDate": None if converted is None else day_of(converted),
        "ConvertedAccountId": None if account is None else account.id,
        "ConvertedContactId": person.contact_id if account is not None else None,
        "ConvertedOpportunityId": person.converted_opportunity,
        "OwnerId": person.owner,
        "MasterRecordId": None,
    }
    # A converted lead is read-only: its story goes on at the contact.
    last = person.last_event if converted is None else converted
    world.recorder.add("Lead", row, person.entered, person.author, last)


def _lead_status(world: World, person: Person) -> str:
    if person.converted is not None:
        return "Closed - Converted"
    if world.calendar.end - person.last_event > 120 * DAY_SECONDS and world.dice.chance(0.6):
        return "Closed - Not Converted"
    return "Working - Contacted" if world.dice.chance(0.55) else "Open - Not Contacted"


def _write_membership(world: World, person: Person, membership: Membership) -> None:
    """After a conversion both Ids stand on what the lead had joined (facts C.2); later ones name the contact only."""
    joined, responded, converted = membership.joined, membership.responded, person.converted
    row: Row = {
        "Id": world.new_id("CampaignMember"),
        "CampaignId": membership.campaign.id,
        "LeadId": person.lead_id if converted is None or joined <= converted else None,
        "ContactId": person.contact_id if converted is not None or person.lead_id is None else None,
        "Status": membership.status,
        "HasResponded": responded is not None,
        "FirstRespondedDate": None if responded is None else day_of(responded),
    }
    last = max(joined, responded or 0, converted or 0)
    world.recorder.add("CampaignMember", row, joined, membership.campaign.owner, last)
