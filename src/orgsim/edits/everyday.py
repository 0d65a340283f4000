"""Random but believable edits: the same seed on the same org gives the same edits."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orgsim.edits.convert import Conversion, convert_lead
from orgsim.edits.merge import merge
from orgsim.errors import ApiError
from orgsim.schema.marketing import CAMPAIGN_TYPES
from orgsim.schema.people import INDUSTRIES, LEAD_SOURCES, LEAD_STATUSES
from orgsim.schema.sales import STAGES
from orgsim.store.write import Writer

EDITED = ("Lead", "Contact", "Account", "Opportunity", "CampaignMember", "Campaign", "Task")
DELETED = ("Lead", "Contact", "CampaignMember", "Task", "Opportunity")
UNDELETED = tuple(name for name in DELETED if name != "CampaignMember")  # memberships cannot be undeleted
MERGED = ("Lead", "Contact", "Account")
_WEIGHTS = (30, 20, 10, 15, 15, 2, 8)
_NEW_SHARE = 0.2  # of the edits of an object that people add to, this share adds a record
_TRANSACTION_EDITS = 200
_TITLES = ("Director", "VP Marketing", "Analyst", "Engineer", "Head of Operations", "CFO", "Buyer")
_NAMES = ("Lindqvist", "Okafor", "Tanaka", "Moreau", "Silva", "O'Brien", "Kowalski", "Çelik")


@dataclass(frozen=True, slots=True)
class EditPlan:
    edits: int = 0
    deletes: int = 0
    merges: int = 0
    conversions: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class EditReport:
    """What was done; `refused` were not possible, such as editing a record another edit had deleted."""

    edits: int
    deletes: int
    merges: int
    conversions: int
    refused: int


class Hand:
    """One person at work: a dice, and the records there are."""

    def __init__(self, writer: Writer, seed: int) -> None:
        self.writer = writer
        self.dice = random.Random(seed)  # noqa: S311  repeatable on purpose
        self._ids: dict[str, list[str]] = {}

    def some_id(self, name: str, where: str = "1", *, deleted: bool = False) -> str:
        """Raises LookupError when the org has no such record."""
        source = self._source(name, where, deleted=deleted)
        if source not in self._ids:
            rows = self.writer.org.database.connect().execute(f'SELECT "Id" FROM {source} ORDER BY "Id"')  # noqa: S608  names come from the schema
            self._ids[source] = [row[0] for row in rows]
        if not self._ids[source]:
            raise LookupError(f"This org has no {name} to work on.")
        return self.dice.choice(self._ids[source])

    def _source(self, name: str, where: str, *, deleted: bool) -> str:
        sobject = self.writer.org.catalog().get(name)
        binned = f'"IsDeleted" = {int(deleted)} AND ' if sobject.has_recycle_bin else ""
        return f'"{name}" WHERE {binned}{where}'


class FreshHand(Hand):
    """Works on the records there are at the moment of each edit, for an org that others change meanwhile."""

    def some_id(self, name: str, where: str = "1", *, deleted: bool = False) -> str:
        source = self._source(name, where, deleted=deleted)
        connection = self.writer.org.database.connect()
        (count,) = connection.execute(f"SELECT count(*) FROM {source}").fetchone()  # noqa: S608  names come from the schema
        if not count:
            raise LookupError(f"This org has no {name} to work on.")
        chosen = self.dice.randrange(count)
        row = connection.execute(f'SELECT "Id" FROM {source} ORDER BY "Id" LIMIT 1 OFFSET ?', (chosen,)).fetchone()  # noqa: S608  names come from the schema
        return str(row[0])


def make_edits(writer: Writer, plan: EditPlan) -> EditReport:
    hand = Hand(writer, plan.seed)
    done = {
        "merges": _repeat(hand, plan.merges, merge_one),
        "conversions": _repeat(hand, plan.conversions, convert_one),
        "edits": _repeat(hand, plan.edits, _edit),
        "deletes": _repeat(hand, plan.deletes, delete_one),
    }
    asked = plan.edits + plan.deletes + plan.merges + plan.conversions
    return EditReport(**done, refused=asked - sum(done.values()))


def _repeat(hand: Hand, count: int, deed: Callable[[Hand], None]) -> int:
    """How many of `count` succeeded. Some hundred share a transaction, as people's saves share a second."""
    succeeded = 0
    for size in _sizes(count):
        with hand.writer.org.database.write():
            succeeded += sum(succeeds(hand, deed) for _ in range(size))
    return succeeded


def _sizes(count: int) -> Iterator[int]:
    for start in range(0, count, _TRANSACTION_EDITS):
        yield min(_TRANSACTION_EDITS, count - start)


def succeeds(hand: Hand, deed: Callable[[Hand], None]) -> bool:
    try:
        with hand.writer.org.database.write():
            deed(hand)
    except (ApiError, LookupError):
        return False
    return True


def _edit(hand: Hand) -> None:
    [name] = hand.dice.choices(EDITED, _WEIGHTS)
    if name in _NEW_VALUES and hand.dice.random() < _NEW_SHARE:
        hand.writer.insert(name, _NEW_VALUES[name](hand))
        return
    _change(hand, name)


def create_one(hand: Hand) -> None:
    """Add a record of an object that people add to."""
    name = hand.dice.choice(tuple(_NEW_VALUES))
    hand.writer.insert(name, _NEW_VALUES[name](hand))


def update_one(hand: Hand) -> None:
    [name] = hand.dice.choices(EDITED, _WEIGHTS)
    _change(hand, name)


def _change(hand: Hand, name: str) -> None:
    where = '"IsConverted" = 0' if name == "Lead" else "1"
    hand.writer.update(name, hand.some_id(name, where), _CHANGES[name](hand))


def undelete_one(hand: Hand) -> None:
    """Take a record back from the recycle bin; what a merge has deleted stays there."""
    name = hand.dice.choice(UNDELETED)
    where = '"MasterRecordId" IS NULL' if name in MERGED else "1"
    hand.writer.undelete(name, hand.some_id(name, where, deleted=True))


def delete_one(hand: Hand) -> None:
    name = hand.dice.choice(DELETED)
    hand.writer.delete(name, hand.some_id(name))


def merge_one(hand: Hand) -> None:
    name = hand.dice.choice(MERGED)
    where = '"IsConverted" = 0' if name == "Lead" else "1"
    winner, loser = hand.some_id(name, where), hand.some_id(name, where)
    if winner == loser:
        raise LookupError("A record cannot be merged into itself.")
    merge(hand.writer, name, winner, [loser])


def convert_one(hand: Hand) -> None:
    lead = hand.some_id("Lead", '"IsConverted" = 0')
    opportunity = f"New business {hand.dice.randrange(10_000)}" if hand.dice.random() < 0.5 else None
    convert_lead(hand.writer, lead, Conversion(opportunity_name=opportunity))


def _person(hand: Hand) -> dict[str, object]:
    last = hand.dice.choice(_NAMES)
    address = f"{last.lower().replace(chr(39), '')}{hand.dice.randrange(10**6)}@example.com"
    return {"LastName": last, "Email": address, "LeadSource": hand.dice.choice(LEAD_SOURCES)}


def _opportunity(hand: Hand) -> dict[str, object]:
    values: list[dict[str, object]] = [
        {"StageName": hand.dice.choice(tuple(STAGES))},
        {"Amount": hand.dice.randrange(1_000, 250_000)},
        {"CloseDate": (hand.writer.org.clock.now() + dt.timedelta(days=hand.dice.randrange(120))).date()},
    ]
    return hand.dice.choice(values)


def _phone(hand: Hand) -> str:
    return f"+1 555 {hand.dice.randrange(10**7):07d}"


_CHANGES: dict[str, Callable[[Hand], dict[str, object]]] = {
    "Lead": lambda hand: {"Status": hand.dice.choice([s for s in LEAD_STATUSES if "Converted" not in s])},
    "Contact": lambda hand: {"Title": hand.dice.choice(_TITLES), "Phone": _phone(hand)},
    "Account": lambda hand: {"Industry": hand.dice.choice(INDUSTRIES)},
    "Opportunity": _opportunity,
    "CampaignMember": lambda hand: {"Status": hand.dice.choice(("Sent", "Responded"))},
    "Campaign": lambda hand: {"ActualCost": hand.dice.randrange(500, 50_000), "Type": hand.dice.choice(CAMPAIGN_TYPES)},
    "Task": lambda hand: {"Status": hand.dice.choice(("Not Started", "In Progress", "Completed"))},
}
_NEW_VALUES: dict[str, Callable[[Hand], dict[str, object]]] = {
    "Lead": lambda hand: {**_person(hand), "Company": f"{hand.dice.choice(_NAMES)} Ltd"},
    "Contact": lambda hand: {**_person(hand), "AccountId": hand.some_id("Account")},
    "CampaignMember": lambda hand: {"CampaignId": hand.some_id("Campaign"), "ContactId": hand.some_id("Contact")},
    "Task": lambda hand: {"Subject": "Call", "WhoId": hand.some_id("Contact"), "Status": "Completed"},
}
