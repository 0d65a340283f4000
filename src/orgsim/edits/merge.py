"""Merging accounts, contacts, leads or cases: losers go to the bin with MasterRecordId, children move (facts C.2)."""

from collections.abc import Mapping

from orgsim import ids
from orgsim.errors import ApiError
from orgsim.schema.catalog import ChildRelationship
from orgsim.schema.model import SObject
from orgsim.store.fieldhistory import write_event
from orgsim.store.rows import find_rows, read_row
from orgsim.store.write import Writer

MAX_LOSERS = 2
_NOT_MOVED = frozenset({"MasterRecordId", "CreatedById", "LastModifiedById"})
_EVENTS = {"Account": "accountMerged", "Contact": "contactMerged", "Lead": "leadMerged"}
# A person stands once in a campaign and once in an opportunity's roles: the loser's second row goes.
_ONCE_PER = {"CampaignMember": "CampaignId", "OpportunityContactRole": "OpportunityId"}


def merge(
    writer: Writer, name: str, winner_id: str, loser_ids: list[str], values: Mapping[str, object] | None = None
) -> None:
    """`values` are set on the winner. Raises ApiError."""
    sobject = writer.org.catalog().get(name)
    if not sobject.mergeable or not 1 <= len(loser_ids) <= MAX_LOSERS:
        raise ApiError("INVALID_OPERATION", f"{name}: one or two records can be merged into another")
    winner = ids.to_18(winner_id)
    if len({winner, *map(ids.to_18, loser_ids)}) <= len(loser_ids):
        raise ApiError("INVALID_OPERATION", f"{name}: a record cannot be merged into itself, or twice")
    with writer.org.database.write():
        _refuse_gone(writer, sobject, [winner_id, *loser_ids])
        for loser in map(ids.to_18, loser_ids):
            for relationship in writer.org.catalog().children_of(name):
                _move_children(writer, relationship, loser, winner)
            _tell_history(writer, sobject, winner, loser)
            writer.bin_loser(sobject, loser, winner)
        writer.without_duplicate_rules().update(name, winner, values or {})


def _tell_history(writer: Writer, sobject: SObject, winner: str, loser: str) -> None:
    """The winner's history tells the loser's name; the loser's own stays with it."""
    if event := _EVENTS.get(sobject.name):
        row = read_row(writer.org.database.connect(), sobject, loser) or {}
        write_event(writer.org, writer.user_id, sobject, winner, event, row.get("Name"))


def _refuse_gone(writer: Writer, sobject: SObject, record_ids: list[str]) -> None:
    for record_id in record_ids:
        row = read_row(writer.org.database.connect(), sobject, ids.to_18(record_id))
        if row is None or row["IsDeleted"]:
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted", status=404, fields=())


def _move_children(writer: Writer, relationship: ChildRelationship, loser: str, winner: str) -> None:
    child, field = relationship.child, relationship.field
    if field.name in _NOT_MOVED or child.is_history:
        return
    connection = writer.org.database.connect()
    for row in find_rows(connection, child, field.name, loser):
        if not row.get("IsDeleted") and _is_second(writer, child, field.name, row, winner):
            writer.delete(child.name, str(row["Id"]))
        else:
            writer.set_fields(child.name, str(row["Id"]), {field.name: winner})


def _is_second(writer: Writer, child: SObject, link: str, row: Mapping[str, object], winner: str) -> bool:
    group = _ONCE_PER.get(child.name)
    if group is None:
        return False
    of_winner = find_rows(writer.org.database.connect(), child, link, winner)
    return any(each[group] == row[group] and not each["IsDeleted"] for each in of_winner)
